"""What is PostgreSQL's own: addresses and passwords, broken connections, a server that refuses."""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from cutpoint.errors import CutpointError, DataError, UsageError
from cutpoint.service.campaign import Campaign
from cutpoint.service.doctor import examine
from cutpoint.service.place import opened
from cutpoint.store.base import Item, MaybeStored, Repeated, StoreError, Unreachable
from cutpoint.store.events import Event, New, encode
from cutpoint.store.opening import open_files, open_store
from cutpoint.testing.stores import pool_of
from postgres_server import asked, cut_in_commit

EVENT = New("resized", {"round": 1, "in_flight": 2})


def test_a_database_without_a_campaign(postgres_url: str) -> None:
    words = r"there is no campaign in postgresql://127\.0\.0\.1:\d+/postgres, schema \w+; give"
    with pytest.raises(UsageError, match=words):
        open_store(postgres_url, False)
    with asked(postgres_url) as connection:
        connection.execute("CREATE TABLE notes (line text)")
        for create in (True, False):
            with pytest.raises(DataError, match=r"a database of something else.* table notes"):
                open_store(postgres_url, create)
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    assert found == [("notes",)]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_name_of_the_scheme_opens_it(postgres_url: str, scheme: str) -> None:
    with closing(open_store(postgres_url.replace("postgresql", scheme, 1), True)) as store:
        assert store.last() == 0


def test_no_error_shows_a_password(postgres_url: str) -> None:
    where = urlsplit(postgres_url)
    host = f"{where.hostname}:{where.port}"
    for url in (
        f"postgresql://{where.username}:hunter2secret@{host}/postgres",
        f"postgresql://{host}/postgres?user={where.username}&password=hunter2secret",
        f"postgresql://{where.username}:hunter2secret@{host}/no_such_database",
        f"postgresql://{where.username}:hunter2secret@127.0.0.1:1/postgres",
        f"postgresql://{where.username}:hunter2secret@{where.hostname}:hunter2secret/postgres",
        f"postgresql://{where.username}:hunter2secret@{host}",
        f"postgresql://{where.username}:hunter2secret@{host}/postgres?options=-chunter2secret",
        f"postgresql://{where.username}:hunter2secret@{host}/postgres?hunter2secret=1",
        "postgresql://hunter2secret",
    ):
        for create in (True, False):
            with pytest.raises(CutpointError, match=r"postgresql://") as caught:
                open_store(url, create)
            shown = f"{caught.value}{caught.value.__cause__}"
            assert "hunter2secret" not in shown.replace("postgresql://hunter2secret", "")
            assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_server_that_is_not_there_is_told_from_one_that_refuses(postgres_url: str) -> None:
    where = urlsplit(postgres_url)
    with pytest.raises(Unreachable):
        open_store(f"postgresql://nobody@{where.hostname}:1/none", False)
    with closing(open_store(postgres_url, True)) as store:
        assert not isinstance(store._refused(ValueError("no"), "read"), Unreachable)


def test_a_broken_connection_is_made_anew_and_the_role_kept(postgres_url: str) -> None:
    mine = f"{postgres_url}&application_name=mine{secrets.token_hex(8)}"
    with asked(postgres_url) as connection, closing(open_store(mine, True)) as store, store.own("desk"):

        def cut(query: str) -> None:
            connection.execute(f"SELECT pg_terminate_backend(pid, 120000) FROM ({query}) AS ours")

        store.append([EVENT])
        cut(f"SELECT pid FROM pg_stat_activity WHERE application_name = '{mine.split('=')[-1]}'")
        assert store.append([EVENT])[0].number == 2
        with closing(open_store(postgres_url, False)) as other:
            with pytest.raises(UsageError, match="has a desk already"):
                other.own("desk").__enter__()
            cut(f"SELECT {store._roles['desk'].backend} AS pid")  # type: ignore[attr-defined]
            with other.own("desk"):
                with pytest.raises(StoreError, match=r"connection to .* broke, and meanwhile this campaign has a desk"):
                    store.append([EVENT])
                assert other.append([EVENT])[0].number == 3
            assert store.append([EVENT])[0].number == 4


@pytest.mark.parametrize("arrived", [False, True], ids=["before the commit", "after the commit"])
def test_a_connection_that_breaks_in_a_commit_leaves_a_doubt_that_a_key_resolves(
    postgres_url: str, arrived: bool
) -> None:
    from sqlalchemy import event

    keyed = New("resized", {"round": 1, "in_flight": 3}, key="request")
    with asked(postgres_url) as beside, closing(open_store(postgres_url, True)) as store:
        cut = cut_in_commit(beside, arrived)
        event.listen(store._engine, "commit", cut)
        with pytest.raises(MaybeStored, match=r"failed in the moment of a commit .*send it again with the same key"):
            store.append([keyed])
        event.remove(store._engine, "commit", cut)
        if arrived:
            with pytest.raises(Repeated) as caught:
                store.append([keyed])
            assert caught.value.event.number == 1
        else:
            assert store.append([keyed])[0].number == 1
        assert store.last() == 1


