"""Items are shown whatever their content is: those of which there is nothing but an id, and what older pools hold."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from cutpoint.service.web.shown import shown_item
from cutpoint.store.base import Item
from served import Served, key, lend, serve_in_memory

NOTHING: dict[str, Any] = {"row": {}}
UNSHOWN = [{}, {"row": None}, {"row": [1, 2]}, {"row": "text"}, {"text": None}, {"image": "a.png"}]
ODD = [
    {"text": 5},
    {"text": ["a"]},
    {"picture": 3},
    {"picture": None},
    {"row": {"a": {"b": [1]}}},
    {"row": 1, "text": "t"},
]
SEEN = ("picture", "row", "text")


def answered(contents: list[dict[str, Any]]) -> Served:
    """A campaign in which every item is disputed, but the last two: one is decided, one held."""
    served = serve_in_memory([*contents, contents[0], contents[0]])
    n = len(contents)
    for item in range(n + 1):
        for who, label in (("ada", 1), ("bo", 2)):
            served.desk.tell(item, label, annotator=who)
    served.desk.adjudicate(n, 1, by="chief")
    served.desk.passed(n + 1, "broken", annotator="ada")
    return served


@pytest.mark.parametrize("content", [NOTHING, *UNSHOWN, *ODD], ids=str)
def test_whatever_an_item_holds_it_is_asked_answered_and_listed(content: dict[str, Any]) -> None:
    served = answered([content])
    ada, chief = served.client("ada"), served.client("chief")
    for who, path in ((ada, "/mine"), (chief, "/disputes"), (chief, "/admin")):
        page = who.get(path)
        assert page.status_code == 200
        assert "item-" in page.text
    served = serve_in_memory([content])
    ada = served.client("ada")
    (asked,) = ada.get("/api/next").json()["items"]
    assert ada.get("/items/0/picture").status_code == 200
    assert sum(asked[seen] is not None for seen in SEEN) == (content not in UNSHOWN)
    assert ada.post("/api/pass", json={"item": 0, "why": "broken", "key": key()}).status_code == 200


def test_an_item_without_content_is_shown_by_its_id() -> None:
    served = answered([NOTHING])
    for who, path in (("ada", "/mine"), ("chief", "/disputes"), ("chief", "/admin")):
        page = served.client(who).get(path).text
        assert "id: item-" in page or "<th>id</th>" in page
        assert "cannot be shown" not in page
    lend(served, "bo", 2)
    (asked,) = served.client("bo").get("/api/next").json()["items"]
    assert (asked["id"], asked["row"], asked["cut"]) == ("item-2", [["id", "item-2"]], None)


@pytest.mark.parametrize("content", UNSHOWN, ids=str)
def test_what_cannot_be_shown_is_said_to_be_so(content: dict[str, Any]) -> None:
    assert [shown_item(Item(0, "i", content))[seen] for seen in SEEN] == [None] * 3
    served = answered([content])
    for who, path in (("ada", "/mine"), ("chief", "/disputes"), ("chief", "/admin")):
        assert "(cannot be shown)" in served.client(who).get(path).text


def test_one_item_that_cannot_be_shown_keeps_nobody_from_the_others() -> None:
    served = serve_in_memory([{"row": None}, *({"text": f"bird number {i}"} for i in range(1, 5))])
    ada = served.client("ada")
    asked = ada.get("/api/next?n=5").json()["items"]
    assert {one["item"]: one["text"] for one in asked} == {0: None} | {i: f"bird number {i}" for i in range(1, 5)}
