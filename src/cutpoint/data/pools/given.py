"""Labels that exist already: read from a file of records or a Label Studio export, checked whole, nothing half taken.

A file has the columns `id` and `label`, and perhaps `annotator` and `settled`, as `cutpoint export` writes it. A
label is a class's name or its number; an empty one is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cutpoint.data.pools.cells import restored
from cutpoint.data.pools.label_studio import read_tasks
from cutpoint.data.pools.records import CSV, open_records
from cutpoint.errors import UsageError

Find = Callable[[Sequence[str]], Sequence[int | None]]
"""The indices of ids, None for one that is not there."""


class Vote(NamedTuple):
    """Who said what of which item, and where it is written."""

    place: str
    id: str
    label: str
    annotator: str | None


class Labelled(NamedTuple):
    """What one person (None: nobody knows who) has said: indices of items, and their class numbers."""

    annotator: str | None
    items: list[int]
    labels: list[int]


def read_given(path: Path, find: Find, classes: Sequence[str]) -> list[Labelled]:
    """All labels in a file, person by person; UsageError with the first line that cannot be meant."""
    votes = list(read_tasks(path) if path.suffix.lower() == ".json" else _votes(path))
    indices = find([vote.id for vote in votes])
    people: dict[str | None, dict[int, int]] = {}
    for vote, item in zip(votes, indices, strict=True):
        if item is None:
            raise UsageError(f"{vote.place}: no item of the pool is called {vote.id!r}; correct the id or drop it.")
        label = label_of(vote.label, classes, vote.place)
        said = people.setdefault(vote.annotator, {})
        if said.setdefault(item, label) != label:
            raise UsageError(
                f"{vote.place}: {vote.id!r} is {classes[label]!r} here and {classes[said[item]]!r} before; keep one."
            )
    if not people:
        raise UsageError(f"{path} holds no label; fill the column label, or leave the file out.")
    return [Labelled(who, list(said), list(said.values())) for who, said in people.items()]


def label_of(text: str, classes: Sequence[str], place: str) -> int:
    """The number of the class that a text means: its name, else its number; UsageError if none."""
    if text in classes:
        return classes.index(text)
    whole = text.removesuffix(".0")
    if whole.isascii() and whole.isdecimal() and int(whole) < len(classes):
        return int(whole)
    raise UsageError(
        f"{place}: the label is {text!r}; it must be one of {', '.join(classes)}: correct it, or add the class with "
        "`cutpoint classes add`."
    )


def _votes(path: Path) -> Iterator[Vote]:
    records = open_records(path, ["id", "label"])
    for column in ("id", "label"):
        if column not in records.columns:
            found = ", ".join(records.columns)
            raise UsageError(f"{path} has no column {column}; its columns are {found}: rename one.")
    read = restored if path.suffix.lower() in CSV else str
    for line, record in records:
        name, label, who = (_cell(record, column, read) for column in ("id", "label", "annotator"))
        if _cell(record, "settled", read).lower() == "false":
            raise UsageError(
                f"{path}, line {line}: {name!r} is not settled yet (its column settled is false), and an imported "
                "label would settle it; drop such lines, or bring what each person said (export to .json)."
            )
        if label not in ("", "-1"):
            yield Vote(f"{path}, line {line}", name, label, who or None)


def _cell(record: Mapping[str, Any], column: str, read: Callable[[str], str]) -> str:
    value = record.get(column)
    return "" if value is None else read(str(value))
