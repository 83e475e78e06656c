"""The store in memory: what it shares with the others is in test_store_laws.py."""

from __future__ import annotations

from typing import Any

import pytest

from cutpoint.errors import UsageError
from cutpoint.store.base import Item, Repeated, Store
from cutpoint.store.events import New
from cutpoint.store.memory import MemoryStore


def test_events_are_copies_of_what_was_handed_in() -> None:
    store: Store = MemoryStore()
    data: dict[str, Any] = {"round": 1, "in_flight": [(1, 2)]}
    (event,) = store.append([New("resized", data, key="k")])
    data["round"] = 2
    assert (event.number, event.data, event.key) == (1, {"round": 1, "in_flight": [[1, 2]]}, "k")
    assert list(store.events()) == [event]
    with pytest.raises(Repeated, match="the key 'k' was used for event 1") as caught:
        store.append([New("resized", data), New("resized", data, key="k")])
    assert caught.value.event == event
    assert store.last() == 1


def test_items_and_a_role() -> None:
    store = MemoryStore()
    pool = New("pool_added", {"first": 0, "count": 2, "source": "here", "features": None}, key="once")
    items = [Item(0, "a", {"text": "x"}), Item(1, "b\0", {"text": "y"})]
    store.add_items(items, pool)
    with pytest.raises(Repeated):
        store.add_items(items, pool)
    assert (store.count(), store.item(1), store.indices(["b\0", "c"])) == (2, items[1], [1, None])
    with store.own("desk"), pytest.raises(UsageError, match="has a desk already: process"), store.own("desk"):
        pass
    with store.own("desk"):
        pass
