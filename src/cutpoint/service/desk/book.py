"""Append, then apply: the one way in which anything at the desk happens.

The log alone says what happened. Where it is not known whether an append was stored, or the board could not be brought
up to it, the log is read on before anything else is written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cutpoint.errors import CutpointError, UsageError
from cutpoint.service.desk.asks import Ask
from cutpoint.service.desk.board import Board
from cutpoint.service.desk.clock import Clock
from cutpoint.service.log.names import check_new_person
from cutpoint.service.log.state import State
from cutpoint.store.base import MaybeStored, Store, StoreError
from cutpoint.store.events import Event, New, encode
from cutpoint.types import whole_number
from cutpoint.words import count


class Book:
    """A store and the board that follows it, under one lock."""

    def __init__(self, store: Store, board: Board, clock: Clock) -> None:
        """Of a board that knows all that the store holds."""
        self._store = store
        self._board = board
        self._clock = clock
        self._lock = threading.RLock()
        self._closed = False
        self._behind = False  # the log may have something of ours that the board does not know

    @property
    def state(self) -> State:
        """The campaign as the log tells it; read it under `locked` while others may write."""
        return self._board.state

    @property
    def locked(self) -> threading.RLock:
        """The desk's lock, for those who read several things of the state at a time."""
        return self._lock

    def check_open(self) -> None:
        """UsageError if the desk is closed."""
        if self._closed:
            raise UsageError("this desk is closed; open the campaign again.")

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """The desk's lock, and a board that knows what became of all that was in doubt."""
        with self._lock:
            self._read_on()
            yield

    def _write(self, news: Sequence[New]) -> list[Event]:
        """Append, behind what the session asked and the log does not know yet, and apply; the events of `news`.

        Raises MaybeStored where not even the log tells whether they are stored; of what else it raises, nothing is.
        """
        self.check_open()
        self._read_on(news)
        untold = self._board.untold()
        all_news = [*([New("asked", untold)] if untold else []), *news]
        if not all_news:
            return []
        self._behind = True
        try:
            events = self._store.append(all_news)
        except MaybeStored as doubt:
            return self._found(all_news, doubt)[len(all_news) - len(news) :]
        except CutpointError:
            self._behind = False
            raise
        if events[0].number == self.state.number + 1:
            self._board.apply(events)
            self._behind = False
        else:  # others wrote in between
            self._found(all_news, MaybeStored("it is stored, but what others wrote before it cannot be read."))
        return events[len(all_news) - len(news) :]

    def _catch_up(self) -> None:
        """Apply what the log has and the board does not know: what other processes appended, or what was in doubt."""
        self._board.apply(self._store.events(self.state.number))
        self._behind = False

    def _read_on(self, news: Sequence[New] = ()) -> None:
        """Bring a board that is behind up to the log; StoreError if `news` was thought out without what is there."""
        if not self._behind:
            return
        before = self.state.number
        self._catch_up()
        if news and self.state.number > before:
            raise StoreError(
                "what was in doubt is stored, as the log says that could be read only now; nothing of this request "
                "was stored: send it again."
            )

    def _found(self, news: Sequence[New], doubt: MaybeStored) -> list[Event]:
        """The events of an append as the log has them, the board brought up to them; `doubt` if they are not there."""
        try:
            read = list(self._store.events(self.state.number))
        except CutpointError:
            raise doubt from None
        self._board.apply(read)
        self._behind = False
        wanted = [(new.kind, new.key, encode(new.data, new.kind)) for new in news]
        there = [(event.kind, event.key, encode(event.data, event.kind)) for event in read]
        for first in range(len(there) - len(wanted) + 1):
            if there[first : first + len(wanted)] == wanted:
                return read[first : first + len(wanted)]
        raise doubt

    def _lease(self, item: int, annotator: str, place: int = 0) -> New:
        """A new lease, the one behind `place` others that are not written yet."""
        seconds = float(self.state.made.lease_seconds)
        name, until = str(self.state.leases.granted + 1 + place), self._clock.time() + seconds
        data = {"lease": name, "item": item, "annotator": annotator, "until": until, "seconds": seconds}
        return New("lease_granted", data)

    def _returned(self, lease: str) -> New:
        """The end of a lease without an answer."""
        return New("lease_ended", {"lease": lease, "reason": "returned"})

    def _person(self, annotator: object) -> str:
        """The name of somebody who takes part, or may from now on; UsageError."""
        if isinstance(annotator, str) and annotator in self.state.people.by_name:
            return annotator
        return check_new_person(annotator, self.state.people.by_name)

    def _introduce(self, annotator: str) -> None:
        """Make sure that the log knows somebody."""
        if self._person(annotator) not in self.state.people.by_name:
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
            raise UsageError(f"there is no item {index}; the pool has {count(self.state.count, 'item')}.")
        return index

    def _label(self, label: int | str) -> int:
        """The number of a class that is given by number or by name."""
        try:
            return self._number(label)
        except UsageError:
            self._catch_up()  # perhaps another process has added it
            return self._number(label)

    def _number(self, label: int | str) -> int:
        classes = self.state.made.classes
        if isinstance(label, str):
            if label not in classes:
                raise UsageError(f"there is no class {label!r}; the classes are {', '.join(classes)}.")
            return classes.index(label)
        number = whole_number(label, "label", 0)
        if number >= len(classes):
            raise UsageError(f"label is {number}; the classes are numbered 0..{len(classes) - 1}.")
        return number
