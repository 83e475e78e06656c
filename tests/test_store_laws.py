"""The laws of a store, over every store that we have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cutpoint.store.memory import MemoryStore
from cutpoint.store.opening import open_store
from cutpoint.testing.store_processes import PROCESS_LAWS
from cutpoint.testing.stores import STORE_LAWS, Opened


def named(law: Callable[[Opened], None]) -> str:
    """The id of a law in a test's name."""
    return law.__name__


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Opens a new campaign in a database."""
    if request.param == "sqlite":
        pytest.importorskip("sqlalchemy")
        pytest.importorskip("alembic")
        return partial(open_store, tmp_path / "birds.db", True)
    return partial(open_store, request.getfixturevalue("postgres_url"), True)


@pytest.mark.parametrize("law", STORE_LAWS, ids=named)
def test_a_store_in_memory_obeys(law: Callable[[Opened], None]) -> None:
    store = MemoryStore()
    law(lambda: store)


@pytest.mark.parametrize("law", [*STORE_LAWS, *PROCESS_LAWS], ids=named)
def test_a_store_in_a_database_obeys(law: Callable[[Opened], None], opened: Opened) -> None:
    law(opened)
