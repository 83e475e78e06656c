"""Where outputs may go: never over a campaign's own files, whatever is forced, and into folders that are there."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from campaign_command import NAME, command
from cutpoint.errors import UsageError

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

WRITERS = (["report", NAME], ["export", NAME, "--format", "csv"], ["export", NAME, "--format", "csv", "--history"])


@pytest.mark.parametrize("writer", WRITERS)
def test_no_output_goes_over_a_database_whatever_is_forced(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], writer: list[str]
) -> None:
    with closing(sqlite3.connect("theirs.sqlite")) as theirs:
        theirs.execute("CREATE TABLE birds (name)")
    command(capsys, "copy", NAME, "another")
    Path("alias.csv").symlink_to(f"{NAME}.db")
    for name in (f"{NAME}.db", "another.db", "theirs.sqlite", "alias.csv"):
        before = Path(name).read_bytes()
        for force in ([], ["--force"]):
            said = command(capsys, *writer, "-o", name, *force, code=2)
            assert said == (
                f"error: {name} is a database, perhaps a campaign, and nothing is written over it; give another name.\n"
            )
        assert Path(name).read_bytes() == before
    assert Path("alias.csv").is_symlink()


@pytest.mark.parametrize("writer", WRITERS)
def test_no_output_goes_where_a_campaign_keeps_its_files(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], writer: list[str]
) -> None:
    array = next(Path(f"{NAME}.files").glob("*.npy"))
    Path("elsewhere").mkdir()
    moved = Path("elsewhere") / array.name
    moved.write_bytes(array.read_bytes())  # as of a campaign on PostgreSQL
    beside = [Path(f"{NAME}.db{end}") for end in ("-wal", "-shm", "-journal", ".desk.lock", ".trainer.lock")]
    for path in (array, moved, *beside, Path(f"{NAME}.files/report.html")):
        before = path.read_bytes() if path.exists() else None
        said = command(capsys, *writer, "-o", str(path), "--force", code=2)
        assert said.startswith(f"error: {path} is where campaigns keep their own files, and nothing is written over it")
        assert (path.read_bytes() if path.exists() else None) == before


def test_a_script_writes_nothing_over_its_campaign_and_keeps_its_locks(campaign_folder: Path) -> None:
    from cutpoint.service.campaign import Campaign

    with Campaign(f"{NAME}.db", train="off") as campaign:
        with campaign._store._engine.begin() as reading:  # type: ignore[attr-defined]
            reading.exec_driver_sql("SELECT count(*) FROM events").all()
            files = [f"{NAME}.db", f"{NAME}.db-shm"]
            held = [_is_locked(file) for file in files]
            for name in (f"{NAME}.db", f"{NAME}.db-wal", f"{NAME}.db-shm"):
                for force in (False, True):
                    with pytest.raises(UsageError, match="nothing is written over it"):
                        campaign.export(name, form="csv", force=force)
            assert any(held)
            assert [_is_locked(file) for file in files] == held
        assert campaign.export("labels.csv") > 0


def _is_locked(path: str) -> bool:
    """Whether this process has locks on a file, as another one sees it."""
    look = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    done = subprocess.run([sys.executable, "-I", "-c", look, path], capture_output=True, text=True)
    assert done.returncode == 0 or "BlockingIOError" in done.stderr, done.stderr
    return done.returncode != 0


@pytest.mark.parametrize("name", ["nowhere/a.csv", "/nowhere at all/b/a.csv"])
@pytest.mark.parametrize("writer", [*WRITERS, ["select", "scores.npz"]])
def test_a_folder_that_is_not_there_is_refused_and_not_made(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], writer: list[str], name: str
) -> None:
    np.savez("scores.npz", probs=np.full((20, 2), 0.5))
    said = command(capsys, *writer, "-o", name, code=2)
    assert said == f"error: the folder {Path(name).parent} is not there; make it, or correct the path.\n"
    assert not Path(name).parent.exists()


@pytest.mark.parametrize("writer", [*WRITERS, ["select", "scores.npz"]])
def test_what_cannot_be_made_is_named_as_it_was_given(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, writer: list[str]
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    np.savez("scores.npz", probs=np.full((20, 2), 0.5))
    monkeypatch.setattr(Path, "touch", refuse)  # as where the system says one thing and does another: /proc
    said = command(capsys, *writer, "-o", "a.csv", code=2)
    assert said.startswith("error: a.csv")
    assert "No such file or directory" in said
    assert "partial" not in said


def test_a_script_is_told_in_words_that_a_file_cannot_be_made(campaign_folder: Path) -> None:
    from cutpoint.service.campaign import Campaign

    with Campaign(f"{NAME}.db", train="off") as campaign:
        with pytest.raises(UsageError, match=r"the folder nowhere is not there; make it, or correct the path\."):
            campaign.export("nowhere/a.csv")
        if Path("/proc/self").exists():
            with pytest.raises(UsageError, match=r"^/proc(/a\.csv cannot be written| may not be written to)"):
                campaign.export("/proc/a.csv")


@pytest.mark.parametrize("line", [["export", NAME, "-o", "-"], ["status", NAME], ["status", NAME, "--json"]])
def test_a_reader_who_has_enough_is_told_nothing(campaign_folder: Path, line: list[str]) -> None:
    ear, mouth = os.pipe()
    os.close(ear)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cutpoint", *line], stdout=mouth, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(mouth)
    assert (done.returncode in (1, 141), done.stderr) == (True, ""), "1: as rich has it, which prints tables"
