"""What people wait for at a served campaign: `python benchmarks/serving.py [--quick] [--url postgresql://...]`.

A campaign of a million drawn examples (`--n` of them) is made, and served as `serve` does, in a process of its own
with its trainer beside it (low priority, one thread). Annotators over loopback ask and answer like the page does, each
over one connection: GET /api/next?n=2, then POST /api/answer, then a pause for looking. Times are those of whole
requests. The load generator shares the machine's cores with the server. Memory is the most that a process ever had.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cutpoint.service.log.settings import Settings
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.opening import open_files, open_store

SERVE = (
    "import sys; from cutpoint.service.web.server import Where, serve;"
    "url, files, people = sys.argv[1], sys.argv[2] or None, [f'person-{i}' for i in range(int(sys.argv[3]))];"
    "serve(url, people, where=Where(port=0), files=files, new_links=True, say=lambda line: print(line, flush=True))"
)
FEATURES, CLASSES = 16, ("common", "rare", "rarest")
SHARES = (0.9, 0.07, 0.03)
BUDGET = 200  # answers between trainings: with twenty people a model is in training most of the time
STARTS = 10.0  # seconds in which a first question should be there
LARGE = 10_000_000  # examples from which people may wait for longer


def bar(n: int) -> float:
    """Seconds that 99 of 100 requests should take at most, with so many examples."""
    return 0.050 if n < LARGE else 0.100


@dataclass
class Times:
    """Seconds of every request of one kind."""

    name: str
    taken: list[float] = field(default_factory=list)

    def line(self, most: float) -> str:
        """Median, 99th percentile and slowest, in milliseconds; whether the second is at most so many seconds."""
        p50, p99 = 1e3 * np.percentile(self.taken, (50, 99))
        said = "reached" if p99 <= 1e3 * most else "MISSED"
        slowest = 1e3 * max(self.taken)
        return (
            f"{self.name}: {len(self.taken):,} requests, p50 {p50:.1f} ms, p99 {p99:.1f} ms, slowest {slowest:.0f} ms;"
            f" bar: p99 at most {1e3 * most:.0f} ms: {said}"
        )


def flushes(folder: str) -> str:
    """How long the disk takes to flush 4 KiB, which every answer waits for: median and 99th percentile."""
    taken = []
    with Path(folder, "probe").open("wb", buffering=0) as probe:
        for _ in range(200):
            probe.write(b"x" * 4096)
            start = time.perf_counter()
            os.fsync(probe.fileno())
            taken.append(time.perf_counter() - start)
    p50, p99 = 1e3 * np.percentile(taken, (50, 99))
    return f"the disk flushes 4 KiB in {p50:.1f} ms (median), {p99:.1f} ms (p99)"


def truth_of(n: int) -> np.ndarray:
    """(n,) the classes of the drawn examples."""
    return np.random.default_rng(0).choice(len(CLASSES), n, p=SHARES)


def build(url: str, files: str | None, n: int) -> float:
    """Make the campaign, with 300 labels that exist already; the seconds it took."""
    start = time.perf_counter()
    store = open_store(url, create=True)
    arrays = open_files(store, files)
    truth, rng = truth_of(n), np.random.default_rng(1)
    x = rng.standard_normal((n, FEATURES), dtype=np.float32)
    x[:, : len(CLASSES)] += 2.5 * np.eye(len(CLASSES), dtype=np.float32)[truth]
    store.append([Settings("serving", CLASSES, budget=BUDGET, parallel=20, lease_seconds=60.0).created()])
    pool = {"first": 0, "count": n, "source": "drawn", "features": arrays.put("features", x)}
    items = (Item(i, f"item-{i}", {"row": {"number": i}}) for i in range(n))
    store.add_items(items, New("pool_added", pool))
    known = rng.choice(n, 300, replace=False)
    labels = {"items": known.tolist(), "labels": truth[known].tolist(), "source": "benchmark"}
    store.append([New("labels_imported", labels)])
    store.close()
    return time.perf_counter() - start


class Connection:
    """One annotator's connection: requests one after the other, as a browser keeps it open."""

    def __init__(self, address: str, token: str) -> None:
        """To a server, with the token of a link."""
        self.host, _, port = address.removeprefix("http://").partition(":")
        self.port = int(port)
        self.head = f"Host: {self.host}:{port}\r\nAuthorization: Bearer {token}\r\n"

    async def open(self) -> Connection:
        """Connect."""
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        return self

    async def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """(status, JSON) of one request."""
        data = b"" if body is None else json.dumps(body).encode()
        about = f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{self.head}{about}".encode() + data)
        answered = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(answered.partition("content-length:")[2].split("\r\n")[0])
        return int(answered.split()[1]), json.loads(await self.reader.readexactly(length))


