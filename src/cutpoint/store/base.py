"""What a store is: an append-only log of events, and the items of the pool.

Every store obeys the laws in `cutpoint.testing.stores`, whatever it is kept in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from cutpoint.errors import CutpointError, DataError, UsageError
from cutpoint.store.events import Event, New, check, check_name, encode
from cutpoint.words import count


class StoreError(CutpointError):
    """What was handed in could not be stored (a full or read-only disk, a server gone): nothing of it was.

    But see MaybeStored.
    """


class Unreachable(StoreError):
    """The database does not answer, or its file was moved away; once it is there again, the same store goes on."""


class MaybeStored(StoreError):
    """The connection broke, or the disk failed, in the moment of the commit: whether it was stored is not known.

    Sending it again with the same keys tells: it is stored then, or Repeated has the event.
    """


class Repeated(CutpointError):
    """An event with this key is stored already, and nothing was stored now. `event` is the one that is there."""

    def __init__(self, event: Event) -> None:
        """Of the event that is there."""
        super().__init__(
            f"the key {event.key!r} was used for event {event.number} ({event.kind}); a key is stored once: send a "
            "new request with a new key."
        )
        self.event = event


@dataclass(frozen=True)
class Item:
    """One example of the pool: its index, the id its owner knows it by, and what people are shown.

    content: {"text": ...}, {"picture": a path below the campaign's folder} or {"row": {column: value}}.
    """

    index: int
    id: str
    content: Mapping[str, Any]


class Store(Protocol):
    """The log of one campaign and the items of its pool; any number of threads may call it at a time."""

    def append(self, news: Sequence[New]) -> list[Event]:
        """The events as they were stored: all of them, in this order, and on disk when this returns.

        Raises Repeated if the key of one is there already, UsageError for what is no event and StoreError where they
        cannot be stored; then none of them is.
        """
        ...

    def events(self, after: int = 0) -> Iterator[Event]:
        """The events with a number above `after`, in order, read piece by piece."""
        ...

    def last(self) -> int:
        """The number of the last event; 0 in an empty log."""
        ...

    def add_items(self, items: Iterable[Item], pool: New) -> list[Event]:
        """Add items and their `pool_added` event, all or nothing; the event as it was stored, in a list.

        The indices of the items go on from `count()`, and `pool` says how many there are from where. Raises
        UsageError for other indices and for an id that occurs twice or is there, naming the first.
        """
        ...

    def restore(self, events: Iterable[Event], items: Iterable[Item]) -> None:
        """Fill an empty store with the log and then the items of another, all or nothing: numbers, times, keys stay.

        Raises UsageError where anything is stored already and for items that the log's `pool_added` do not count, and
        DataError for a log with a gap.
        """
        ...

    def item(self, index: int) -> Item:
        """The item at an index of the pool; UsageError where there is none."""
        ...

    def items(self, indices: Sequence[int]) -> list[Item]:
        """The items at these indices, in the same order; UsageError naming the first that there is none of."""
        ...

    def indices(self, ids: Sequence[str]) -> list[int | None]:
        """The index of each of these ids, None where it is not in the pool."""
        ...

    def ids(self, first: int, count: int) -> list[str]:
        """The ids of the items from index `first` on, `count` of them or as many as there are."""
        ...

    def count(self) -> int:
        """How many items the pool has."""
        ...

    def own(self, role: str) -> AbstractContextManager[None]:
        """Be the only one in this role ("desk", "trainer") until the context ends, or the process, however it ends.

        UsageError that says who has it, on which machine and since when.
        """
        ...

    def holder(self, role: str) -> str | None:
        """Who has a role, in words; None if nobody has. Only looks: whoever takes the role meanwhile gets it."""
        ...

    def close(self) -> None:
        """Let go of files and connections; the store cannot be used afterwards."""
        ...


def checked(news: Sequence[New]) -> list[str]:
    """The data of each event as JSON; UsageError for the first that cannot be stored, or a key that comes twice."""
    texts, keys = [], set()
    for new in news:
        check(new)
        if new.key is not None and new.key in keys:
            raise UsageError(f"the key {new.key!r} is on two of {len(news)} events; give every event its own, or none.")
        keys.add(new.key)
        texts.append(encode(new.data, f"the data of {new.kind}"))
    return texts


def numbered(items: Iterable[Item], pool: New, first: int) -> Iterator[tuple[Item, str]]:
    """Each item with its content as JSON, checked on the way: indices from `first` on, as many as `pool` says.

    UsageError at the first that does not fit, or at the end if their number does not.
    """
    said = pool.data.get("first"), pool.data.get("count")
    if pool.kind != "pool_added" or said[0] != first:
        raise UsageError(
            f"items come with {pool.kind} from index {said[0]}; it must be pool_added with first = {first}, since "
            f"the pool has {count(first, 'item')}."
        )
    index = first
    for item in items:
        if item.index != index:
            raise UsageError(f"item {item.id!r} has index {item.index}; it must be {index}: indices go on one by one.")
        check_name(item.id, f"the id of item {index}")
        yield item, encode(item.content, f"the content of item {item.id!r}")
        index += 1
    if index - first != said[1]:
        raise UsageError(
            f"pool_added says count = {said[1]}, and as many items must come; {count(index - first, 'item')} came."
        )


def in_order(events: Iterable[Event]) -> Iterator[tuple[Event, str]]:
    """Each event of a log with its data as JSON; DataError unless their numbers are 1, 2, 3, ..."""
    for number, event in enumerate(events, 1):
        if event.number != number:
            raise DataError(
                f"the log has event {event.number} where event {number} must be: it is damaged; restore it from a "
                "backup."
            )
        yield event, encode(event.data, f"the data of event {number}")


def pooled(events: Iterable[Event]) -> int:
    """How many items these events add to the pool."""
    return sum(event.data["count"] for event in events if event.kind == "pool_added")


def whole_pool(size: int) -> New:
    """All items of a pool as one addition, for `numbered`."""
    return New("pool_added", {"first": 0, "count": size})


def not_empty(events: int, items: int) -> UsageError:
    """The error for a store that is to be filled, and holds so much already."""
    return UsageError(
        f"there is a campaign already, of {count(events, 'event')} and {count(items, 'item')}; a copy needs an empty "
        "place: give another. Nothing was changed."
    )


def no_item(index: int, n: int) -> UsageError:
    """The error for an index that the pool, of n items, does not have."""
    have = f"0 to {n - 1}" if n else "none yet"
    return UsageError(f"there is no item {index}; the pool has {count(n, 'item')} ({have}).")


def id_twice(name: str, index: int) -> UsageError:
    """The error for an id that an earlier item has."""
    return UsageError(
        f"the id {name!r} of item {index} is there already; ids must differ, since labels are read and written by "
        "them: remove the second, or give it another id. No item was added."
    )
