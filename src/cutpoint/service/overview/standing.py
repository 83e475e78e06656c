"""Where a campaign stands, read from its log by somebody who only looks: no desk is needed, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from cutpoint.service.desk.board import Board
from cutpoint.service.desk.clock import SystemClock
from cutpoint.service.desk.status import Status, status_of
from cutpoint.service.log.journal import Journal
from cutpoint.service.log.rounds import Opened
from cutpoint.service.log.state import State
from cutpoint.service.overview.found import Rate, Said, rate
from cutpoint.store.base import Store
from cutpoint.types import UNKNOWN, Labels


@dataclass(frozen=True)
class Standing:
    """A campaign's numbers, and how often each class is found."""

    status: Status
    rates: tuple[Rate, ...]


def read(store: Store) -> tuple[Board, Standing]:
    """The campaign as its log tells it now, and where it stands; O(events).

    A training that was begun is on as long as somebody is at work who may have begun it.
    """
    board = Board(store.events(), None, SystemClock())
    status = status_of(board)
    if status.training is not None and not (store.holder("trainer") or store.holder("desk")):
        status = replace(status, training=None)
    return board, Standing(status, rates(moment(board.state), status))


@dataclass(frozen=True, eq=False)
class Moment:
    """What rates follow from, of one moment: nothing of it changes while the state goes on.

    labels: (N,) of settled items, -1 of others.  imported: items.  rounds: with what they asked until then.
    """

    labels: Labels
    imported: list[int]
    rounds: Sequence[Opened]
    journal: Journal


def moment(state: State) -> Moment:
    """The state's; the caller keeps it still. O(items), but copied as they lie."""
    rounds = [replace(opened, asked=list(opened.asked)) for opened in state.rounds.all]
    return Moment(state.ballots.labels.copy(), list(state.ballots.imported), rounds, state.journal)


def rates(now: Moment, status: Status) -> tuple[Rate, ...]:
    """Each class, by what was asked since it was there; status: of the same moment."""
    rounds, classes = now.rounds, range(len(status.classes))
    since = [next((i for i, opened in enumerate(rounds) if k < opened.classes), len(rounds)) for k in classes]
    said = {first: _said(now, rounds[first:]) for first in set(since)}
    return tuple(rate(name, k, status, said[since[k]]) for k, name in enumerate(status.classes))


def _said(now: Moment, rounds: Sequence[Opened]) -> Said:
    """The labels of settled questions of these rounds, and of what was settled before them or is imported.

    An imported item is no question, though it was asked: its label came for what it is. What several rounds asked, for
    it wants several answers, counts in the first. What was drawn at random after the first model was neither chosen nor
    drawn from all.
    """
    if not rounds:
        return Said()
    labels = now.labels
    before = labels.copy()
    now.journal.undo(before, rounds[0].number)
    known = (before != UNKNOWN) & (labels != UNKNOWN)
    known[now.imported] = True
    drawn = dict.fromkeys(item for opened in takewhile(_by_chance, rounds) for item in opened.asked)
    chosen = dict.fromkeys(item for opened in rounds if not _by_chance(opened) for item in opened.asked)

    def settled(items: Iterable[int]) -> list[int]:
        return [int(labels[item]) for item in items if labels[item] != UNKNOWN and not known[item]]

    return Said(settled(drawn), settled(item for item in chosen if item not in drawn), labels[known].tolist())


def _by_chance(opened: Opened) -> bool:
    """Whether a round goes by no scores."""
    return opened.data["scores"] is None
