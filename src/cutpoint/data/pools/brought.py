"""What people bring: items to label, each with an id of its own, and perhaps features.

Contents are read anew, from the start, whenever they are asked for: a pool of any size is never held whole. What is
held is the ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cutpoint.data.pool import Features
from cutpoint.errors import DataError

Kind = Literal["picture", "text", "row"]
Content = Mapping[str, Any]
Progress = Callable[[str, int, int], None]
"""Told what is being done, how far it is, and out of how many."""


@dataclass(frozen=True, eq=False)
class Brought:
    """Items of one kind in a fixed order, each with an id.

    contents: gives each item's content, in order: {"text": ...}, {"picture": path below `folder`} or {"row": {...}}.
    source: where they are from; notes: what their owner should be told; features: (N, d) float32 if they came along.
    """

    kind: Kind
    source: str
    ids: Sequence[str]
    contents: Callable[[], Iterator[Content]]
    notes: tuple[str, ...] = ()
    folder: Path | None = None
    features: Features | None = None

    def __len__(self) -> int:
        """N, the number of items."""
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Embedded:
    """Features for the first model: (N, d) float32, how they were made in words, and which items could not be read."""

    features: Features
    words: str
    unreadable: tuple[int, ...] = ()


def ignored(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


class Ids:
    """Ids as they are found; each must be text, not empty, storable, and nobody else's."""

    def __init__(self, path: Path) -> None:
        """For the items of one file or folder."""
        self.path = path
        self._first: dict[str, int] = {}

    def add(self, name: Any, place: int) -> str:
        """The id, taken; DataError, with both places, for one that is there or cannot be one."""
        where = f"{self.path}, line {place}"
        if name is None or name == "":
            raise DataError(f"{where} has no id; every item needs one: fill the column, or leave --id out.")
        text = str(name)
        check_text(text, where)
        if self._first.setdefault(text, place) != place:
            raise DataError(f"{where}: the id {text!r} is taken by line {self._first[text]}; each item needs its own.")
        return text

    @property
    def taken(self) -> list[str]:
        """All ids, in the order they came."""
        return list(self._first)


def check_text(text: str, where: str) -> None:
    """DataError for a text that no file or database can hold: half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{where} holds half a character at place {error.start} ({text[error.start]!a}), which cannot be "
            "stored; correct it."
        ) from None
