"""Desks on a store in memory, with a clock that tests move."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cutpoint.service.desk.desk import Desk
from cutpoint.service.log.settings import Settings
from cutpoint.store.base import Item, Store
from cutpoint.store.events import Event, New
from cutpoint.store.files import ArrayFiles
from cutpoint.store.memory import MemoryStore

CLASSES = ("other", "heron")
T = TypeVar("T")


class FakeClock:
    """A clock that stands still until it is moved; the wall's may jump."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.jump = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_000_000.0 + self.now + self.jump


def a_store(n: int = 30, classes: Sequence[str] = CLASSES, **settings: Any) -> MemoryStore:
    """A campaign with n items, i0, i1, ..., and nothing done."""
    store = MemoryStore()
    store.append([Settings("test", tuple(classes), **settings).created()])
    add_items(store, n)
    return store


def add_items(store: Store, n: int) -> None:
    """Add n items."""
    first = store.count()
    data = {"first": first, "count": n, "source": "test", "features": None}
    store.add_items([Item(i, f"i{i}", {"row": {}}) for i in range(first, first + n)], New("pool_added", data))


def a_desk(n: int = 30, clock: FakeClock | None = None, **settings: Any) -> Desk:
    """A desk on such a store."""
    return Desk(a_store(n, **settings), clock=clock or FakeClock())


def kinds(store: Store) -> list[str]:
    """The kinds of all events."""
    return [event.kind for event in store.events()]


def events_of(store: Store, kind: str) -> list[Event]:
    """The events of one kind."""
    return [event for event in store.events() if event.kind == kind]


def in_flight(store: Store) -> object:
    """How many questions the last round may keep open, by the log."""
    said = [event.data["in_flight"] for event in store.events() if event.kind in ("round_opened", "resized")]
    return said[-1]


def publish(store: MemoryStore, folder: Path, probs: NDArray[Any], *, version: int = 1, **arrays: NDArray[Any]) -> None:
    """Publish scores as a trainer does."""
    files = ArrayFiles(folder)
    entries = {name: files.put(name, array) for name, array in ({"probs": probs} | arrays).items()}
    data = {"version": version, "classes": probs.shape[1], "rows": len(probs), "upto": store.last(), "files": entries}
    store.append([New("scores_published", data | {"run": f"r{version}", "measures": {}})])


def some_probs(n: int, n_classes: int = 2, seed: int = 0) -> NDArray[np.float32]:
    """(n, n_classes) float32 probabilities without ties."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.dirichlet(np.full(n_classes, 0.5), n), np.float32)


def until(true: Callable[[], T], seconds: float = 120.0, pause: float = 0.005) -> T:
    """Wait until something is so, and return it; the seconds are for machines that stall. pause: between two looks."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(pause)
    return found
