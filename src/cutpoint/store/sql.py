"""A store in a database: all the SQL that SQLite and PostgreSQL share, which is nearly all of it.

Events are numbered under a lock that one transaction at a time can have, over all processes (`_writing`), so that
numbers have no gaps and whoever reads up to n has read all there is up to n. A desk
gathers what comes at the same time into one append (`together`), since a flush to the disk takes as long for twenty.
"""

from __future__ import annotations

import operator
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import SQLAlchemyError

from cutpoint.errors import CutpointError
from cutpoint.store.base import (
    Item,
    MaybeStored,
    Repeated,
    checked,
    in_order,
    no_item,
    not_empty,
    numbered,
    pooled,
    whole_pool,
)
from cutpoint.store.events import Event, New, decode, from_bytes, to_bytes
from cutpoint.store.rows import PIECE, count_items, event_of, last_number, looked_up, pieces, read, row_of
from cutpoint.store.tables import ABOUT, EVENTS, ITEMS

DOUBT = "whether this was stored is not known; send it again with the same key, or look whether it is there."


class SqlStore(ABC):
    """A `Store` in a database. What differs between SQLite and PostgreSQL is in their subclasses."""

    _errors: tuple[type[Exception], ...] = (SQLAlchemyError,)  # what SQLAlchemy and the driver below it raise

    def __init__(self, engine: Engine, shown: str, address: str) -> None:
        """Of a database that has the tables.

        shown: what messages call it, without a password.  address: what `open_store` takes, from whatever folder.
        """
        self.shown, self.address = shown, address
        self._engine = engine
        self._writer = engine.execution_options(writes=True)
        self._turn = threading.Lock()  # to write: threads of this process queue here, not in the database

    # ------------------------------------------------------------------------------------------- what differs

    @abstractmethod
    def own(self, role: str) -> AbstractContextManager[None]:
        """See `Store.own`."""

    @abstractmethod
    def holder(self, role: str) -> str | None:
        """See `Store.holder`."""

    @abstractmethod
    def _lock(self, connection: Connection) -> None:
        """Wait until no other transaction numbers events, and keep others from it until this one ends."""

    @abstractmethod
    def _fill(self, connection: Connection, rows: Iterator[tuple[int, bytes, str]]) -> None:
        """Insert items (position, id, content) as fast as can be; UsageError at the first id that is there."""

    @abstractmethod
    def _refused(self, error: Exception, doing: str) -> CutpointError:
        """The error for what the database said while it was `doing` something ("written to", "read")."""

    # ------------------------------------------------------------------------------------------------- events

    def append(self, news: Sequence[New]) -> list[Event]:
        """See `Store.append`."""
        texts = checked(news)
        if not news:
            return []
        with self._writing() as connection:
            self._refuse_repeated(connection, news)
            return _insert(connection, news, texts)

    def _refuse_repeated(self, connection: Connection, news: Sequence[New]) -> None:
        """Raise Repeated at the first key that is there."""
        wanted = [to_bytes(new.key) for new in news if new.key is not None]
        there = {bytes(row.key): row for row in looked_up(connection, select(EVENTS), EVENTS.c.key, wanted)}
        for key in wanted:
            if key in there:
                raise Repeated(event_of(there[key]))

    def events(self, after: int = 0) -> Iterator[Event]:
        """See `Store.events`."""
        while True:
            query = select(EVENTS).where(EVENTS.c.number > after).order_by(EVENTS.c.number).limit(PIECE)
            with self._reading() as connection:
                piece = connection.execute(query).all()
            yield from map(event_of, piece)
            if len(piece) < PIECE:
                return
            after = piece[-1].number

    def last(self) -> int:
        """See `Store.last`."""
        with self._reading() as connection:
            return last_number(connection)

    # -------------------------------------------------------------------------------------------------- items

    def add_items(self, items: Iterable[Item], pool: New) -> list[Event]:
        """See `Store.add_items`."""
        texts = checked([pool])
        with self._writing() as connection:
            self._refuse_repeated(connection, [pool])
            first = count_items(connection)
            self._fill(connection, _rows(items, pool, first))
            return _insert(connection, [pool], texts)

    def restore(self, events: Iterable[Event], items: Iterable[Item]) -> None:
        """See `Store.restore`; one transaction, read and written piece by piece."""
        with self._writing() as connection:
            there = last_number(connection), count_items(connection)
            if any(there):
                raise not_empty(*there)
            size = 0
            for piece in pieces(in_order(events), PIECE):
                connection.execute(insert(EVENTS), [row_of(event, text) for event, text in piece])
                size += pooled(event for event, _ in piece)
            self._fill(connection, _rows(items, whole_pool(size), 0))

    def item(self, index: int) -> Item:
        """See `Store.item`."""
        return self.items([index])[0]

    def items(self, indices: Sequence[int]) -> list[Item]:
        """See `Store.items`."""
        wanted = [operator.index(index) for index in indices]
        with self._reading() as connection:
            found = {row.position: row for row in looked_up(connection, select(ITEMS), ITEMS.c.position, wanted)}
            for index in wanted:
                if index not in found:
                    raise no_item(index, count_items(connection))
        return [
            Item(index, from_bytes(found[index].id), read(found[index].content, f"item {index}")) for index in wanted
        ]

    def indices(self, ids: Sequence[str]) -> list[int | None]:
        """See `Store.indices`."""
        wanted = [to_bytes(name) for name in ids]
        query = select(ITEMS.c.id, ITEMS.c.position)
        with self._reading() as connection:
            found = {bytes(row.id): row.position for row in looked_up(connection, query, ITEMS.c.id, wanted)}
        return [found.get(name) for name in wanted]

    def ids(self, first: int, count: int) -> list[str]:
        """See `Store.ids`."""
        query = select(ITEMS.c.id).where(ITEMS.c.position >= first).order_by(ITEMS.c.position).limit(max(count, 0))
        with self._reading() as connection:
            return [from_bytes(stored) for stored in connection.execute(query).scalars()]

    def count(self) -> int:
        """See `Store.count`."""
        with self._reading() as connection:
            return count_items(connection)

    # ------------------------------------------------------------------------------------- what is no event

    def about(self, name: str) -> str | None:
        """A note that is no event, or None: where the files are, who has a role."""
        with self._reading() as connection:
            return connection.execute(select(ABOUT.c.value).where(ABOUT.c.name == name)).scalar()

    def note(self, name: str, value: str) -> None:
        """Write a note, over the one before."""
        with self._writing() as connection:
            connection.execute(ABOUT.delete().where(ABOUT.c.name == name))
            connection.execute(insert(ABOUT), [{"name": name, "value": value}])

    def close(self) -> None:
        """See `Store.close`."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction that alone may number events; it is on the disk when this ends, or undone."""
        written = False
        with self._turn, self._said("written to"):
            try:
                with self._writer.begin() as connection:
                    self._lock(connection)
                    yield connection
                    written = True
            except self._errors as error:
                if written and _in_doubt(error):
                    self._wait_until_decided()
                    said = " ".join(str(getattr(error, "orig", error)).split())
                    raise MaybeStored(f"{self.shown} failed in the moment of a commit ({said}): {DOUBT}") from None
                raise

    def _wait_until_decided(self) -> None:
        """Wait for the lock once more: whoever reads the log then sees what became of a commit that was in doubt."""
        with suppress(CutpointError, *self._errors), self._writer.begin() as connection:
            self._lock(connection)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction that reads."""
        with self._said("read"), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _said(self, doing: str) -> Iterator[None]:
        """What the database says is said in our words."""
        try:
            yield
        except self._errors as error:
            raise self._refused(error, doing) from None


def _rows(items: Iterable[Item], pool: New, first: int) -> Iterator[tuple[int, bytes, str]]:
    """Items as rows of their table, checked on the way."""
    return ((item.index, to_bytes(item.id), text) for item, text in numbered(items, pool, first))


def _insert(connection: Connection, news: Sequence[New], texts: Sequence[str]) -> list[Event]:
    """The next events, with their data as JSON, inserted under the lock of writers."""
    last, at = last_number(connection), time.time()
    events = [
        Event(number, at, new.kind, decode(text), new.key)
        for number, (new, text) in enumerate(zip(news, texts, strict=True), last + 1)
    ]
    connection.execute(insert(EVENTS), [row_of(event, text) for event, text in zip(events, texts, strict=True)])
    return events


def _in_doubt(error: Exception) -> bool:
    """Whether an error of a commit leaves it open what became of it: no answer came, or the disk failed to flush."""
    flushed = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
    return bool(getattr(error, "connection_invalidated", False)) or flushed.startswith("SQLITE_IOERR")
