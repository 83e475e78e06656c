"""Labels out: one row an item that somebody answered, or one row an event of a label, as it was said."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from cutpoint.data.pools.columns import DECIDED, HISTORY, LABELS
from cutpoint.data.pools.label_studio import TASKS, Tasks, task
from cutpoint.data.pools.writing import columns_of, write_csv, write_jsonl, write_new, write_parquet
from cutpoint.data.whole import check_replaceable, write_atomically
from cutpoint.errors import UsageError, no_such
from cutpoint.service.log.state import State
from cutpoint.service.log.votes import IMPORTED
from cutpoint.store.base import Item, Store
from cutpoint.store.events import Event
from cutpoint.types import UNKNOWN
from cutpoint.words import count

TOLD = ("answered", "corrected", "taken_back", "passed", "adjudicated", "released", "labels_imported")
"""The kinds of events that the history of labels is made of."""
FORMS = {"csv": ".csv", "jsonl": ".jsonl", "parquet": ".parquet", "label-studio": ".json"}
"""What labels are written as, and how the names of such files end."""
AS_THEY_ARE = Tasks()
"""Tasks of what is labelled, pictures by their paths."""
_LONGEST = 2**20  # bytes of a first line that are looked at
_TOGETHER = 1000  # items fetched from the store at one time

Row = dict[str, Any]


class Told:
    """A campaign read from its log for export: its state, and when each item was first and last spoken of."""

    def __init__(self, store: Store) -> None:
        """Read the whole log."""
        self.store = store
        self.state = State()
        self.times: dict[int, tuple[float, float]] = {}
        for event in store.events():
            self.state.apply(event)
            for item in _items_of(event):
                first, _ = self.times.get(item, (event.at, event.at))
                self.times[item] = (first, event.at)

    def labels(self) -> Iterator[Row]:
        """A row for each item with a label, in the order of the pool."""
        for item in _fetched(self.store, self.answered()):
            yield self._row(item)

    def answered(self) -> list[int]:
        """The items with a label, ascending: somebody's, settled or not."""
        ballots = self.state.ballots
        return sorted(i for i in {*ballots.votes, *ballots.decided} if ballots.label(i) != UNKNOWN)

    def sentence(self, rows: int) -> str:
        """How many of the items written have a label, in the words of `cutpoint status`."""
        ballots, answered = self.state.ballots, len(self.answered())
        rest = {"waiting for more answers": len(ballots.pending)}
        rest["held with an answer"] = answered - ballots.n_settled - len(ballots.pending)
        rest["without a label"] = rows - answered
        more = "".join(f", {n:,} {words}" for words, n in rest.items() if n)
        return f"{count(rows, 'item')}: {ballots.n_settled:,} labelled{more}"

    def _row(self, item: Item) -> Row:
        ballots, i = self.state.ballots, item.index
        cast, label = ballots.votes.get(i, {}), ballots.label(i)
        imported = ballots.vote(i, IMPORTED) == label
        source = DECIDED if i in ballots.decided else "imported" if imported else "people"
        first, last = self.times[i]
        return {
            "id": item.id,
            "index": i,
            "label": self.state.made.classes[label],
            "votes": len(cast),
            "agreement": Counter(cast.values())[label] / len(cast) if cast else 1.0,
            "disputed": ballots.disputed(i),
            "settled": bool(ballots.labels[i] != UNKNOWN),
            "source": source,
            "first": moment(first),
            "last": moment(last),
        }

    def history(self) -> Iterator[Row]:
        """A row for each event of each label, in the order of the log; classes by the names they have now."""
        events = (event for event in self.store.events() if event.kind in TOLD and event.number <= self.state.number)
        while piece := list(islice(events, _TOGETHER)):
            wanted = sorted({item for event in piece for item in _items_of(event)})
            ids = {item.index: item.id for item in _fetched(self.store, wanted)}
            for event in piece:
                yield from self._rows(event, ids)

    def _rows(self, event: Event, ids: dict[int, str]) -> Iterator[Row]:
        data, classes = event.data, self.state.made.classes
        labels = data["labels"] if event.kind == "labels_imported" else [data.get("label")]
        imported = DECIDED if data.get("decided") else "imported"
        for item, label in zip(_items_of(event), labels, strict=True):
            yield {
                "number": event.number,
                "at": moment(event.at),
                "id": ids[item],
                "index": item,
                "what": imported if event.kind == "labels_imported" else event.kind.replace("_", " "),
                "who": _written(data.get("annotator", data.get("by", data.get("source")))),
                "label": None if label is None else classes[label],
                "was": None if data.get("was") is None else classes[data["was"]],
                "why": data.get("why"),
                "late": data.get("late"),
            }

    def tasks(self, unlabelled: bool = False) -> Iterator[tuple[Item, dict[str, str], str | None]]:
        """Each item with a label, or each there is, what each person said ("": what was imported), what was decided."""
        classes, ballots = self.state.made.classes, self.state.ballots
        for item in _fetched(self.store, range(self.store.count()) if unlabelled else self.answered()):
            said = {who: classes[label] for who, label in ballots.votes.get(item.index, {}).items()}
            yield item, said, classes[ballots.label(item.index)] if item.index in ballots.decided else None


