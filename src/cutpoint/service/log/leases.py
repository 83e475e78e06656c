"""Who holds which question, as the log tells it; when a lease runs out is for the desk's clock to say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

_Outer = TypeVar("_Outer")
_Inner = TypeVar("_Inner")


@dataclass(frozen=True)
class Lease:
    """An item kept for somebody. until: seconds since 1970 by the desk's wall clock, for people to read."""

    lease: str
    item: int
    annotator: str
    until: float
    seconds: float


class Leases:
    """The leases that have not ended, found by name, by item and by person; O(1) an event."""

    def __init__(self) -> None:
        """None yet."""
        self.live: dict[str, Lease] = {}
        self.granted = 0  # how many ever were
        self._by_item: defaultdict[int, dict[str, str]] = defaultdict(dict)
        self._by_person: defaultdict[str, dict[int, str]] = defaultdict(dict)
        self._lost: set[tuple[int, str]] = set()  # (item, person) whose lease ended without an answer

    def grant(self, data: Mapping[str, Any]) -> None:
        """Somebody has been given an item; a lease of that name, or of theirs on the item, is over."""
        lease = Lease(data["lease"], data["item"], data["annotator"], data["until"], data["seconds"])
        self.end(lease.lease)
        self.answered(lease.item, lease.annotator)
        self.live[lease.lease] = lease
        self.granted += 1
        self._by_item[lease.item][lease.annotator] = lease.lease
        self._by_person[lease.annotator][lease.item] = lease.lease

    def extend(self, data: Mapping[str, Any]) -> int | None:
        """A lease lasts longer; its item."""
        old = self.live.get(data["lease"])
        if old is None:
            return None
        self.live[old.lease] = Lease(old.lease, old.item, old.annotator, data["until"], data["seconds"])
        return old.item

    def end(self, name: str, *, answered: bool = False) -> int | None:
        """A lease is over; its item, None if it was over before."""
        lease = self.live.pop(name, None)
        if lease is None:
            return None
        _drop(self._by_item, lease.item, lease.annotator)
        _drop(self._by_person, lease.annotator, lease.item)
        if not answered:
            self._lost.add((lease.item, lease.annotator))
        return lease.item

    def answered(self, item: int, person: str) -> None:
        """What the person was to say of the item has been said."""
        lease = self.of(item, person)
        if lease is not None:
            self.end(lease.lease, answered=True)
        self._lost.discard((item, person))

    def of(self, item: int, person: str) -> Lease | None:
        """The person's lease on the item."""
        name = self._by_item.get(item, {}).get(person)
        return None if name is None else self.live[name]

    def on(self, item: int) -> int:
        """How many people hold the item."""
        return len(self._by_item.get(item, ()))

    def held_by(self, person: str) -> list[Lease]:
        """What the person holds, in the order in which it was granted."""
        return [self.live[name] for name in self._by_person.get(person, {}).values()]

    def lost(self, item: int, person: str) -> bool:
        """Whether the person held the item once, and the lease ended without an answer."""
        return (item, person) in self._lost

    @property
    def items(self) -> Collection[int]:
        """The items that somebody holds, each once."""
        return self._by_item.keys()

    @property
    def people(self) -> list[str]:
        """Those who hold anything."""
        return list(self._by_person)


def _drop(index: dict[_Outer, dict[_Inner, str]], outer: _Outer, inner: _Inner) -> None:
    """Remove an entry, and its dictionary when it was the last."""
    del index[outer][inner]
    if not index[outer]:
        del index[outer]
