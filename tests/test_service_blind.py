"""Where several people answer each item, none of them is told what the others said; an admin is, and so is a script."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from cutpoint.service.desk.asks import Receipt
from served import Served, key, lend, publish, serve_in_memory

ALIKE, OTHERWISE = 1, 2  # what bo says of an item of which ada says 1


def after_bo(said: int, folder: Path, overlap: int = 2) -> Served:
    """A campaign with scores in which bo said something of item 3, and ada nothing yet."""
    served = serve_in_memory(30, files=folder, overlap=overlap)
    for item in range(6):
        for name in ("bo", "ada") if item != 3 else ("bo",):
            served.desk.tell(item, item % 2 if item != 3 else said, annotator=name)
    measured = {"labels": 6, f"found_{said}": 3}  # a model learns from items that wait for more answers, too
    publish(served, np.random.default_rng(0).dirichlet((3, 1, 1), 30), **measured)
    return served


def all_that_ada_is_told(served: Served) -> list[Any]:
    """All that ada is told while she answers item 3, twice and then otherwise, takes that back and passes on it."""
    ada = served.client("ada")
    told: list[Any] = []

    def look() -> None:
        for path in ("/mine", "/label", "/dashboard", "/strips/0.svg?item=3", "/strips/1.svg"):
            told.append(ada.get(path).text)
        told.append(ada.get("/api/status").json())
        told.append(ada.get("/api/next?n=2").json() | {"items": []})  # leases have names drawn at random

    def say(path: str, **body: Any) -> None:
        told.append(ada.post(path, json={"item": 3, "key": key(len(told)), **body}).json() | {"lease": None})
        look()

    look()
    lend(served, "ada", 3)
    say("/api/answer", label=1)
    say("/api/answer", label=1)
    say("/api/answer", label=0)
    say("/api/undo")
    say("/api/pass", why="unsure")
    say("/api/undo")
    told.append(ada.post("/api/answer", json={"item": 3, "label": 1, "key": key(1)}).json()["status"])
    return told


@pytest.mark.parametrize("overlap", [2, 3])
def test_what_an_annotator_is_told_does_not_depend_on_what_others_said(tmp_path: Path, overlap: int) -> None:
    alike, otherwise = (
        all_that_ada_is_told(after_bo(said, tmp_path / str(said), overlap)) for said in (ALIKE, OTHERWISE)
    )
    for one, other in zip(alike, otherwise, strict=True):
        assert _timeless(one) == _timeless(other)


def _timeless(told: Any) -> str:
    """What was said, without times and what each campaign has of its own."""
    return re.sub(r"\d+\.\d+|\d{4}-\d\d-\d\d \d\d:\d\d|of=\w+|data-of=\"\w+\"", "", str(told))


def test_a_receipt_names_no_label_and_no_dispute(tmp_path: Path) -> None:
    served = after_bo(OTHERWISE, tmp_path)
    ada = served.client("ada")
    lend(served, "ada", 3)
    said = ada.post("/api/answer", json={"item": 3, "label": 1, "key": key()}).json()
    assert (said["status"], said["label"], said["disputed"], said["note"]) == ("saved", None, None, None)
    said = ada.post("/api/undo", json={"item": 3, "key": key(1)}).json()
    assert (said["status"], said["label"], said["disputed"], said["note"]) == ("taken back", None, None, None)


def test_that_an_answer_came_late_is_told_all_the_same(tmp_path: Path) -> None:
    served = after_bo(OTHERWISE, tmp_path)
    served.desk.give_back(served.desk.ask("ada", 1)[0].lease)
    with served.desk.locked:
        served.desk.state.leases.lost = lambda *_: True  # type: ignore[method-assign]
    said = served.client("ada").post("/api/answer", json={"item": 3, "label": 1, "key": key()}).json()
    assert said["late"]
    assert said["note"] == "It is kept, though your time for this item had run out."


def test_the_reasons_of_a_question_name_no_places_but_its_own(tmp_path: Path) -> None:
    served = after_bo(OTHERWISE, tmp_path)
    asked = served.client("ada").get("/api/next?n=4").json()["items"]
    whys = [served.desk.explain(one["item"]) for one in asked]
    assert any(why is not None and why.low is not None for why in whys)
    for one in (one for one in asked if one["because"] is not None):
        assert [one["because"][name] for name in ("threshold", "low", "high")] == [None] * 3
        assert not re.search(r"\d", one["why"])
        assert "No example" not in one["why"], "that counts the answers of all"


def test_counts_by_class_are_of_ones_own_answers(tmp_path: Path) -> None:
    served = after_bo(OTHERWISE, tmp_path)
    ada = served.client("ada")
    lend(served, "ada", 3)
    progress = ada.post("/api/answer", json={"item": 3, "label": 1, "key": key()}).json()["progress"]
    assert progress["found"] == [3, 3, 0]
    assert ada.post("/api/answer", json={"item": 3, "label": 2, "key": key(1)}).json()["progress"]["found"] == [3, 2, 1]
    assert ada.post("/api/undo", json={"item": 3, "key": key(2)}).json()["progress"]["found"] == [3, 2, 0]
    status = ada.get("/api/status").json()
    assert (status["found"], status["disputed"]) == (None, None)
    assert 'aria-label="Your answers"' in ada.get("/label").text
    assert "Your answers of each class" in ada.get("/dashboard").text


def test_an_admin_sees_everything(tmp_path: Path) -> None:
    served = after_bo(OTHERWISE, tmp_path)
    served.desk.tell(3, 1, annotator="ada")
    chief = served.client("chief")
    status = chief.get("/api/status").json()
    assert (sum(status["found"]), status["disputed"]) == (6, 1)
    assert status["measures"][0][1] == {"labels": 6, "found_2": 3}
    assert "of each class" in chief.get("/dashboard").text
    assert 'class="ring"><circle' in chief.get("/strips/1.svg").text
    assert "item-3" in chief.get("/disputes").text
    assert [(person["agreement"], person["compared"]) for person in status["people"]] == [(5 / 6, 6), (5 / 6, 6)]
    assert chief.get("/dashboard").text.count("83 % of 6") == 2
    (alone,) = served.client("ada").get("/api/status").json()["people"]
    assert (alone["agreement"], alone["compared"], alone["pace"]) == (None, 0, None), "what others said is not for her"


def test_a_script_is_told_by_its_receipt(tmp_path: Path) -> None:
    said = after_bo(OTHERWISE, tmp_path).desk.tell(3, 1, annotator="ada")
    assert isinstance(said, Receipt)
    assert (said.label, said.disputed, said.others) == (2, True, 1)


def test_with_one_answer_an_item_it_is_told_afterwards(tmp_path: Path) -> None:
    served = after_bo(OTHERWISE, tmp_path, overlap=1)
    ada = served.client("ada")
    lend(served, "ada", 3)
    said = ada.post("/api/answer", json={"item": 3, "label": 1, "key": key()}).json()
    assert said["disputed"]
    assert "differently" in said["note"]
