"""What a script hands to a campaign: numbers of numpy are numbers; what is no text is refused, and nothing is done."""

from __future__ import annotations

import csv
import inspect
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint import Campaign, UsageError
from cutpoint.service.desk.desk import Desk
from cutpoint.store.events import KINDS, TEXTS, New, check
from cutpoint.store.memory import MemoryStore

NAMED = (
    "annotator",
    "by",
    "source",
    "key",
    "why",
    "hash",
    "name",
    "text",
    "lease",
    "form",
)  # parameters that are texts
VALID: dict[str, dict[str, Any]] = {
    "ask": {"annotator": "ann", "n": 1},
    "tell": {"item": 2, "label": 1, "annotator": "ann", "key": "one"},
    "passed": {"item": 2, "why": "skip", "annotator": "ann", "key": "one"},
    "take_back": {"item": 0, "annotator": "ann", "key": "one"},
    "extend": {"lease": "1"},
    "give_back": {"lease": "1"},
    "add_pool": {"ids": ["more"], "source": "a file"},
    "add_class": {"name": "crane"},
    "add_annotator": {"annotator": "bob"},
    "make_link": {"annotator": "ann", "hash": "another"},
    "revoke_link": {"hash": "first"},
    "set_guideline": {"text": "Look twice."},
    "import_labels": {"items": [3], "labels": [1], "source": "a file"},
    "adjudicate": {"item": 0, "label": 1, "by": "boss"},
    "release": {"item": 1, "by": "boss"},
    "release_all": {"by": "boss"},
    "export": {"path": "labels.csv", "form": "csv"},
}
"""Of each public method that takes a text: arguments with which it does something, in the campaign below."""


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Campaign]:
    """One with an answer of ann's (item 0), a pass (1), a lease and a link."""
    monkeypatch.chdir(tmp_path)
    with Campaign(MemoryStore(), ["other", "heron"], train="off", overlap=2) as made:
        made.add_pool(ids=[f"i{i}" for i in range(5)])
        made.tell(0, 0, annotator="ann")
        made.passed(1, annotator="ann")
        made.ask(annotator="ann")
        made.desk.make_link("ann", "first")
        yield made


def kinds(campaign: Campaign) -> list[str]:
    """What is in the log."""
    return [event.kind for event in campaign._store.events()]


def texts() -> Iterator[Any]:
    """Every text that a public method takes."""
    for owner in (Campaign, Desk):
        for method, function in inspect.getmembers(owner, inspect.isfunction):
            if not method.startswith("_"):
                for name, parameter in inspect.signature(function).parameters.items():
                    if name in NAMED:
                        optional = "None" in parameter.annotation
                        yield pytest.param(owner, method, name, optional, id=f"{owner.__name__}.{method}-{name}")


