"""The questions that somebody could be given now, oldest first."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator


class Waiting:
    """Items in the order in which they first became questions; an item that comes back has its old place again."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._turns: list[int] = []  # ascending
        self._item: dict[int, int] = {}  # turn -> item
        self._turn: dict[int, int] = {}  # item -> turn, also of items that do not wait
        self._next = 0

    def __len__(self) -> int:
        return len(self._turns)

    def __iter__(self) -> Iterator[int]:
        return (self._item[turn] for turn in self._turns)

    def __contains__(self, item: int) -> bool:
        return self._turn.get(item, -1) in self._item

    def turn(self, item: int) -> int:
        """The place of an item in the order of all that ever waited; items that never did come first."""
        return self._turn.get(item, -1)

    def put(self, item: int) -> None:
        """Let an item wait, if it does not yet."""
        if item in self:
            return
        self.know(item)
        insort(self._turns, self._turn[item])
        self._item[self._turn[item]] = item

    def know(self, item: int) -> None:
        """Give an item its place, which is the last one so far, if it has none."""
        if item not in self._turn:
            self._turn[item] = self._next
            self._next += 1

    def remove(self, item: int) -> None:
        """Let an item wait no more, if it does."""
        turn = self._turn.get(item, -1)
        if turn in self._item:
            del self._item[turn]
            del self._turns[bisect_left(self._turns, turn)]
