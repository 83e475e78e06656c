"""A store in a PostgreSQL database, one campaign in each; several servers and trainers may share it.

Numbering is serialised by an advisory lock that ends with the transaction, a role is held by one that ends with its
connection. Commits wait for the disk, whoever waited for a lock sees what was written meanwhile, and nobody waits for
ever: each connection says so itself, whatever the user's defaults are.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cutpoint.errors import CutpointError, DataError, UsageError
from cutpoint.store import schema
from cutpoint.store.base import StoreError, Unreachable, id_twice
from cutpoint.store.events import from_bytes
from cutpoint.store.owner import Holder, check_role, held, who
from cutpoint.store.sql import SqlStore

_LOCKS = 0x43557450  # "CUtP": the first half of our advisory locks, so that they are nobody else's
PATIENCE = 60.0  # seconds to wait for another writer (it may add a large pool), and for one that stands still
_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}  # a dead end shows in two minutes
_UNLESS_SAID = {"connect_timeout": 10, "application_name": "cutpoint", "tcp_user_timeout": 60_000} | _ALIVE
_SETTINGS = {
    "synchronous_commit": "on",
    "bytea_output": "hex",
    "default_transaction_isolation": "'read committed'",
} | {f"tcp_{name}": str(value) for name, value in _ALIVE.items()}

_REMEDIES = {
    "": "see that the server runs, and that host, port, user, password and database are right",
    "53100": "make room on the server's disk",
    "25006": "the server is read-only; use the one that may be written to",
    "55P03": "another process keeps it; wait for it or stop it",
    "42501": "give this user the right to do it",
    "42P01": "restore the database from a backup",
}
_NO_ANSWER = ("", "08", "57", "55P03")  # SQLSTATE: none, connection, the server stops or starts, a lock is kept

_NOTICED = 1.0  # seconds in which the server notices that a killed process's connection is gone
_TAKE = text("SELECT pg_try_advisory_lock(:ours, :role)")
_GIVE = text("SELECT pg_advisory_unlock(:ours, :role)")
_OWNED = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = :ours"
    " AND objid = :role AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_HOLDS = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :ours AND granted AND pid = :backend"
)


@dataclass
class _Held:
    """A connection by which a role is held, and the number of the server's process behind it."""

    connection: Connection
    backend: int


class PostgresStore(SqlStore):
    """A `Store` in the schema of a database that its user works in."""

    _errors = (SQLAlchemyError, psycopg.Error)

    def __init__(self, engine: Engine, url: URL, namespace: str) -> None:
        """Of a database that `open_postgres` found to be a campaign and up to date."""
        super().__init__(engine, shown(url), url.render_as_string(hide_password=False))
        self._url, self._namespace = url, namespace
        self._roles: dict[str, _Held] = {}

    @contextmanager
    def own(self, role: str) -> Iterator[None]:
        """See `Store.own`: a lock on a connection of its own, which the server frees when the connection ends.

        If the connection breaks (a server that is started anew), the role is taken again at the next append, which
        is refused if another process has it by then.
        """
        check_role(role)
        with self._said("reached"):
            self._roles[role] = self._taken(role)
            try:
                self.note(f"owner of {role}", Holder.me().text())
            except BaseException:
                self._free(role)
                raise
        try:
            yield
        finally:
            self._free(role)

    def holder(self, role: str) -> str | None:
        """See `Store.holder`."""
        check_role(role)
        lock = {"ours": _LOCKS, "role": _number(self._namespace, role) % (1 << 32)}  # pg_locks has it without a sign
        with self._reading() as connection:
            owned = connection.execute(_OWNED, lock).scalar()
        return who(Holder.read(self.about(f"owner of {role}"))) if owned else None

    def _taken(self, role: str) -> _Held:
        """A connection that has the role and is nobody else's; UsageError if somebody has it."""
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.detach()
            lock = {"ours": _LOCKS, "role": _number(self._namespace, role)}
            patient = time.monotonic() + _NOTICED
            while not connection.execute(_TAKE, lock).scalar():
                if time.monotonic() > patient:
                    raise held(role, Holder.read(self.about(f"owner of {role}")))
                time.sleep(_NOTICED / 20)
            return _Held(connection, connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        except BaseException:
            connection.close()
            raise

    def _free(self, role: str) -> None:
        """Give a role back in words: the end of its connection alone is noticed by the server a moment later."""
        connection = self._roles.pop(role).connection
        with closing(connection), suppress(*self._errors):  # a connection that broke has no role any more
            connection.execute(_GIVE, {"ours": _LOCKS, "role": _number(self._namespace, role)})

    def _lock(self, connection: Connection) -> None:
        _lock_log(connection, self._namespace)
        for role, has in list(self._roles.items()):
            if not connection.execute(_HOLDS, {"ours": _LOCKS, "backend": has.backend}).scalar():
                self._take_again(role)

    def _take_again(self, role: str) -> None:
        """Take a role whose connection broke; StoreError if another process was quicker."""
        self._roles[role].connection.close()
        try:
            self._roles[role] = self._taken(role)
        except UsageError as error:
            raise StoreError(
                f"the connection to {self.shown} broke, and meanwhile {error} Nothing was stored."
            ) from None

    def _fill(self, connection: Connection, rows: Iterator[tuple[int, bytes, str]]) -> None:
        """COPY, which is many times as fast as INSERT."""
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        first = 0
        try:
            with driver.cursor() as cursor, cursor.copy("COPY items (position, id, content) FROM STDIN") as copy:
                for place, row in enumerate(rows):
                    first = row[0] - place
                    copy.write_row(row)
        except psycopg.errors.UniqueViolation as error:
            twice = re.search(r"\(id\)=\(\\x([0-9a-f]*)\)", error.diag.message_detail or "")
            line = re.search(r"\d+", error.diag.context or "")  # "COPY items, line 7", in the server's language
            if not twice or not line:
                raise
            raise id_twice(from_bytes(bytes.fromhex(twice[1])), first + int(line[0]) - 1) from None

    def _refused(self, error: Exception, doing: str) -> CutpointError:
        return refused(self._url, getattr(error, "orig", None) or error, doing)


def shown(url: URL) -> str:
    """A database as messages name it: never with a user, a password or options."""
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{url.host or ''}{port}/{url.database or ''}"


def refused(url: URL, error: BaseException, doing: str) -> CutpointError:
    """What the server said, in our words and without the password, and what to do."""
    said = " ".join(str(error).split())
    for secret in {url.password, *(value for key, value in url.query.items() if "pass" in key)} - {None, ""}:
        said = said.replace(str(secret), "***")
    state = getattr(error, "sqlstate", None) or ""
    remedy = _REMEDIES.get(state, "see the server's log")
    stored = "; nothing was stored" if doing == "written to" else ""
    silent = state in _NO_ANSWER or state[:2] in _NO_ANSWER
    kind = Unreachable if silent and isinstance(error, psycopg.OperationalError) else StoreError
    return kind(f"{shown(url)} cannot be {doing} ({said}){stored}: {remedy}, and try again.")


def engine_of(url: URL) -> Engine:
    """Connections to a database; each is tried before it is used, so that a server may be started anew."""
    options = {name: value for name, value in _UNLESS_SAID.items() if name not in url.query}
    waits = f"{1000 * PATIENCE:.0f}"
    settings = _SETTINGS | {"lock_timeout": waits, "idle_in_transaction_session_timeout": waits}
    engine = create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=10, connect_args=options)

    @event.listens_for(engine, "connect")
    def connected(connection: psycopg.Connection[Any], record: Any) -> None:
        connection.execute("; ".join(f"SET {name} = {value}" for name, value in settings.items()))
        connection.commit()

    return engine


