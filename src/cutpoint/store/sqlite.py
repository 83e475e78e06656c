"""A store in one SQLite file, written ahead (WAL) and flushed to the disk at every commit (synchronous=FULL).

A file of ours is known by a number in its header, so that nothing that is not ours is ever opened by SQLite. A new one
is made beside its place and then linked to it, so that it is there whole or not at all.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from cutpoint.data.whole import flush
from cutpoint.errors import CutpointError, DataError, UsageError
from cutpoint.store import schema
from cutpoint.store.base import MaybeStored, StoreError, Unreachable, id_twice
from cutpoint.store.beside import check_nothing_left, lock_of, to_restore
from cutpoint.store.events import from_bytes
from cutpoint.store.header import APPLICATION, BEGINS, LENGTH, OPEN, OPENING, identity_of, is_open, is_ours
from cutpoint.store.locks import is_owned, locked, unlock
from cutpoint.store.owner import Holder, check_role, held, who
from cutpoint.store.rows import pieces
from cutpoint.store.sql import DOUBT, SqlStore
from cutpoint.store.tables import ITEMS
from cutpoint.store.unmoved import Unmoved

_PATIENCE = 60.0  # seconds to wait for another process that writes: it may be adding a large pool
_ROWS = 10_000  # inserted at a time
_SETTINGS = (
    "synchronous = FULL",
    "fullfsync = ON",  # of Apple's systems, where a flush is none without it
    "journal_mode = WAL",  # which a file keeps, but a copy may have lost it
)

_REMEDIES = {
    "SQLITE_FULL": "make room on its disk",
    "SQLITE_IOERR": "look at its disk and the room on it",
    "SQLITE_READONLY": "give write access to it and its folder",
    "SQLITE_CANTOPEN": "give write access to it and its folder",
    "SQLITE_BUSY": f"another process has kept it for {_PATIENCE:.0f} s; wait for it or stop it",
}
_NO_TEXT = "Could not decode to UTF-8"  # how Python begins to say so; the text follows
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR")


class SqliteStore(SqlStore):
    """A `Store` in one file; others lie beside it: -wal and -shm while it is open, and a lock for each role."""

    _errors = (SQLAlchemyError, sqlite3.Error)

    def __init__(self, path: Path) -> None:
        """Of a file that `open_sqlite` found to be ours and up to date."""
        self.path, self.identity = path, identity_of(path)
        self._unmoved = Unmoved(path)
        super().__init__(engine_of(path, self._unmoved), str(path), str(path))
        OPEN.add(self)

    @contextmanager
    def own(self, role: str) -> Iterator[None]:
        """See `Store.own`: a lock on a file, which the kernel frees when the process ends, however it ends."""
        place = self._lock_of(role)
        try:
            file = locked(place)
        except BlockingIOError:
            raise held(role, Holder.read(place.read_text())) from None
        except OSError as error:
            raise StoreError(
                f"{place} cannot be written to ({error.strerror}); give write access to its folder or make room on its "
                "disk, and try again."
            ) from None
        with file:
            try:
                yield
            finally:
                unlock(file)

    def close(self) -> None:
        """See `Store.close`."""
        super().close()
        with OPENING:
            OPEN.discard(self)

    def holder(self, role: str) -> str | None:
        """See `Store.holder`."""
        try:
            with self._lock_of(role).open() as file:
                return who(Holder.read(file.read())) if is_owned(file) else None
        except FileNotFoundError:
            return None

    def _lock_of(self, role: str) -> Path:
        check_role(role)
        return lock_of(self.path, role)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """See `SqlStore._writing`; what was stored in a file that was moved meanwhile may be found, or not."""
        with super()._writing() as connection:
            yield connection
        try:
            self._unmoved.check()
        except Unreachable as error:
            raise MaybeStored(f"{error} {DOUBT}") from None

    def _lock(self, connection: Connection) -> None:
        """BEGIN IMMEDIATE has it already."""

    def _fill(self, connection: Connection, rows: Iterator[tuple[int, bytes, str]]) -> None:
        for piece in pieces(rows, _ROWS):
            values = [{"position": position, "id": name, "content": text} for position, name, text in piece]
            try:
                connection.execute(insert(ITEMS), values)
            except IntegrityError:  # the rows before the one that was refused are in
                top = connection.execute(select(func.max(ITEMS.c.position))).scalar()
                position, name, _ = piece[0 if top is None else max(top + 1 - piece[0][0], 0)]
                raise id_twice(from_bytes(name), position) from None

    def _refused(self, error: Exception, doing: str) -> CutpointError:
        return refused(self.path, getattr(error, "orig", None) or error, doing)


def refused(path: Path, error: BaseException, doing: str) -> CutpointError:
    """What SQLite said, in our words: DataError for a damaged file, else StoreError with what to do."""
    if str(error).startswith(_NO_TEXT):
        return DataError(f"{path} is damaged (a text in it is no UTF-8); restore it from a backup.")
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_DAMAGED):
        return DataError(f"{path} is damaged ({error}); restore it from a backup: {to_restore(path)}.")
    remedy = next((remedy for start, remedy in _REMEDIES.items() if name.startswith(start)), "look at its disk")
    stored = "; nothing was stored" if doing == "written to" else ""
    return StoreError(f"{path} cannot be {doing} ({error}){stored}: {remedy}, and try again.")


def engine_of(path: Path, unmoved: Unmoved) -> Engine:
    """Connections to a file, each as durable as can be; a transaction that `writes` takes the lock when it begins.

    None begins where the file was moved: Unreachable.
    """
    engine = create_engine(
        URL.create("sqlite", database=f"{path.as_uri()}?mode=rw", query={"uri": "true"}),  # none is made here
        connect_args={"timeout": _PATIENCE, "check_same_thread": False},
        pool_size=10,
        max_overflow=30,
    )

    @event.listens_for(engine, "do_connect")
    def connecting(*_: Any) -> None:
        unmoved.check()

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # no BEGIN but ours
        try:
            unmoved.open(connection, _SETTINGS)
        except BaseException:
            connection.close()
            raise

    @event.listens_for(engine, "close")
    def closed(connection: sqlite3.Connection, record: Any) -> None:
        unmoved.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        unmoved.check()
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def open_sqlite(path: Path, create: bool) -> SqliteStore:
    """The campaign in a file, which is made if it may be and migrated if it is older.

    Whatever name it is opened by, its locks and what lies beside it are those of the file itself.
    """
    path = Path(os.path.realpath(path))
    if not path.exists():
        if not create:
            raise UsageError(f"there is no campaign at {path}; give the path of one, or start one with cutpoint init.")
        _create(path)
    with OPENING:
        if not is_open(path):
            _recognise(path)  # closing the file, which would let go of all locks that SQLite has on it in this process
        _check_links(path)
        store = SqliteStore(path)
    try:
        with store._reading() as reading:
            older = schema.is_older(reading, store.shown)
        if older:
            _migrate(store)
    except BaseException:
        store.close()
        raise
    return store


def recognise(path: Path) -> None:
    """DataError unless a file is a campaign's; one that this process has open is."""
    with OPENING:
        if not is_open(path):
            _recognise(path)


