"""What a script says people are to see: contents that no page could show are refused whole, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from cutpoint import Campaign
from cutpoint.errors import UsageError
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.memory import MemoryStore

IDS = ["a", "b", "c"]
X = np.eye(3)


def opened(folder: Path, store: MemoryStore) -> Campaign:
    return Campaign(store, ["other", "heron"], files=folder, train="off")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1, 2], "is of type list"),
        ("a text", "is of type str"),
        (None, "is of type NoneType"),
        ({}, "has no key"),
        ({"image": "a.png"}, "has the key 'image'"),
        ({"text": "a", "id": 3}, "has the keys 'text', 'id'"),
        ({5: "a"}, "has the key 5"),
        ({"text": 5}, "has a text of type int"),
        ({"text": None}, "has a text of type NoneType"),
        ({"picture": 3}, "has a picture of type int"),
        ({"picture": ""}, "has the picture ''"),
        ({"picture": str(Path("a.png").absolute())}, "has the picture '"),
        ({"row": None}, "has a row of type NoneType"),
        ({"row": [1, 2]}, "has a row of type list"),
        ({"row": "text"}, "has a row of type str"),
        ({"row": {3: "x"}}, "has the column 3"),
        ({"row": {"x": 1, "tags": ["a"]}}, "has a value of type list in the column 'tags'"),
        ({"row": {"x": {"y": 1}}}, "has a value of type dict in the column 'x'"),
        ({"row": {"x": np.int64(3)}}, "has a value of type int64 in the column 'x'"),
        ({"row": {"x": math.nan}}, "has nan in the column 'x'"),
        ({"row": {"x": 10**5000}}, "cannot be stored as JSON"),
        ({"row": MappingProxyType({"x": 1})}, "cannot be stored as JSON"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else None,
)
@pytest.mark.parametrize("ids", [IDS, None], ids=["named", "numbered"])
def test_contents_that_no_page_can_show_are_refused_whole(
    tmp_path: Path, ids: list[str] | None, content: Any, said: str
) -> None:
    form = next(iter(content)) if isinstance(content, Mapping) and content else "text"
    good = {"picture": "a.png"} if form == "picture" else {"text": "a bird"}
    store = MemoryStore()
    with opened(tmp_path / "arrays", store) as campaign:
        before = store.last()
        with pytest.raises(UsageError) as told:
            campaign.add_pool(ids, X, contents=[good, content, good], source=str(tmp_path))
        assert (store.last(), store.count(), list((tmp_path / "arrays").glob("*"))) == (before, 0, [])
        assert campaign.add_pool(ids, X, contents=[good] * 3, source=str(tmp_path)) == 3
    assert str(told.value).startswith("contents[1] (item 'b') " if ids else "contents[1] ")
    assert said in str(told.value)
    assert "it must be " in str(told.value)


@pytest.mark.parametrize("contents", ["abc", {"text": "a"}, 5])
def test_contents_are_one_for_each_item(tmp_path: Path, contents: Any) -> None:
    with opened(tmp_path, MemoryStore()) as campaign, pytest.raises(UsageError, match="they must be a list of one for"):
        campaign.add_pool(["a"], contents=contents)


def test_whatever_a_page_can_show_is_taken(tmp_path: Path) -> None:
    row = {"words": "", "number": 3, "part": np.float64(0.5), "yes": True, "nothing": None}
    contents: list[dict[str, Any]] = [{"text": ""}, {"row": row}, {"row": {}}]
    store = MemoryStore()
    with opened(tmp_path, store) as campaign:
        assert campaign.add_pool(IDS, contents=iter(contents)) == 3
    assert [item.content for item in store.items(range(3))] == contents


def test_what_an_older_pool_holds_keeps_no_new_items_out(tmp_path: Path) -> None:
    store = MemoryStore()
    with opened(tmp_path, store) as campaign:
        pool = New("pool_added", {"first": 0, "count": 1, "source": "", "features": None})
        store.add_items([Item(0, "old", {"row": [1, 2]})], pool)
        assert campaign.add_pool(["new"], contents=[{"text": "a bird"}]) == 1


def noted(store: MemoryStore) -> list[str]:
    return [event.data["source"] for event in store.events() if event.kind == "pool_added"]


@pytest.mark.parametrize("source", ["photos", Path("photos"), "."])
def test_a_folder_of_pictures_is_noted_by_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | Path
) -> None:
    monkeypatch.chdir(tmp_path)
    store = MemoryStore()
    with opened(tmp_path, store) as campaign:
        assert campaign.add_pool(["a"], contents=[{"picture": "a.png"}], source=source) == 1
        monkeypatch.chdir("/")
        assert campaign.add_pool(["a"], contents=[{"picture": "a.png"}], source=source) == 0
    assert noted(store) == [str(tmp_path / source)]


def test_the_source_of_anything_else_is_noted_as_it_is(tmp_path: Path) -> None:
    store = MemoryStore()
    with opened(tmp_path, store) as campaign:
        campaign.add_pool(["a"], contents=[{"text": "a bird"}], source="Ann's list")
        campaign.add_pool(["b"], source=Path("list.csv"))
        campaign.add_pool(["c"])
        campaign.add_pool(["d"], contents=[{"picture": "a.png"}])  # `serve --images` says where
        campaign.add_pool(["e", "f"], contents=[{"picture": "a.png"}, {"text": "a"}], source="/photos")
    assert noted(store) == ["Ann's list", "list.csv", "", "", "/photos"]


@pytest.mark.parametrize(
    ("contents", "source", "words"),
    [
        ([{"text": "a"}] * 2, 5, "source is 5; it must be text"),
        ([{"text": "a"}] * 2, None, "source is None; it must be text"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused(tmp_path: Path, contents: Any, source: Any, words: str) -> None:
    store = MemoryStore()
    with opened(tmp_path, store) as campaign, pytest.raises(UsageError, match=words):
        campaign.add_pool(["a", "b"], contents=contents, source=source)
    assert noted(store) == []
