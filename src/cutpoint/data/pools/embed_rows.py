"""Table rows as numbers: numeric columns standardised, columns of few categories one-hot; said column by column.

Two passes over the table: one learns what each column is, the other writes. A missing number counts as the mean, and
the column that lacks some gets a second one, which says where.
"""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cutpoint.data.pools.brought import Brought, Embedded, Progress, ignored
from cutpoint.errors import DataError
from cutpoint.words import count

CATEGORIES = 50  # of a column with more, none is frequent enough to learn from
LARGEST = 1e30  # a number beyond it would drown the others
REACH = 10.0  # standard deviations; a wild value is held to them
_DECIMAL_COMMA = re.compile(r"\s*[+-]?[\d.]*,\d+\s*")
_NO_NUMBER = "is no number"
_MISSING = ("", "nan", "na", "n/a", "none", "null")


@dataclass
class Column:
    """What is known of a column by now: its numbers while all are numbers, its categories while they are few.

    count: cells that hold something.  meant: those that are numbers or were meant as one.  odd: the row, from 1 on, and
    the value of the first that is no number to reckon with.
    """

    count: int = 0
    missing: int = 0
    mean: float = 0.0
    squares: float = 0.0
    meant: int = 0
    odd: tuple[int, str] | None = None
    characters: int = 0
    categories: dict[str, int] = field(default_factory=dict)

    @property
    def numeric(self) -> bool:
        """Whether all its cells are numbers."""
        return self.odd is None

    def see(self, row: int, value: Any) -> None:
        """Take the value of one more row in (mean and squares by Welford's update)."""
        if _missing(value):
            self.missing += 1
            return
        self.count += 1
        self.characters += len(str(value))
        if len(self.categories) <= CATEGORIES:
            self.categories.setdefault(str(value), len(self.categories))
        number = _number(value)
        self.meant += number is not None or _fault(value) != _NO_NUMBER
        if number is None:
            self.odd = self.odd or (row, str(value))
        if number is None or not self.numeric:
            return
        step = number - self.mean
        self.mean += step / self.count
        self.squares += step * (number - self.mean)

    @property
    def deviation(self) -> float:
        """Standard deviation of the numbers; 0 of a constant column."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0

    @property
    def width(self) -> int:
        """How many features the column becomes; 0: it says nothing and is left out."""
        gaps = int(self.missing > 0 and self.count > 0)
        if self.numeric:
            return gaps + int(self.deviation > 0)
        if len(self.categories) > CATEGORIES:
            return 0
        return len(self.categories) + gaps if len(self.categories) + gaps > 1 else 0

    @property
    def flaw(self) -> str:
        """Of a column of numbers for the most part, which of its cells is none, and why; empty of any other."""
        if self.odd is None or 2 * self.meant <= self.count:
            return ""
        row, value = self.odd
        return f"{value[:40]!r} in row {row:,} {_fault(value)}"

    def write(self, value: Any, out: Any) -> None:
        """Put the value's features into `out` (width,), which holds zeros."""
        if _missing(value):
            out[-1] = 1.0
        elif not self.numeric:
            out[self.categories[str(value)]] = 1.0
        elif self.deviation > 0:
            number = _number(value)
            assert number is not None  # seen in the first pass
            out[0] = np.clip((number - self.mean) / self.deviation, -REACH, REACH)


def embed_rows(pool: Brought, progress: Progress = ignored) -> Embedded:
    """(N, d) float32 features of the rows; the words say what became of each kind of column."""
    n = len(pool)
    columns: dict[str, Column] = {}
    for i, content in enumerate(pool.contents()):
        for name, value in content["row"].items():
            columns.setdefault(name, Column()).see(i + 1, value)
        if i % 10_000 == 0:
            progress("reading the columns", i, n)
    used = {name: column for name, column in columns.items() if column.width}
    if not used:
        raise _useless(pool.source, columns)
    features = np.zeros((n, sum(column.width for column in used.values())), np.float32)
    for i, content in enumerate(pool.contents()):
        first = 0
        for name, column in used.items():
            column.write(content["row"][name], features[i, first : first + column.width])
            first += column.width
        if i % 10_000 == 0:
            progress("embedding rows", i, n)
    return Embedded(features, _words(columns, features.shape[1]))


def _useless(source: str, columns: dict[str, Column]) -> DataError:
    """What to say of a table whose columns all say nothing: the longest is perhaps a text that people are to read."""
    flaws = [f"{name}: {column.flaw}" for name, column in columns.items() if column.flaw]
    if flaws:
        return DataError(
            f"{source} has no column that tells its rows apart, and one of numbers for the most part is no column of "
            f"numbers ({'; '.join(flaws)}); correct these cells, or give features of your own with --embeddings."
        )
    texts = {name: column.characters / column.count for name, column in columns.items() if not column.numeric}
    longest = max(texts, key=texts.__getitem__, default=None)
    text = f"if the items are texts, say --text {shlex.quote(longest)}, or " if longest else ""
    return DataError(
        f"{source} has the columns {', '.join(columns)}, and as a table none of them tells its rows apart (each is "
        f"constant, or of more than {CATEGORIES} categories); {text}give features of your own with --embeddings."
    )


def _words(columns: dict[str, Column], width: int) -> str:
    numeric = [name for name, column in columns.items() if column.width and column.numeric]
    onehot = [name for name, column in columns.items() if column.width and not column.numeric]
    unused = [name for name, column in columns.items() if not column.width and not column.flaw]
    flawed = [
        f"{name} is {'taken as categories' if column.width else 'left out'}, since {column.flaw}: correct that to have "
        "it used as numbers"
        for name, column in columns.items()
        if column.flaw
    ]
    said = [f"{count(width, 'feature')}: numbers standardised ({', '.join(numeric) or 'none'})"]
    said.append(f"categories one-hot ({', '.join(onehot) or 'none'})")
    if unused:
        said.append(f"left out as constant or of more than {CATEGORIES} categories: {', '.join(unused)}")
    return "; ".join([*said, *flawed])


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in _MISSING)


def _fault(value: Any) -> str:
    """Why a value is no number to reckon with."""
    try:
        size = abs(float(value))
    except ValueError:
        text = str(value)
        return "has a decimal comma, and must have a point" if _DECIMAL_COMMA.fullmatch(text) else _NO_NUMBER
    return "is infinite" if math.isinf(size) else f"is larger than {LARGEST:g}"


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) <= LARGEST else None
