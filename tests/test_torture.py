"""The torture that `make torture` does for long, for a moment: nothing acknowledged is lost or doubled.

And what its check is worth: it finds an answer that is missing, doubled, changed or under another number.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

from cutpoint.service.log.settings import Settings
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.opening import open_files, open_store
from torture_people import Answer, Told
from torture_server import before_key, check, check_models

if sys.platform != "linux":
    pytest.skip("it looks into /proc", allow_module_level=True)

SAID = Answer(3, 1, "one", "one-3")


@pytest.mark.slow
def test_servers_and_trainers_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    from torture import torture
    from torture_server import make_campaign

    name = str(tmp_path / "torture.db")
    make_campaign(name, tmp_path, None, items=500)
    toll = torture(name, "sqlite", kills=3, seed=0)
    assert toll.wrong == []
    assert toll.servers + toll.trainers == 3
    assert toll.answers > 0
    assert toll.published <= toll.models
    assert toll.models > 0
    assert toll.rounds > 1


def stored(folder: Path, *answers: Answer) -> str:
    """A campaign with these answers in its log."""
    name = str(folder / "small.db")
    store = open_store(name, create=True)
    store.append([Settings("small", ("rare", "other")).created()])
    pool = New("pool_added", {"first": 0, "count": 5, "source": "test", "features": None})
    store.add_items([Item(i, f"i{i}", {"row": {}}) for i in range(5)], pool)
    for answer in answers:
        data = {"item": answer.item, "annotator": answer.person, "label": answer.label, "lease": None, "late": False}
        store.append([New("answered", data, before_key(answer.person) + answer.key)])
    store.close()
    return name


def told(*answers: Answer, number: int = 3) -> Told:
    """What people would remember of these answers."""
    told = Told()
    for place, answer in enumerate(answers):
        told.send(answer)
        told.save(answer, number + place)
    return told


def test_what_is_as_it_should_be_is_not_wrong(tmp_path: Path) -> None:
    name, heard = stored(tmp_path, SAID), told(SAID)
    assert check(name, heard.saved, heard, whole=True) == []


def test_an_answer_on_its_way_is_wrong_at_the_end_alone(tmp_path: Path) -> None:
    name, heard = stored(tmp_path, SAID), Told()
    heard.send(SAID)
    assert check(name, {}, heard) == []
    assert check(name, {}, heard, whole=True) == ["one-3 is in the log and was never called saved"]


@pytest.mark.parametrize(
    ("in_the_log", "remembered", "said"),
    [
        ([], [SAID], "one-3 was called saved and is not in the log"),
        ([dataclasses.replace(SAID, label=0)], [SAID], "one-3 is stored as"),
        ([SAID, dataclasses.replace(SAID, key="again")], [SAID], "a second answer of one to item 3"),
        ([dataclasses.replace(SAID, item=4, key="other"), SAID], [SAID], "one-3 is event 4 and was said to be 3"),
        ([SAID, dataclasses.replace(SAID, item=4, key="other")], [SAID], "other is in the log and was never sent"),
    ],
)
def test_what_is_lost_doubled_changed_or_moved_is_found(
    in_the_log: list[Answer], remembered: list[Answer], said: str, tmp_path: Path
) -> None:
    name, heard = stored(tmp_path, *in_the_log), told(*remembered)
    assert any(said in words for words in check(name, heard.saved, heard))


def test_models_and_rounds_that_are_lost_doubled_or_damaged_are_found(tmp_path: Path) -> None:
    name = stored(tmp_path)
    assert check_models(name) == []
    store = open_store(name, create=False)
    files = open_files(store)
    probs = files.put("probs", np.full((5, 2), 0.5, np.float32))
    scores = {"classes": 2, "rows": 5, "upto": 2, "run": "run-3", "files": {"probs": probs}, "measures": {}}
    begun: dict[str, object] = {
        "scores": None,
        "strategy": "random",
        "budget": 5,
        "parallel": 1,
        "seed": 0,
        "held": [],
        "in_flight": 1,
    }
    for number in (1, 3):
        store.append([New("scores_published", scores | {"version": number})])
        store.append([New("round_opened", begun | {"round": number, "upto": 2})])
    store.close()
    assert check_models(name) == ["scores 2 are called 3", "the rounds are [1, 3]"]
    (files.folder / probs["file"]).write_bytes(b"half")
    assert sum("is not the array that was stored" in words for words in check_models(name)) == 2