def _recognise(path: Path) -> None:
    """DataError unless a file says of itself that it is a campaign; it is only read."""
    if path.is_dir():
        raise DataError(f"{path} is a folder; a campaign is one file, such as {path / 'campaign.db'}.")
    try:
        with path.open("rb") as file:
            header = file.read(LENGTH)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give read and write access to it.") from None
    if not is_ours(header):
        what = "a database of something else" if header.startswith(BEGINS) else "no database"
        what = what if header else "an empty file"
        raise DataError(f"{path} is {what}; give the path of a campaign, or restore a backup if it was one.")


def _check_links(path: Path) -> None:
    """DataError if a file has another name, a hard link: what SQLite writes beside one name is lost to the other."""
    makers = 0  # names that whoever makes a campaign is about to remove, or was killed before it could
    for left in path.parent.glob(f".{escape(path.name)}-*.partial*"):
        with suppress(FileNotFoundError):
            makers += left.samefile(path)
    if path.stat().st_nlink > 1 + makers:
        raise DataError(
            f"{path} has another name (a hard link), and what is written by one name would be lost to the other: "
            "remove one of them; a copy, or a symbolic link, will do."
        )


def _create(path: Path) -> None:
    """Make an empty campaign at a path, whole or not at all; one that another process makes meanwhile will do."""
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be made, since there is no folder {path.parent}; make it, or give another.")
    check_nothing_left(path)
    beside = path.with_name(f".{path.name}-{secrets.token_hex(8)}.partial")
    try:
        beside.touch(exist_ok=False)
        engine = engine_of(beside, Unmoved(beside))
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute(f"PRAGMA application_id = {APPLICATION}")
        with engine.execution_options(writes=True).begin() as writing:
            schema.migrate(writing)
        engine.dispose()  # the last connection writes what is in -wal into the file
        flush(beside)
        os.link(beside, path)
        flush(path.parent)
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(
            f"{path} cannot be made ({error.strerror}); give a path in a folder that may be written to."
        ) from None
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise refused(path, getattr(error, "orig", None) or error, "written to") from None
    finally:
        for left in path.parent.glob(f"{escape(beside.name)}*"):
            left.unlink()


def _migrate(store: SqliteStore) -> None:
    """Bring an older file to the newest tables, after a copy of it as it was."""
    with store._said("written to"):
        with store._engine.begin() as reading:
            found = schema.revision(reading)
        backup = store.path.with_name(f"{store.path.name}.{found}-{time.strftime('%Y%m%dT%H%M%S')}.backup")
        with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
        flush(backup)
        with store._writing() as connection:
            if schema.is_older(connection, store.shown):  # another process may have been quicker
                schema.migrate(connection)
