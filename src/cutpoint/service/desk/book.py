"""Append, then apply: the one way in which anything at the desk happens."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from cutpoint.errors import UsageError
from cutpoint.service.desk.asks import Ask
from cutpoint.service.desk.board import Board
from cutpoint.service.desk.clock import Clock
from cutpoint.service.log.state import State
from cutpoint.store.base import Store
from cutpoint.store.events import Event, New
from cutpoint.types import whole_number


def person_name(value: object) -> str:
    """The value, if it can be somebody's name; UsageError."""
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"annotator is {value!r}; it must be a name.")
    return value


class Book:
    """A store and the board that follows it, under one lock."""

    def __init__(self, store: Store, board: Board, clock: Clock) -> None:
        """Of a board that knows all that the store holds."""
        self._store = store
        self._board = board
        self._clock = clock
        self._lock = threading.RLock()

    @property
    def state(self) -> State:
        """The campaign as the log tells it; read it under `locked` while others may write."""
        return self._board.state

    @property
    def locked(self) -> threading.RLock:
        """The desk's lock, for those who read several things of the state at a time."""
        return self._lock

    def _write(self, news: Sequence[New]) -> list[Event]:
        """Append, behind what the session asked and the log does not know yet, and apply; the events of `news`."""
        live = self._board.live
        untold = live.untold() if live is not None else None
        all_news = [*([New("asked", untold)] if untold else []), *news]
        if not all_news:
            return []
        events = self._store.append(all_news)
        if live is not None and untold:
            live.told += len(untold["items"])
        in_order = events[0].number == self.state.number + 1  # else others wrote in between
        self._board.apply(events if in_order else self._store.events(self.state.number))
        return events[len(all_news) - len(news) :]

    def _catch_up(self) -> None:
        """Apply what other processes appended."""
        self._board.apply(self._store.events(self.state.number))

    def _lease(self, item: int, annotator: str, place: int = 0) -> New:
        """A new lease, the one behind `place` others that are not written yet."""
        seconds = float(self.state.made.lease_seconds)
        name, until = str(self.state.leases.granted + 1 + place), self._clock.time() + seconds
        data = {"lease": name, "item": item, "annotator": annotator, "until": until, "seconds": seconds}
        return New("lease_granted", data)

    def _introduce(self, annotator: str) -> None:
        """Make sure that the log knows somebody."""
        if person_name(annotator) not in self.state.people.by_name:
            self._write([New("annotator_added", {"annotator": annotator, "admin": False})])

    def _item(self, item: Ask | int | str) -> int:
        """The index of an item that is given by itself, by its index or by its id."""
        if isinstance(item, str):
            found = self._store.indices([item])[0]
            if found is None:
                raise UsageError(f"there is no item {item!r}; items are named by the ids they were added with.")
            return found
        index = whole_number(item.item if isinstance(item, Ask) else item, "the item's index", 0)
        if index >= self.state.count:
            raise UsageError(f"there is no item {index}; the pool has {self.state.count} items.")
        return index

    def _label(self, label: int | str) -> int:
        """The number of a class that is given by number or by name."""
        classes = self.state.made.classes
        if isinstance(label, str):
            if label not in classes:
                raise UsageError(f"there is no class {label!r}; the classes are {', '.join(classes)}.")
            return classes.index(label)
        number = whole_number(label, "label", 0)
        if number >= len(classes):
            raise UsageError(f"label is {number}; it must be 0..{len(classes) - 1} or a class's name.")
        return number
