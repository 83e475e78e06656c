"""Who watches a training process: it may die, hang, stand still or never start, and takes along what it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cutpoint.service.overview.sentences import warnings
from cutpoint.service.training.supervisor import TrainerProcess, trainer_command
from cutpoint.service.training.trainer import Trainer, _train_on, main
from cutpoint.store.base import StoreError
from desks import a_desk, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often, and start again soon."""
    monkeypatch.setattr("cutpoint.service.training.supervisor.LOOK", 0.05)
    monkeypatch.setattr("cutpoint.service.training.supervisor.FIRST_PAUSE", 0.05)


class Watched:
    """A desk's part in supervision, by hand."""

    def __init__(self) -> None:
        self.run: str | None = None
        self.failed: list[tuple[str, str]] = []
        self.stopped: list[str | None] = []
        self.hindered: list[str] = []

    def running(self) -> str | None:
        return self.run

    def training_failed(self, run: str, error: str) -> None:
        self.failed.append((run, error))
        self.run = None

    def training_stopped(self) -> None:
        self.stopped.append(self.run)
        self.run = None

    def training_hindered(self, said: str) -> None:
        self.hindered.append(said)


SLEEPER = [sys.executable, "-c", "import time; time.sleep(3600)"]


def test_a_training_that_hangs_is_ended_and_said_to_have_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched()
    process = TrainerProcess(SLEEPER, watched, limit=0.3)
    process.start()
    until(lambda: process.pid)
    first = process.pid
    watched.run = "run-1"
    until(lambda: watched.failed)
    assert watched.failed == [("run-1", "the training took longer than 0.3 s and was ended")]
    until(lambda: process.pid not in (None, first))  # another one
    last = process.pid
    process.stop()
    process.stop()
    assert last is not None
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)


def test_a_training_that_is_ended_with_the_campaign_did_not_fail() -> None:
    watched = Watched()
    process = TrainerProcess(SLEEPER, watched)
    process.start()
    until(lambda: process.pid)
    watched.run = "run-1"
    process.stop()
    assert (watched.stopped, watched.failed) == (["run-1"], [])


def test_a_training_process_that_dies_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched()
    process = TrainerProcess(SLEEPER, watched)
    process.start()
    until(lambda: process.pid)
    first = process.pid
    assert first is not None
    watched.run = "run-1"
    os.kill(first, signal.SIGKILL)
    until(lambda: watched.failed)
    assert watched.failed == [("run-1", "the training process ended with status -9")]
    until(lambda: process.pid not in (None, first))
    process.stop()


def test_a_log_that_cannot_be_read_for_a_while_ends_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    watched, asked = Watched(), threading.Event()

    def gone() -> str | None:
        asked.set()
        raise StoreError("the server is gone")

    monkeypatch.setattr(watched, "running", gone)
    process = TrainerProcess(SLEEPER, watched)
    process.start()
    until(asked.is_set)
    asked.clear()
    until(asked.is_set)  # it goes on looking
    first = process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: process.pid not in (None, first))  # and starts it again
    process.stop()


def test_the_address_of_a_campaign_is_not_for_everybody_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://cutpoint:secret@127.0.0.1/birds"
    assert not any("secret" in word for word in trainer_command("files"))
    process = TrainerProcess(SLEEPER, Watched(), url=url)
    process.start()
    until(lambda: process.pid)
    environment = Path(f"/proc/{process.pid}/environ")
    if environment.exists():
        assert f"CUTPOINT_CAMPAIGN={url}" in environment.read_text().split("\0")
    process.stop()
    monkeypatch.delenv("CUTPOINT_CAMPAIGN", raising=False)
    with pytest.raises(SystemExit):
        main([])


def test_a_training_process_that_cannot_start_is_shown() -> None:
    desk = a_desk()
    process = TrainerProcess([sys.executable, "-c", "raise SystemExit(3)"], desk)
    process.start()
    until(lambda: desk.status().training_trouble)
    process.stop()
    assert desk.status().training_trouble.startswith("the training process ended with status 3; it is started again")
    assert warnings(desk.status())[0].endswith("people go on, and questions are drawn at random.")
    assert desk.status().trouble == ""  # nobody is kept from asking
    assert desk.ask("one", 1)
    nowhere = TrainerProcess(["/nowhere/python"], desk)
    nowhere.start()
    until(lambda: "cannot be started" in desk.status().training_trouble)
    nowhere.stop()


LIVELY = "import time; from cutpoint.service.training.supervisor import sign\nwhile True: sign(); time.sleep(0.05)"


def test_a_process_that_gives_no_sign_of_life_between_trainings_is_ended_and_started_again() -> None:
    watched = Watched()
    process = TrainerProcess(SLEEPER, watched, silence=0.3)
    process.start()
    until(lambda: len(watched.hindered) > 1)
    process.stop()
    assert watched.hindered[0].startswith("the training process stood still for 0.3 s and was ended")
    assert watched.failed == []


def test_a_process_that_gives_signs_of_life_is_let_live_and_ends_what_was_amiss() -> None:
    watched = Watched()
    process = TrainerProcess([sys.executable, "-c", LIVELY], watched, silence=600.0)
    process.start()
    until(lambda: len(watched.hindered) > 5)
    first = process.pid
    assert set(watched.hindered) == {""}
    assert process.pid == first
    process.stop()


def test_the_trainer_gives_a_sign_of_life_whenever_it_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    ear, mouth = os.pipe()
    os.set_blocking(ear, False)
    monkeypatch.setenv("CUTPOINT_SIGNS", str(mouth))

    class Idle(Trainer):
        def __init__(self) -> None:
            self.looks = 0

        def step(self) -> bool:
            self.looks += 1
            if self.looks == 4:
                raise KeyboardInterrupt
            return False

    with pytest.raises(KeyboardInterrupt):
        _train_on(Idle(), 0.5, lambda seconds: None)
    assert os.read(ear, 100) == b"..."
    os.close(ear)
    os.close(mouth)


STARTS_ANOTHER = 'sleep 3600 & echo $! >"$1~"; mv "$1~" "$1"; wait'


def test_what_a_training_process_started_ends_with_it(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    process = TrainerProcess(["/bin/sh", "-c", STARTS_ANOTHER, "sh", str(told)], Watched())
    process.start()
    until(told.exists)
    process.stop()
    until(lambda: ended(int(told.read_text())))


TRAINS = """
import os, subprocess, sys
from cutpoint.service.training.trainer import _end_with
worker = subprocess.Popen(["sleep", "3600"])
open(sys.argv[1] + "~", "w").write(str(worker.pid))
os.rename(sys.argv[1] + "~", sys.argv[1])
_end_with(int(sys.argv[2]))
"""
IS_KILLED = """
import os, pathlib, signal, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2], str(os.getpid())], process_group=0)
while not pathlib.Path(sys.argv[2]).exists():
    time.sleep(0.02)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_training_process_started_ends_also_where_the_server_was_killed(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    done = subprocess.run([sys.executable, "-c", IS_KILLED, TRAINS, str(told)], check=False)
    assert done.returncode == -signal.SIGKILL
    until(lambda: ended(int(told.read_text())))


def ended(pid: int) -> bool:
    """Whether a process runs no more; whoever adopted it may not have asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):  # before its file was opened, or before it was read
        return True
