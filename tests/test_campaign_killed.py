"""What a killed `init` or `copy` leaves beside the campaign that it was making: nobody else's, and soon nobody's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from campaign_command import NAME, printed
from cutpoint.service.place import begun

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

KILLED = """
import os, signal, sys
from cutpoint.service.place import begun
from cutpoint.store.events import New

with begun(sys.argv[1]) as (store, files):
    store.append([New("class_added", {"name": "heron"})])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_one_that_makes(name: str, folder: Path) -> list[Path]:
    """What is left where a process that makes a campaign is killed."""
    before = set(folder.iterdir())
    done = subprocess.run([sys.executable, "-c", KILLED, name], cwd=folder, check=False, timeout=300)
    assert done.returncode == -9
    left = sorted(set(folder.iterdir()) - before)
    assert {path.name.split(".partial.db")[-1] for path in left} >= {"", "-wal", f".{name}.db.maker.lock"}
    return left


def test_whoever_makes_a_campaign_removes_what_one_that_was_killed_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    others = kill_one_that_makes("gulls", tmp_path)
    kill_one_that_makes("herons", tmp_path)
    with pytest.raises(ZeroDivisionError), begun("herons"):
        raise ZeroDivisionError
    assert set(tmp_path.iterdir()) == {*others}
    kill_one_that_makes("herons", tmp_path)
    with begun("herons"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"herons.db", *(path.name for path in others)}


def test_the_doctor_knows_at_once_what_a_killed_one_left(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (campaign_folder / f"{NAME}.db").rename("away.db")
    left = kill_one_that_makes(NAME, campaign_folder)
    (campaign_folder / "away.db").rename(f"{NAME}.db")
    found = {each["part"]: each for each in printed(capsys, "doctor", NAME)}
    assert found["leftovers"]["mark"] == "note"
    assert found["leftovers"]["said"].startswith(f"{len(left)} files of ")
    found = {each["part"]: each for each in printed(capsys, "doctor", NAME, "--repair")}
    assert found["leftovers"]["said"].startswith(f"{len(left)} files of ")
    assert not any(path.exists() for path in left)


def test_the_doctor_says_what_is_too_young_to_tell(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (campaign_folder / f"{NAME}.files" / ".probs-00.partial").write_bytes(b"half")
    found = {each["part"]: each for each in printed(capsys, "doctor", NAME)}
    young = "none for certain; 1 file of 0.0 MiB, too young to tell from a writer's at work: look again in an hour"
    assert (found["leftovers"]["mark"], found["leftovers"]["said"]) == ("well", young)
