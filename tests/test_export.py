"""What is exported is what the log says: one row an item, and one row an event with `history`."""

from __future__ import annotations

from typing import Any

import pytest

from cutpoint.data.pools.columns import HISTORY, LABELS
from cutpoint.data.pools.given import Labelled
from cutpoint.service.begin import label_events
from cutpoint.service.log.settings import Settings
from cutpoint.service.overview.export import Told, moment
from cutpoint.service.overview.sentences import sentence
from cutpoint.service.overview.standing import read
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.memory import MemoryStore

IDS = ["=cmd()", "b.png", "c.png", "d.png", "e.png", "f.png"]
ITEMS = [Item(i, name, {"text": f"text {i}"}) for i, name in enumerate(IDS)]


def said(kind: str, item: int, annotator: str, label: int, **more: Any) -> New:
    """An answer or a correction."""
    about = {"lease": None, "late": False} if kind == "answered" else {}
    return New(kind, {"item": item, "annotator": annotator, "label": label, **about, **more})


@pytest.fixture
def store() -> MemoryStore:
    """A campaign in which everything happens that a label can live through."""
    store = MemoryStore()
    store.append([Settings("birds", ("other", "heron"), kind="text", overlap=2).created()])
    pool = New("pool_added", {"first": 0, "count": len(ITEMS), "source": "drawn", "features": None})
    store.add_items(ITEMS, pool)
    store.append(
        [
            New("labels_imported", {"items": [3, 0], "labels": [1, 0], "source": "old.csv"}),
            said("answered", 1, "ann", 1),
            said("answered", 1, "bob", 0, late=True),
            said("answered", 2, "ann", 1),
            New("passed", {"item": 5, "annotator": "bob", "why": "unsure", "lease": None, "late": False}),
            said("corrected", 2, "ann", 0, was=1),
            said("answered", 4, "ann", 1),
            New("taken_back", {"item": 4, "annotator": "ann"}),
            New("adjudicated", {"item": 1, "label": 1, "by": "eve"}),
            New("released", {"item": 5, "by": "eve"}),
        ]
    )
    return store


def test_a_row_an_item_says_label_votes_and_source(store: MemoryStore) -> None:
    rows = list(Told(store).labels())
    assert [list(row) for row in rows] == [list(LABELS)] * 4
    short = [(row["id"], row["label"], row["votes"], row["agreement"], row["source"], row["settled"]) for row in rows]
    assert short == [
        ("=cmd()", "other", 1, 1.0, "imported", True),
        ("b.png", "heron", 2, 0.5, "adjudicated", True),
        ("c.png", "other", 1, 1.0, "people", False),  # two answers are wanted
        ("d.png", "heron", 1, 1.0, "imported", True),
    ]
    assert not any(row["disputed"] for row in rows)  # it was decided
    times = {event.number: moment(event.at) for event in store.events()}
    assert (rows[1]["first"], rows[1]["last"]) == (times[4], times[11])
    assert (rows[2]["first"], rows[2]["last"]) == (times[6], times[8])


def test_an_export_and_the_status_count_in_the_same_words(store: MemoryStore) -> None:
    store.append([New("passed", {"item": 2, "annotator": "bob", "why": "skip", "lease": None, "late": False})])
    store.append([said("answered", 4, "eve", 0)])
    more = "1 waiting for more answers, 1 held with an answer"
    assert Told(store).sentence(5) == f"5 items: 3 labelled, {more}"
    _, now = read(store)
    assert sentence(now.status) == "3 of 6 items labelled, 1 waiting for more answers, 1 held, 1 left"
    assert [(p.name, p.answers, p.passed, p.corrected, p.late) for p in now.status.people] == [
        ("ann", 2, 0, 1, 0),  # the answer that was taken back is none
        ("bob", 1, 1, 0, 1),  # the pass that was released is none
        ("eve", 1, 0, 0, 0),
    ]


def test_disputed_is_what_people_differ_on(store: MemoryStore) -> None:
    store.append([said("answered", 4, "ann", 1), said("answered", 4, "bob", 0)])
    row = next(row for row in Told(store).labels() if row["id"] == "e.png")
    assert (row["disputed"], row["agreement"], row["label"]) == (True, 0.5, "heron")


def test_a_label_is_from_where_its_class_was_said(store: MemoryStore) -> None:
    store.append([said("answered", 4, "ann", 1), New("labels_imported", {"items": [4], "labels": [0], "source": "x"})])
    row = next(row for row in Told(store).labels() if row["id"] == "e.png")
    assert (row["label"], row["source"], row["settled"], row["disputed"]) == ("heron", "people", True, True)
    store.append([said("answered", 4, "bob", 0)])
    row = next(row for row in Told(store).labels() if row["id"] == "e.png")
    assert (row["label"], row["source"]) == ("other", "imported")


def test_the_history_is_every_event_of_every_label(store: MemoryStore) -> None:
    rows = list(Told(store).history())
    assert [list(row) for row in rows] == [list(HISTORY)] * 11
    short = [(row["number"], row["id"], row["what"], row["who"], row["label"], row["was"], row["why"]) for row in rows]
    assert short == [
        (3, "d.png", "imported", "old.csv", "heron", None, None),
        (3, "=cmd()", "imported", "old.csv", "other", None, None),
        (4, "b.png", "answered", "ann", "heron", None, None),
        (5, "b.png", "answered", "bob", "other", None, None),
        (6, "c.png", "answered", "ann", "heron", None, None),
        (7, "f.png", "passed", "bob", None, None, "unsure"),
        (8, "c.png", "corrected", "ann", "other", "heron", None),
        (9, "e.png", "answered", "ann", "heron", None, None),
        (10, "e.png", "taken back", "ann", None, None, None),
        (11, "b.png", "adjudicated", "eve", "heron", None, None),
        (12, "f.png", "released", "eve", None, None, None),
    ]
    assert [row["late"] for row in rows[2:4]] == [False, True]


def test_rows_have_the_kinds_that_are_said(store: MemoryStore) -> None:
    told = Told(store)
    for kinds, rows in ((LABELS, told.labels()), (HISTORY, told.history())):
        for row in rows:
            assert all(row[name] is None or type(row[name]) is kind for name, kind in kinds.items()), row


def test_tasks_say_who_said_what(store: MemoryStore) -> None:
    tasks = {item.id: (said, decided) for item, said, decided in Told(store).tasks()}
    assert tasks["b.png"] == ({"ann": "heron", "bob": "other"}, "heron")
    assert tasks["d.png"] == ({"": "heron"}, None)


def test_moments_are_utc_to_the_microsecond() -> None:
    assert moment(0.25) == "1970-01-01T00:00:00.250000Z"


def test_labels_of_people_become_their_answers_and_others_imports() -> None:
    ((news,), ((answered,),)) = (
        list(label_events(Labelled(None, [2, 0], [1, 0]), "a.csv")),
        list(label_events(Labelled("ann", [2], [1]), "a.csv")),
    )
    assert news[0].data == {"items": [2, 0], "labels": [1, 0], "source": "a.csv"}
    ((decided,),) = label_events(Labelled(None, [2], [1], True), "a.csv")
    assert decided.data == {"items": [2], "labels": [1], "source": "a.csv", "decided": True}
    assert answered.data == {"item": 2, "annotator": "ann", "label": 1, "lease": None, "late": False}
    many = list(label_events(Labelled(None, list(range(25_000)), [0] * 25_000), "a.csv"))
    assert [len(lot[0].data["items"]) for lot in many] == [10_000, 10_000, 5_000]
