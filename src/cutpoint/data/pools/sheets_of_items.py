"""Texts, table rows and listed pictures out of files of records: one record, one item.

An item is named by the id column; without one, by the column `id` if there is one, else by its place, 1 and up.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cutpoint.data.pools.brought import Brought, Content, Ids, Progress, check_text, ignored
from cutpoint.data.pools.records import JSONL, TASKS, Record, Records, open_records
from cutpoint.errors import DataError, UsageError

ID = "id"


def texts(path: Path, column: str, id_column: str | None = None, progress: Progress = ignored) -> Brought:
    """A pool of the texts in one column of a CSV, JSONL or parquet file; checked whole."""
    records = open_records(path, [column])
    records.need(column, "--text")
    name = _id_column(records, id_column)
    ids, empty = Ids(path), 0
    for place, (line, record) in enumerate(records.watched(progress), 1):
        empty += not _text(record, column, line, path).strip()
        ids.add(_id(record, name, place), line)
    return _brought("text", path, ids, lambda: _texts(records, column), empty)


def rows(
    path: Path, id_column: str | None = None, left_out: frozenset[str] = frozenset(), progress: Progress = ignored
) -> Brought:
    """A pool of the rows of a CSV or parquet table, shown as tables; columns in `left_out` are not shown.

    Where features alone are left out, people see the id of a row, or its number.
    """
    if path.suffix.lower() in (*JSONL, *TASKS):
        raise UsageError(f"{path}: items of JSONL and of tasks are texts; name their key with --text.")
    records = open_records(path, [id_column] if id_column else [])
    name = _id_column(records, id_column)
    shown = tuple(column for column in records.columns if column != name and column not in left_out)
    if not shown and not left_out:
        raise DataError(f"{path} has no column besides {', '.join(records.columns)}; there is nothing to show.")
    ids = Ids(path)
    for place, (line, record) in enumerate(records.watched(progress), 1):
        ids.add(_id(record, name, place), line)
        for column in shown:
            check_text(str(record[column]), f"{path}, line {line}, column {column}")
    if not shown:
        return _features_alone(path, ids, name)
    return _brought("row", path, ids, lambda: _rows(records, shown), 0)


def _features_alone(path: Path, ids: Ids, column: str | None) -> Brought:
    """A pool of rows that are features alone: people see the id in this column, or the number of the row."""

    def contents() -> Iterator[Content]:
        for place, name in enumerate(ids.taken, 1):
            yield {"row": {"row": place} if column is None else {column: name}}

    seen = "number" if column is None else column
    note = f"{path} holds features alone: people see the {seen} of a row; a column beside them would be shown."
    return replace(_brought("row", path, ids, contents, 0), notes=(note,))


def listed_pictures(
    path: Path, column: str, folder: Path, id_column: str | None = None, progress: Progress = ignored
) -> Brought:
    """A pool of the pictures that a file lists, by their paths from the folder; none may lie outside of it.

    One that is listed by its absolute path is known by that from the folder, too.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; give the path of a folder of pictures.")
    root = folder.resolve()
    records = open_records(path, [column])
    records.need(column, "--picture")
    name = _id_column(records, id_column)
    ids = Ids(path)
    below: dict[str, str] = {}  # what is listed otherwise than it is known -> its path from the folder
    for line, record in records.watched(progress):
        picture = _text(record, column, line, path)
        found = _path_below(root, picture)
        if found is None:
            said = f"{picture[:80]!r} in {folder}"
            raise DataError(f"{path}, line {line}: there is no picture {said}; correct the path.")
        if found != picture:
            below[picture] = found
        ids.add(_id(record, name, 0) if name else found, line)

    def contents() -> Iterator[Content]:
        return ({"picture": below.get(record[column], record[column])} for _, record in records)

    return replace(_brought("picture", path, ids, contents, 0), folder=root)


def _path_below(root: Path, picture: str) -> str | None:
    """The path of a picture from the folder, as it is if it is one; None if no file in the folder is meant."""
    try:
        target = (root / picture).resolve()
        if not target.is_relative_to(root) or not target.is_file():
            return None
    except (OSError, RuntimeError, ValueError):  # a name too long, a loop of links, NUL
        return None
    return target.relative_to(root).as_posix() if Path(picture).is_absolute() else picture


def _brought(kind: Any, path: Path, ids: Ids, contents: Any, empty: int) -> Brought:
    if not ids.taken:
        raise DataError(f"{path} holds no item; it must have one below its header.")
    notes = (f"empty texts: {empty:,} of {len(ids.taken):,}.",) if empty else ()
    return Brought(kind, str(path), ids.taken, contents, notes)


def _id_column(records: Records, asked: str | None) -> str | None:
    """The column of ids: the one asked for, else `id` if it is there."""
    if asked is not None:
        records.need(asked, "--id")
        return asked
    return ID if ID in records.columns else None


def _id(record: Record, column: str | None, place: int) -> Any:
    return str(place) if column is None else record.get(column)


def _text(record: Record, column: str, line: int, path: Path) -> str:
    text = record.get(column)
    if not isinstance(text, str):
        said = "nothing" if text is None else f"{type(text).__name__} {str(text)[:40]!r}"
        raise DataError(f"{path}, line {line}: {column} holds {said}; it must be a text.")
    check_text(text, f"{path}, line {line}")
    return text


def _texts(records: Records, column: str) -> Iterator[Content]:
    for line, record in records:
        yield {"text": _text(record, column, line, records.path)}


def _rows(records: Records, shown: tuple[str, ...]) -> Iterator[Content]:
    for _, record in records:
        yield {"row": {column: _plain(record[column]) for column in shown}}


def _plain(value: Any) -> Any:
    """A value of a table as JSON holds it; NaN is none, and infinity a text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value if math.isfinite(value) else str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
