"""What a class that is added in the middle of a campaign means to questions, counts, agreement and the report."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np

from cutpoint.service.desk.desk import Desk
from cutpoint.service.overview.agreement import agreement
from cutpoint.service.overview.report import page
from cutpoint.service.overview.standing import read
from cutpoint.service.overview.strips import Strips
from cutpoint.service.training.training import measured
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from desks import FakeClock, a_desk, a_store, publish


def told(desk: Desk, label: int | str, annotator: str = "ann") -> int:
    """Answer one question; its item."""
    ask = desk.ask(annotator, 1)[0]
    desk.tell(ask, label)
    return ask.item


def section(text: str, name: str) -> list[list[str]]:
    """The rows of the tables in a section of a report, as text."""
    part = re.search(rf'<section id="{name}">(.*?)</section>(?=<section id|</main>)', text, re.DOTALL)
    assert part is not None
    rows = re.findall(r"<tr>(.*?)</tr>", part[1], re.DOTALL)
    return [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)]
        for row in rows
    ]


def test_questions_that_are_open_are_answered_with_a_class_that_came_since() -> None:
    desk = a_desk()
    asks = desk.ask("ann", 2)
    desk.add_class("crane")
    assert desk.tell(asks[0], "crane").status == "saved"
    assert desk.ask("ann", 2)[0].item == asks[1].item, "what somebody holds stays with them"
    assert desk.tell(asks[1], 2).label == 2
    assert desk.status().found == (0, 0, 2)


def test_a_class_of_another_process_is_taken_at_once() -> None:
    desk = a_desk()
    item = desk.ask("ann", 1)[0]
    desk._store.append([New("class_added", {"name": "crane"}), New("class_added", {"name": "stork"})])
    assert desk.tell(item, "stork").label == 3
    desk._store.append([New("class_added", {"name": "ibis"})])
    desk.adjudicate(item.item, 4, by="chief")
    assert desk.status().found == (0, 0, 0, 0, 1)


def test_questions_from_before_a_class_came_say_nothing_of_it(tmp_path: Path) -> None:
    store = a_store(60, first=30)
    desk = Desk(store, ArrayFiles(tmp_path))
    for turn in range(20):
        told(desk, int(turn < 4))
    desk.add_class("crane")
    _, heron, crane = read(store)[1].rates
    assert (heron.at_random, heron.asked) == (0.2, 20)
    assert (crane.at_random, crane.chosen, crane.in_pool, crane.random_needs) == (None, None, None, None)
    assert (crane.found, crane.asked) == (0, 0)
    for turn in range(10):
        told(desk, 2 if turn < 5 else 0)
    _, heron, crane = read(store)[1].rates
    assert (heron.at_random, heron.asked) == (4 / 30, 30)
    assert (crane.at_random, crane.asked) == (0.5, 10), "only the questions since"
    publish(store, tmp_path, np.random.default_rng(0).dirichlet((1, 1, 1), 60).astype(np.float32))
    desk.tick()
    told(desk, 1)
    desk.add_class("stork")
    stork = read(store)[1].rates[3]
    assert (stork.at_random, stork.chosen, stork.in_pool) == (None, None, None)


def test_nobody_takes_a_class_for_another_that_nobody_saw(tmp_path: Path) -> None:
    store = a_store(20, overlap=2)
    desk = Desk(store)
    for item in range(8):
        for who in ("ann", "bob"):
            desk.tell(item, int(item % 2), annotator=who)
    desk.add_class("crane")
    assert agreement(desk.state).seen.tolist() == [[4, 4, 0], [4, 4, 0]]
    rows = section(page(store, ArrayFiles(tmp_path)), "confusion")
    assert [row for row in rows if row[0] == "crane"] == [["crane", "–", "–", "–"]] * 2
    assert "–" not in "".join(cell for row in rows if row[0] != "crane" for cell in row)
    for who in ("ann", "bob"):
        desk.tell(9, "crane", annotator=who)
    rows = section(page(store, ArrayFiles(tmp_path)), "confusion")
    assert all(row[3].endswith(" %") for row in rows if row[0] == "crane")


def test_the_report_of_a_class_without_an_example_says_so(tmp_path: Path) -> None:
    store = a_store(30, first=4)
    desk = Desk(store, ArrayFiles(tmp_path))
    for turn in range(4):
        told(desk, turn % 2)
    publish(store, tmp_path, np.random.default_rng(0).dirichlet((1, 1), 30).astype(np.float32))
    desk.tick()
    desk.add_class("crane")
    text = page(store, ArrayFiles(tmp_path))
    assert text.count('class="strip c') == 3
    assert "end of “crane”, in places from the left: no example is known yet" in text
    assert section(text, "found")[3] == ["crane", "0", *["–"] * 6]


def test_a_training_that_began_before_a_class_came_serves_all_the_same(tmp_path: Path) -> None:
    store = a_store(40, first=6, budget=6)
    files = ArrayFiles(tmp_path)
    desk = Desk(store, files)
    for turn in range(6):
        told(desk, turn % 2)
    upto = store.last()
    store.append([New("training_started", {"run": "r1", "upto": upto, "learner": "logistic"})])
    desk.add_class("crane")
    told(desk, "crane")
    probs = np.random.default_rng(0).dirichlet((1, 1), 40).astype(np.float32)
    publish(store, tmp_path, probs)
    store.append([New("training_finished", {"run": "r1", "version": 1})])
    desk.tick()
    reasons = [desk.explain(told(desk, 2)) for _ in range(12)]
    assert {why.class_ for why in reasons if why is not None} == {0, 1, 2}, "it is asked for, too"
    assert (desk.status().model, desk.status().trouble) == (1, "")
    strips = Strips(files)
    strips.refresh(desk.state)
    assert len(strips) == 3
    known = strips.answers(strips.news(desk.state))
    assert strips.draw(2, desk.state.made.classes, known).cut.ours == desk.status().found[2] == 13


def test_no_model_could_foresee_a_class_that_was_added_after_it(tmp_path: Path) -> None:
    store, files = a_store(60), ArrayFiles(tmp_path)
    desk = Desk(store, files, clock=FakeClock())
    first = np.linspace(0.6, 0.9, 60, dtype=np.float32)
    publish(store, tmp_path, np.column_stack([first, 1 - first]))
    desk.tick()
    desk.add_class("egret")
    for item in (3, 4):
        desk.tell(item, "egret", annotator="ada")
    assert not {"foreseen", "foreseen_added"} & measured(desk.state, files, desk.state.ballots.labels).keys()
    desk.tell(5, 0, annotator="ada")
    said = measured(desk.state, files, desk.state.ballots.labels)
    assert (said["foreseen"], said["foreseen_classes"], said["foreseen_added"]) == (1.0, 1.0, 2.0)
    desk.tell(6, 1, annotator="ada")
    said = measured(desk.state, files, desk.state.ballots.labels)
    assert (said["foreseen"], said["foreseen_classes"], said["foreseen_added"]) == (0.5, 2.0, 2.0)
