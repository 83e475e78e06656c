"""Two who make one campaign at a time: the second is refused, and nobody removes what another has stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pytest

from cutpoint.errors import UsageError
from cutpoint.service.place import begun
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from cutpoint.store.opening import open_store

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

EVENT = New("class_added", {"name": "heron"})
ARRAY = np.arange(10.0)


def make_and_fail(place: Path, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Begin a campaign, store an array and end with ZeroDivisionError."""
    with begun(str(place)) as (_, files):
        files.put("features", ARRAY)
        meanwhile()
        raise ZeroDivisionError


def test_a_second_maker_is_refused_at_once_and_the_first_ends_well(tmp_path: Path) -> None:
    said = r"herons\.db is being made by process \d+ on .*; wait for it, or give another name\."
    with begun(str(tmp_path / "herons")) as (store, files):
        with pytest.raises(UsageError, match=said), begun(str(tmp_path / "herons.db")):
            pass
        with begun(str(tmp_path / "gulls")):  # another name is free
            pass
        entry = files.put("features", ARRAY)
        with pytest.raises(UsageError, match=said), begun(str(tmp_path / "herons")):
            pass
        store.append([EVENT])
    assert {path.name for path in tmp_path.iterdir()} == {"gulls.db", "herons.db", "herons.files"}
    assert (files.open(entry, verify=True) == ARRAY).all()
    with pytest.raises(UsageError, match="is there already"), begun(str(tmp_path / "herons")):
        pass


def test_a_maker_that_waited_while_another_ended_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its first look at the name and its lock, the other one has made the campaign."""
    from cutpoint.service import place

    def looked(name: str, files: object = None) -> None:
        monkeypatch.undo()
        with begun(name) as (_, arrays):
            arrays.put("features", ARRAY)

    monkeypatch.setattr(place, "check_free", looked)
    with pytest.raises(UsageError, match="is there already"), begun(str(tmp_path / "herons")):
        raise AssertionError("it has begun")
    assert {path.name for path in tmp_path.iterdir()} == {"herons.db", "herons.files"}
    assert len(list((tmp_path / "herons.files").iterdir())) == 1


def test_a_maker_that_ends_before_it_could_be_named_is_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sole(_place: Path) -> None:
        raise BlockingIOError  # and the lock is removed at once

    monkeypatch.setattr("cutpoint.service.place.sole", sole)
    with pytest.raises(UsageError, match="is being made by another process; wait"), begun(str(tmp_path / "herons")):
        pass


@pytest.mark.parametrize("other", ["herons.db", "herons.sqlite"])
def test_a_maker_that_fails_leaves_the_arrays_of_others(tmp_path: Path, other: str) -> None:
    """A script made a campaign meanwhile, under the same name or one with the same folder of arrays."""
    theirs, entries = ArrayFiles(tmp_path / "herons.files"), list[dict[str, Any]]()

    def made() -> None:
        open_store(tmp_path / other, True).close()
        entries.append(theirs.put("features", ARRAY + 1))

    with pytest.raises(ZeroDivisionError):
        make_and_fail(tmp_path / "herons", made)
    assert (theirs.open(entries[0], verify=True) == ARRAY + 1).all()
    assert not list(tmp_path.glob(".*"))


def test_a_maker_that_fails_removes_what_it_stored(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        make_and_fail(tmp_path / "herons")
    assert not list(tmp_path.iterdir())


def test_a_lock_that_is_removed_while_it_is_awaited_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cutpoint.store import locks

    place, plain, got = tmp_path / "a.lock", locks.locked, list[TextIO]()

    def locked(path: Path) -> TextIO:
        file = plain(path)
        if not got:
            path.unlink()  # whoever had it ended in between
        got.append(file)
        return file

    monkeypatch.setattr(locks, "locked", locked)
    with locks.sole(place):
        assert len(got) == 2
        assert place.exists()
        with pytest.raises(BlockingIOError), locks.sole(place):
            pass
    assert not place.exists()


def test_a_second_maker_of_a_database_is_refused_too(postgres_url: str, tmp_path: Path) -> None:
    with begun(postgres_url, tmp_path / "arrays") as (store, files):
        entry = files.put("features", ARRAY)
        with pytest.raises(UsageError, match="has a maker already"), begun(postgres_url, tmp_path / "others"):
            pass
        store.append([EVENT])
    assert (files.open(entry, verify=True) == ARRAY).all()
