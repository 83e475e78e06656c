"""A store in a database: all the SQL that SQLite and PostgreSQL share, which is nearly all of it.

Events are numbered under a lock that one transaction at a time can have, over all processes (`_writing`), so that
numbers have no gaps and whoever reads up to n has read all there is up to n. Threads that wait for it share a commit:
the first that gets it writes what all of them brought, since a flush to the disk takes as long for one as for twenty.
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
from cutpoint.store.base import Item, MaybeStored, Repeated, checked, no_item, numbered
from cutpoint.store.events import Event, New, decode, from_bytes, to_bytes
from cutpoint.store.rows import PIECE, count_items, event_of, last_number, looked_up, row_of
from cutpoint.store.tables import ABOUT, EVENTS, ITEMS

_DOUBT = "whether this was stored is not known; send it again with the same key, or look whether it is there."


class _Waiting:
    """What one call of `append` brought, and what became of it."""

    def __init__(self, news: Sequence[New], texts: Sequence[str]) -> None:
        self.news, self.texts = news, texts
        self.outcome: list[Event] | Exception | None = None
        self.woken = threading.Event()

    def events(self, after: int, at: float) -> list[Event]:
        """As events numbered from after + 1 on."""
        return [
            Event(number, at, new.kind, decode(text), new.key)
            for number, (new, text) in enumerate(zip(self.news, self.texts, strict=True), after + 1)
        ]


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
        self._meeting = threading.Lock()  # for the two below
        self._queue: list[_Waiting] = []
        self._someone_writes = False

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
        """See `Store.append`. Calls of several threads at a time are written in one transaction."""
        waiting = _Waiting(news, checked(news))
        if not news:
            return []
        with self._meeting:
            self._queue.append(waiting)
            waits, self._someone_writes = self._someone_writes, True
        if waits:
            waiting.woken.wait()
        if waiting.outcome is None:  # nobody took it along: it is this thread's turn
            self._write_all_that_wait()
        if isinstance(waiting.outcome, list):
            return waiting.outcome
        assert waiting.outcome is not None
        raise waiting.outcome

    def _write_all_that_wait(self) -> None:
        """Write what is in the queue, wake those who brought it, and give the turn to whoever came meanwhile."""
        with self._turn:
            with self._meeting:
                together, self._queue = self._queue, []
            try:
                self._write(together)
            finally:
                with self._meeting:
                    heir = self._queue[:1]
                    self._someone_writes = bool(heir)
                for waiting in (*together, *heir):
                    waiting.woken.set()

    def _write(self, together: list[_Waiting]) -> None:
        """Store what is waiting and note the outcome of each; if all cannot be stored, each by itself."""
        for waiting in together:
            waiting.outcome = MaybeStored(
                f"writing was interrupted: {_DOUBT}"
            )  # in case that this thread is: the others must not wait for ever
        try:
            outcomes = self._store(together)
        except MaybeStored as error:
            with suppress(CutpointError), self._writing():
                pass  # its turn comes once that is decided: whoever reads the log now sees what became of it
            outcomes = [MaybeStored(str(error)) for _ in together]
        except Exception as error:
            if len(together) > 1:
                for waiting in together:
                    self._write([waiting])
                return
            outcomes = [error]
        for waiting, outcome in zip(together, outcomes, strict=True):
            waiting.outcome = outcome

    def _store(self, together: list[_Waiting]) -> list[list[Event] | Exception]:
        """One transaction: the events of each, or the Repeated that its key deserves."""
        outcomes: list[list[Event] | Exception] = []
        with self._writing() as connection:
            there = self._with_keys(connection, [new.key for waiting in together for new in waiting.news])
            number, at = last_number(connection), time.time()
            rows = []
            for waiting in together:
                known = next((there[new.key] for new in waiting.news if new.key in there), None)
                if known is not None:
                    outcomes.append(Repeated(known))
                    continue
                events = waiting.events(number, at)
                number += len(events)
                there |= {event.key: event for event in events if event.key is not None}
                rows += [row_of(event, text) for event, text in zip(events, waiting.texts, strict=True)]
                outcomes.append(events)
            if rows:
                connection.execute(insert(EVENTS), rows)
        return outcomes

    def _with_keys(self, connection: Connection, keys: Sequence[str | None]) -> dict[str | None, Event]:
        """The stored events that have one of these keys, by key."""
        wanted = [to_bytes(key) for key in keys if key is not None]
        found = looked_up(connection, select(EVENTS), EVENTS.c.key, wanted)
        return {event.key: event for event in map(event_of, found)}

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
        waiting = _Waiting([pool], checked([pool]))
        with self._turn, self._writing() as connection:
            for known in self._with_keys(connection, [pool.key]).values():
                raise Repeated(known)
            first = count_items(connection)
            rows = ((item.index, to_bytes(item.id), text) for item, text in numbered(items, pool, first))
            self._fill(connection, rows)
            events = waiting.events(last_number(connection), time.time())
            connection.execute(insert(EVENTS), [row_of(events[0], waiting.texts[0])])
        return events

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
        return [Item(index, from_bytes(found[index].id), decode(found[index].content)) for index in wanted]

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
        with self._turn, self._writing() as connection:
            connection.execute(ABOUT.delete().where(ABOUT.c.name == name))
            connection.execute(insert(ABOUT), [{"name": name, "value": value}])

    def close(self) -> None:
        """See `Store.close`."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction that alone may number events; it is on the disk when this ends, or undone."""
        written = False
        with self._said("written to"):
            try:
                with self._writer.begin() as connection:
                    self._lock(connection)
                    yield connection
                    written = True
            except self._errors as error:
                if written and _in_doubt(error):
                    said = " ".join(str(getattr(error, "orig", error)).split())
                    raise MaybeStored(f"{self.shown} failed in the moment of a commit ({said}): {_DOUBT}") from None
                raise

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


def _in_doubt(error: Exception) -> bool:
    """Whether an error of a commit leaves it open what became of it: no answer came, or the disk failed to flush."""
    flushed = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
    return bool(getattr(error, "connection_invalidated", False)) or flushed.startswith("SQLITE_IOERR")
