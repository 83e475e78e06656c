"""A database's file that is moved, deleted or replaced while it is at work: nothing is said to be stored elsewhere."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

from cutpoint.store.base import Item, MaybeStored, Repeated, StoreError, Unreachable
from cutpoint.store.events import New
from cutpoint.store.opening import open_store
from cutpoint.store.sql import SqlStore
from desks import until

SAID = (
    r"birds\.db, or what SQLite keeps beside it, was moved away, deleted or replaced while it is at work, and nothing "
    r"more is stored: stop what works on it, put it back with birds\.db-wal, birds\.db-shm and birds\.files \(or "
    r"restore a backup\), and start again\."
)
ENDS = ("", "-wal", "-shm")


def event(n: int) -> New:
    return New("resized", {"round": 1, "in_flight": n}, key=f"request {n}")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """The open campaign birds.db with one event, in the folder one works in."""
    monkeypatch.chdir(tmp_path)
    with closing(open_store("birds.db", create=True)) as store:
        store.append([event(1)])
        yield store


def move(*ends: str) -> None:
    Path("aside").mkdir()
    for end in ends:
        Path(f"birds.db{end}").rename(f"aside/birds.db{end}")


def put_back() -> None:
    for file in Path("aside").iterdir():
        file.replace(file.name)


def replace_by_another() -> None:
    """Another campaign under the name, as a renaming puts it there."""
    with closing(open_store("other.db", create=True)) as other:
        other.append([New("class_added", {"name": "another"})])
    move("")
    Path("other.db").rename("birds.db")


def recreate(end: str) -> None:
    move(end)
    Path(f"birds.db{end}").touch()


LOSSES: dict[str, Callable[[], None]] = {
    "moved": lambda: move(""),
    "moved whole": lambda: move(*ENDS),
    "replaced": replace_by_another,
    "emptied": lambda: recreate(""),
    "written ahead, moved": lambda: move("-wal"),
    "written ahead, made anew": lambda: recreate("-wal"),
    "index, moved": lambda: move("-shm"),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
def test_nothing_is_stored_in_a_file_that_is_not_there_by_its_name(store: SqlStore, lose: Callable[[], None]) -> None:
    store.last()
    lose()
    here = sorted((file.name, file.read_bytes()) for file in Path().glob("birds.db*"))
    items = [Item(0, "an id", {})]
    for work in (
        lambda: store.append([event(2)]),
        lambda: store.add_items(items, New("pool_added", {"first": 0, "count": 1, "source": "", "features": None})),
        lambda: list(store.events()),
        store.last,
    ):
        with pytest.raises(Unreachable, match=SAID):
            work()
    assert sorted((file.name, file.read_bytes()) for file in Path().glob("birds.db*")) == here
    put_back()
    assert (store.last(), store.count()) == (1, 0)
    assert store.append([event(2)])[0].number == 2


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
def test_no_new_connection_touches_another_file(store: SqlStore, lose: Callable[[], None]) -> None:
    with store._reading():  # keeps the connection that there is
        lose()
        here = sorted((file.name, file.read_bytes()) for file in Path().glob("birds.db*"))
        for work in (lambda: store.append([event(2)]), store.last):
            with pytest.raises(Unreachable, match=SAID):
                work()
    assert sorted((file.name, file.read_bytes()) for file in Path().glob("birds.db*")) == here
    put_back()
    with store._reading():
        assert store.append([event(2)])[0].number == 2


def test_a_file_that_is_replaced_while_nobody_is_connected_is_not_opened(store: SqlStore) -> None:
    store._engine.dispose()
    replace_by_another()
    before = Path("birds.db").read_bytes()
    with pytest.raises(Unreachable, match=SAID):
        store.last()
    assert Path("birds.db").read_bytes() == before
    put_back()
    assert store.append([event(2)])[0].number == 2


def test_what_lies_beside_may_come_and_go_while_nobody_is_connected(store: SqlStore) -> None:
    for n in (2, 3):
        store._engine.dispose()
        assert not Path("birds.db-wal").exists()
        Path("kept").touch()  # takes the number of the file that is gone
        store.append([event(n)])
    assert store.last() == 3


def test_what_is_moved_in_the_moment_of_its_commit_is_in_doubt(store: SqlStore) -> None:
    from sqlalchemy import event as events

    events.listen(store._engine, "commit", lambda _: move(*ENDS), once=True)
    with pytest.raises(MaybeStored, match=rf"{SAID} whether this was stored is not known; send it again"):
        store.append([event(2)])
    put_back()
    with pytest.raises(Repeated, match="the key 'request 2' was used for event 2"):
        store.append([event(2)])


@pytest.mark.parametrize("ends", [("",), ENDS], ids=["alone", "whole"])
def test_who_is_stopped_leaves_the_last_events_to_be_put_back(store: SqlStore, ends: tuple[str, ...]) -> None:
    store.append([event(2)])
    move(*ends)
    with pytest.raises(StoreError):
        store.append([event(3)])
    store.close()
    put_back()
    with closing(open_store("birds.db", create=False)) as again:
        assert [event.data["in_flight"] for event in again.events()] == [1, 2]


def test_a_served_campaign_says_so_and_goes_on_when_the_file_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("httpx2")
    from served import first_item, key, serve_in_memory

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cutpoint.service.desk.pace.TICK", 0.005)
    with closing(open_store("birds.db", create=True)) as store, caplog.at_level(logging.WARNING, "cutpoint"):
        served = serve_in_memory(4, store=store)
        with closing(served.desk):
            served.desk.start()
            ada, chief = served.client("ada"), served.client("chief")
            item = first_item(ada)
            answer = {"item": item["item"], "lease": item["lease"], "label": 1, "key": key()}
            move("")
            refused = ada.post("/api/answer", json=answer)
            assert refused.status_code == 503
            assert "saved" not in refused.text
            until(lambda: re.search(SAID, chief.get("/api/status").json()["trouble"]))
            put_back()
            until(lambda: not chief.get("/api/status").json()["trouble"])
            assert ada.post("/api/answer", json=answer).json()["status"] == "saved"
            assert [event.kind for event in store.events()].count("answered") == 1
    first, second = [record.getMessage() for record in caplog.records]
    assert re.fullmatch(rf"the store does not answer \(.*{SAID}\); trying again", first)
    assert second == "the store answers again"
