"""Opening a campaign: what is one, what is not, and that what is not stays as it was."""

from __future__ import annotations

import fcntl
import hashlib
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint.errors import DataError, UsageError
from cutpoint.service.campaign import Campaign
from cutpoint.service.place import begun
from cutpoint.store.events import New
from cutpoint.store.memory import MemoryStore
from cutpoint.store.opening import open_files, open_store

EVENT = New("resized", {"round": 1, "in_flight": 2})


@pytest.fixture(autouse=True)
def sqlalchemy() -> None:
    """Every store here is in a database."""
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("alembic")


def contents(folder: Path) -> dict[str, str]:
    """The checksum of every file of a folder, and "folder" for a folder."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.iterdir()
    }


def foreign_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (number INTEGER)")
        connection.commit()


@pytest.mark.parametrize("create", [True, False], ids=["create", "open"])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("these are my notes, not a campaign\n" * 9), "is no database"),
        (lambda path: path.write_bytes(b""), "is an empty file"),
        (lambda path: path.write_bytes(b"SQLite format 3\0"), "is a database of something else"),
        (foreign_database, "is a database of something else"),
        (lambda path: path.mkdir(), "is a folder"),
    ],
    ids=["text", "empty", "header alone", "another database", "folder"],
)
def test_what_is_no_campaign_is_refused_and_stays_as_it_was(tmp_path: Path, make: Any, said: str, create: bool) -> None:
    path = tmp_path / "notes.db"
    make(path)
    before = contents(tmp_path)
    with pytest.raises(DataError, match=f"notes.db {said}.*(give the path|campaign.db)"):
        open_store(path, create)
    assert contents(tmp_path) == before


def test_a_campaign_that_is_not_there_is_made_only_if_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "birds.db"
    with pytest.raises(UsageError, match=r"there is no campaign at .*birds\.db; give the path of one, or start one"):
        open_store(path, False)
    assert not contents(tmp_path)
    with closing(open_store(path, True)) as store:
        store.append([EVENT])
    assert list(contents(tmp_path)) == ["birds.db"]  # nothing lies beside it once it is closed
    with closing(open_store(path, True)) as store:
        assert store.last() == 1
    with pytest.raises(UsageError, match=r"birds\.db cannot be made, since there is no folder .*nowhere; make it"):
        open_store(tmp_path / "nowhere" / "birds.db", True)


@pytest.mark.parametrize("name", ["birds[1].db", "b*.db", "bird?.db", "[!a]*.db"])
def test_a_name_with_signs_of_patterns_means_itself(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "00")
    others = {f".birds{end}" for end in (".db-00.partial", ".db-00.partial.db", "1.db-00.partial")}
    for other in others:
        (tmp_path / other).write_text("another's")
    open_store(tmp_path / name, True).close()
    assert contents(tmp_path).keys() == {name, *others}
    (tmp_path / name).unlink()
    with begun(str(tmp_path / name)) as (store, _):
        store.append([EVENT])
    assert contents(tmp_path).keys() == {name, *others}


def test_a_new_campaign_and_its_folder_are_flushed_under_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[Path, bool]] = []
    path = tmp_path / "autumn" / "birds.db"

    def flush(folder: Path) -> None:
        flushed.append((folder, path.exists()))

    monkeypatch.setattr("cutpoint.data.whole.flush", flush)
    monkeypatch.setattr("cutpoint.service.place.flush", flush)
    with begun(str(path)) as (store, _):
        store.append([EVENT])
    assert flushed == [(tmp_path, False), (path.parent, True)]


def test_what_another_campaign_left_is_not_taken_into_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "birds.db"
    with closing(open_store(path, True)) as store:
        store.append([EVENT])
        path.unlink()  # what somebody may do after a crash, when birds.db-wal is there
        with pytest.raises(UsageError, match=r"birds\.db is not there, but .* \(birds\.db-wal, birds\.db-shm\)"):
            open_store(path, True)
    for left in tmp_path.iterdir():
        left.unlink()
    with closing(open_store(path, True)) as store:
        assert store.last() == 0


def test_all_who_make_a_campaign_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(tmp_path / "birds.db", True), range(4)))
    for store in stores:
        store.append([EVENT])
    assert {store.last() for store in stores} == {4}
    for store in stores:
        store.close()
    assert list(contents(tmp_path)) == ["birds.db"]


def test_addresses_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("a b?#%.db", "sqlite:///c.db", f"sqlite:///{tmp_path}/d.db", Path("e.db")):
        open_store(url, True).close()
    assert sorted(contents(tmp_path)) == ["a b?#%.db", "c.db", "d.db", "e.db"]


def test_a_damaged_campaign_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "birds.db"
    with closing(open_store(path, True)) as store:
        store.append([New("guideline_set", {"text": "x" * 500}) for _ in range(200)])
    whole = path.read_bytes()
    said = (
        r"birds\.db is damaged \(.*\); restore it from a backup: move it away with birds\.db-wal, birds\.db-shm and "
        r"birds\.files, as far as they are there, and `cutpoint copy` a backup to its name\."
    )
    for damaged in (whole[:5000], whole[:4096] + b"\xff" * (len(whole) - 4096)):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=said):
            list(open_store(path, False).events())


def test_files_lie_beside_the_campaign(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "birds.db", True)) as store:
        files = open_files(store)
        assert np.array_equal(files.open(files.put("probs", np.eye(2))), np.eye(2))
        assert files.folder == tmp_path / "birds.files"
        assert open_files(store, tmp_path / "birds.files").folder == files.folder
        with pytest.raises(UsageError, match="leave the folder out"):
            open_files(store, tmp_path / "elsewhere")


@pytest.mark.parametrize("name", ["link.db", "folder/birds.db", "there/../birds.db"])
def test_a_campaign_is_the_same_by_all_of_its_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "birds.db")  # which is made by that name, too
    (tmp_path / "folder").symlink_to(tmp_path)
    with (
        closing(open_store(tmp_path / name, True)) as one,
        closing(open_store(tmp_path / "birds.db", False)) as other,
        other.own("desk"),
    ):
        assert open_files(one).folder == open_files(other).folder == tmp_path / "birds.files"
        with pytest.raises(UsageError, match="has a desk already"):
            one.own("desk").__enter__()


def test_a_second_name_of_the_same_file_is_refused(tmp_path: Path) -> None:
    """SQLite keeps what is not in the file yet beside the name that it was opened by; by another nobody looks there."""
    path, other = tmp_path / "birds.db", tmp_path / "herons.db"
    open_store(path, True).close()
    left = tmp_path / ".birds.db-00.partial"
    left.hardlink_to(path)  # by whoever made it, and was killed just then
    open_store(path, False).close()
    other.hardlink_to(path)
    for name in (path, other):
        with pytest.raises(DataError, match=rf"{name.name} has another name \(a hard link\).*: remove one of them"):
            open_store(name, False)
    other.unlink()
    open_store(path, False).close()


def test_a_second_opening_does_not_let_go_of_the_locks_of_the_first(tmp_path: Path) -> None:
    """Else whoever closes it in another process takes it for its own, and removes what is written ahead of the file."""
    look = (
        "from pathlib import Path; from cutpoint.store.opening import open_store; "
        "store = open_store(Path('birds.db'), False); print(store.last()); store.close()"
    )

    def seen_elsewhere() -> str:
        done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, cwd=tmp_path)
        assert not done.returncode, done.stderr
        return done.stdout.strip()

    with closing(open_store(tmp_path / "birds.db", True)) as store:
        store.append([EVENT])
        open_store(tmp_path / "birds.db", False).close()
        assert seen_elsewhere() == "1"
        store.append([EVENT])
        assert seen_elsewhere() == "2"


def test_a_campaign_stays_where_it_is_when_its_process_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    started: list[str] = []

    class Started:
        def __init__(self, *_: object, url: str, **__: object) -> None:
            started.append(url)

        def start(self) -> None:
            pass

        def stop(self) -> None:
            pass

    monkeypatch.setattr("cutpoint.service.campaign.TrainerProcess", Started)
    monkeypatch.chdir(tmp_path)
    with Campaign("birds.db", ["other", "heron"]) as campaign:
        monkeypatch.chdir(tmp_path / "elsewhere")
        campaign.add_pool(embeddings=np.eye(40))
    assert sorted(contents(tmp_path)) == ["birds.db", "birds.db.desk.lock", "birds.files", "elsewhere"]
    assert not contents(tmp_path / "elsewhere")
    assert started == [str(tmp_path / "birds.db")]


def test_a_role_is_a_word_and_says_who_has_it(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "birds.db", True)) as store:
        for role in ("", "../desk", "Desk", "the desk"):
            with pytest.raises(UsageError, match="one word of small letters"), store.own(role):
                pass
        with store.own("desk"), pytest.raises(UsageError, match=r"process \d+ on \S+, since \d{4}-\d\d-\d\d .* UTC"):
            store.own("desk").__enter__()
    with closing(MemoryStore()) as memory, pytest.raises(UsageError, match="one word"), memory.own("the desk"):
        pass


def test_whoever_looks_who_has_a_role_is_not_in_the_way_of_those_who_want_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cutpoint.store.locks._LOOKED", 120.0)  # who looks may be stalled
    with closing(open_store(tmp_path / "birds.db", True)) as store:
        with store.own("desk"):
            pass
        with (tmp_path / "birds.db.desk.lock").open() as looking:
            fcntl.flock(looking, fcntl.LOCK_SH)
            ended = threading.Timer(0.2, fcntl.flock, (looking, fcntl.LOCK_UN))
            ended.start()
            with store.own("desk"):
                assert str(store.holder("desk")).startswith("process ")
            ended.join()


def test_a_role_that_was_given_back_is_free_though_a_forked_process_lives(tmp_path: Path) -> None:
    script = """
import os, pathlib, signal
from cutpoint.store.opening import open_store
store = open_store(pathlib.Path("birds.db"), True)
with store.own("desk"):
    child = os.fork()
    if not child:
        signal.pause()
try:
    with store.own("desk"):
        print("free")
finally:
    os.kill(child, signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "free\n", done.stderr


def test_the_benchmark_of_the_store_runs(tmp_path: Path) -> None:
    script = Path(__file__).parent.parent / "benchmarks" / "store.py"
    call = [sys.executable, str(script), "--items", "300", "--events", "200"]
    done = subprocess.run(call, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [
        "SQLite",
        "300 items added",
        "an item",
        "an append",
        "an append while",
        "200 events",
        "opened",
        "1,401 events",
    ]
    assert [line.strip().startswith(due) for line, due in zip(done.stdout.splitlines(), lines, strict=True)] == [
        True
    ] * 8
    assert not contents(tmp_path)
