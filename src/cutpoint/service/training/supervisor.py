"""Keeps a training process alive, and ends one that hangs; what trains is imported in that process alone.

How long a training that failed is waited for is that process's affair (`patience.py`), however often it is started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from cutpoint.errors import CutpointError
from cutpoint.service.desk.clock import pause_after

CAMPAIGN = "CUTPOINT_CAMPAIGN"  # the environment variable with the campaign's address, for the training process
SIGNS = "CUTPOINT_SIGNS"  # and the one with the number of the pipe in which it gives signs of life
LIMIT = 3600.0  # seconds of one training; whatever takes longer is taken for hung
SILENCE = 300.0  # seconds without a sign of life between trainings; long enough to read the largest log
LOOK = 0.5  # seconds between two looks
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a process that died is started again: doubled each time
SETTLED = 3600.0  # seconds of a life after which a death has nothing to do with those before
LIBRARIES = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")
ONE_THREAD = {f"{library}_{word}": "1" for library in LIBRARIES for word in ("NUM_THREADS", "THREADS")}


class Watched(Protocol):
    """What the supervisor must know and say; a desk does both."""

    def running(self) -> str | None:
        """The training that has begun and not ended."""
        ...

    def training_failed(self, run: str, error: str) -> None:
        """Note that a training ended badly."""
        ...

    def training_stopped(self) -> None:
        """Note that the training which is on, if one is, was ended with the campaign, and did not fail."""
        ...

    def training_hindered(self, said: str) -> None:
        """Show why no training can begin, as the process that trains does not work; empty once it does."""
        ...


class TrainerProcess:
    """A training process that is started, watched, ended when it hangs, and started again when it died.

    Between trainings the process gives signs of life, and is ended without them. `start` and `stop` may be called at
    any time, and twice.
    """

    def __init__(
        self,
        command: Sequence[str],
        watched: Watched,
        *,
        url: str = "",
        limit: float = LIMIT,
        silence: float = SILENCE,
    ) -> None:
        """Of a command, as `trainer_command` makes it, for the campaign at `url`.

        A training may take `limit` seconds, and so long as `silence` may pass without a sign of life before and after.
        The address may hold a password: it is handed over where other users of the machine cannot see it.
        """
        self._command, self._watched, self._limit, self._silence = list(command), watched, limit, silence
        self._environment = os.environ | ONE_THREAD | {CAMPAIGN: url}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that trains now."""
        child = self._child  # read once: the thread that watches it may let go of it
        return None if child is None else child.pid

    def start(self) -> None:
        """Start it and watch it, in a daemon thread."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._watch, name="trainer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _watch(self) -> None:
        deaths = 0
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                said = self._live_once()
            except OSError as error:
                said = f"the training process cannot be started: {error}"
            if self._stop.is_set():
                with suppress(CutpointError):  # then the next process takes it for a failure
                    self._watched.training_stopped()
                return
            self._tell(said)
            deaths = 1 if time.monotonic() - started > SETTLED else deaths + 1
            self._stop.wait(pause_after(deaths, FIRST_PAUSE, LONGEST_PAUSE))

    def _live_once(self) -> str:
        """Run the process until it ends, hangs or must stop; why it is over."""
        ear, mouth = os.pipe()
        os.set_blocking(ear, False)
        os.set_blocking(mouth, False)  # whoever is not listened to goes on
        try:
            child = self._child = subprocess.Popen(
                self._command,
                env=self._environment | {SIGNS: str(mouth)},
                stdin=subprocess.DEVNULL,
                pass_fds=(mouth,),
                process_group=0,  # a terminal's Ctrl-C is not meant for it: `stop` ends it, with all that it started
            )
            try:
                return self._attend(child, ear)
            finally:
                self._child = None
                _end(child)  # nothing is lost: what it had not appended never was
        finally:
            os.close(ear)
            os.close(mouth)

    def _attend(self, child: subprocess.Popen[bytes], ear: int) -> str:
        """Watch the process, whose signs of life come in at `ear`, until it ends, hangs or must stop; why it did."""
        run, since = None, time.monotonic()
        while not self._stop.wait(LOOK):
            if (code := child.poll()) is not None:
                return f"the training process ended with status {code}"
            if _heard(ear):
                self._watched.training_hindered("")
                since = time.monotonic()
            now = self._running(run)
            if now != run:
                run, since = now, time.monotonic()
            elif time.monotonic() - since > (self._silence if run is None else self._limit):
                what = "the training process stood still for" if run is None else "the training took longer than"
                return f"{what} {self._silence if run is None else self._limit:g} s and was ended"
        return "the campaign was closed"

    def _running(self, before: str | None) -> str | None:
        """The training that runs; the one before, as long as the log cannot be read."""
        try:
            return self._watched.running()
        except CutpointError:
            return before

    def _tell(self, error: str) -> None:
        """Note that a training was stopped, or show why none begins; the next process logs what could not be now."""
        with suppress(CutpointError):
            run = self._watched.running()
            if run is None:
                self._watched.training_hindered(f"{error}; it is started again, and what it printed may say more")
            else:
                self._watched.training_failed(run, error)


def sign() -> None:
    """Give whoever watches this process a sign of life, if anybody does."""
    if SIGNS in os.environ:
        with suppress(OSError):
            os.write(int(os.environ[SIGNS]), b".")


def _heard(ear: int) -> bool:
    """Whether there were signs of life since the last look."""
    try:
        return bool(os.read(ear, 1 << 16))
    except BlockingIOError:
        return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def trainer_command(files: str | None = None) -> list[str]:
    """The command of a training process that ends with this one."""
    command = [sys.executable, "-m", "cutpoint.service.training.trainer", "--parent", str(os.getpid())]
    return [*command, "--files", files] if files else command
