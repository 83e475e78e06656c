"""A log that was damaged on its disk: every command says so in one sentence, and what to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from campaign_command import command
from cutpoint.errors import DataError

pytest.importorskip("alembic", reason="the extra serve is not installed")

DAMAGE = {
    "no UTF-8": (
        "data = CAST(x'7b220aff7d' AS TEXT)",
        "is damaged (a text in it is no UTF-8); restore it from a backup",
    ),
    "half": ("data = '{\"a\": '", "event 2 is damaged: it is no longer what was stored; restore the campaign from a"),
    "a list": ("data = '[1]'", "event 2 is damaged: it is no longer what was stored; restore the campaign from a"),
    "no field": ("data = '{}'", "event 2 (pool_added) makes no sense (KeyError: 'count'): the log is damaged; restore"),
}


@pytest.fixture
def birds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A campaign over a table."""
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text("id,size\n" + "".join(f"r{i},{i}\n" for i in range(30)))
    command(capsys, "init", "birds", "--classes", "other,heron", "--csv", "table.csv", "--quiet")
    return Path("birds.db")


def damage(path: Path, change: str) -> None:
    """Change what is stored, as no writer would."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
        connection.commit()


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_log_is_said_to_be_damaged(what: str, birds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change, said = DAMAGE[what]
    damage(birds, f"UPDATE events SET {change} WHERE number = 2")
    for line in (["status", "birds"], ["export", "birds"], ["classes", "list", "birds"], ["serve", "birds"]):
        told = command(capsys, *line, code=2)
        assert said in told
        assert told.count("\n") == 1
    told = " ".join(command(capsys, "doctor", "birds", "--json", code=1).split())
    assert "restore a backup" in told
    assert "try again" not in told


def test_a_damaged_item_is_named(birds: Path) -> None:
    from cutpoint.store.opening import open_store

    damage(birds, "UPDATE items SET content = '{' WHERE position = 3")
    with closing(open_store(birds, create=False)) as store, pytest.raises(DataError, match="item 3 is damaged"):
        store.items([2, 3])


def test_a_database_of_something_else_is_called_so_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    damage(Path("notes.db"), "CREATE TABLE notes (note)")
    Path("empty.db").touch()
    for name, said in (("notes", "is a database of something else"), ("empty", "is an empty file")):
        assert said in command(capsys, "status", name, code=2)
        told = " ".join(command(capsys, "doctor", name, "--json", code=1).split())
        assert said in told
        assert "well" not in told
