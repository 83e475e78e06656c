"""Label Studio's JSON of tasks: written for its import, read from its export (JSON, one choice for each item).

An item's own id travels in the task's data as `cutpoint_id`. The labelling configuration that fits is one `Choices`
named "label", to an object named "item".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutpoint.errors import DataError

if TYPE_CHECKING:
    from cutpoint.data.pools.given import Vote

ID = "cutpoint_id"
TASKS = f'[\n {{\n  "data": {{\n   "{ID}": '.encode()
"""How the tasks of an export begin, as `cutpoint export` writes them."""
_KEYS = {"text": "text", "picture": "image", "row": "table"}


def task(
    name: str, content: Mapping[str, Any], answers: Mapping[str, str], decided: str | None = None
) -> dict[str, Any]:
    """One task: an item, its content, and what each annotator answered ("": a label that nobody signed).

    What was decided is one more annotation, a ground truth, as Label Studio calls it.
    """
    data = {_KEYS[kind]: value for kind, value in content.items() if kind in _KEYS}
    annotations = [_annotation(who, label) for who, label in answers.items()]
    if decided is not None:
        annotations.append(_annotation("", decided) | {"ground_truth": True})
    return {"data": {ID: name, **data}, "annotations": annotations}


def _annotation(who: str, label: str) -> dict[str, Any]:
    result = {"from_name": "label", "to_name": "item", "type": "choices", "value": {"choices": [label]}}
    return {"result": [result], "meta": {"annotator": who}}


def read_tasks(path: Path) -> Iterator[Vote]:
    """Who chose what, task by task; DataError for what is no export. Cancelled annotations count for nothing."""
    from cutpoint.data.pools.given import Vote

    for number, entry in enumerate(_tasks(path), 1):
        place = f"{path}, task {number}"
        data = entry.get("data") if isinstance(entry, dict) else None
        if not isinstance(data, dict) or ID not in data:
            raise DataError(f"{place} has no {ID} in its data; export tasks that `cutpoint export` has made.")
        try:
            given = [a for a in entry.get("annotations") or [] if not a.get("was_cancelled")]
            votes = [vote for annotation in given for vote in _votes(annotation, place)]
        except (AttributeError, KeyError, TypeError):
            raise DataError(f"{place} has annotations of another form; export as JSON, not JSON-MIN or CSV.") from None
        for label, annotator, decided in votes:
            yield Vote(place, (str(data[ID]),), (label,), annotator, decided)


def _votes(annotation: Mapping[str, Any], place: str) -> Iterator[tuple[str, str | None, bool]]:
    """What an annotation says, who says so, and whether it is decided; a ground truth of somebody's is both."""
    who, decided = _annotator(annotation), bool(annotation.get("ground_truth"))
    for label in _choices(annotation, place):
        if who is not None or not decided:
            yield label, who, False
        if decided:
            yield label, None, True


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


def _choices(annotation: Mapping[str, Any], place: str) -> list[str]:
    found = [result["value"]["choices"] for result in annotation.get("result", []) if result.get("type") == "choices"]
    if len(found) > 1 or any(len(choices) != 1 for choices in found):
        raise DataError(f"{place} has several choices; each item must have one: correct it in Label Studio.")
    return [str(choices[0]) for choices in found]


def _annotator(annotation: Mapping[str, Any]) -> str | None:
    """Who made an annotation: our own note of it, else the number or the address that Label Studio gives."""
    noted = (annotation.get("meta") or {}).get("annotator")
    if noted is not None:
        return str(noted) or None
    by = annotation.get("completed_by")
    who = by.get("email") or by.get("id") if isinstance(by, dict) else by
    return None if who is None else str(who)