def test_what_is_in_doubt_is_decided_before_anybody_hears_of_it(postgres_url: str) -> None:
    """Our connection is gone, and the server's side of it, for which another stands here, commits a moment later."""
    from sqlalchemy import event, insert

    from cutpoint.store.rows import row_of
    from cutpoint.store.tables import EVENTS

    with (
        asked(postgres_url) as beside,
        closing(open_store(postgres_url, True)) as store,
        closing(open_store(postgres_url, False)) as server,
    ):
        written = threading.Event()

        def commit_late() -> None:
            with server._writing() as connection:
                connection.execute(
                    insert(EVENTS), [row_of(Event(1, 0.0, EVENT.kind, EVENT.data), encode(EVENT.data, ""))]
                )
                written.set()
                time.sleep(0.3)

        def broken(connection: Any) -> None:
            cut_in_commit(beside, arrived=False)(connection)
            late.start()
            assert written.wait(120)

        late = threading.Thread(target=commit_late)
        event.listen(store._engine, "commit", broken, once=True)
        with pytest.raises(MaybeStored):
            store.append([EVENT])
        assert store.last() == 1
        late.join()


def test_commits_wait_for_the_disk_whatever_the_default_is(postgres_url: str) -> None:
    url = f"{postgres_url}%20-csynchronous_commit%3Doff"
    with closing(open_store(url, True)) as store, store._writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW fsync").scalar() == "on"  # of the server of the tests


def test_a_read_only_server_refuses(postgres_url: str) -> None:
    with closing(open_store(postgres_url, True)) as store:
        store.append([EVENT])
    with closing(open_store(f"{postgres_url}%20-cdefault_transaction_read_only%3Don", True)) as store:
        with pytest.raises(StoreError, match=r"nothing was stored: the server is read-only; use the one"):
            store.append([EVENT])
        assert store.last() == 1


@pytest.fixture
def small_tablespace(postgres_url: str) -> Iterator[tuple[str, Path]]:
    """An address whose tables go to a file system of eight megabytes, and where that is; if one may be mounted."""
    place = Path(tempfile.mkdtemp(prefix="cutpoint-tablespace-"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True).returncode:
        place.rmdir()
        pytest.skip("no file system may be mounted here")
    name = f"small_{secrets.token_hex(4)}"
    with asked(postgres_url) as connection:
        owner = os.stat(connection.execute("SHOW data_directory").fetchone()[0])
        os.chown(place, owner.st_uid, owner.st_gid)
        connection.execute(f"CREATE TABLESPACE {name} LOCATION '{place}'")
        yield f"{postgres_url}%20-cdefault_tablespace%3D{name}", place
        connection.execute("DROP TABLE events, items, about, cutpoint_version")
        connection.execute(f"DROP TABLESPACE {name}")
    subprocess.run(["umount", place], check=True)
    place.rmdir()


def test_a_server_whose_disk_is_full_refuses_and_goes_on(small_tablespace: tuple[str, Path]) -> None:
    url, place = small_tablespace
    large = New("guideline_set", {"text": secrets.token_hex(6_000_000)})  # which compression makes half as long
    items = [Item(i, f"id {i}", {"text": secrets.token_hex(10_000)}) for i in range(700)]
    with closing(open_store(url, True)) as store:
        store.append([EVENT])
        full = r"No space left on device.*; nothing was stored: make room on the server's disk, and try again\."
        with pytest.raises(StoreError, match=full):
            store.append([EVENT, large])
        with pytest.raises(StoreError, match=full):
            store.add_items(items, pool_of(items))
        assert (store.last(), store.count()) == (1, 0)
        subprocess.run(["mount", "-o", "remount,size=200m", place], check=True)
        store.append([EVENT, large])
        store.add_items(items, pool_of(items))
        assert (store.last(), store.count()) == (4, 700)


def test_the_folder_of_the_files_is_noted_by_those_who_keep_it(postgres_url: str, tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    from cutpoint.service.web.server import Where, serve

    with Campaign(postgres_url, ["other", "heron"], train="off", files=tmp_path / "files") as campaign:
        campaign.add_pool(embeddings=np.eye(30))
    for name in ("mistyped", "files"):
        with opened(postgres_url, tmp_path / name) as (_, arrays):  # as all commands do that only look
            assert arrays.folder == tmp_path / name
    noted = [finding.part for finding in examine(postgres_url, tmp_path / "mistyped") if "is noted" in finding.said]
    assert noted == ["files"]
    with opened(postgres_url) as (_, arrays):
        assert arrays.folder == tmp_path / "files"
    lacks = r"mistyped lacks features-0-\w+\.npy.*give the folder"
    with pytest.raises(UsageError, match=lacks):
        Campaign(postgres_url, train="off", files=tmp_path / "mistyped")
    with pytest.raises(UsageError, match=lacks):
        serve(postgres_url, where=Where(port=0), files=tmp_path / "mistyped")
    (tmp_path / "files").rename(tmp_path / "moved")
    Campaign(postgres_url, train="off", files=tmp_path / "moved").close()
    with opened(postgres_url) as (_, arrays):
        assert arrays.folder == tmp_path / "moved"


def test_a_database_without_a_folder_for_files_asks_for_one(postgres_url: str) -> None:
    with closing(open_store(postgres_url, True)) as store, pytest.raises(UsageError, match="no folder for its files"):
        open_files(store)


def test_two_campaigns_in_one_database_do_not_meet(postgres_url: str) -> None:
    beside = f"beside_{secrets.token_hex(4)}"
    with asked(postgres_url) as connection:
        connection.execute(f"CREATE SCHEMA {beside}")
        try:
            besides = postgres_url.split("search_path")[0] + f"search_path%3D{beside}"
            with (
                closing(open_store(postgres_url, True)) as one,
                closing(open_store(besides, True)) as two,
                one.own("desk"),
                two.own("desk"),
            ):
                assert [s.append([EVENT])[0].number for s in (one, one, two)] == [1, 2, 1]
        finally:
            connection.execute(f"DROP SCHEMA {beside} CASCADE")
