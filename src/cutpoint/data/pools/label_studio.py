"""Label Studio's JSON of tasks: written for its import, read from its export as JSON (one choice for each item).

An item's own id travels in the task's data as `cutpoint_id`, and who answered beside the choice: of an annotation's own
`meta` Label Studio keeps nothing, and it calls a ground truth whatever does not say that it is none. The labelling
configuration that fits is one `Choices` named "label", to an object named "item".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

from cutpoint.errors import DataError

if TYPE_CHECKING:
    from cutpoint.data.pools.given import Vote

ID, LABEL = "cutpoint_id", "label"
TASKS = f'[\n {{\n  "data": {{\n   "{ID}": '.encode()
"""How the tasks of an export begin, as `cutpoint export` writes them."""
ONLY_JSON = "export as JSON: its other formats leave out ground truths, and their ids may be its own numbers"
_KEYS = {"text": "text", "picture": "image", "row": "table"}
_FLAT = {"annotation_id", "annotator", "lead_time"}  # what its CSV and JSON-MIN call what they know of an annotation
_LONGEST = 2000  # characters of an address; each of its ends is looked for
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # before the name of a picture that was uploaded


@dataclass(frozen=True)
class Tasks:
    """Which tasks are written: also those of items without a label; and what stands before the path of each picture."""

    unlabelled: bool = False
    pictures_at: str = ""

    def seen(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """The content of an item, its picture by its address; in one of the web, paths are written as such."""
        if "picture" not in content or not self.pictures_at:
            return content
        path, web = str(content["picture"]), self.pictures_at.startswith(("/", "http:", "https:"))
        return {**content, "picture": self.pictures_at + (quote(path) if web else path)}


def task(
    name: str, content: Mapping[str, Any], answers: Mapping[str, str], decided: str | None = None
) -> dict[str, Any]:
    """One task: an item, its content, and what each annotator answered ("": a label that nobody signed).

    What was decided is one more annotation, a ground truth, as Label Studio calls it.
    """
    data = {_KEYS[kind]: value for kind, value in content.items() if kind in _KEYS}
    annotations = [_annotation(who, label, False) for who, label in answers.items()]
    if decided is not None:
        annotations.append(_annotation("", decided, True))
    return {"data": {ID: name, **data}, "annotations": annotations}


def _annotation(who: str, label: str, decided: bool) -> dict[str, Any]:
    result = {"from_name": LABEL, "to_name": "item", "type": "choices", "value": {"choices": [label]}}
    return {"result": [result | {"meta": {"annotator": who}}], "ground_truth": decided}


class _Annotated(NamedTuple):
    """One annotation: whose (None: nobody knows), whether a ground truth, and what was chosen in which control."""

    place: str
    names: tuple[str, ...]
    annotator: str | None
    decided: bool
    chosen: dict[str, list[str]]


def read_tasks(path: Path) -> Iterator[Vote]:
    """Who chose what, task by task; DataError for what is no export. Cancelled annotations count for nothing."""
    from cutpoint.data.pools.given import Vote

    tasks = [(f"{path}, task {number}", entry) for number, entry in enumerate(_tasks(path), 1)]
    said = [each for place, entry in tasks for each in _annotations(place, entry)]
    control = _control(path, {name for each in said for name in each.chosen})
    for place, names, annotator, decided, chosen in said:
        labels = tuple(chosen.get(control, ()))
        if len(labels) > 1:
            raise DataError(f"{place} has several choices; each item must have one: correct it in Label Studio.")
        if labels and (annotator is not None or not decided):
            yield Vote(place, names, labels, annotator, False)
        if labels and decided:  # a ground truth of somebody's is both
            yield Vote(place, names, labels, None, True)


def read_items(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number in the file, data and with them `id`) of each task, as items of a pool that `read_tasks` finds again."""
    for number, entry in enumerate(_tasks(path), 1):
        place = f"{path}, task {number}"
        yield number, {**_data(place, entry), "id": _names(place, entry)[0]}


