"""A campaign to another place as it is: its log and its items unchanged, and the arrays that the log names.

What is copied is the campaign as its log told it at the beginning, also while people answer. Arrays come first, then
the log and the items in one transaction: a copy is there whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from cutpoint.data.pools.brought import Progress, ignored
from cutpoint.service.log.state import State
from cutpoint.service.place import begun, check_free, entries, opened
from cutpoint.store.base import Item, Store, not_empty
from cutpoint.store.files import ArrayFiles

_TOGETHER = 1000  # items fetched from the store at one time
_T = TypeVar("_T")


@dataclass(frozen=True)
class Copied:
    """What was copied, and what was not.

    pictures: the folders in which its pictures are looked for, which are no part of it. moved: arrays that a replay
    alone reads, and that are not where the others are.
    """

    campaign: str
    events: int
    items: int
    arrays: int
    bytes: int
    pictures: tuple[str, ...]
    moved: tuple[str, ...]


def copy(
    source: str,
    target: str,
    *,
    files: str | Path | None = None,
    source_files: str | Path | None = None,
    progress: Progress = ignored,
) -> Copied:
    """Copy a campaign to a file or database that holds none yet; `files` is for the arrays of a database.

    UsageError where something is there already, DataError if an array that the campaign needs, or any that is there,
    is not what was stored.
    """
    check_free(target, files)
    with opened(source, source_files) as (store, arrays), begun(target, files) as (fresh, into):
        if fresh.last() or fresh.count():
            raise not_empty(fresh.last(), fresh.count())
        state = State(store.events())
        sizes, moved = _take(into, arrays, state, progress)
        events = _told("copying events", islice(store.events(), state.number), state.number, progress)
        items = _told("copying items", _items(store, state.count), state.count, progress)
        fresh.restore(events, items)
    folders = dict.fromkeys(pool["source"] for _, pool in state.pools) if state.made.kind == "picture" else ()
    return Copied(
        *(state.made.name, state.number, state.count, len(sizes), sum(sizes)), pictures=tuple(folders), moved=moved
    )


def _take(into: ArrayFiles, arrays: ArrayFiles, state: State, progress: Progress) -> tuple[list[int], tuple[str, ...]]:
    """Copy every array that the log names: the bytes of each, and the old ones that are gone."""
    needed = entries(state, replayed=False)
    named = entries(state, replayed=True)
    moved = tuple(file for file in named if file not in needed and not (arrays.folder / file).exists())
    there = [entry for file, entry in named.items() if file not in moved]
    return [into.take(entry, arrays) for entry in _told("copying arrays", there, len(there), progress)], moved


def _items(store: Store, size: int) -> Iterator[Item]:
    """The first items of a pool, which may grow meanwhile."""
    for first in range(0, size, _TOGETHER):
        yield from store.items(range(first, min(first + _TOGETHER, size)))


def _told(what: str, values: Iterable[_T], total: int, progress: Progress) -> Iterator[_T]:
    """The values, while it is said how many are done."""
    for done, value in enumerate(values):
        if done % _TOGETHER == 0 or total < _TOGETHER:
            progress(what, done, total)
        yield value
    progress(what, total, total)