def _written(who: object) -> str:
    """A name as a file can hold it: in the place of half a character, which the name of a file may have, stands "?"."""
    return str(who).encode(errors="replace").decode()


def _items_of(event: Event) -> list[int]:
    """The items that an event of the history is about."""
    if event.kind not in TOLD:
        return []
    return list(event.data["items"]) if event.kind == "labels_imported" else [event.data["item"]]


def _fetched(store: Store, indices: Iterable[int]) -> Iterator[Item]:
    rest = iter(indices)
    while batch := list(islice(rest, _TOGETHER)):
        yield from store.items(batch)


def moment(at: float) -> str:
    """A time of the log in ISO 8601, UTC, to the microsecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def form_of(path: Path) -> str:
    """The format that a file's name says."""
    if path.suffix.lower() not in FORMS.values():
        raise UsageError(f"{path} does not say its format; end it in {', '.join(FORMS.values())}, or give the format.")
    return next(form for form, ending in FORMS.items() if ending == path.suffix.lower())


def write(
    told: Told, path: Path, form: str, history: bool = False, force: bool = False, *, studio: Tasks = AS_THEY_ARE
) -> int:
    """Write labels or history to a file: whole or not at all; how many rows there are.

    form: one of FORMS. An older export of the same columns is replaced; any other file that is there must be forced.
    """
    rows = 0

    def fill(file: BinaryIO) -> None:
        nonlocal rows
        rows = pour(told, file, form, history, studio)

    check_form(form, history, studio)
    check_replaceable(path, "export of these columns", lambda path: _is_export(path, form, history), force)
    try:
        if os.path.lexists(path):
            write_atomically(path, fill)
        else:
            write_new(path, fill)  # which refuses what has come meanwhile
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror or error}); give another place.") from None
    return rows


def pour(told: Told, file: BinaryIO, form: str, history: bool = False, studio: Tasks = AS_THEY_ARE) -> int:
    """Write labels or history to a file that is open; how many rows there are."""
    check_form(form, history, studio)
    if form == "label-studio":
        found = told.tasks(studio.unlabelled)
        tasks = [task(item.id, studio.seen(item.content), said, decided) for item, said, decided in found]
        file.write(json.dumps(tasks, ensure_ascii=False, indent=1).encode())
        return len(tasks)
    writers = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}
    written = 0

    def counted() -> Iterator[Row]:
        nonlocal written
        for row in told.history() if history else told.labels():
            written += 1
            yield row

    writers[form](file, HISTORY if history else LABELS, counted())
    return written


def check_form(form: str, history: bool, studio: Tasks = AS_THEY_ARE) -> None:
    """UsageError unless there is such a format, and it has a history if that is wanted, or is of tasks if those are."""
    if form not in FORMS:
        raise no_such("format", form, FORMS)
    if form != "label-studio" and studio != AS_THEY_ARE:
        raise UsageError(
            f"--unlabelled and --pictures-at are of Label Studio's tasks, and the format is {form}; leave them out, or "
            "give --format label-studio."
        )
    if form == "label-studio" and history:
        raise UsageError("Label Studio's tasks have no history; leave --history out, or give another --format.")


def _is_export(path: Path, form: str, history: bool) -> bool:
    """Whether a file begins as an export of this form does; what Label Studio wrote does not, nor what was edited."""
    columns = list(HISTORY if history else LABELS)
    if form == "parquet":
        return columns_of(path) == columns
    with path.open("rb") as file:
        first = file.read(_LONGEST).partition(b"\n")[0] if form != "label-studio" else file.read(len(TASKS))
    if form == "csv":
        return first == ",".join(columns).encode() + b"\r"
    if form == "label-studio":
        return first in (TASKS, b"[]")
    try:
        row = json.loads(first or "{}")
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and list(row) in ([], columns)
