"""Where a campaign stands, read from its log by somebody who only looks: no desk is needed, and nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

from cutpoint.service.desk.board import Board
from cutpoint.service.desk.clock import SystemClock
from cutpoint.service.desk.status import Status, status_of
from cutpoint.service.overview.found import Rate, rate
from cutpoint.store.base import Store
from cutpoint.types import UNKNOWN


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
    """Each class, by the settled questions of rounds without scores and of rounds with them.

    An item that several rounds asked, for it wants several answers, counts in the first.
    """
    labels = board.state.ballots.labels
    by_chance: dict[int, bool] = {}
    for opened in board.state.rounds.all:
        for item in opened.asked:
            by_chance.setdefault(item, opened.data["scores"] is None)
    drawn, chosen = (
        [int(labels[item]) for item, chance in by_chance.items() if chance == wanted and labels[item] != UNKNOWN]
        for wanted in (True, False)
    )
    return tuple(rate(name, k, status, drawn, chosen) for k, name in enumerate(status.classes))
