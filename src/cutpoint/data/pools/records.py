"""Files of records, read from the start as often as one likes, a record at a time: CSV, JSONL, parquet and tasks.

A record comes with its line (of parquet and tasks: its place, from 1). What is wrong is one DataError that names both.
Texts come through exactly: NUL, line ends, right-to-left marks, a megabyte in one field.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from cutpoint.data.pools.brought import Progress, check_text
from cutpoint.data.pools.label_studio import read_items
from cutpoint.errors import DataError, UsageError

Record = dict[str, Any]
CSV = (".csv", ".tsv", ".txt")
JSONL = (".jsonl", ".ndjson")
PARQUET = (".parquet",)
TASKS = (".json",)  # of Label Studio
SEPARATORS = ",;\t|"  # of several that would do, the first
LARGEST = 64 * 2**20  # characters in one field; a quote that nobody closes must not swallow the memory
_TOGETHER = 1024  # rows of a parquet file at one time: they may be long


@dataclass(frozen=True)
class Records:
    """A file of records; iterating reads it from its start.

    columns: the header, of JSONL the first record's keys. lines: how many lines it has (of parquet: rows), counted.
    """

    path: Path
    columns: tuple[str, ...]
    read: Callable[[], Iterator[tuple[int, Record]]]
    lines: Callable[[], int]

    def __iter__(self) -> Iterator[tuple[int, Record]]:
        """(line, record) from the first; DataError if the file is another than it was at the start of this reading."""
        before = _stamp(self.path)
        yield from self.read()
        if _stamp(self.path) != before:
            raise DataError(f"{self.path} was changed while it was read; run the command again.")

    def watched(self, progress: Progress) -> Iterator[tuple[int, Record]]:
        """The same, and how far it is."""
        what, total = f"reading {self.path.name}", self.lines()
        progress(what, 0, total)
        for place, (line, record) in enumerate(self, 1):
            yield line, record
            if place % _TOGETHER == 0:
                progress(what, min(line, total), total)
        progress(what, total, total)

    def need(self, column: str, option: str) -> None:
        """UsageError unless there is such a column."""
        if column not in self.columns:
            found = ", ".join(self.columns) or "none"
            raise UsageError(f"{self.path} has no column {column}; its columns are {found}: name one with {option}.")


def open_records(path: Path, wanted: Sequence[str] = ()) -> Records:
    """The records of a file, by its suffix. `wanted`: columns that tell which separator a CSV file has."""
    readers = dict.fromkeys(CSV, _open_csv) | dict.fromkeys(JSONL, _open_jsonl) | dict.fromkeys(PARQUET, _open_parquet)
    readers |= dict.fromkeys(TASKS, _open_tasks)
    suffix = path.suffix.lower()
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give a file that ends in {', '.join(readers)}.")
    if not path.is_file():
        raise DataError(f"there is no file {path}; give the path of a file that exists.")
    if suffix not in readers:
        raise UsageError(f"{path} ends in '{path.suffix}'; it must end in {', '.join(readers)}: convert or rename it.")
    return readers[suffix](path, wanted)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _open_csv(path: Path, wanted: Sequence[str]) -> Records:
    headers = {mark: _header(path, mark) for mark in SEPARATORS}
    best = max(SEPARATORS, key=lambda mark: (sum(name in headers[mark] for name in wanted), len(headers[mark])))
    columns = headers[best]
    if not any(columns):
        next(_csv_lines(path, best), None)  # which says what is wrong, if it is no CSV
        raise DataError(f"{path} has no header; its first line must name the columns.")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise DataError(f"{path}, line 1 names the column {twice[0]!r} twice; give each column its own name.")

    def read() -> Iterator[tuple[int, Record]]:
        lines = _csv_lines(path, best)
        next(lines)
        for line, fields in lines:
            if len(fields) != len(columns):
                raise DataError(
                    f"{path}, line {line} has {len(fields)} fields and the header {len(columns)}; mend the line (a "
                    "field that holds a separator or a line end needs quotes)."
                )
            yield line, dict(zip(columns, fields, strict=True))

    return Records(path, columns, read, lambda: _count(path))


def _count(path: Path) -> int:
    """How many lines a file of text has."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))


