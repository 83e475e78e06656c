"""Where the pictures of a campaign are: in the folder that `serve` was told, or where its pools were read from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cutpoint.service.log.state import State
from cutpoint.service.web.images import inside
from cutpoint.store.base import Store
from cutpoint.words import count

LOOKED_AT = 1000  # pictures, spread over the pool, that are looked for when a server starts
_TOGETHER = 1000  # items fetched from the store at one time


def folders(state: State, item: int, told: Path | None) -> list[Path]:
    """The folders in which the picture of an item is looked for, the one that was told first."""
    pools = (data for _, data in state.pools)
    source = next((data["source"] for data in pools if data["first"] <= item < data["first"] + data["count"]), "")
    own = [Path(source)] if source and Path(source).is_absolute() else []
    return [*([] if told is None else [told]), *own]


def folder_of(state: State, item: int, name: str, told: Path | None) -> Path | None:
    """The folder in which a picture is, else the first in which it could be; None where no folder is known."""
    found = folders(state, item, told)
    return next((folder for folder in found if inside(folder, name) is not None), found[0] if found else None)


def absent(store: Store, state: State, told: Path | None, items: Sequence[int]) -> Iterator[Path]:
    """Those of the items' pictures that no page finds, each by the first place where it could be."""
    for batch in (items[first : first + _TOGETHER] for first in range(0, len(items), _TOGETHER)):
        for item in store.items(batch):
            name, places = str(item.content.get("picture", "")), folders(state, item.index, told)
            if name and not any(inside(folder, name) for folder in places):
                yield Path(*places[:1], name)


def lost_pictures(store: Store, state: State, told: Path | None) -> str:
    """What to say where pictures are not to be found, of many only some being looked for; "" if all of these are."""
    if state.made.kind != "picture":
        return ""
    items = range(0, state.count, max(1, state.count // LOOKED_AT))
    lost = list(absent(store, state, told, items))
    if not lost:
        return ""
    how_many = f"{len(lost):,} of the {count(len(items), 'picture')} looked for {'is' if len(lost) == 1 else 'are'}"
    return f"{how_many} not there, the first {lost[0]}, and cannot be shown; --images FOLDER says where they are"
