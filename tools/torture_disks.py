"""A campaign on a disk that fills up, and on one that turns read-only: what is said, and that nothing is lost.

The disk is a small file system in memory, which needs root on Linux; elsewhere nothing is tried and that is said.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torture_people import Answer, Told
from torture_server import Server, check, make_campaign

SIZE = "24m"
ITEMS = 2000


def disks() -> list[tuple[str, str, bool]]:
    """(what was done, what was said, whether that was right) of every step; empty where no disk can be made."""
    with tempfile.TemporaryDirectory(prefix="cutpoint-disk-") as folder, _mounted(Path(folder)) as there:
        return [*_full(Path(folder)), *_read_only(Path(folder))] if there else []


def _full(disk: Path) -> Iterator[tuple[str, str, bool]]:
    """Answers before, while and after the disk is full."""
    name, told = str(disk / "full.db"), Told()
    make_campaign(name, Path(tempfile.mkdtemp(dir=disk)), None, items=ITEMS)
    server = Server(name)
    server.start()
    try:
        first, second = (_ask(server, "GET", "/api/next?n=2", None)[1]["items"][k]["item"] for k in (0, 1))
        status, got = _answer(server, told, first, "before")
        yield "an answer on a disk with room", str(got.get("status")), status == 200
        _fill(disk / "filler")
        status, got = _answer(server, told, second, "while full")
        yield "an answer on a full disk", str(got.get("error")), status == 503 and "sent again" in str(got.get("error"))
        health = _ask(server, "GET", "/healthz", None)[0]
        yield "the server meanwhile", f"/healthz says {health}", health == 200
        (disk / "filler").unlink()
        status, got = _answer(server, told, second, "while full")
        yield "the same answer, once there is room again", str(got.get("status")), status == 200
    finally:
        server.stop()
    wrong = check(name, told.saved, told, whole=True)
    yield "the log afterwards", "; ".join(wrong) or "holds both answers, and nothing else", not wrong


def _read_only(disk: Path) -> Iterator[tuple[str, str, bool]]:
    """A server on a disk that may not be written, and once it may again."""
    server = Server(str(disk / "full.db"))
    _mount("-o", "remount,ro", str(disk))
    try:
        said = server.refusal()
        yield "`serve` on a read-only disk", said, "error:" in said and "Traceback" not in said
    finally:
        _mount("-o", "remount,rw", str(disk))
    server.start()
    yield "`serve` once it may be written again", "started", server.stop() in (0, 130)


def _answer(server: Server, told: Told, item: int, key: str) -> tuple[int, dict[str, Any]]:
    answer = Answer(item, 0, "one", f"{key}-{item}")
    told.send(answer)
    status, got = _ask(server, "POST", "/api/answer", {"item": item, "label": 0, "key": answer.key})
    if status == 200:
        told.save(answer, int(got["number"]))
    return status, got


def _ask(server: Server, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
    token = server.links["one"].rpartition("/")[2]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            text, status = response.read(), response.status
    except urllib.error.HTTPError as error:
        text, status = error.read(), error.code
    return status, json.loads(text) if text.startswith(b"{") else {}


def _fill(path: Path) -> None:
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as file:
        for piece in (1 << 16, 1 << 12, 1):
            while True:
                try:
                    file.write(b"\0" * piece)
                except OSError:
                    break


@contextmanager
def _mounted(folder: Path) -> Iterator[bool]:
    """A small file system on the folder; False where it may not be made."""
    root = os.name == "posix" and os.geteuid() == 0
    made = root and _mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder))
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", str(folder)], check=True)


def _mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], stderr=subprocess.DEVNULL).returncode == 0
