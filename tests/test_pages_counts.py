"""The numbers on the pages agree with one another, with the status and with the report."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from cutpoint.service.overview.report import page as report
from cutpoint.service.web.shown import reason
from cutpoint.store.events import New
from cutpoint.types import Why
from served import Served, first_item, key, lend, publish, serve_in_memory


def counted(html: str) -> dict[str, int]:
    """What the dashboard counts beside the labelled items: words -> number."""
    line = re.search(r'<p class="counts">(.*?)</p>', html)
    assert line is not None
    shown = re.sub(r"</?(a|b|span)\b[^>]*>", "|", line[1])
    cells = [cell.strip() for cell in shown.split("|") if cell.strip()]
    return {words: int(number) for number, words in zip(cells[::2], cells[1::2], strict=True)}


def test_the_dashboard_counts_every_item_once() -> None:
    served = serve_in_memory(12, overlap=2)
    ada, bo, chief = (served.client(name) for name in ("ada", "bo", "chief"))
    for client in (ada, bo):
        client.get("/api/next?n=3")
    lend(served, "ada", *range(6))
    lend(served, "bo", 0, 1, 2, 9)
    for item in range(6):
        ada.post("/api/answer", json={"item": item, "label": 1, "key": key(item)})
    for item, label in ((0, 1), (1, 2)):
        bo.post("/api/answer", json={"item": item, "label": label, "key": key(item)})
    bo.post("/api/pass", json={"item": 2, "why": "skip", "key": key(2)})
    bo.post("/api/pass", json={"item": 9, "why": "unsure", "key": key(9)})
    chief.post("/api/adjudicate", json={"item": 11, "label": 0})
    html, status = chief.get("/dashboard").text, chief.get("/api/status").json()
    assert "3 of 12 items labelled" in html
    said = counted(html)
    assert (said["waiting for more answers"], said["held"], said["left"], said["disputed"]) == (3, 2, 4, 1)
    assert 3 + 3 + 2 + 4 == 12
    assert [status[name] for name in ("labelled", "waiting", "held", "left", "disputed")] == [3, 3, 2, 4, 1]
    assert sum(status["found"]) == 3
    assert chief.get("/admin").text.count('data-post="/api/release"') == 2, "as many as are held"


def test_an_item_that_two_people_have_is_with_people_once() -> None:
    served = serve_in_memory(1, overlap=2)
    ada, bo, chief = (served.client(name) for name in ("ada", "bo", "chief"))
    first_item(ada)
    assert bo.get("/api/next?n=3").json()["open"] == 1
    status = chief.get("/api/status").json()
    assert status["with_people"] == 1
    assert [person["with_them"] for person in status["people"]] == [1, 1]
    assert counted(chief.get("/dashboard").text)["with people now"] == 1


def test_with_several_answers_an_item_the_line_counts_what_the_model_counts() -> None:
    served = serve_in_memory(12, overlap=2, first=5)
    ada, bo = served.client("ada"), served.client("bo")
    lend(served, "ada", *range(4))
    lend(served, "bo", *range(5))
    for item in range(3):
        ada.post("/api/answer", json={"item": item, "label": 0, "key": key(item)})
    assert "4 more items until the model learns; 1 of 5 are done" in ada.get("/label").text
    bo.post("/api/answer", json={"item": 0, "label": 0, "key": key()})
    told = bo.post("/api/pass", json={"item": 4, "why": "skip", "key": key(4)}).json()["progress"]
    assert told["words"] == "2 more items until the model learns; 3 of 5 are done"
    assert (told["done"], told["of"]) == (3, 5)
    for item in range(1, 4):
        for client in (ada, bo):
            client.post("/api/answer", json={"item": item, "label": 0, "key": key(20 + item)})
    assert ada.get("/api/next").json()["progress"]["words"] == "The model is about to learn.", "no training runs"
    assert "the first is due once two classes are found" in ada.get("/dashboard").text


def test_where_too_few_items_are_left_no_more_are_promised_to_the_model() -> None:
    served = serve_in_memory(12, first=5, budget=20)
    ada, chief = served.client("ada"), served.client("chief")
    lend(served, "ada", *range(12))
    for item in range(4):
        ada.post("/api/answer", json={"item": item, "label": item % 2, "key": key(item)})
    assert "1 more item until the model learns; 4 of 5 are done" in ada.get("/label").text
    upto = served.store.last()
    data = {"version": 1, "upto": upto, "measures": {}, "files": {}, "classes": 3, "rows": 12, "run": "r"}
    served.store.append([New("scores_published", data)])
    served.desk._catch_up()
    assert "8 more items to label, too few for the model to learn again" in ada.get("/label").text
    assert "model 1 is the newest; too few items are left for the next one" in chief.get("/dashboard").text
    for item in range(4, 12):
        ada.post("/api/pass", json={"item": item, "why": "skip", "key": key(item)})
    page = chief.get("/dashboard").text
    assert "every item is labelled or held, and nothing is left to ask" in page
    assert "more items" not in page
    assert "Every item is labelled or held." in ada.get("/label").text


def test_no_question_is_done_before_anybody_has_seen_one() -> None:
    served = serve_in_memory()
    served.desk.tick()
    first_item(served.client("ada"))
    page = served.client("chief").get("/dashboard").text
    assert "drawn at random, as there was no model yet: 0 of its 20 questions done" in page


def fail(served: Served, error: str) -> None:
    """A training that fails."""
    upto = served.store.last()
    served.store.append([New("training_started", {"run": "r9", "upto": upto, "learner": "logistic"})])
    served.store.append([New("training_failed", {"run": "r9", "upto": upto, "error": error})])
    served.desk.tick()


def test_without_a_model_none_is_said_to_go_on(tmp_path: Path) -> None:
    served = serve_in_memory(30, files=tmp_path)
    chief = served.client("chief")
    fail(served, "no memory")
    page = chief.get("/dashboard").text
    assert "The last training failed (no memory): people go on, and questions are drawn at random." in page
    assert "Model: none yet; the first is tried again." in page
    assert "good model" not in page
    publish(served, np.random.default_rng(0).dirichlet((3, 1, 1), 30))
    fail(served, "no memory")
    page = chief.get("/dashboard").text
    assert "people go on, and questions are chosen with model 1." in page
    assert "model 1 is the newest; the next one is tried again" in page


def test_the_report_has_the_columns_of_the_dashboard_in_reading_order(tmp_path: Path) -> None:
    served = serve_in_memory(30, files=tmp_path)
    probs = np.random.default_rng(0).dirichlet((3, 1, 1), 30)
    found = {f"found_{k}": n for k, n in enumerate((4.0, 3.0, 1.0))}
    publish(served, probs, 1, seconds=0.5, **found, C=1.0, labels=8.0)
    publish(served, probs, 2, seconds=0.5, **found, C=1.0, foreseen=0.75, labels=8.0)
    titles = ["model", "when", "labels that it knows", "of each class", "labels foreseen"]
    titles += ["C, of the logistic regression", "seconds of training"]
    assert served.front.files is not None
    table = report(served.store, served.front.files).split('<section id="curve">')[1].split("</section>")[0]
    assert re.findall(r"<th(?: [^>]*)?>(.*?)</th>", table) == titles
    assert table.index("4 other, 3 heron, 1 crane") < table.rindex("75 %"), "the first is in a sentence"
    page = served.client("chief").get("/dashboard").text
    titles.remove("labels foreseen")  # which nobody can know yet of the newest
    assert re.findall(r"<dt>(.*?)</dt>", page.split('<dl class="facts">')[1].split("</dl>")[0]) == titles
    assert "also of items that wait for more or are held" in page


@pytest.mark.parametrize(
    "why",
    [
        Why("direct", "search", class_=1, low=3, high=3),
        Why("direct", "threshold", class_=1, threshold=7),
        Why("galaxy", "cut", class_=1),
        Why("most_likely_positive", "score", class_=1),
        Why("margin", "score"),
    ],
)
def test_a_reason_speaks_of_the_time_at_which_it_was_one(why: Why) -> None:
    said = reason(why, ("other", "heron"), {1: 3})
    assert "when this was asked" in said.lower()
    assert not re.search(r"\b1 places|lies|puts\b", said)


def test_a_reason_claims_no_more_than_that_nothing_nearer_was_left_to_ask() -> None:
    said = reason(Why("direct", "threshold", class_=1, threshold=538), ("other", "heron"), {1: 3})
    assert said == (
        "Of what was left to ask when this was asked, it lay nearest to the place where “heron” ended best, 538 in the "
        "order of that time."
    )


def test_a_strip_says_the_same_on_its_card_and_to_those_who_hear_it(tmp_path: Path) -> None:
    served = serve_in_memory(30, files=tmp_path, overlap=1)
    probs = np.linspace(0.02, 0.97, 30)
    publish(served, np.column_stack([probs, 1 - probs, np.full(30, 0.01)]))
    ada = served.client("ada")
    lend(served, "ada", 5, 6, 20, 21)
    for item, label in ((5, 1), (6, 0), (20, 0), (21, 1)):
        ada.post("/api/answer", json={"item": item, "label": label, "key": key(item)})
    for strip in served.client("chief").get("/dashboard").text.split('<section class="card"><header title=')[1:4]:
        card = re.search(r'<span class="small">(.*?)</span>', strip)
        title = re.search(r"<title>[^<]*?: ([^;<]*)", strip)
        assert card is not None
        assert title is not None
        assert card[1] == title[1]
        words = r"[\d,]+ places? possible, [\d,]+( to [\d,]+)? of 30|no example is known yet"
        assert re.fullmatch(words, card[1])


def test_where_nothing_is_trained_progress_is_of_the_pool() -> None:
    served = serve_in_memory(12, featured=False)
    ada = served.client("ada")
    item = first_item(ada)["item"]
    progress = ada.post("/api/answer", json={"item": item, "label": 1, "key": key()}).json()["progress"]
    assert (progress["done"], progress["of"], progress["words"]) == (1, 12, "1 of 12 items labelled")
