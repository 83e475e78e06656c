"""Labels that travel by export and import keep their weight: decisions stay decisions, and ties stay as they were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from campaign_command import command, printed
from cutpoint.data.pools.columns import LABELS
from cutpoint.data.pools.given import read_given
from cutpoint.data.pools.label_studio import task
from cutpoint.service.begin import import_file
from cutpoint.service.log.settings import Settings
from cutpoint.service.log.state import State
from cutpoint.service.overview.export import Told, write
from cutpoint.service.overview.standing import read
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.memory import MemoryStore
from cutpoint.testing.stores import pool_of

CLASSES = ("other", "heron")
IDS = [f"i{n}" for n in range(8)]


def a_store() -> MemoryStore:
    """A campaign in which two people are to answer each of eight items, and nothing said."""
    store = MemoryStore()
    store.append([Settings("birds", CLASSES, kind="text", overlap=2).created()])
    items = [Item(i, name, {"text": name}) for i, name in enumerate(IDS)]
    store.add_items(items, pool_of(items))
    return store


def answered(item: int, person: str, label: int) -> New:
    """An answer."""
    return New("answered", {"item": item, "annotator": person, "label": label, "lease": None, "late": False})


@pytest.fixture
def worked() -> MemoryStore:
    """A campaign with decisions for, against and without a majority, a tie, an imported label, and half an answer."""
    store = a_store()
    store.append([New("labels_imported", {"items": [3, 4], "labels": [1, 0], "source": "old.csv"})])
    said = [(0, "ann", 0), (0, "bob", 0), (1, "bob", 1), (1, "ann", 0), (2, "ann", 0), (2, "bob", 1), (4, "ann", 1)]
    store.append([answered(*each) for each in [*said, (5, "ann", 1)]])
    store.append([New("adjudicated", {"item": i, "label": 1, "by": "eve"}) for i in (0, 2, 4, 6)])
    return store


def told(store: MemoryStore) -> list[tuple[Any, ...]]:
    """What an export says of each item."""
    return [(row["id"], row["label"], row["source"], row["settled"], row["disputed"]) for row in Told(store).labels()]


def test_decisions_and_ties_travel_by_label_studios_tasks(worked: MemoryStore, tmp_path: Path) -> None:
    write(Told(worked), tmp_path / "out.json", "label-studio")
    other = a_store()
    import_file(other, tmp_path / "out.json")
    assert told(other) == told(worked)
    assert told(worked)[0] == ("i0", "heron", "adjudicated", True, False)
    for attribute in ("votes", "found", "disputes"):
        assert getattr(State(other.events()).ballots, attribute) == getattr(State(worked.events()).ballots, attribute)
    assert import_file(other, tmp_path / "out.json").new == 0
    assert import_file(worked, tmp_path / "out.json").new == 0


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_decisions_travel_by_an_export_and_outweigh_whatever_is_answered(
    worked: MemoryStore, tmp_path: Path, form: str
) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    place = tmp_path / f"out.{form}"
    write(Told(worked), place, form)
    other = a_store()
    taken = import_file(other, place)
    assert (taken.new, taken.known) == (6, 0)
    assert taken.notes == (
        f"1 row of out.{form} was left out: its item is not settled yet (settled is false); what each "
        "person said travels by an export to .json",
    )
    assert not State(other.events()).ballots.votes.keys() & {5}
    other.append([answered(i, who, 0) for i in (0, 2, 6) for who in ("ann", "bob", "cem")])
    assert [row[:3] for row in told(other) if row[0] in ("i0", "i2", "i6")] == [
        (name, "heron", "adjudicated") for name in ("i0", "i2", "i6")
    ]
    assert import_file(worked, place).new == 0


def test_an_imported_decision_is_a_decision_of_nobody_here(worked: MemoryStore, tmp_path: Path) -> None:
    write(Told(worked), tmp_path / "out.json", "label-studio")
    other = a_store()
    import_file(other, tmp_path / "out.json")
    lots = [event.data for event in other.events() if event.data.get("decided")]
    assert sorted(item for data in lots for item in data["items"]) == [0, 2, 4, 6]
    assert {data["source"] for data in lots} == {"out.json"}
    history = [row for row in Told(other).history() if row["what"] == "adjudicated"]
    assert sorted((row["id"], row["who"], row["label"]) for row in history) == [
        (name, "out.json", "heron") for name in ("i0", "i2", "i4", "i6")
    ]


def test_an_imported_decision_is_no_question_that_was_drawn() -> None:
    """Or what somebody decided elsewhere, who looked for herons, would count as found by chance."""
    store = a_store()
    about = {"round": 1, "scores": None, "strategy": "random", "budget": 8, "parallel": 1, "seed": 0, "upto": 2}
    store.append([New("round_opened", about | {"held": [], "in_flight": 8})])
    store.append([New("asked", {"round": 1, "items": [0, 1, 2], "why": [None] * 3})])
    store.append([answered(i, who, 0) for i in (0, 1) for who in ("ann", "bob")])
    before = read(store)[1].rates[1].at_random
    store.append([New("labels_imported", {"items": [2], "labels": [1], "source": "x", "decided": True})])
    assert read(store)[1].rates[1].at_random == before == 0.0


def test_a_ground_truth_is_a_decision_and_what_somebody_said(tmp_path: Path) -> None:
    entry = task("i1", {"text": "t"}, {"ann": "other"}, "heron")
    ours = entry["annotations"][1]
    assert (ours["ground_truth"], ours["result"][0]["meta"]) == (True, {"annotator": ""})
    theirs = {"completed_by": 7, "ground_truth": True, "result": [ours["result"][0] | {"meta": {}}]}
    (tmp_path / "a.json").write_text(json.dumps([entry, {"data": {"cutpoint_id": "i2"}, "annotations": [theirs]}]))
    lots = read_given(tmp_path / "a.json", find, CLASSES).lots
    assert lots == [("ann", [1], [0], False), ("7", [2], [1], False), (None, [1, 2], [1, 1], True)]


def find(ids: Sequence[str]) -> list[int | None]:
    """Indices of ids."""
    return [IDS.index(name) if name in IDS else None for name in ids]


def test_a_file_of_ones_own_with_a_column_settled_is_no_export(tmp_path: Path) -> None:
    """Only what has all columns of an export is read as one; whoever gives a column its name is told what it is not."""
    path = tmp_path / "own.csv"
    path.write_text("id,label,settled,source\ni1,heron,false,adjudicated\ni2,other,true,people\n")
    given = read_given(path, find, CLASSES)
    assert given.lots == [(None, [1, 2], [1, 0], False)]
    (note,) = given.notes
    assert note.startswith("own.csv has a column settled, but is no export: it lacks index, votes, agreement, ")


def test_a_file_in_which_nothing_is_settled_says_so(worked: MemoryStore, tmp_path: Path) -> None:
    lines = [",".join(LABELS), "i7,7,heron,1,1.0,false,false,people,,"]
    (tmp_path / "half.csv").write_text("\n".join(lines))
    taken = import_file(worked, tmp_path / "half.csv")
    assert (taken.new, taken.known, len(taken.notes)) == (0, 0, 1)


def test_the_commands_say_what_is_new_and_what_was_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    Path("texts.csv").write_text("id,body\n" + "".join(f"i{i},bird {i}\n" for i in range(8)))
    rows = ["i1,1,heron,2,0.5,false,true,adjudicated,,", "i2,2,other,1,1.0,false,false,people,,"]
    Path("out.csv").write_text("\n".join([",".join(LABELS), *rows]))
    begin = ["init", "birds", "--csv", "texts.csv", "--text", "body", "--classes", "other,heron"]
    left_out = "1 row of out.csv was left out: its item is not settled yet"
    assert left_out in " ".join(command(capsys, *begin, "--import", "out.csv").split())
    assert left_out in command(capsys, "import", "birds", "out.csv")
    assert "nothing new in out.csv: 1 label is there already" in command(capsys, "import", "birds", "out.csv")
    assert printed(capsys, "status", "birds")["status"]["found"] == [0, 1]
    command(capsys, "export", "birds", "-o", "own.csv")
    assert command(capsys, "import", "birds", "own.csv") == "nothing new in own.csv: 1 label is there already\n"
    Path("more.csv").write_text("id,label\ni1,heron\ni4,other\n")
    assert (
        command(capsys, "import", "birds", "more.csv") == "1 label taken in from more.csv; 1 label is there already\n"
    )
