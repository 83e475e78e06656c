"""What the desk hands out and what it says to an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cutpoint.types import Why

PASSES = ("skip", "unsure", "broken")
"""Why somebody passes on an item: they leave it, they cannot say, or it cannot be shown."""


@dataclass(frozen=True)
class Ask:
    """A question for somebody: the item by index and id, under which lease, for how many seconds, and why it is asked.

    A whole number stands for it wherever an item is wanted: `int(ask)` is its index.
    """

    item: int
    id: str
    annotator: str
    lease: str
    seconds: float
    why: Why | None

    def __index__(self) -> int:
        """The item's index."""
        return self.item


class Asks(list[Ask]):
    """Questions. If there are fewer than wanted: reason says why.

    open: items that are with anybody now. seconds: when it is worth asking again, None if answers alone help.
    """

    def __init__(self, asks: Iterable[Ask] = (), *, reason: str = "", open: int = 0, seconds: float | None = None):
        """The questions, and what to say of those that are missing."""
        super().__init__(asks)
        self.reason = reason
        self.open = open
        self.seconds = seconds


@dataclass(frozen=True)
class Receipt:
    """What became of an answer, once it is on disk.

    status:   "saved", "again" (it was there already), "corrected", "taken back".
    label:    the label of the item that follows from all answers, None if there is none.
    late:     the lease had run out; the answer counts all the same.  others: how many other people answered the item.
    disputed: people differ on the item.  number: of the event that holds it.
    """

    item: int
    status: Literal["saved", "again", "corrected", "taken back"]
    label: int | None
    late: bool
    disputed: bool
    others: int
    number: int
