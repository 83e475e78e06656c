"""What can be said of a campaign's SQLite file before it is opened for work: read-only, so that nothing is migrated."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

from cutpoint.errors import DataError, UsageError
from cutpoint.store.beside import to_restore

Mark = Literal["well", "note", "wrong"]
_CLOSED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)  # nothing is known to be damaged


class Finding(NamedTuple):
    """What is so with a part: well, worth knowing, or wrong; and what to do about it."""

    part: str
    mark: Mark
    said: str
    do: str = ""


def examine_file(path: Path) -> Iterator[Finding]:
    """Whether a file is a whole database, with tables that this version knows; UsageError if there is no file."""
    if not path.exists():
        raise UsageError(f"there is no campaign at {path}; give the path of one, or start one with cutpoint init.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; a campaign is one file, such as {path / 'campaign.db'}.")
    from cutpoint.store.sqlite import recognise

    try:
        recognise(path)
    except DataError as error:
        said, _, do = str(error).partition("; ")
        yield Finding("database", "wrong", said, do.rstrip("."))
        return
    restore = f"restore a backup: {to_restore(path)}"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            told = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            if told != ["ok"]:
                yield Finding("database", "wrong", f"{path} is damaged: {'; '.join(told)}", restore)
                return
            yield Finding("database", "well", f"{path} is whole")
            yield _tables(connection)
    except sqlite3.Error as error:
        closed = getattr(error, "sqlite_errorcode", 0) & 0xFF in _CLOSED
        do = "give yourself write access to it and its folder" if closed else restore
        yield Finding("database", "wrong", f"{path} cannot be read as a database ({error})", do)


def _tables(connection: sqlite3.Connection) -> Finding:
    from cutpoint.store.schema import VERSION_TABLE
    from cutpoint.store.tables import SCHEMA

    row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
    found = row[0] if row else None
    if found == SCHEMA:
        return Finding("tables", "well", f"of revision {SCHEMA}")
    do = "open it with the version of Cutpoint that wrote it, or with a newer one; an older one is migrated on opening"
    return Finding("tables", "wrong", f"of revision {found}, and this Cutpoint writes {SCHEMA}", do)