def url_of(address: str) -> URL:
    """The address of a database, in its parts; UsageError."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # whose words may show a password
        raise UsageError("this is no address; it must be postgresql://user:password@host:port/database.") from None
    if not url.database:
        raise UsageError(f"{shown(url)} names no database; it must be postgresql://user:password@host:port/database.")
    return url


def has_tables(address: str) -> bool:
    """Whether there are a campaign's tables; StoreError where the database does not answer. Changes nothing."""
    url = url_of(address)
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            return schema.VERSION_TABLE in inspect(connection).get_table_names()
    except SQLAlchemyError as error:
        raise refused(url, getattr(error, "orig", None) or error, "opened") from None
    finally:
        engine.dispose()


def open_postgres(address: str, create: bool) -> PostgresStore:
    """The campaign in a database, which is made if it may be, its schema too, and migrated if it is older."""
    url = url_of(address)
    engine = engine_of(url)
    try:
        with engine.begin() as connection:
            namespace = _namespace(connection, create)
            current = _is_current(connection, url, create)
        if not current:
            with engine.begin() as connection:
                _lock_log(connection, namespace)
                if not _is_current(connection, url, create):  # another process may have been quicker
                    schema.migrate(connection)
    except SQLAlchemyError as error:
        engine.dispose()
        raise refused(url, getattr(error, "orig", None) or error, "opened") from None
    except BaseException:
        engine.dispose()
        raise
    return PostgresStore(engine, url, namespace)


def _namespace(connection: Connection, create: bool) -> str:
    """The schema that one works in: the first of the search path that is there, or is made; empty if there is none."""
    now = connection.exec_driver_sql("SELECT current_schema()")
    path = str(connection.exec_driver_sql("SHOW search_path").scalar()).split(",")
    wanted = next((name.strip() for name in path if name.strip() not in ("", '""', '"$user"')), None)
    found = now.scalar()
    if found is None and create and wanted is not None:
        [found] = connection.execute(text("SELECT parse_ident(:name)"), {"name": wanted}).scalar_one()
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {_quoted(connection, found)}")
    return str(found or "")


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _is_current(connection: Connection, url: URL, create: bool) -> bool:
    """Whether a database has the newest tables; an error unless it may be given them."""
    tables = sorted(inspect(connection).get_table_names())
    if schema.VERSION_TABLE in tables:
        return not schema.is_older(connection, shown(url))
    if tables:
        raise DataError(
            f"{shown(url)} is a database of something else (it has the table {tables[0]}); give an empty one."
        )
    if not create:
        raise UsageError(
            f"there is no campaign in {shown(url)}{_schema(connection, url)}; give the address of one, or start one "
            "with cutpoint init."
        )
    return False


def _schema(connection: Connection, url: URL) -> str:
    """The schema that an address names, as it is put behind its database; empty where it names none."""
    named = "search_path" in str(url.query.get("options", ""))
    return f", schema {connection.exec_driver_sql('SHOW search_path').scalar()}" if named else ""


def _lock_log(connection: Connection, namespace: str) -> None:
    """Wait until no other transaction numbers events in this schema, and keep others from it until this one ends."""
    lock = {"ours": _LOCKS, "log": _number(namespace, "the log")}
    connection.execute(text("SELECT pg_advisory_xact_lock(:ours, :log)"), lock)


def _number(namespace: str, name: str) -> int:
    """The second half of an advisory lock: 32 bits with a sign."""
    return zlib.crc32(f"{namespace}/{name}".encode()) - (1 << 31)
