"""A campaign that is served by a process one may kill, and what its log must hold afterwards."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np

from cutpoint.errors import CutpointError, DataError
from cutpoint.service.log.state import State
from cutpoint.store.opening import open_files, open_store
from torture_people import Answer, Told

PEOPLE = ("one", "two", "three", "four")
ITEMS = 20_000
STARTS = 300.0  # seconds in which a server must be there, also on a machine that stalls


def make_campaign(name: str, folder: Path, files: Path | None, *, items: int = ITEMS) -> None:
    """A campaign of drawn features whose models are trained after every twenty answers."""
    features = np.random.default_rng(0).standard_normal((items, 8)).astype(np.float32)
    np.save(folder / "features.npy", features)
    command = [*_cutpoint(), "init", name, "--classes", "rare,other", "--npy", str(folder / "features.npy")]
    command += ["--first", "20", "--budget", "20", "--lease-minutes", "0.05", "--quiet"]
    subprocess.run([*command, *(["--files", str(files)] if files else [])], check=True)


class Server:
    """`cutpoint serve` in a process that is killed and started again, always on one port."""

    def __init__(self, name: str) -> None:
        """Started by `start`."""
        self.name, self.port = name, _free_port()
        self.links: dict[str, str] = {}
        self.process: subprocess.Popen[str] | None = None

    @property
    def _command(self) -> list[str]:
        return [*_cutpoint(), "serve", self.name, "--annotators", ",".join(PEOPLE), "--port", str(self.port)]

    def refusal(self) -> str:
        """What it says where it must not start."""
        done = subprocess.run(self._command, capture_output=True, text=True, timeout=STARTS)
        return done.stderr.strip()

    def start(self) -> float:
        """Start it and wait until it answers and has said everybody's link; the seconds that took."""
        begun = time.monotonic()
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said: list[str] = []
        threading.Thread(target=self._listen, args=(self.process, said), daemon=True).start()
        while time.monotonic() - begun < STARTS:
            if self.process.poll() is not None:
                raise CutpointError(f"the server ended by itself with {self.process.returncode}: {' '.join(said)}")
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                if any(
                    line.startswith("serving ") for line in said
                ):  # links come before; it may answer before it is read
                    return time.monotonic() - begun
            time.sleep(0.02)
        raise CutpointError(f"the server did not answer, or say its links, within {STARTS:g} s: {' '.join(said)}")

    def _listen(self, process: subprocess.Popen[str], said: list[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                said.append(line.strip())
                who, _, link = line.strip().partition(": http")
                if link and who in PEOPLE:
                    self.links[who] = f"http{link}"

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As Ctrl-C does; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=STARTS)

    def trainer(self) -> int | None:
        """The pid of the training process beside it."""
        assert self.process is not None
        for pid in _children(self.process.pid):
            with suppress(OSError):
                if b"cutpoint.service.training.trainer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None


def before_key(person: str) -> str:
    """What stands in the log before the key of somebody's request."""
    return f"{len(person)}:{person}:"


def check(name: str, saved: dict[str, Answer], told: Told, *, whole: bool = False) -> list[str]:
    """What the log has wrong; with `whole`, nothing may be in it beyond what was called saved."""
    store, state, wrong = open_store(name, create=False), State(), []
    stored: dict[str, Answer] = {}
    seen: set[tuple[int, str]] = set()
    try:
        for event in store.events():
            state.apply(event)
            data = event.data
            if event.kind == "lease_granted" and state.leases.on(data["item"]) > state.made.overlap:
                wrong.append(f"event {event.number} leases item {data['item']} twice")
            if event.kind not in ("answered", "corrected"):
                continue
            key = (event.key or "").removeprefix(before_key(data["annotator"]))
            stored[key] = Answer(data["item"], data["label"], data["annotator"], key)
            if (data["item"], data["annotator"]) in seen:
                wrong.append(f"event {event.number} is a second answer of {data['annotator']} to item {data['item']}")
            seen.add((data["item"], data["annotator"]))
            if told.numbers.get(key, event.number) != event.number:
                wrong.append(f"{key} is event {event.number} and was said to be {told.numbers[key]}")
    finally:
        store.close()
    wrong += [f"{key} was called saved and is not in the log" for key in saved.keys() - stored.keys()]
    wrong += [f"{key} is stored as {stored[key]}" for key, answer in saved.items() if stored.get(key, answer) != answer]
    known, what = (saved, "called saved") if whole else (told.sent, "sent")
    wrong += [f"{key} is in the log and was never {what}" for key in stored.keys() - known.keys()]
    return wrong


def check_models(name: str) -> list[str]:
    """What is wrong with scores and rounds: numbers that are not 1, 2, 3, ..., or files that are not whole."""
    store, state, wrong = open_store(name, create=False), State(), []
    try:
        files = open_files(store)
        for event in store.events():
            state.apply(event)
        for place, scores in enumerate(state.runs.scores, 1):
            if scores["version"] != place:
                wrong.append(f"scores {place} are called {scores['version']}")
            for entry in scores["files"].values():
                try:
                    files.open(entry, verify=True)
                except DataError as error:
                    wrong.append(str(error))
        numbers = [opened.data["round"] for opened in state.rounds.all]
        if numbers != list(range(1, len(numbers) + 1)):
            wrong.append(f"the rounds are {numbers}")
    finally:
        store.close()
    return wrong


def kinds(name: str, after: int = 0) -> Counter[str]:
    """How many events of each kind there are after a number; opened for this alone, so as to be in nobody's way."""
    store = open_store(name, create=False)
    try:
        return Counter(event.kind for event in store.events(after))
    finally:
        store.close()


def _cutpoint() -> list[str]:
    return [sys.executable, "-c", "from cutpoint.cli import main; main()"]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


def _free_port() -> int:
    """A port that nobody is given for an outgoing connection, or as a free one, while the server is down."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(1024, max(lowest, 2048))
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
