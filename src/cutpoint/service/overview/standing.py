"""Where a campaign stands, read from its log by somebody who only looks: no desk is needed, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cutpoint.service.desk.board import Board
from cutpoint.service.desk.clock import SystemClock
from cutpoint.service.desk.status import Status, status_of
from cutpoint.service.overview.found import Rate, rate
from cutpoint.store.base import Store
from cutpoint.types import UNKNOWN


@dataclass(frozen=True)
class Standing:
    """A campaign's numbers, its round as the log has it, and how often each class is found."""

    status: Status
    round: Mapping[str, Any] | None
    asked: int
    rates: tuple[Rate, ...]

    @property
    def sentence(self) -> str:
        """How far it is, in one sentence."""
        said = self.status
        return (
            f"{said.labelled:,} of {said.items:,} items labelled, {said.disputed} disputed, {said.pending} half "
            f"answered, {said.held} passed on, {said.leases} with people now"
        )

    @property
    def asking(self) -> str:
        """What the round at hand is, in words."""
        if self.round is None:
            return "no round yet"
        data = self.round
        by = "while there is no model" if data["scores"] is None else f"on scores {data['scores']}"
        return f"round {data['round']}: {self.asked} of {data['budget']} questions asked, {data['strategy']} {by}"

    @property
    def model(self) -> str:
        """What the model does, in words."""
        said = self.status
        parts = ["no model yet" if said.scores is None else f"scores {said.scores} serve"]
        if said.measures and "foreseen" in said.measures[-1][1]:
            parts.append(f"the ones before foresaw {said.measures[-1][1]['foreseen']:.0%} of the labels since")
        if said.training is not None:
            parts.append("a training runs")
        elif said.failures:
            parts.append(f"the last {said.failures} trainings failed: {said.last_error}")
        else:
            parts.append(f"the next training after {max(said.interval - said.closed, 0)} more answers")
        return ", ".join(parts)


def read(store: Store) -> tuple[Board, Standing]:
    """The campaign as its log tells it now, and where it stands; O(events)."""
    board = Board(store.events(), None, SystemClock())
    status = status_of(board)
    last = board.state.rounds.last
    asked = 0 if last is None else len(last.asked)
    return board, Standing(status, None if last is None else last.data, asked, _rates(board, status))


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