@dataclass
class Load:
    """Twenty people at work, and how long they waited."""

    address: str
    truth: np.ndarray
    seconds: float
    pause: float
    next: Times = field(default_factory=lambda: Times("GET /api/next"))
    answer: Times = field(default_factory=lambda: Times("POST /api/answer"))
    empty: int = 0
    refused: int = 0

    async def run(self, tokens: list[str]) -> None:
        """All of them until the time is over."""
        end = time.perf_counter() + self.seconds
        await asyncio.gather(*(self.person(i, token, end) for i, token in enumerate(tokens)))

    async def person(self, who: int, token: str, end: float) -> None:
        """One of them; labels are right nine times in ten."""
        chance = random.Random(f"{who} {self.pause}")
        connection = await Connection(self.address, token).open()
        await asyncio.sleep(chance.random() * self.pause)
        answers = 0  # one at least, also on a machine that stalls for all the time
        while not answers or time.perf_counter() < end:
            items = (await self.timed(self.next, connection, "GET", "/api/next?n=2"))["items"]
            if not items:
                self.empty += 1
                await asyncio.sleep(0.5)
                continue
            item = items[0]["item"]
            label = int(self.truth[item]) if chance.random() < 0.9 else chance.randrange(len(CLASSES))
            body = {"item": item, "label": label, "lease": items[0]["lease"], "key": f"{chance.getrandbits(128):x}"}
            await self.timed(self.answer, connection, "POST", "/api/answer", body)
            answers += 1
            if self.pause:
                await asyncio.sleep(chance.expovariate(1 / self.pause))
        connection.writer.close()

    async def timed(self, times: Times, connection: Connection, *request: Any) -> Any:
        """A request's answer, its time noted; one that was refused for haste is sent again."""
        while True:
            start = time.perf_counter()
            status, data = await connection.request(*request)
            if status == 200:
                times.taken.append(time.perf_counter() - start)
                return data
            if status != 429:
                raise RuntimeError(f"{request[:2]}: {status} {data}")
            self.refused += 1
            await asyncio.sleep(0.1)


def serve(url: str, files: str | None, people: int) -> tuple[subprocess.Popen[str], str, dict[str, str], float]:
    """(process, address, each person's token, seconds until a first question was answered with items)."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, url, files or "", str(people)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    tokens, address = {}, ""
    for line in process.stdout:
        name, _, link = line.strip().partition(": ")
        if "/a/" in link:
            address, _, tokens[name] = link.partition("/a/")
        if line.startswith("serving"):
            break
    asyncio.run(_first(address, tokens["person-0"]))
    return process, address, tokens, time.perf_counter() - start


async def _first(address: str, token: str) -> None:
    connection = await Connection(address, token).open()
    while not (await connection.request("GET", "/api/next"))[1]["items"]:
        await asyncio.sleep(0.05)
    connection.writer.close()


async def _status(address: str, token: str) -> dict[str, Any]:
    connection = await Connection(address, token).open()
    _, status = await connection.request("GET", "/api/status")
    connection.writer.close()
    return dict(status)


def memory(pid: int) -> str:
    """The most memory that a server and the processes beside it ever had."""
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        peaks = [_peak(process) for process in (pid, *children)]
    except OSError:
        return "memory: not known here"
    return f"memory: server {peaks[0]:.2f} GiB, trainer {max(peaks[1:], default=0.0):.2f} GiB"


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / (1 << 20)


def disk(folder: str) -> str:
    """What the files of the campaign take."""
    sizes: dict[str, float] = {}
    for path in Path(folder).rglob("*"):
        if path.is_file():
            what = "arrays" if path.suffix == ".npy" else "database"
            sizes[what] = sizes.get(what, 0.0) + path.stat().st_size / (1 << 30)
    return "disk: " + ", ".join(f"{what} {size:.2f} GiB" for what, size in sorted(sizes.items()))


def measure(url: str, files: str | None, options: argparse.Namespace) -> None:
    """Build, serve, load, and print."""
    print(f"made in {build(url, files, options.n):.0f} s", flush=True)
    for again in (False, True):
        process, address, tokens, started = serve(url, files, options.people)
        try:
            said = "reached" if started <= STARTS else "MISSED"
            what = "start again, with scores" if again else "start, without scores"
            print(f"{what}: first question after {started:.1f} s; bar: at most {STARTS:.0f} s: {said}", flush=True)
            admin = next(token for name, token in tokens.items() if name.startswith("admin"))
            if again:
                break
            begun = time.perf_counter()
            while asyncio.run(_status(address, admin))["model"] is None:
                time.sleep(0.2)
            print(f"the first model served {time.perf_counter() - begun:.1f} s later", flush=True)
            for pause in options.pauses:
                before = asyncio.run(_status(address, admin))
                load = Load(address, truth_of(options.n), options.seconds, pause)
                people = [token for name, token in tokens.items() if name.startswith("person")]
                asyncio.run(load.run(people))
                after = asyncio.run(_status(address, admin))
                models = after["model"] - before["model"]
                rate = len(load.answer.taken) / options.seconds
                print(
                    f"{len(people)} people, {pause:g} s of looking: {rate:.0f} answers a second, {models} models"
                    f" trained meanwhile, {load.empty} times nothing to ask, {load.refused} refused for haste"
                )
                most = bar(options.n)
                print(f"  {load.next.line(most)}\n  {load.answer.line(most)}\n  {memory(process.pid)}", flush=True)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smaller pool and shorter loads")
    parser.add_argument("--n", type=int, help="examples; 1,000,000 if not given")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, help="of each load; 30 if not given")
    parser.add_argument("--pauses", type=float, nargs="+", default=[1.0, 0.2], help="mean seconds of looking")
    parser.add_argument("--url", help="an empty database, postgresql://...; a new SQLite file if not given")
    options = parser.parse_args()
    options.n = options.n or (20_000 if options.quick else 1_000_000)
    options.seconds = options.seconds or (4.0 if options.quick else 30.0)
    print(f"numpy {np.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, N = {options.n:,}")
    with tempfile.TemporaryDirectory() as folder:
        print(flushes(folder))
        files = str(Path(folder, "files")) if options.url else None
        measure(options.url or str(Path(folder, "serving.db")), files, options)
        print(disk(folder))


if __name__ == "__main__":
    main()
