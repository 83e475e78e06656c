"""Labels that exist already: read from a file of records or a Label Studio export, checked whole, nothing half taken.

A file has the columns `id` and `label`, and perhaps `annotator`. A label is a class's name, else its number; an empty
one is none, and so is -1 where no class is called so. Cells of a CSV that `cutpoint export` wrote, which has the column
`settled`, are read as it wrote them; of any other CSV they are what they say, and only if that is nothing, what they
would be in an export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cutpoint.data.pools.cells import label_in, restored
from cutpoint.data.pools.label_studio import read_tasks
from cutpoint.data.pools.records import CSV, open_records
from cutpoint.errors import UsageError
from cutpoint.types import UNKNOWN

Find = Callable[[Sequence[str]], Sequence[int | None]]
"""The indices of ids, None for one that is not there."""


class Vote(NamedTuple):
    """Who said what of which item, and where it is written; id and label as they may be meant, the likeliest first."""

    place: str
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    annotator: str | None


class Labelled(NamedTuple):
    """What one person (None: nobody knows who) has said: indices of items, and their class numbers."""

    annotator: str | None
    items: list[int]
    labels: list[int]


def read_given(path: Path, find: Find, classes: Sequence[str]) -> list[Labelled]:
    """All labels in a file, person by person; UsageError with the first line that cannot be meant."""
    votes = list(read_tasks(path) if path.suffix.lower() == ".json" else _votes(path))
    labels = [_label(vote, classes) for vote in votes]
    likeliest, last = (find([vote.ids[n] for vote in votes]) for n in (0, -1))
    people: dict[str | None, dict[int, int]] = {}
    for vote, label, first, second in zip(votes, labels, likeliest, last, strict=True):
        if label == UNKNOWN:
            continue
        item, name = second if first is None else first, vote.ids[-1 if first is None else 0]
        if item is None:
            raise UsageError(f"{vote.place}: no item of the pool is called {name!r}; correct the id or drop it.")
        said = people.setdefault(vote.annotator, {})
        if said.setdefault(item, label) != label:
            raise UsageError(
                f"{vote.place}: {name!r} is {classes[label]!r} here and {classes[said[item]]!r} before; keep one."
            )
    if not people:
        raise UsageError(f"{path} holds no label; fill the column label, or leave the file out.")
    return [Labelled(who, list(said), list(said.values())) for who, said in people.items()]


def _label(vote: Vote, classes: Sequence[str]) -> int:
    """The class that a vote means, or UNKNOWN; UsageError if it means nothing."""
    for text in vote.labels:
        label = label_in(text, classes, len(classes))
        if label is not None:
            return label
    raise UsageError(
        f"{vote.place}: the label is {vote.labels[-1][:40]!r}; it must be one of {', '.join(classes)}: correct it, or "
        "add the class with `cutpoint classes add`."
    )


def _votes(path: Path) -> Iterator[Vote]:
    records = open_records(path, ["id", "label"])
    for column in ("id", "label"):
        if column not in records.columns:
            found = ", ".join(records.columns)
            raise UsageError(f"{path} has no column {column}; its columns are {found}: rename one.")
    if {"what", "was"} <= set(records.columns):
        raise UsageError(
            f"{path} is a history, which holds answers that were taken back or corrected; export the labels without "
            "--history."
        )
    spellings = _spellings(path, exported="settled" in records.columns)
    for line, record in records:
        name, label, who = (spellings(_cell(record, column)) for column in ("id", "label", "annotator"))
        if _cell(record, "settled").lower() == "false":
            raise UsageError(
                f"{path}, line {line}: {name[-1]!r} is not settled yet (its column settled is false), and an imported "
                "label would settle it; drop such lines, or bring what each person said (export to .json)."
            )
        yield Vote(f"{path}, line {line}", name, label, who[-1] or None)


def _spellings(path: Path, *, exported: bool) -> Callable[[str], tuple[str, ...]]:
    """What a cell of the file may mean, the likeliest first."""
    if path.suffix.lower() not in CSV:
        return lambda cell: (cell,)
    return lambda cell: (restored(cell),) if exported else (cell, restored(cell))


def _cell(record: Mapping[str, Any], column: str) -> str:
    value = record.get(column)
    return "" if value is None else str(value)
