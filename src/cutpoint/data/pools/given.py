"""Labels that exist already: read from a file of records or a Label Studio export, checked whole, nothing half taken.

A file has the columns `id` and `label`, and perhaps `annotator`. A label is a class's name, else its number; an empty
one is none, and so is -1 where no class is called so. What `cutpoint export` wrote has all the columns of one: its
cells are read as it wrote them, what was decided stays so, and what is not settled is left out. Cells of any other CSV
are what they say, and only if that is nothing, what they would be in an export.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from cutpoint.data.pools.cells import label_in, restored
from cutpoint.data.pools.columns import DECIDED, LABELS
from cutpoint.data.pools.label_studio import ONLY_JSON, is_flat, read_tasks
from cutpoint.data.pools.records import CSV, open_records
from cutpoint.errors import UsageError
from cutpoint.types import UNKNOWN
from cutpoint.words import count

Find = Callable[[Sequence[str]], Sequence[int | None]]
"""The indices of ids, None for one that is not there."""


class Vote(NamedTuple):
    """Who said what of which item, and where that is written; ids and labels it may mean, the likeliest first."""

    place: str
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    annotator: str | None
    decided: bool = False


class Labelled(NamedTuple):
    """What one person (None: nobody knows who) has said, or what was decided: indices of items, and class numbers."""

    annotator: str | None
    items: list[int]
    labels: list[int]
    decided: bool = False


class Given(NamedTuple):
    """All labels in a file, of each item in the order of the file; notes: how it was read, and what was left out."""

    lots: list[Labelled]
    notes: tuple[str, ...] = ()


def read_given(path: Path, find: Find, classes: Sequence[str]) -> Given:
    """All labels in a file, person by person; UsageError with the first line that cannot be meant."""
    tasks = path.suffix.lower() == ".json"
    votes, notes = (list(read_tasks(path)), ()) if tasks else _votes(path)
    labels, items = [_label(vote, classes) for vote in votes], _items(votes, find)
    said: dict[tuple[int, str | None, bool], int] = {}
    turns: Counter[int] = Counter()  # of each item: of equals, the label that was said first is the item's
    lots: dict[tuple[int, str | None, bool], Labelled] = {}
    for vote, label, (item, name) in zip(votes, labels, items, strict=True):
        if label == UNKNOWN:
            continue
        if item is None:
            remedy = "begin a campaign with these tasks (`init --tasks`), or " if tasks else ""
            raise UsageError(
                f"{vote.place}: no item of the pool is called {name!r}; {remedy}correct the id or drop it."
            )
        by = item, vote.annotator, vote.decided
        if by not in said:
            lot = lots.setdefault((turns[item], *by[1:]), Labelled(vote.annotator, [], [], vote.decided))
            lot.items.append(item)
            lot.labels.append(label)
            turns[item] += 1
        if said.setdefault(by, label) != label:
            raise UsageError(
                f"{vote.place}: {name!r} is {classes[label]!r} here and {classes[said[by]]!r} before; keep one."
            )
    if not lots and not notes:
        raise UsageError(f"{path} holds no label; write labels into it, or leave the file out.")
    ends = sum(name != vote.ids[0] for vote, (_, name) in zip(votes, items, strict=True)) if tasks else 0
    if ends:
        notes = (f"of {count(ends, 'label')} the item was found by its picture's path",)
    return Given([lots[key] for key in sorted(lots, key=itemgetter(0))], notes)


def _items(votes: Sequence[Vote], find: Find) -> list[tuple[int | None, str]]:
    """The item of each vote, and the id that it is known by: the likeliest that is there; None if none is."""
    found: list[tuple[int | None, str]] = [(None, vote.ids[-1]) for vote in votes]
    for n in range(max((len(vote.ids) for vote in votes), default=0)):
        rest = [k for k, vote in enumerate(votes) if found[k][0] is None and n < len(vote.ids)]
        names = [votes[k].ids[n] for k in rest]
        for k, name, item in zip(rest, names, find(names), strict=True):
            if item is not None:
                found[k] = item, name
    return found


def _label(vote: Vote, classes: Sequence[str]) -> int:
    """The class that a vote means, or UNKNOWN; UsageError if it means nothing."""
    for text in vote.labels:
        label = label_in(text, classes, len(classes))
        if label is not None:
            return label
    raise UsageError(
        f"{vote.place}: the label is {vote.labels[-1][:40]!r}; it must be one of {', '.join(classes)}: correct it, or "
        "add the class (`--classes` of `init`; to a campaign that is there, `cutpoint classes add`)."
    )


def _votes(path: Path) -> tuple[list[Vote], tuple[str, ...]]:
    """What a file of records says, and how it was read."""
    records = open_records(path, ["id", "label"])
    if is_flat(records.columns):
        raise UsageError(f"{path} is a table of Label Studio; {ONLY_JSON}.")
    for column in ("id", "label"):
        if column not in records.columns:
            found = ", ".join(records.columns)
            raise UsageError(f"{path} has no column {column}; its columns are {found}: rename one.")
    if {"what", "was"} <= set(records.columns):
        raise UsageError(
            f"{path} is a history, which holds answers that were taken back or corrected; export the labels without "
            "--history."
        )
    lacks = [column for column in LABELS if column not in records.columns]
    spellings, votes, unsettled = _spellings(path, exported=not lacks), [], 0
    for line, record in records:
        if not lacks and _cell(record, "settled").lower() == "false":
            unsettled += 1
            continue
        name, label, who = (spellings(_cell(record, column)) for column in ("id", "label", "annotator"))
        decided = not lacks and _cell(record, "source") == DECIDED
        votes.append(Vote(f"{path}, line {line}", name, label, None if decided else who[-1] or None, decided))
    return votes, tuple(_notes(path, lacks if "settled" in records.columns else [], unsettled))


def _notes(path: Path, lacks: Sequence[str], unsettled: int) -> Iterator[str]:
    """What there is to say of a file: columns that it lacks to be an export, and how many of its rows were left out."""
    if lacks:
        yield (
            f"{path.name} has a column settled, but is no export: it lacks {', '.join(lacks)}; every row was read as a "
            "label of your own"
        )
    if unsettled:
        were, its = ("was", "its item is") if unsettled == 1 else ("were", "their items are")
        yield (
            f"{count(unsettled, 'row')} of {path.name} {were} left out: {its} not settled yet (settled is false); what "
            "each person said travels by an export to .json"
        )


def _spellings(path: Path, *, exported: bool) -> Callable[[str], tuple[str, ...]]:
    """What a cell of the file may mean, the likeliest first."""
    if path.suffix.lower() not in CSV:
        return lambda cell: (cell,)
    return lambda cell: (restored(cell),) if exported else (cell, restored(cell))


def _cell(record: Mapping[str, Any], column: str) -> str:
    value = record.get(column)
    return "" if value is None else str(value)
