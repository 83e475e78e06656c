"""What is left of a database that was moved away: SQLite would take it for a part of the next one of that name."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cutpoint.errors import UsageError
from cutpoint.service.campaign import Campaign
from cutpoint.service.copying import copy
from cutpoint.service.place import begun, check_free, opened
from cutpoint.store.events import New
from cutpoint.store.opening import open_store

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

CLASSES = ["other", "heron"]


def make_campaign(name: str, *told: str) -> None:
    """A campaign in the folder one works in, with guidelines one after the other."""
    with Campaign(f"{name}.db", CLASSES, train="off") as campaign:
        for text in told:
            campaign.desk.set_guideline(text)


def kill_server(name: str, *told: str) -> None:
    """Leave a campaign's files as they are when whoever worked on it is killed, after it told so much more."""
    with closing(open_store(f"{name}.db", create=False)) as store:
        store.append([New("guideline_set", {"text": text}) for text in told])
        Path("killed").mkdir()
        for end in ("", "-wal", "-shm"):
            shutil.copy(f"{name}.db{end}", "killed")
    for file in Path("killed").iterdir():
        file.replace(file.name)
    Path("killed").rmdir()


def guideline(name: str) -> str:
    """The last one."""
    with opened(name) as (store, _):
        return str(list(store.events())[-1].data["text"])


def begin_new(name: str) -> None:
    """As `cutpoint init` does."""
    with begun(name) as (store, _):
        store.append([New("class_added", {"name": "crane"})])


MAKERS: dict[str, Callable[[], object]] = {
    "init": lambda: begin_new("birds"),
    "checked beforehand": lambda: check_free("birds"),
    "copy": lambda: copy("backup", "birds"),
    "script": lambda: Campaign("birds.db", CLASSES, train="off").close(),
    "store": lambda: open_store("birds.db", create=True).close(),
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def listed() -> list[tuple[str, bytes]]:
    return sorted((file.name, file.read_bytes()) for file in Path().iterdir())


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_what_a_killed_server_left_belongs_to_the_file_that_was_moved_away(make: Callable[[], object]) -> None:
    make_campaign("birds", "first")
    copy("birds", "backup")
    kill_server("birds", *map(str, range(200)), "last")
    Path("birds.db").rename("moved.db")
    before = listed()
    said = (
        r"birds\.db is not there, but what SQLite wrote beside it is \(birds\.db-wal, birds\.db-shm\): it is of a "
        r"campaign that was moved away or deleted, and may hold its last answers; move it to where that file is "
        r"now, under its name \(moved\.db-wal beside moved\.db\), or delete it if nobody needs it, and try again\.$"
    )
    with pytest.raises(UsageError, match=said):
        make()
    assert listed() == before
    for end in ("-wal", "-shm"):  # as it is said
        Path(f"birds.db{end}").rename(f"moved.db{end}")
    make()
    assert guideline("moved") == "last"
    assert guideline("backup") == "first"


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_one_leftover_is_enough(make: Callable[[], object], end: str) -> None:
    make_campaign("backup")
    Path(f"birds.db{end}").write_bytes(b"another's")
    before = listed()
    with pytest.raises(UsageError, match=rf"birds\.db is not there, but .* is \(birds\.db{end}\): it is of"):
        make()
    assert listed() == before
    Path(f"birds.db{end}").unlink()
    make()


@pytest.mark.parametrize("role", ["desk", "trainer"])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_a_campaign_that_somebody_works_on_keeps_its_name(make: Callable[[], object], role: str) -> None:
    make_campaign("birds", "first")
    copy("birds", "backup")
    said = (
        rf"birds\.db was moved away while its {role} is at work \(process \d+ on .*\): stop that, and put birds\.db "
        r"back, or birds\.db-wal, birds\.db-shm and birds\.files to where it is now; or give another name\.$"
    )
    with closing(open_store("birds.db", create=False)) as store, store.own(role):
        for file in Path().glob("birds.*"):
            if not file.name.endswith(".lock"):
                file.rename(file.name.replace("birds", "moved"))
        with pytest.raises(UsageError, match=said):
            make()
        assert not list(Path().glob("birds.db"))
    for left in Path().glob("birds.db-*"):
        left.unlink()
    make()


def test_what_is_to_be_moved_away_is_named_whole() -> None:
    make_campaign("birds")
    said = (
        "birds.db is there already; give another name, or move it away with all that belongs to it: birds.db-wal, "
        "birds.db-shm and birds.files, as far as they are there."
    )
    with pytest.raises(UsageError, match=f"^{re.escape(said)}$"):
        check_free("birds")


def test_what_a_killed_server_left_is_its_own_where_the_file_is_still_there() -> None:
    make_campaign("birds", "first")
    kill_server("birds", "last")
    copy("birds", "copied")
    assert guideline("birds") == guideline("copied") == "last"
