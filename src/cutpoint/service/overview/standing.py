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
from cutpoint.words import count


@dataclass(frozen=True)
class Standing:
    """A campaign's numbers, its round as the log has it, and how often each class is found."""

    status: Status
    round: Mapping[str, Any] | None
    asked: int
    rates: tuple[Rate, ...]

    @property
    def sentence(self) -> str:
        """How far it is, and what waits for somebody, in one sentence."""
        said = self.status
        parts = [
            (said.disputed, "on which people differ"),
            (said.pending, "waiting for more answers"),
            (said.held, "that people could not answer"),
            (said.leases, "with somebody now"),
        ]
        done = f"{said.labelled:,} of {count(said.items, 'item')} labelled"
        return ", ".join([done, *(f"{n:,} {words}" for n, words in parts if n)])

    @property
    def asking(self) -> str:
        """How questions are chosen at the moment, and how many of them were asked, in words."""
        if self.finished:
            return "every item has a label, and nothing is left to ask"
        if self.round is None:
            return "nothing was asked yet; the first question comes when somebody opens their link"
        data = self.round
        by = (
            "drawn at random, as there is no model yet"
            if data["scores"] is None
            else (f"chosen by {data['strategy']} with model {data['scores']}")
        )
        return f"round {data['round']}, {by}: {self.asked:,} of its {count(data['budget'], 'question')} asked"

    @property
    def model(self) -> str:
        """What the model does, and when there will be another one, in words."""
        said = self.status
        parts = ["none yet" if said.scores is None else f"model {said.scores} is in use"]
        following = "first" if said.scores is None else "next one"
        if said.measures and "foreseen" in said.measures[-1][1]:
            foreseen = said.measures[-1][1]["foreseen"]
            parts.append(
                f"the one before it had foreseen {foreseen:.0%} of the labels that came after, as a mean of the classes"
            )
        if said.training is not None:
            parts.append(f"the {following} is being trained now")
        elif said.failures:
            times = "training" if said.failures == 1 else f"{said.failures} trainings"
            parts.append(f"the last {times} failed ({said.last_error}): people can go on, the model cannot")
        elif not self.finished:
            left = said.interval - said.closed
            parts.append(
                f"the {following} is trained after {count(left, 'more answer')}"
                if left > 0
                else f"the {following} is due"
            )
        return "; ".join(parts)

    @property
    def finished(self) -> bool:
        """Whether every item has a label."""
        return self.status.labelled == self.status.items


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
