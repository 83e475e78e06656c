"""Campaigns in memory whose items have features, so that they can be trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cutpoint.service.desk.desk import Desk
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from cutpoint.store.memory import MemoryStore
from desks import a_store

N = 60


def a_store_with_features(files: ArrayFiles, **settings: Any) -> MemoryStore:
    """Sixty items on a line, the first half of them herons."""
    store = a_store(0, **settings)
    add(store, files, np.linspace(-1, 1, N, dtype=np.float32)[:, None])
    return store


def add(store: MemoryStore, files: ArrayFiles, features: Any) -> None:
    """Add items with these features."""
    first, count = store.count(), len(features)
    data = {"first": first, "count": count, "source": "test", "features": files.put("features", features)}
    store.add_items([Item(i, f"i{i}", {"row": {}}) for i in range(first, first + count)], New("pool_added", data))


def answer(desk: Desk, n: int, label: Callable[[int], int] = lambda item: int(item < 30)) -> None:
    """Ask and answer n times."""
    for _ in range(n):
        ask = desk.ask("one", 1)[0]
        desk.tell(ask, label(ask.item))