def _header(path: Path, separator: str) -> tuple[str, ...]:
    """The columns with this separator; none where it makes no CSV of the first line, as of quoted names."""
    try:
        return tuple(name.strip() for name in next(_csv_lines(path, separator), (0, []))[1])
    except DataError:
        return ()


def _csv_lines(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, fields) of each line that is not empty."""
    csv.field_size_limit(max(LARGEST, csv.field_size_limit()))
    line = 1
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        try:
            for fields in reader:
                if fields:
                    yield line, fields
                line = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f"{path}, line {line} is no CSV ({error}); mend its quotes.") from None
        except UnicodeDecodeError:
            _not_utf8(path)


def _not_utf8(path: Path) -> NoReturn:
    """DataError that names the first line which is not UTF-8."""
    with path.open("rb") as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            raise DataError(f"{path} is UTF-16; save it as UTF-8 (in spreadsheets: CSV UTF-8).")
        file.seek(0)
        for line, data in enumerate(file, 1):
            try:
                data.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path}, line {line} is not UTF-8 (byte 0x{data[error.start]:02x} at place {error.start}); save "
                    "the file as UTF-8."
                ) from None
    raise DataError(f"{path} was changed while it was read; run the command again.")


def _open_jsonl(path: Path, _wanted: Sequence[str]) -> Records:
    def read() -> Iterator[tuple[int, Record]]:
        with path.open("rb") as file:  # JSON has its line ends escaped: a line is what ends in \n
            for line, data in enumerate(file, 1):
                if data.strip():
                    yield line, _json_record(data, line, path)

    first = next(read(), None)
    if first is None:
        raise DataError(f"{path} holds nothing; it must have one object on every line.")
    return Records(path, tuple(first[1]), read, lambda: _count(path))


def _json_record(data: bytes, line: int, path: Path) -> Record:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no number of JSON")

    try:
        record = json.loads(data.decode("utf-8-sig"), parse_constant=refuse)
    except UnicodeDecodeError:
        _not_utf8(path)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}, line {line} is no JSON ({error}); every line must be one object.") from None
    if not isinstance(record, dict):
        raise DataError(f"{path}, line {line} is {type(record).__name__} and no object; write {{...}} on every line.")
    for name in record:
        check_text(name, f"{path}, line {line}")
    return record


def _open_tasks(path: Path, _wanted: Sequence[str]) -> Records:
    tasks = list(read_items(path))
    if not tasks:
        raise DataError(f"{path} holds no task; export all tasks as JSON.")
    return Records(path, tuple(tasks[0][1]), lambda: iter(tasks), lambda: len(tasks))


def _open_parquet(path: Path, _wanted: Sequence[str]) -> Records:
    parquet, broken = load_pyarrow(path)
    try:
        about = parquet.read_metadata(path)
    except broken as error:
        _damaged(path, error)

    def read() -> Iterator[tuple[int, Record]]:
        row = 0
        try:
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(_TOGETHER):
                    for record in batch.to_pylist():
                        row += 1
                        yield row, record
        except broken as error:
            _damaged(path, error)

    return Records(path, tuple(about.schema.to_arrow_schema().names), read, lambda: about.num_rows)


def load_pyarrow(path: Path) -> tuple[Any, tuple[type[Exception], ...]]:
    """pyarrow.parquet, and what it raises for files that are damaged; UsageError if it is not installed."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError(f"{path} needs pyarrow; install it with: pip install 'cutpoint[parquet]'.") from None
    return parquet, (pa.ArrowException, OSError)


def _damaged(path: Path, error: Exception) -> NoReturn:
    raise DataError(f"{path} cannot be read as parquet ({error}); it is damaged or not parquet: replace it.") from None