@pytest.mark.parametrize(("owner", "method", "name", "optional"), list(texts()))
def test_what_is_no_text_is_refused_in_a_sentence_and_nothing_is_done(
    owner: type, method: str, name: str, optional: bool, campaign: Campaign
) -> None:
    call = getattr(campaign if owner is Campaign else campaign.desk, method)
    before = kinds(campaign)
    for value in (5, ["text"], b"text", *(() if optional else (None,))):
        with pytest.raises(UsageError, match=r"must be (a )?text|there is no") as caught:
            call(**VALID[method] | {name: value})
        assert repr(value) in str(caught.value)
    assert kinds(campaign) == before
    call(**VALID[method])  # it was the text alone
    assert kinds(campaign) != before or method in ("ask", "export")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": 5}, "name is 5; it must be text"),
        ({"guideline": 5}, "guideline is 5; it must be text"),
        ({"strategy": None}, "strategy is None; it must be text"),
        ({"learner": None}, "learner is None; it must be text"),
        ({"kind": None}, "there is no kind of item 'None'"),
        ({"classes": 5}, r"classes is 5; it must be a list of names"),
        ({"classes": {"other"}}, r"classes is \{'other'\}; it must be a list of names"),
        ({"classes": "ab"}, "classes is 'ab'; it must be a list of names"),
        ({"classes": iter(())}, "classes is .*; it must be a list of names"),
        ({"lease_seconds": "60"}, "lease_seconds is '60'; it must be a number of seconds above 0"),
        ({"lease_seconds": 10**400}, "lease_seconds is 10+; it must be a number of seconds above 0"),
        ({"lease_seconds": np.float32("nan")}, "lease_seconds is .*nan.*; it must be a number of seconds above 0"),
        ({"lease_seconds": np.True_}, "lease_seconds is .*True.*; it must be a number of seconds above 0"),
    ],
)
def test_a_campaign_with_such_settings_is_not_made(settings: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        Campaign(tmp_path / "birds.db", **{"classes": ["other", "heron"], "train": "off", **settings})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("where", [5, None, ["birds.db"], b"birds.db"])
def test_a_campaign_is_at_a_name_an_address_or_a_store(where: Any) -> None:
    with pytest.raises(UsageError, match=r"where is .*; it must be a name, a path, an address or a Store"):
        Campaign(where, ["other", "heron"], train="off")


def test_numbers_of_numpy_are_stored_as_numbers(campaign: Campaign) -> None:
    changes = {"budget": np.int64(5), "overlap": np.uint8(3), "lease_seconds": np.float32(30), "parallel": np.int32(2)}
    campaign.desk.change(**changes)
    assert list(campaign._store.events())[-1].data == {"budget": 5, "overlap": 3, "lease_seconds": 30, "parallel": 2}
    campaign.desk.change(lease_seconds=np.int64(60), budget=None)
    made = campaign.desk.state.made
    assert (made.budget, made.overlap, made.lease_seconds, made.parallel) == (None, 3, 60, 2)
    assert all(type(number) in (int, float) for number in (made.overlap, made.lease_seconds, made.parallel))


def test_a_new_campaign_takes_numbers_and_arrays_of_numpy_and_any_iterable_of_classes() -> None:
    settings = {"seed": np.uint32(7), "lease_seconds": np.int64(60), "first": np.int16(3)}
    for classes in (np.array(["other", "heron"]), (name for name in ("other", "heron"))):
        store = MemoryStore()
        limit: Any = np.int32(9)
        Campaign(store, classes, train="off", training_limit=limit, **settings).close()  # type: ignore[arg-type]
        data = next(iter(store.events())).data
        assert [data[name] for name in ("classes", *settings)] == [["other", "heron"], 7, 60, 3]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"foo": 2}, "has foo; its fields must be any of budget, lease_seconds, overlap, parallel, strategy"),
        ({"seed": 3}, "has seed; its fields must be any of budget"),
        ({}, "has no field; its fields must be any of budget"),
        ({"strategy": None}, "strategy is None; it must be text"),
        ({"strategy": ["direct"]}, r"strategy is \['direct'\]; it must be text"),
        ({"budget": 5, "overlap": 0}, "overlap is 0; it must be a whole number of at least 1"),
    ],
)
def test_changes_that_cannot_be_meant_change_nothing(changes: dict[str, Any], words: str, campaign: Campaign) -> None:
    before = kinds(campaign)
    with pytest.raises(UsageError, match=words):
        campaign.desk.change(**changes)
    assert kinds(campaign) == before


@pytest.mark.parametrize("field", sorted(TEXTS))
def test_every_event_holds_text_where_people_say_something(field: str) -> None:
    kind = next(kind for kind, fields in KINDS.items() if field in fields)
    data = dict.fromkeys(KINDS[kind], "")
    check(New(kind, data | {"items": [], "labels": []}) if kind == "labels_imported" else New(kind, data))
    with pytest.raises(UsageError, match=f"{field} is None; it must be text"):
        check(New(kind, data | {field: None}))


@pytest.mark.parametrize("wrong", [5, None, "i3"])
def test_labels_from_elsewhere_come_in_anything_that_is_gone_through(wrong: Any, campaign: Campaign) -> None:
    before = kinds(campaign)
    with pytest.raises(UsageError, match=r"items is .*; it must be a list, such as"):
        campaign.import_labels(wrong, [1])
    with pytest.raises(UsageError, match=r"labels is .*; it must be a list, such as"):
        campaign.import_labels([3], wrong)
    assert kinds(campaign) == before
    assert campaign.import_labels(iter(["i3", "i4"]), iter(["heron", "other"])) == 2
    assert campaign.labels["i3"] == "heron"


def rows(path: Path) -> list[dict[str, Any]]:
    """What an export holds."""
    if path.suffix == ".parquet":
        table: list[dict[str, Any]] = pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()
        return table
    lines = path.read_text().splitlines()
    return list(csv.DictReader(lines)) if path.suffix == ".csv" else [json.loads(line) for line in lines]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_history_is_written_whatever_its_people_and_files_are_called(form: str, campaign: Campaign) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    campaign.import_labels([3], [1], source="caf\udce9.csv")  # as a file is called whose name is not UTF-8
    campaign.desk.adjudicate(0, 1, by="boss")
    store, older = campaign._store, MemoryStore()  # an older Cutpoint stored whatever it was given
    assert isinstance(store, MemoryStore)
    events = [replace(event, data={**event.data, "by": 5}) if "by" in event.data else event for event in store.events()]
    older.restore(events, store.items(range(5)))
    with Campaign(older, train="off") as opened:
        opened.export(f"history.{form}", history=True)
    assert [row["who"] for row in rows(Path(f"history.{form}"))] == ["ann", "ann", "caf?.csv", "5"]
