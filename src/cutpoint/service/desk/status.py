"""Where a campaign stands, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from cutpoint.service.desk.board import Board


@dataclass(frozen=True)
class PersonStatus:
    """What stands of one annotator's work, and how many questions they hold.

    answers: items with an answer of theirs.  corrections, late: how many of these they corrected, came late.
    passes: items that they passed on.
    """

    annotator: str
    admin: bool
    answers: int
    passes: int
    corrections: int
    late: int
    leases: int


@dataclass(frozen=True)
class Status:
    """The numbers of a dashboard.

    labelled: settled items.  found: of each class.  pending: half answered.  held: items passed on, not labelled.
    closed: questions since the last training knew the log.  interval: at which the next training begins.
    scores: version, None before the first.  training: the run that is on, None for none.  failures: in a row.
    measures: (number of the last event the model knew, measures) of every scores, in order.
    """

    name: str
    classes: tuple[str, ...]
    items: int
    labelled: int
    found: tuple[int, ...]
    held: int
    pending: int
    disputed: int
    leases: int
    waiting: int
    round: int | None
    budget: int | None
    asked: int | None
    in_flight: int | None
    closed: int
    interval: int
    scores: int | None
    training: str | None
    failures: int
    last_error: str
    trouble: str
    measures: tuple[tuple[int, dict[str, float]], ...]
    people: tuple[PersonStatus, ...]


def status_of(board: Board) -> Status:
    """The numbers as they are; O(people + classes + held + trainings)."""
    state, session = board.state, board.live.session if board.live else None
    settings, ballots, runs = state.made, state.ballots, state.runs
    people = tuple(
        PersonStatus(p.name, p.admin, p.answers, p.passes, p.corrections, p.late, len(state.leases.held_by(p.name)))
        for p in state.people.by_name.values()
    )
    return Status(
        name=settings.name,
        classes=settings.classes,
        items=state.count,
        labelled=ballots.n_settled,
        found=tuple(ballots.found[k] for k in range(len(settings.classes))),
        held=sum(bool(ballots.labels[item] < 0) for item in ballots.passed),
        pending=len(ballots.pending),
        disputed=len(ballots.disputes),
        leases=len(state.leases.live),
        waiting=len(board.waiting),
        round=board.live.number if board.live else None,
        budget=session.round.budget if session else None,
        asked=session.n_asked if session else None,
        in_flight=session.in_flight if session else None,
        closed=ballots.closed_since(runs.upto),
        interval=state.interval,
        scores=runs.scores[-1]["version"] if runs.scores else None,
        training=runs.running["run"] if runs.running else None,
        failures=len(runs.failures),
        last_error=runs.failures[-1]["error"] if runs.failures else "",
        trouble=board.trouble,
        measures=tuple((scores["upto"], dict(scores["measures"])) for scores in runs.scores),
        people=people,
    )
