"""By what a campaign's file is known before SQLite opens it: a number of ours in the header.

No file is read that this process has open by SQLite: closing it, by whatever descriptor, lets go of all locks that the
process has on it, and so of SQLite's.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

BEGINS = b"SQLite format 3\0"
LENGTH = 100  # bytes of a header
WRITTEN_AHEAD = ("-wal", "-shm", "-journal")  # what SQLite puts behind the name of a file that is open
APPLICATION = 0x43557450  # "CUtP", big-endian, at byte 68 of the header


class Identified(Protocol):
    """Whoever has a campaign's file open."""

    identity: tuple[int, int]


OPEN: WeakSet[Identified] = WeakSet()  # of this process
OPENING = threading.Lock()  # for the above, and while a header is read


def identity_of(path: str | Path) -> tuple[int, int]:
    """What tells a file from all others, whatever it is called."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def is_open(path: Path) -> bool:
    """Whether this process has a campaign's file open; for those who keep OPENING."""
    return identity_of(path) in {store.identity for store in OPEN}


def is_ours(header: bytes) -> bool:
    """Whether it is the header of a campaign."""
    return header.startswith(BEGINS) and int.from_bytes(header[68:72], "big") == APPLICATION


def is_campaign(path: Path) -> bool:
    """Whether there is a campaign's file; one that may not be read is taken for it, as whoever opens it says so."""
    if not os.path.isfile(path):  # nor one whose name cannot be
        return False
    try:
        with OPENING:
            return is_open(path) or is_ours(_read(path))
    except OSError:
        return True


def is_database(path: Path) -> bool:
    """Whether a file is one of SQLite's, ours or not; one that is gone is none."""
    try:
        with OPENING:
            return is_open(path) or _read(path).startswith(BEGINS)
    except FileNotFoundError:
        return False


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LENGTH)
