"""What the pages draw and count: strips, curves, paces; each drawing whole, and nothing of the pool as markup in it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from cutpoint.core.strip import Lie
from cutpoint.core.thresholds import order_by_margin
from cutpoint.service.overview.curve_svg import curve_svg
from cutpoint.service.overview.diary import Diary, Pace, curve, table_of
from cutpoint.service.overview.strip_svg import HIGH, MOST_DOTS, WIDE, Answers, strip_svg
from cutpoint.store.events import Event
from served import key, lend, publish, serve_in_memory

SVG = "{http://www.w3.org/2000/svg}"


def drawn(n: int, n_labels: int, name: str = "heron", here: int | None = None) -> ElementTree.Element:
    """A strip of a drawn pool, parsed; the first three labels are disputed."""
    rng = np.random.default_rng(0)
    probs = rng.dirichlet((2, 1), n).astype(np.float32)
    items = rng.permutation(n)[:n_labels]
    labels = (rng.random(n_labels) > probs[items, 0]).astype(np.int64)
    answers = Answers(items, labels, np.arange(n_labels) >= n_labels - 3)
    lie = Lie(probs, 0)
    return ElementTree.fromstring(strip_svg(lie, lie.cut(items, labels), answers, name, here))


def dots(strip: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    """The circles of one kind."""
    return strip.findall(f"{SVG}g[@class='{kind}']/{SVG}circle")


def test_a_strip_has_a_dot_for_every_answer_inside_its_frame() -> None:
    strip = drawn(500, 60, here=7)
    circles = dots(strip, "ours") + dots(strip, "other")
    assert len(circles) == 60
    assert len(dots(strip, "ring")) == 3
    assert all(0 <= float(dot.attrib["cx"]) <= WIDE and 0 <= float(dot.attrib["cy"]) <= HIGH for dot in circles)
    assert strip.findall(f"{SVG}path[@class='here']")
    assert "this item at place" in (strip.findtext(f"{SVG}title") or "")
    assert not drawn(500, 60).findall(f"{SVG}path[@class='here']")


def test_a_strip_of_many_answers_shows_the_latest() -> None:
    strip = drawn(5000, MOST_DOTS + 500)
    assert len(dots(strip, "ours") + dots(strip, "other")) == MOST_DOTS
    assert len(dots(strip, "ring")) == 3


def test_a_strip_without_answers_and_a_pool_of_one_are_drawn() -> None:
    assert not dots(drawn(50, 0), "ours")
    assert drawn(1, 0, here=0).findall(f"{SVG}path[@class='here']")


def test_a_class_named_like_markup_is_text() -> None:
    strip = drawn(50, 5, name="</title><script>alert(1)</script>")
    assert strip.findall(f".//{SVG}script") == []
    assert "<script>" in (strip.findtext(f"{SVG}title") or "")


def test_strips_follow_answers_corrections_and_what_is_taken_back(tmp_path: Path) -> None:
    served = serve_in_memory(60, files=tmp_path)
    publish(served, np.random.default_rng(0).dirichlet((1, 1, 1), 60))
    ada, state, strips = served.client("ada"), served.desk.state, served.front.strips
    lend(served, "ada", 5, 9, 11)
    lend(served, "bo", 5)
    for turn, (item, label) in enumerate([(5, 0), (9, 1), (5, 2), (11, 1)]):
        ada.post("/api/answer", json={"item": item, "label": label, "key": key(turn)})
    known = strips.answers(strips.news(state))
    assert dict(zip(known.items.tolist(), known.labels.tolist(), strict=True)) == {9: 1, 5: 2, 11: 1}
    assert strips.answers(strips.news(state)) is known, "nothing new, nothing done"
    ada.post("/api/undo", json={"item": 9, "key": key(9)})
    assert sorted(strips.answers(strips.news(state)).items.tolist()) == [5, 11]
    served.client("bo").post("/api/answer", json={"item": 5, "label": 1, "key": key(10)})
    disputed = strips.answers(strips.news(state))
    assert disputed.disputed[disputed.items == 5].tolist() == [True]


def test_a_question_says_why_in_numbers_and_where_the_item_lies_in_that_order(tmp_path: Path) -> None:
    served = serve_in_memory(60, files=tmp_path, first=6, budget=8, people={"ada": False, "bo": False})
    ada = served.client("ada")
    assert ada.get("/strips/0.svg").status_code == 204, "before the first model"
    (asked,) = ada.get("/api/next", params={"n": 1}).json()["items"]
    nothing = dict.fromkeys(("class", "threshold", "low", "high", "place"))
    assert asked["because"] == {"strategy": "random", "phase": "random"} | nothing
    for turn in range(6):
        served.desk.tell(served.desk.ask("ada", 1)[0], turn % 3)
    probs = np.random.default_rng(0).dirichlet((1, 1, 1), 60).astype(np.float32)
    publish(served, probs)
    for asked in ada.get("/api/next", params={"n": 3}).json()["items"]:
        why, said = served.desk.explain(asked["item"]), asked["because"]
        assert why is not None
        assert why.class_ is not None
        place = order_by_margin(probs, why.class_).tolist().index(asked["item"]) + 1
        assert said == {
            "strategy": "direct",
            "phase": why.phase,
            "class": why.class_,
            "threshold": why.threshold,
            "low": why.low,
            "high": why.high,
            "place": place,
        }
        if why.low is not None and why.high is not None:
            assert why.low <= place <= why.high + 1, "among the places that were possible"
    publish(served, probs[::-1], 2)
    (held,) = ada.get("/api/next", params={"n": 1}).json()["items"]
    assert held["because"]["class"] is not None
    assert held["because"]["place"] is None, "another order is drawn"


def test_a_class_that_no_model_knows_has_the_strip_that_its_questions_are_chosen_by(tmp_path: Path) -> None:
    served = serve_in_memory(60, files=tmp_path, first=6, budget=8)
    ada, chief = served.client("ada"), served.client("chief")
    for turn in range(6):
        served.desk.tell(served.desk.ask("ada", 1)[0], turn % 3)
    publish(served, np.random.default_rng(0).dirichlet((1, 1, 1), 60))
    served.desk.add_class("stork")
    assert ada.get("/strips/3.svg").status_code == 204, "being drawn"
    served.front.refresh()
    held = [served.desk.ask("ada", 1)[0]]
    while len(held) < 8 and (held[-1].why is None or held[-1].why.class_ != 3):
        served.desk.passed(held[-1], "skip")
        held += served.desk.ask("ada", 1)
    asked = ada.get("/api/next").json()["items"][0]
    assert asked["why"].startswith("No example of “stork” is known yet")
    assert asked["strip"] == f"/strips/3.svg?item={asked['item']}"
    strip = ElementTree.fromstring(ada.get(asked["strip"]).text)
    said = strip.findtext(f"{SVG}title") or ""
    assert said.startswith("end of “stork”, in places from the left: no example is known yet; this item at place ")
    assert not strip.findall(f"{SVG}line[@class='cut']"), "no place is better than another"
    assert len(dots(strip, "other")) == 6
    dashboard = chief.get("/dashboard").text
    assert dashboard.count('class="strip c') == 4
    assert dashboard.count('<span class="small">no example is known yet</span>') == 1
    assert ada.get("/strips/4.svg").status_code == 400, "there is no such class"
    served.desk.tell(held[-1], "stork")
    assert "in places from the left: no example" not in ada.get("/strips/3.svg").text


@pytest.mark.parametrize("points", [[(20, 0.5)], [(20, 0.5), (40, 0.9)], [(20, 0.4), (20, 0.6)], [(0, 1.0), (5, 1.0)]])
def test_a_curve_stays_in_its_frame(points: list[tuple[int, float]]) -> None:
    curve = ElementTree.fromstring(curve_svg(points, "accuracy"))
    line = curve.find(f"{SVG}polyline")
    assert line is not None
    places = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert len(places) == len(dict(points))
    assert all(0 <= x <= 640 and 0 <= y <= 220 for x, y in places)


@pytest.mark.parametrize(
    ("points", "across", "up"),
    [
        ([(6, 0.4), (7, 0.52)], ["6", "7"], ["25 %", "50 %", "75 %", "100 %"]),
        ([(27, 0.87), (52, 0.96), (127, 0.98)], ["40", "60", "80", "100", "120"], ["85 %", "90 %", "95 %", "100 %"]),
        ([(20, 0.62), (4000, 0.9)], ["1,000", "2,000", "3,000", "4,000"], [f"{v} %" for v in range(60, 101, 10)]),
        ([(5, 1.0), (15, 1.0)], ["6", "8", "10", "12", "14"], ["95 %", "100 %"]),
    ],
)
def test_a_curve_is_marked_at_round_numbers(points: list[tuple[int, float]], across: list[str], up: list[str]) -> None:
    curve = ElementTree.fromstring(curve_svg(points, "accuracy"))
    marks = [text.text or "" for text in curve.findall(f"{SVG}text")]
    assert [mark for mark in marks if mark.endswith("%")] == up
    assert [mark for mark in marks if mark[0].isdigit() and not mark.endswith("%")] == across
    assert "labels" in marks


def test_a_pace_leaves_pauses_out_and_a_curve_is_over_labels() -> None:
    diary = Diary()
    about = {"annotator": "ada", "label": 0, "lease": "1", "late": False}
    times = [0.0, 2.0, 4.0, 7.0, 4000.0, 4002.0]
    for number, at in enumerate(times, 1):
        diary.apply(Event(number, at, "answered", about | {"item": number}, None))
    published = {"version": 1, "upto": 3, "measures": {"balanced_accuracy": 0.5, "labels": 3.0}}
    diary.apply(Event(7, 4003.0, "scores_published", published, None))
    assert diary.pace("ada").seconds() == 2.0
    assert diary.pace("ada").last_hour(4010.0) == 2
    assert curve(diary.points, "balanced_accuracy") == [(3, 0.5)]
    assert curve(diary.points, "accuracy") == []
    assert diary.points[0].when == "1970-01-01 01:06 UTC"


def test_what_was_foreseen_is_said_of_the_model_that_foresaw_it() -> None:
    diary = Diary()
    added = {"foreseen": 0.5, "foreseen_classes": 1.0, "foreseen_added": 3.0}
    told: list[dict[str, float]] = [{}, {"foreseen": 0.2, "foreseen_classes": 1.0}, {"foreseen": 0.9}, added]
    for version, measures in enumerate(told, 1):
        data = {"version": version, "upto": version, "measures": {"labels": 20.0 * version, **measures}}
        diary.apply(Event(version, float(version), "scores_published", data, None))
    assert curve(diary.points, "foreseen") == [(20, 0.2), (40, 0.9), (60, 0.5)]
    titles, rows = table_of(diary.points, ("other", "heron"))
    assert titles == ["model", "when", "labels that it knows", "labels foreseen"]
    uncounted = "50 % (1 of 2 classes; not counting 3 labels of classes that were added since)"
    assert [row[-1] for row in rows] == ["20 % (1 of 2 classes)", "90 %", uncounted, "–"]


def test_an_answer_that_was_taken_back_is_none() -> None:
    diary = Diary()
    about = {"item": 0, "annotator": "ada", "label": 0, "lease": "1", "late": False}
    for number in (3, 5, 7):
        diary.apply(Event(number, float(number), "answered", about, None))
        diary.apply(Event(number + 1, number + 0.5, "taken_back", {"item": 0, "annotator": "ada"}, None))
    assert diary.pace("ada").last_hour(10.0) == 0
    diary.apply(Event(9, 9.0, "answered", about, None))
    assert diary.pace("ada").last_hour(10.0) == 1
    diary.apply(Event(10, 9.0, "answered", about | {"item": 5, "lease": None, "late": True}, None))
    diary.apply(Event(11, 9.0, "answered", about | {"item": 6, "lease": None}, None))
    assert diary.pace("ada").last_hour(10.0) == 2, "late is asked, brought along is not"


def test_the_last_hour_of_a_quick_person_is_counted_whole() -> None:
    pace = Pace()
    for item in range(1800):  # one every two seconds
        pace.answered(item, 2.0 * item)
    assert pace.last_hour(3599.0) == 1800


def test_who_is_told_nothing_of_others_is_told_of_their_own_examples(tmp_path: Path) -> None:
    served = serve_in_memory(60, files=tmp_path, first=6, overlap=2, people={"ada": False, "chief": True})
    served.desk.import_labels(list(range(9)), [turn % 3 for turn in range(9)], "old.csv")
    publish(served, np.random.default_rng(0).dirichlet((1, 1, 1), 60))
    served.front.refresh()
    own, all_ = (
        ElementTree.fromstring(served.client(name).get("/strips/1.svg").text).findtext(f"{SVG}title") or ""
        for name in ("ada", "chief")
    )
    assert "you have named no example yet" in own
    assert "possible" in all_
