"""The check of killed writers sees a store that loses what it acknowledged, and one that stores it twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cutpoint.store.base import Store
from cutpoint.store.events import Event, New
from cutpoint.store.opening import open_store
from cutpoint.testing.killed import kill_writers


class Broken:
    """A store in a file whose `append` does something else than it says."""

    def __init__(self, path: Path) -> None:
        """Of a campaign that is made if it is not there."""
        self._store, self._calls = open_store(path, True), 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Forgetful(Broken):
    """Says that every third append is stored, and stores it not."""

    def append(self, news: Sequence[New]) -> list[Event]:
        """Perhaps."""
        self._calls += 1
        if self._calls % 3:
            return self._store.append(news)
        first = self._store.last() + 1
        return [Event(first + place, 0.0, new.kind, new.data, new.key) for place, new in enumerate(news)]


class Twofold(Broken):
    """Stores everything again, without its keys."""

    def append(self, news: Sequence[New]) -> list[Event]:
        """Twice."""
        events = self._store.append(news)
        self._store.append([dataclasses.replace(new, key=None) for new in news])
        return events


def broken(kind: type[Broken], path: Path) -> Store:
    """What `kill_writers` opens."""
    return kind(path)


@pytest.mark.parametrize(
    ("kind", "said"), [(Forgetful, "not in the log"), (Twofold, "not in the log as it was written, whole and once")]
)
def test_a_broken_store_is_caught(tmp_path: Path, kind: type[Broken], said: str) -> None:
    pytest.importorskip("sqlalchemy")
    with pytest.raises(AssertionError, match=said):
        kill_writers(partial(broken, kind, tmp_path / "birds.db"), kills=3, writers=2)