def is_flat(columns: Iterable[str]) -> bool:
    """Whether a table with these columns is an export of Label Studio in another format than JSON."""
    return set(columns) >= _FLAT


def _tasks(path: Path) -> list[Any]:
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; give the path of a file that exists.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON ({error}); export tasks as JSON.") from None
    if not isinstance(tasks, list):
        raise DataError(f"{path} is {type(tasks).__name__}; it must be a list of tasks: export as JSON.")
    return tasks


def _annotations(place: str, entry: Any) -> Iterator[_Annotated]:
    """The annotations of a task that were not cancelled; DataError if it is none."""
    names = _names(place, entry)
    try:
        for annotation in entry.get("annotations") or []:
            if not annotation.get("was_cancelled"):
                choices = [result for result in annotation["result"] if result["type"] == "choices"]
                chosen: dict[str, list[str]] = {}
                for result in choices:
                    chosen.setdefault(result["from_name"], []).extend(map(str, result["value"]["choices"]))
                truth = bool(annotation.get("ground_truth"))
                yield _Annotated(place, names, _annotator(annotation, choices), truth, chosen)
    except (AttributeError, KeyError, TypeError):
        raise DataError(f"{place} has annotations of another form; export as JSON.") from None


def _control(path: Path, names: set[str]) -> str:
    """The name of the control whose choices are the labels: "label", or the only one there is."""
    if LABEL in names or not names:
        return LABEL
    if len(names) > 1:
        raise DataError(
            f"{path} has choices of {', '.join(sorted(names))}; those that are labels must be called {LABEL}: rename "
            "that from_name in the file."
        )
    return next(iter(names))


def _data(place: str, entry: Any) -> dict[str, Any]:
    """The data of a task; DataError if it is none."""
    if isinstance(entry, dict) and is_flat(entry):
        raise DataError(f"{place} is of Label Studio's JSON-MIN; {ONLY_JSON}.")
    if not isinstance(entry, dict) or not isinstance(entry.get("data"), dict):
        raise DataError(f"{place} has no data; it must be a task as Label Studio exports it: export as JSON.")
    data: dict[str, Any] = entry["data"]
    return data


def _names(place: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """What the item of a task may be called, the likeliest first.

    It is the id in its data. Without one it is the task's number, which no item of other files is called by; or its
    picture's path, or that without the folders in front, one after another.
    """
    data = _data(place, entry)
    for key in (ID, "id"):
        if data.get(key) not in (None, ""):
            return (str(data[key]),)
    names = [f"task {entry['id']}"] if "id" in entry else []
    names += [name for value in data.values() if isinstance(value, str) for name in _picture_names(value)]
    if not names:
        raise DataError(
            f"{place} has no id, neither in its data ({ID} or id) nor of Label Studio, and no picture; export as JSON."
        )
    return tuple(names)


def _picture_names(address: str) -> list[str]:
    """The path in the address of a picture, its ends, and its name before an upload; nothing for no such address."""
    from cutpoint.data.pools.folder import SUFFIXES

    try:
        parts = urlsplit(address if len(address) <= _LONGEST else "")
    except ValueError:
        return []
    path = parse_qs(parts.query).get("d", [unquote(parts.path)])[0].lstrip("/")
    if not path.lower().endswith(SUFFIXES):
        return []
    steps = path.split("/")
    uploaded = [_UPLOADED.sub("", steps[-1])] if "data/upload/" in path else []
    return ["/".join(steps[n:]) for n in range(len(steps))] + uploaded


def _annotator(annotation: Mapping[str, Any], choices: list[dict[str, Any]]) -> str | None:
    """Who made an annotation: our own note of it, else the address or the number that Label Studio gives."""
    for noted in [result["meta"]["annotator"] for result in choices if "annotator" in (result.get("meta") or ())]:
        return str(noted) or None
    by = annotation.get("completed_by")
    who = by.get("email") or by.get("id") if isinstance(by, dict) else by
    return None if who is None else str(who)
