"""Rows of the tables, and events and items: how one becomes the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, func, select

from cutpoint.errors import DataError
from cutpoint.store.events import Event, decode, from_bytes, to_bytes
from cutpoint.store.tables import EVENTS, ITEMS

PIECE = 1000
"""Rows read, or values looked up, at a time."""

_T = TypeVar("_T")


def pieces(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The values, `size` at a time."""
    source = iter(values)
    while piece := list(islice(source, size)):
        yield piece


def looked_up(connection: Connection, query: Select[Any], column: Any, values: Sequence[Any]) -> Iterator[Row[Any]]:
    """The rows of a query in which a column has one of these values."""
    for piece in pieces(dict.fromkeys(values), PIECE):
        yield from connection.execute(query.where(column.in_(piece)))


def last_number(connection: Connection) -> int:
    """The number of the last event; 0 in an empty log."""
    return connection.execute(select(func.max(EVENTS.c.number))).scalar() or 0


def count_items(connection: Connection) -> int:
    """How many items there are: their positions go on from 0 without gaps."""
    top = connection.execute(select(func.max(ITEMS.c.position))).scalar()
    return 0 if top is None else top + 1


def row_of(event: Event, text: str) -> dict[str, Any]:
    """An event with its data as JSON, as a row of its table."""
    key = None if event.key is None else to_bytes(event.key)
    return {"number": event.number, "at": event.at, "kind": event.kind, "data": text, "key": key}


def event_of(row: Row[Any]) -> Event:
    """The inverse of `row_of`."""
    key = None if row.key is None else from_bytes(row.key)
    return Event(row.number, row.at, row.kind, read(row.data, f"event {row.number}"), key)


def read(text: str, what: str) -> dict[str, Any]:
    """The mapping that is stored as JSON; DataError where it is damaged."""
    data: object = None
    with suppress(ValueError, RecursionError):
        data = decode(text)
    if not isinstance(data, dict):
        raise DataError(f"{what} is damaged: it is no longer what was stored; restore the campaign from a backup.")
    return data
