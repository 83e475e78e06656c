"""A store and its arrays in memory: the same semantics, and gone with the process. For tests and simulations."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from cutpoint.store.base import (
    Item,
    Repeated,
    checked,
    id_twice,
    in_order,
    no_item,
    not_empty,
    numbered,
    pooled,
    whole_pool,
)
from cutpoint.store.events import Event, New, decode
from cutpoint.store.files import Array, ArrayFiles
from cutpoint.store.owner import Holder, check_role, held, who

_PIECE = 1000


class MemoryStore:
    """A `Store` in lists. Data goes through JSON, so that what is read is what the other stores would give."""

    def __init__(self) -> None:
        """An empty log and an empty pool."""
        self._lock = threading.RLock()
        self._log: list[Event] = []
        self._keys: dict[str, Event] = {}
        self._items: list[Item] = []
        self._index: dict[str, int] = {}
        self._owners: dict[str, Holder] = {}

    def append(self, news: Sequence[New]) -> list[Event]:
        """See `Store.append`."""
        texts = checked(news)
        with self._lock:
            self._refuse_repeated(news)
            at, last = time.time(), len(self._log)
            events = [
                Event(last + place, at, new.kind, decode(text), new.key)
                for place, (new, text) in enumerate(zip(news, texts, strict=True), 1)
            ]
            self._log += events
            self._keys |= {event.key: event for event in events if event.key is not None}
            return events

    def events(self, after: int = 0) -> Iterator[Event]:
        """See `Store.events`."""
        while True:
            with self._lock:
                piece = self._log[after : after + _PIECE]
            yield from piece
            if not piece:
                return
            after += len(piece)

    def last(self) -> int:
        """See `Store.last`."""
        return len(self._log)

    def add_items(self, items: Iterable[Item], pool: New) -> list[Event]:
        """See `Store.add_items`."""
        checked([pool])
        with self._lock:
            self._refuse_repeated([pool])
            added, index = self._checked(items, pool)
            events = self.append([pool])
            self._items += added
            self._index |= index
            return events

    def restore(self, events: Iterable[Event], items: Iterable[Item]) -> None:
        """See `Store.restore`."""
        with self._lock:
            if self._log or self._items:
                raise not_empty(len(self._log), len(self._items))
            log = [replace(event, data=decode(text)) for event, text in in_order(events)]
            pool, index = self._checked(items, whole_pool(pooled(log)))
            self._log, self._items, self._index = log, pool, index
            self._keys = {event.key: event for event in log if event.key is not None}

    def _checked(self, items: Iterable[Item], pool: New) -> tuple[list[Item], dict[str, int]]:
        """New items, and the index of each id."""
        added: list[Item] = []
        index: dict[str, int] = {}
        for item, text in numbered(items, pool, len(self._items)):
            if item.id in self._index or item.id in index:
                raise id_twice(item.id, item.index)
            index[item.id] = item.index
            added.append(Item(item.index, item.id, decode(text)))
        return added, index

    def item(self, index: int) -> Item:
        """See `Store.item`."""
        if not 0 <= index < len(self._items):
            raise no_item(index, len(self._items))
        return self._items[index]

    def items(self, indices: Sequence[int]) -> list[Item]:
        """See `Store.items`."""
        return [self.item(index) for index in indices]

    def indices(self, ids: Sequence[str]) -> list[int | None]:
        """See `Store.indices`."""
        return [self._index.get(name) for name in ids]

    def ids(self, first: int, count: int) -> list[str]:
        """See `Store.ids`."""
        return [item.id for item in self._items[first : first + count]]

    def count(self) -> int:
        """See `Store.count`."""
        return len(self._items)

    @contextmanager
    def own(self, role: str) -> Iterator[None]:
        """See `Store.own`."""
        check_role(role)
        with self._lock:
            if role in self._owners:
                raise held(role, self._owners[role])
            self._owners[role] = Holder.me()
        try:
            yield
        finally:
            del self._owners[role]

    def holder(self, role: str) -> str | None:
        """See `Store.holder`."""
        check_role(role)
        with self._lock:
            return who(self._owners[role]) if role in self._owners else None

    def _refuse_repeated(self, news: Sequence[New]) -> None:
        """Raise Repeated at the first key that is there."""
        for new in news:
            if new.key is not None and new.key in self._keys:
                raise Repeated(self._keys[new.key])

    def close(self) -> None:
        """See `Store.close`; nothing to let go of."""


class MemoryFiles(ArrayFiles):
    """The arrays of a campaign without a disk."""

    def __init__(self) -> None:
        """No array yet."""
        super().__init__("")
        self._arrays: dict[str, Array] = {}

    def put(self, name: str, array: Array) -> dict[str, Any]:
        """See `ArrayFiles.put`; no checksum."""
        file = f"{name}-{len(self._arrays)}.npy"
        self._arrays[file] = array.copy()
        self._arrays[file].flags.writeable = False
        return {"file": file, "sha256": "", "shape": list(array.shape), "dtype": array.dtype.str}

    def open(self, entry: Mapping[str, Any], verify: bool = False) -> Array:
        """See `ArrayFiles.open`."""
        return self._arrays[entry["file"]]
