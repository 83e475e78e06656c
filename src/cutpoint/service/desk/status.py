"""Where a campaign stands, in numbers: each defined here, once, for pages, commands and scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cutpoint.service.desk.board import Board
from cutpoint.service.log.leases import Lease
from cutpoint.service.log.state import State


@dataclass(frozen=True)
class PersonStatus:
    """What stands of one annotator's work; all but `late` and `corrected`, which are of the answers, are of items.

    answers: with an answer of theirs.  passed: that they passed on.  corrected: answers that they changed.
    late: answers that came late.  with_them: before them now.
    """

    name: str
    answers: int
    passed: int
    corrected: int
    late: int
    with_them: int


@dataclass(frozen=True)
class RoundStatus:
    """The round that was opened last, by the log.

    model: whose scores it goes by, None where it draws at random.  budget: how many questions it may ask.
    asked: how many it has chosen so far, which is no news to anybody.  done: how many of these are labelled or held.
    """

    number: int
    strategy: str
    model: int | None
    budget: int
    asked: int
    done: int


@dataclass(frozen=True)
class Status:
    """The numbers of a campaign, by its log. Every item is either labelled, waiting, held or left.

    labelled: settled, by as many answers as are wanted, an import or a decision; found: of these, of each class.
    waiting: not labelled, with fewer answers than wanted.  held: not labelled, passed on, until an admin releases it.
    left: all others.  disputed: people differ and nobody has decided.  with_people: before somebody now.
    without_features: items that have none; where there is one, no model is trained.
    done: items that were labelled, held or given another label since the last model; changed: the last of these, for
    which the model is stale; trains_at: at how many that are done the next one is due.
    model: the newest, None before the first.  training: the run that is on, None for none.  failures: in a row.
    training_trouble: what is amiss with the process that trains beside this one, as long as it does not work.
    measures: (number of the last event the model knew, measures) of every model, in order.
    people: all who answer; of admins, those who did.
    """

    name: str
    classes: tuple[str, ...]
    items: int
    labelled: int
    found: tuple[int, ...]
    waiting: int
    held: int
    left: int
    disputed: int
    with_people: int
    without_features: int
    round: RoundStatus | None
    done: int
    changed: int
    trains_at: int
    model: int | None
    training: str | None
    failures: int
    last_error: str
    trouble: str
    training_trouble: str
    measures: tuple[tuple[int, dict[str, float]], ...]
    people: tuple[PersonStatus, ...]


def status_of(board: Board) -> Status:
    """The numbers as they are; O(people + leases + classes + trainings + questions of the round)."""
    state, leases = board.state, _running(board)
    settings, ballots, runs = state.made, state.ballots, state.runs
    unread = _unread(state)
    return Status(
        name=settings.name,
        classes=settings.classes,
        items=state.count,
        labelled=ballots.n_settled,
        found=tuple(ballots.found[k] for k in range(len(settings.classes))),
        waiting=len(ballots.pending),
        held=len(ballots.held),
        left=state.count - ballots.n_settled - len(ballots.pending) - len(ballots.held),
        disputed=len(ballots.disputes),
        without_features=state.without_features,
        with_people=len({lease.item for lease in leases}),
        round=_round(state),
        done=state.n_done,
        changed=len(ballots.changed),
        trains_at=state.interval if unread is None else min(state.n_done, state.interval),
        model=runs.scores[-1]["version"] if runs.scores else None,
        training=runs.running["run"] if runs.running else None,
        failures=len(runs.failures),
        last_error=runs.failures[-1]["error"] if runs.failures else "",
        trouble=board.trouble or board.makeshift or _said_of(unread),
        training_trouble=board.untrained,
        measures=tuple((scores["upto"], dict(scores["measures"])) for scores in runs.scores),
        people=tuple(_people(state, leases)),
    )


def _unread(state: State) -> int | None:
    """The newest model, where the round at hand goes by an older one, as the scores of the newest could not be read."""
    last, newest = state.rounds.last, state.runs.newest(state.number)
    if last is None or last.closed is not None or last.data["scores"] in (None, newest):
        return None
    return newest if state.runs.newest(last.data["upto"]) == newest else None


def _said_of(unread: int | None) -> str:
    """What is amiss where the newest scores could not be read."""
    return "" if unread is None else f"the scores of model {unread} could not be read, and questions go without them"


def _round(state: State) -> RoundStatus | None:
    last = state.rounds.last
    if last is None:
        return None
    data, ballots = last.data, state.ballots
    done = sum(bool(ballots.labels[item] >= 0) or item in ballots.held for item in last.asked)
    asked = len(last.asked)
    return RoundStatus(data["round"], data["strategy"], data["scores"], data["budget"], asked, done)


def _running(board: Board) -> list[Lease]:
    """The leases that have not run out, also where no desk was there to end them. O(leases)."""
    over = set(board.expiry.due())
    return [lease for name, lease in board.state.leases.live.items() if name not in over]


def _people(state: State, leases: Sequence[Lease]) -> list[PersonStatus]:
    has = Counter(lease.annotator for lease in leases)
    return [
        PersonStatus(p.name, p.answers, p.passes, p.corrections, p.late, has[p.name])
        for p in state.people.by_name.values()
        if p.said or not p.admin
    ]
