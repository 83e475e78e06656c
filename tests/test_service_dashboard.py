"""What dashboard and disputes say, that the report says too: by the same functions, and so with the same numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from cutpoint.service.overview.found import TITLES
from cutpoint.service.overview.report import page as report
from cutpoint.service.overview.strip_svg import AXIS
from served import Served, publish, serve_in_memory


def cells(page: str, section: str) -> list[list[str]]:
    """The rows of the table in a section, the titles first, without markup."""
    table = page.split(f'<section id="{section}">')[1].split("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in rows]


def at_work(folder: Path) -> Served:
    """A campaign with questions drawn at random and chosen, an imported label and corrections."""
    served = serve_in_memory(60, files=folder, first=8, budget=6, people={"ada": False, "chief": True})
    desk = served.desk
    desk.import_labels([50, 51], [2, 0], "old.csv")
    for turn in range(8):
        desk.tell(desk.ask("ada", 1)[0], turn % 2)
    publish(served, np.random.default_rng(0).dirichlet((3, 1, 1), 60))
    for turn in range(5):
        ask = desk.ask("ada", 1)[0]
        desk.tell(ask, 1)
        if turn < 2:
            desk.tell(ask, 2)
    return served


def test_the_dashboard_has_the_reports_table_of_what_was_found(tmp_path: Path) -> None:
    served = at_work(tmp_path)
    assert served.front.files is not None
    wanted = cells(report(served.store, served.front.files), "found")
    assert wanted[0] == list(TITLES)
    assert wanted[2][:4] == ["heron", "7", "50 %", "60 %"]
    assert wanted[2][6] == "1 to 7"  # 3 of 5: 0.147 to 0.947
    for who in ("chief", "ada"):
        page = served.client(who).get("/dashboard").text
        assert cells(page, "found") == wanted
        assert "95 % bounds" in page


def test_the_table_counts_what_is_added_to_the_pool_and_by_whom_nobody_asked(tmp_path: Path) -> None:
    served = serve_in_memory(20, files=tmp_path)
    page = served.client("chief").get("/dashboard").text
    assert cells(page, "found")[1] == ["other", "0", *["–"] * 6]


def test_the_dashboard_has_everybodys_corrected_and_late_answers(tmp_path: Path) -> None:
    served = at_work(tmp_path)
    assert served.front.files is not None
    titles, row = cells(report(served.store, served.front.files), "people")
    told = dict(zip(titles, row, strict=True))
    page = served.client("chief").get("/dashboard").text
    titles, row = cells(page, "people")
    shown = dict(zip(titles, row, strict=True))
    assert {name: shown[name] for name in told} == told
    assert shown["corrected"] == "2"
    assert "Corrected, late:" in page


def disputed(reliable: bool) -> Served:
    """Two careful people and one who says anything, over 40 items; on the last, the careless one was first."""
    served = serve_in_memory(41, overlap=3, people={"ada": False, "bo": False, "eve": False, "chief": True})
    rng = np.random.default_rng(0)
    for item in range(40 if reliable else 0):
        for name in ("ada", "bo", "eve"):
            served.desk.tell(item, int(rng.integers(2)) if name == "eve" else item % 2, annotator=name)
    for name, label in (("eve", 0), ("ada", 1)):
        served.desk.tell(40, label, annotator=name)
    return served


def case(page: str, item: int) -> str:
    """What the page of disputes says of an item."""
    return next(one for one in page.split("<article")[1:] if f">item-{item}<" in one)


def test_a_dispute_is_decided_by_the_admin_and_by_no_default() -> None:
    page = disputed(reliable=True).client("chief").get("/disputes").text
    for one in page.split("<article")[1:]:
        assert re.findall(r"<option[^>]*selected[^>]*>(.*?)</option>", one) == ["choose"]
        assert '<select name="label" required' in one


def test_the_label_that_the_weighed_answers_say_is_suggested_as_such() -> None:
    chief = disputed(reliable=True).client("chief")
    said = re.sub(r"<[^>]+>", "", case(chief.get("/disputes").text, 40))
    assert "For now: other" in said
    assert "Suggested: heron, by everybody's answers weighed by how reliable they are" in said
    chief = disputed(reliable=False).client("chief")
    assert "Suggested" not in chief.get("/disputes").text


def test_a_strip_says_what_lies_along_it(tmp_path: Path) -> None:
    served = at_work(tmp_path)
    assert served.front.files is not None
    page = served.client("chief").get("/dashboard").text
    assert page.count(f"<span>{AXIS}</span>") == 3
    assert report(served.store, served.front.files).count(f"<span>{AXIS}</span>") == 3
    assert re.search(r"places? possible, [\d,]+( to [\d,]+)? of 60", page)
    assert "end of “heron”, in places from the left: " in page
    assert "a place is an item in this order, counted from the left" in page
