"""What people see of each item, as a script hands it over: checked before anything is stored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cutpoint.data.pools.brought import Content
from cutpoint.errors import UsageError
from cutpoint.store.events import check_text, encode

_MUST = (
    'it must be {"text": a text}, {"picture": its path below source} or {"row": {column: value}}, each value a text, a '
    "finite number, True, False or None"
)


def read_contents(contents: Any, names: Sequence[str] | None) -> list[Content]:
    """The contents, in a list; UsageError that names the first which no page could show, or no store hold.

    names: the items' ids, if they have some already.
    """
    if isinstance(contents, str | Mapping) or not isinstance(contents, Iterable):
        raise UsageError(f"contents are of type {_type(contents)}; they must be a list of one for each item.")
    given = list(contents)
    for place, content in enumerate(given):
        where = f"contents[{place}]" + (f" (item {names[place]!r})" if names and place < len(names) else "")
        if said := _amiss(content):
            raise UsageError(f"{where} {said}; {_MUST}: nothing was added.")
        encode(content, where)
    return given


def read_source(source: str | Path, contents: Sequence[Content]) -> str:
    """Where items are from, in words; with pictures, the absolute path of the folder that their own paths begin at.

    Empty for pictures, too, where only `serve --images` says that folder.
    """
    source = check_text(str(source) if isinstance(source, Path) else source, "source")
    with_pictures = any("picture" in content for content in contents)
    return str(Path(source).absolute()) if source and with_pictures else source


def _amiss(content: Any) -> str:
    """What is wrong with a content, in words; empty if nothing is."""
    if not isinstance(content, Mapping):
        return f"is of type {_type(content)}"
    if len(content) != 1 or not content.keys() <= {"text", "picture", "row"}:
        keys = ", ".join(map(repr, content))
        return f"has the {'key' if len(content) == 1 else 'keys'} {keys}" if keys else "has no key"
    ((form, value),) = content.items()
    if form == "row" and isinstance(value, Mapping):
        return _amiss_in_row(value)
    if form == "row" or not isinstance(value, str):
        return f"has a {form} of type {_type(value)}"
    if form == "picture" and (not value or Path(value).is_absolute()):
        return f"has the picture {value!r}"
    return ""


def _amiss_in_row(row: Mapping[Any, Any]) -> str:
    for column, value in row.items():
        if not isinstance(column, str):
            return f"has the column {column!r}"
        if not isinstance(value, str | int | float | None):
            return f"has a value of type {_type(value)} in the column {column!r}"
        if isinstance(value, float) and not math.isfinite(value):
            return f"has {value} in the column {column!r}"
    return ""


def _type(value: object) -> str:
    return type(value).__name__
