"""Rows out into a file of their own, as CSV, JSONL or parquet: whole or not at all, and never over another file.

CSV is UTF-8, RFC 4180, formulas defused (cells.py). JSONL and parquet hold every value exactly.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from cutpoint.data.pools.cells import defused
from cutpoint.data.pools.records import load_pyarrow
from cutpoint.data.whole import check_place, filled, partial_of
from cutpoint.errors import UsageError

Row = Mapping[str, Any]
Kinds = Mapping[str, type]
"""What each column holds: str, int, float or bool; a value may also be None."""
_TOGETHER = 10_000


def write_csv(file: BinaryIO, kinds: Kinds, rows: Iterable[Row]) -> None:
    """The rows as CSV; None is an empty cell."""
    with _text(file) as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(kinds)
        for row in rows:
            writer.writerow([_cell(row[name]) for name in kinds])


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return defused(value) if isinstance(value, str) else value


def write_jsonl(file: BinaryIO, kinds: Kinds, rows: Iterable[Row]) -> None:
    """The rows as one JSON object a line."""
    for row in rows:
        file.write(json.dumps({name: row[name] for name in kinds}, ensure_ascii=False).encode() + b"\n")


def write_parquet(file: BinaryIO, kinds: Kinds, rows: Iterable[Row]) -> None:
    """The rows as parquet; UsageError if pyarrow is not installed."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError("parquet needs pyarrow; install it with: pip install 'cutpoint[parquet]'.") from None
    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in kinds.items()])
    rest = iter(rows)
    with parquet.ParquetWriter(file, schema) as writer:
        while batch := list(islice(rest, _TOGETHER)):
            writer.write_table(pa.Table.from_pylist([dict(row) for row in batch], schema))


def columns_of(path: Path) -> list[str]:
    """The columns of a parquet file; none if it is no such file."""
    parquet, broken = load_pyarrow(path)
    try:
        return list(parquet.read_schema(path).names)
    except broken:
        return []


def write_new(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Make `path` appear whole, flushed to disk; UsageError if there is a file already, which is left alone."""
    taken = UsageError(f"{path} is there already; give another name, or move it away.")
    if os.path.lexists(path):
        raise taken
    check_place(path)
    beside = partial_of(path)
    try:
        with filled(beside) as file:
            write(file)
        try:
            os.link(beside, path)  # unlike a renaming, it refuses a file that has come meanwhile
        except FileExistsError:
            raise taken from None
        except OSError:  # a file system without links
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def _text(file: BinaryIO) -> Iterator[io.TextIOWrapper]:
    """The file as text, left open afterwards."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        yield text
    finally:
        text.detach()
