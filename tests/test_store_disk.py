"""A full disk and one that is read-only: what cannot be stored is refused whole, and all goes on when there is room.

A small file system in memory stands for the disk where the tests may mount one; limits of SQLite itself stand for it
everywhere, since rights do not stop root.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint.store.base import Item, MaybeStored, Store, StoreError
from cutpoint.store.events import Event, New
from cutpoint.store.opening import open_files, open_store
from cutpoint.testing.stores import pool_of, refusal

LARGE = New("guideline_set", {"text": "x" * 3_000_000})
SMALL = New("resized", {"round": 1, "in_flight": 2})


@pytest.fixture(autouse=True)
def sqlalchemy() -> None:
    """Every store here is in a database."""
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("alembic")


@contextmanager
def limited(store: Any, pragma: str) -> Iterator[None]:
    """The store of one file, whose every connection is under a limit of SQLite."""
    from sqlalchemy import event

    def set_limit(connection: Any, record: Any) -> None:
        connection.execute(f"PRAGMA {pragma}")

    store._engine.dispose()
    event.listen(store._engine, "connect", set_limit)
    yield
    event.remove(store._engine, "connect", set_limit)
    store._engine.dispose()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes, if one may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system may be mounted here; the limits of SQLite stand for it")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(path: Path) -> None:
    """Write to a file until there is no room for one more byte."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"z" * 100)


def large_items(first: int) -> list[Item]:
    return [Item(first + i, f"id {first + i}", {"text": "y" * 1000}) for i in range(3000)]


def check_refused(store: Store, said: str, writes: list[Callable[[], object]]) -> None:
    """Each write is refused with what to do, and nothing of it is there."""
    before = list(store.events()), store.count()
    for write in writes:
        error = refusal(StoreError, "a write that has no place", write)
        assert said in str(error)
        assert "nothing was stored" in str(error)
        assert str(error).endswith(", and try again.")
        assert (list(store.events()), store.count()) == before


def writes_of(store: Store) -> list[Callable[[], object]]:
    items = large_items(store.count())
    return [
        lambda: store.append([SMALL, LARGE]),
        lambda: store.append([LARGE]),
        lambda: store.add_items(items, pool_of(items)),
    ]


def check_usable(store: Store) -> None:
    """What was refused before is stored now."""
    last, count = store.last(), store.count()
    for write in writes_of(store):
        write()
    assert (store.last(), store.count()) == (last + 4, count + 3000)


def test_a_full_file_refuses_and_goes_on(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "birds.db", True)) as store:
        store.append([SMALL])
        with limited(store, "max_page_count = 30"):
            check_refused(store, "(database or disk is full); nothing was stored: make room", writes_of(store))
            store.append([SMALL])  # there is room for this one
        check_usable(store)


def test_what_has_no_place_keeps_nobody_else_out(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "birds.db", True)) as store, limited(store, "max_page_count = 60"):
        store.append([SMALL])

        def write(large: bool) -> list[Event] | None:
            try:
                return store.append([SMALL, LARGE] if large else [SMALL])
            except StoreError:
                return None

        with ThreadPoolExecutor(12) as pool:
            outcomes = list(pool.map(write, [turn % 3 == 0 for turn in range(60)]))
        assert [outcome is None for outcome in outcomes] == [turn % 3 == 0 for turn in range(60)]
        assert store.last() == 41


def test_who_is_interrupted_leaves_nobody_waiting(tmp_path: Path) -> None:
    """Whether it was writing, or waited for its turn to."""
    with closing(open_store(tmp_path / "birds.db", True)) as store, ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyboardInterrupt), store._writing():
            raise KeyboardInterrupt
        entered, over = threading.Event(), threading.Event()

        def write_for_long() -> None:
            with store._writing():
                entered.set()
                over.wait(120)

        def write_and_be_interrupted() -> None:
            threading.Timer(0.2, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)).start()
            store.append([SMALL])

        first = pool.submit(write_for_long)
        assert entered.wait(120)
        with pytest.raises(KeyboardInterrupt):
            write_and_be_interrupted()
        over.set()
        first.result(120)
        assert pool.submit(store.append, [SMALL]).result(120)[0].number == 1


def test_a_disk_that_fails_in_a_commit_leaves_a_doubt(tmp_path: Path) -> None:
    """A limit on the size of files makes writing fail as a broken disk does."""
    keyed = New("guideline_set", {"text": "x" * 1_500_000}, key="request")  # waits in memory for the commit
    with closing(open_store(tmp_path / "birds.db", True)) as store:
        store.append([SMALL])
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
        try:
            with pytest.raises(MaybeStored, match=r"birds\.db failed in the moment of a commit \(disk I/O error\)"):
                store.append([keyed])
            assert store.last() == 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)
        assert store.append([keyed])[0].number == 2


def test_every_connection_flushes_at_a_commit(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "birds.db", True)) as store:
        for _ in range(3):
            with store._writing() as one, store._reading() as other:
                for connection in (one, other):
                    found = [
                        connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                        for name in ("synchronous", "journal_mode")
                    ]
                    assert found == [2, "wal"]  # 2 is FULL
            store._engine.dispose()


def test_a_read_only_file_refuses_and_goes_on(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "birds.db", True)) as store:
        store.append([SMALL])
        with limited(store, "query_only = on"):
            said = "(attempt to write a readonly database); nothing was stored: give write access"
            check_refused(store, said, [lambda: store.append([SMALL]), *writes_of(store)])
            assert store.last() == 1
        check_usable(store)


def test_a_full_disk_refuses_and_goes_on(small_disk: Path) -> None:
    with closing(open_store(small_disk / "birds.db", True)) as store:
        store.append([SMALL])
        check_refused(store, "make room", writes_of(store))
        store.append([SMALL])
        filler = small_disk / "filler"
        with pytest.raises(OSError, match="No space left"):
            fill(filler)
        check_refused(store, "make room", writes_of(store))  # not a byte is left, but for what the store has already
        with pytest.raises(StoreError, match="make room on its disk"), store.own("desk"):
            pass
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=40m", small_disk], check=True)
        check_usable(store)
        stored = list(store.events())
    with closing(open_store(small_disk / "birds.db", False)) as again:
        assert list(again.events()) == stored


def test_a_disk_that_becomes_read_only_refuses_and_goes_on(small_disk: Path) -> None:
    with closing(open_store(small_disk / "birds.db", True)) as store:
        store.append([SMALL])
        store._engine.dispose()  # a file system with files open for writing stays as it is
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        try:
            with pytest.raises(StoreError, match=r"birds\.db cannot be written to .*give write access"):
                store.append([SMALL])
            with pytest.raises(StoreError, match=r"birds\.files cannot be written to .*give write access"):
                open_files(store).put("probs", np.eye(2))
            with pytest.raises(StoreError, match="give write access"), store.own("desk"):
                pass
        finally:
            subprocess.run(["mount", "-o", "remount,rw,size=40m", small_disk], check=True)
        assert store.last() == 1
        check_usable(store)


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not stop root; a mounted file system stands for it")
def test_a_file_without_the_right_to_write(tmp_path: Path) -> None:
    open_store(tmp_path / "birds.db", True).close()
    tmp_path.chmod(0o500)
    try:
        with (
            pytest.raises(StoreError, match="give write access"),
            closing(open_store(tmp_path / "birds.db", False)) as s,
        ):
            s.append([SMALL])
    finally:
        tmp_path.chmod(0o700)
