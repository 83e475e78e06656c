"""Whether a database's files are, by their names, still those that SQLite has open.

SQLite goes on with a file that was moved, deleted or replaced, and what it stores then is found by nobody. Names alone
are looked at here: opening and closing such a file would let go of all locks that SQLite has on it in this process.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from cutpoint.store.base import Unreachable
from cutpoint.store.beside import belongings
from cutpoint.store.header import identity_of


class Unmoved:
    """A database's file, and the two that SQLite keeps beside it as long as it is open."""

    def __init__(self, path: Path) -> None:
        """Of a file that nobody has opened yet."""
        self._path = path
        self._names = (str(path), f"{path}-wal", f"{path}-shm")
        self._known: dict[str, tuple[int, int] | None] = {}  # by name; what lies beside, while there are connections
        self._connections, self._turn = 0, threading.Lock()

    def open(self, connection: sqlite3.Connection, settings: Sequence[str]) -> None:
        """Set up a new connection and let it read; Unreachable, before it touches anything, if it is to other files."""
        with self._turn:
            self.check()
            for setting in settings:
                connection.execute(f"PRAGMA {setting}")
            connection.execute("PRAGMA schema_version").fetchall()  # reads, and so opens what lies beside
            if not self._connections:
                self._known = {name: _found(name) for name in self._names}
            self._connections += 1

    def close(self) -> None:
        """A connection is closed; with the last one SQLite may remove what lies beside."""
        with self._turn:
            self._connections -= 1
            if not self._connections:
                self._known = {self._names[0]: self._known[self._names[0]]}

    def check(self) -> None:
        """Unreachable unless each name leads to what is open."""
        if any(_found(name) != known for name, known in self._known.items()):
            raise Unreachable(
                f"{self._path}, or what SQLite keeps beside it, was moved away, deleted or replaced while it is at "
                f"work, and nothing more is stored: stop what works on it, put it back with {belongings(self._path)} "
                "(or restore a backup), and start again."
            )


def _found(name: str) -> tuple[int, int] | None:
    """What tells the file of a name from all others; None where there is none."""
    try:
        return identity_of(name)
    except OSError:
        return None
