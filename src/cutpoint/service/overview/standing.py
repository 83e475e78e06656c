"""Where a campaign stands, read from its log by somebody who only looks: no desk is needed, and nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cutpoint.service.desk.board import Board
from cutpoint.service.desk.clock import SystemClock
from cutpoint.service.desk.status import Status, status_of
from cutpoint.service.log.rounds import Opened
from cutpoint.service.overview.found import Rate, rate
from cutpoint.store.base import Store
from cutpoint.types import UNKNOWN, Labels


@dataclass(frozen=True)
class Standing:
    """A campaign's numbers, and how often each class is found."""

    status: Status
    rates: tuple[Rate, ...]


def read(store: Store) -> tuple[Board, Standing]:
    """The campaign as its log tells it now, and where it stands; O(events)."""
    board = Board(store.events(), None, SystemClock())
    status = status_of(board)
    return board, Standing(status, _rates(board, status))


def _rates(board: Board, status: Status) -> tuple[Rate, ...]:
    """Each class, by what was asked since it was there."""
    rounds, classes = board.state.rounds.all, range(len(status.classes))
    since = [next((i for i, opened in enumerate(rounds) if k < opened.classes), len(rounds)) for k in classes]
    said = {first: _said(rounds[first:], board.state.ballots.labels) for first in set(since)}
    return tuple(rate(name, k, status, *said[since[k]]) for k, name in enumerate(status.classes))


def _said(rounds: Sequence[Opened], labels: Labels) -> tuple[list[int], list[int]]:
    """The labels of settled questions of rounds without scores, and of rounds with them.

    An item that several rounds asked, for it wants several answers, counts in the first.
    """
    by_chance: dict[int, bool] = {}
    for opened in rounds:
        for item in opened.asked:
            by_chance.setdefault(item, opened.data["scores"] is None)
    drawn, chosen = (
        [int(labels[item]) for item, chance in by_chance.items() if chance == wanted and labels[item] != UNKNOWN]
        for wanted in (True, False)
    )
    return drawn, chosen
