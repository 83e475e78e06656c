"""A pool as a script hands it over: read and checked whole, and told from one that is there already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutpoint.data.pool import Features
from cutpoint.data.pools.brought import check_text
from cutpoint.errors import UsageError
from cutpoint.service.contents import read_contents, read_source
from cutpoint.service.training.embeddings import read_features
from cutpoint.store.base import Item, Store
from cutpoint.store.files import sum_of
from cutpoint.words import count

NOTHING: Mapping[str, Any] = {"row": {}}
"""The content of an item of which nothing is shown."""
_TOGETHER = 5000  # items compared at one time

Pools = Sequence[tuple[int, Mapping[str, Any]]]
"""(number, data) of every `pool_added`."""


@dataclass(frozen=True, eq=False)
class Handed:
    """Items to be added, n of them. ids: None for their places; features: (n, d); contents: what is shown, or None.

    source: where they are from; of pictures, their folder.
    """

    n: int
    ids: list[str] | None
    features: Features | None
    contents: list[Mapping[str, Any]] | None
    source: str = ""

    def names(self, first: int) -> list[str]:
        """The items' ids, if they are to lie from index `first` on."""
        return [str(first + place) for place in range(self.n)] if self.ids is None else self.ids

    def items(self, first: int) -> Iterator[Item]:
        """The items from index `first` on."""
        for place, name in enumerate(self.names(first)):
            yield Item(first + place, name, NOTHING if self.contents is None else self.contents[place])

    def is_there(self, store: Store, pools: Pools) -> bool:
        """Whether one of these additions was the same: ids in this order, contents and features; O(n) at most."""
        sum_ = None
        for _, data in pools:
            entry = data["features"]
            shape = None if self.features is None else list(self.features.shape)
            if data["count"] != self.n or (entry and entry["shape"]) != shape or not self._lies(store, data["first"]):
                continue
            if self.features is None:
                return True
            sum_ = sum_ or sum_of(self.features)
            if sum_ == entry["sha256"]:
                return True
        return False

    def _lies(self, store: Store, first: int) -> bool:
        """Whether the items from index `first` on are these, compared piece by piece."""
        names = self.names(first)
        for start in range(0, self.n, _TOGETHER):
            piece = range(start, min(start + _TOGETHER, self.n))
            if store.ids(first + start, len(piece)) != names[start : piece.stop]:
                return False
            contents = [NOTHING if self.contents is None else self.contents[place] for place in piece]
            if contents != [item.content for item in store.items([first + place for place in piece])]:
                return False
        return True

    def check_new(self, store: Store, pools: Pools) -> None:
        """UsageError or DataError for ids and texts that cannot be added, and features of another width."""
        names, seen = self.names(store.count()), set[str]()
        for name, there in zip(names, store.indices(names), strict=True):
            if there is not None:
                raise UsageError(
                    f"the id {name!r} is there already, and not all of this is as it was added then (ids, their order, "
                    "contents, embeddings); give what is new alone: nothing was added."
                )
            if name in seen:
                raise UsageError(f"the id {name!r} is there twice; every item needs its own: nothing was added.")
            seen.add(name)
            check_text(name, f"the id of item {name!r}")
        for name, content in zip(names, self.contents or (), strict=self.contents is not None):
            check_text(" ".join(_texts(content)), f"the content of item {name!r}")
        known = next((data["features"]["shape"][1] for _, data in pools if data["features"]), None)
        bare = sum(data["count"] for _, data in pools if data["features"] is None)
        if self.features is None and known is not None:
            raise UsageError(
                f"these items have no embeddings, and those of the pool before have, of {known} columns; give theirs, "
                "too, since a model is trained only where every item has its own: nothing was added."
            )
        if self.features is not None and bare:
            raise UsageError(
                f"these items have embeddings, and {count(bare, 'item')} of the pool before have none; leave them out, "
                "or begin a campaign with the embeddings of all, since a model is trained only then: nothing was added."
            )
        if self.features is not None and known not in (None, self.features.shape[1]):
            raise UsageError(
                f"the embeddings have {self.features.shape[1]} columns; those of the pool before have {known}."
            )


def read_pool(
    ids: Iterable[str] | None, embeddings: Any, contents: Iterable[Mapping[str, Any]] | None, source: str | Path = ""
) -> Handed:
    """What is handed over, of one length; a parquet file may bring the ids along."""
    if ids is None and embeddings is None and contents is None:
        raise UsageError("the pool is empty; give ids, embeddings or contents of at least one item.")
    names = None if ids is None else _names(ids)
    features, names = (None, names) if embeddings is None else read_features(embeddings, names)
    given = None if contents is None else read_contents(contents, names)
    n = next(len(part) for part in (names, features, given) if part is not None)
    for what, part in (("ids", names), ("contents", given), ("embeddings", features)):
        if part is not None and len(part) != n:
            raise UsageError(f"there are {len(part)} {what} for {count(n, 'item')}; give one of each for every item.")
    return Handed(n, names, features, given, read_source(source, given or ()))


def _names(ids: Any) -> list[str]:
    """The ids as text; UsageError for what is no list of them, above all embeddings in their place."""
    if isinstance(ids, str | bytes) or getattr(ids, "ndim", 1) != 1:
        said = f"an array of shape {ids.shape}" if hasattr(ids, "shape") else f"one text, {ids[:40]!r}"
        raise UsageError(f"ids are {said}; they must be a list of names: ids come first, embeddings as embeddings=.")
    names = list(ids)
    for name in names:
        if name is None or (hasattr(name, "__len__") and not isinstance(name, str)):
            said = f"a {type(name).__name__} among them"
            raise UsageError(f"ids have {said}; each must be a name: ids come first, embeddings as embeddings=.")
    return [str(name) for name in names]


def _texts(content: Any) -> Iterator[str]:
    """All that a content says, its names of columns among it."""
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield from (str(name), *_texts(value))
    else:
        yield str(content)
