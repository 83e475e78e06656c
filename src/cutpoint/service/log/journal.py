"""What the log means to a session, in order: labels told and taken back, skips, questions in flight."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Literal, NamedTuple

from cutpoint.types import Labels


class Step(NamedTuple):
    """One thing that a session is told because of event `number`.

    "tell": item's label is now `value` (it was `before`; -1 for none). "skip": nobody can say what item is.
    "resize": round `item` keeps `value` questions open.
    """

    number: int
    what: Literal["tell", "skip", "resize"]
    item: int
    value: int
    before: int = -1


class Journal:
    """The steps so far; only ever appended to."""

    def __init__(self) -> None:
        """Empty."""
        self.steps: list[Step] = []

    def since(self, number: int) -> Iterator[Step]:
        """The steps of events above `number`, in order."""
        for place in range(self._place(number), len(self.steps)):
            yield self.steps[place]

    def undo(self, labels: Labels, number: int) -> None:
        """Turn labels (n,) of now, or their first n, into those after event `number`, in place."""
        for place in range(len(self.steps) - 1, self._place(number) - 1, -1):
            step = self.steps[place]
            if step.what == "tell" and step.item < len(labels):
                labels[step.item] = step.before

    def _place(self, number: int) -> int:
        return bisect_right(self.steps, number, key=lambda step: step.number)
