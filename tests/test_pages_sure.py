"""What an admin does by mistake: asked about where it cannot be undone, and otherwise where it can."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from PIL import Image
from playwright.sync_api import Browser, expect

from browse import RESENT, Site, site
from served import serve_in_memory


def test_a_link_is_revoked_only_after_a_question(here: Site) -> None:
    page = here.page("chief", "/admin")
    revoke = page.get_by_role("button", name="Revoke the link of bo")
    revoke.click()
    question = page.get_by_role("dialog", name="Revoke the link of bo?")
    expect(question).to_contain_text("ends at once")
    assert question.evaluate("(at) => at.clientHeight") < 400, "a question, and no drawer"
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(question).to_be_hidden()
    expect(revoke).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    assert here.events("link_revoked") == []
    revoke.click()
    question.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The link of bo holds no longer.")).to_be_visible()
    assert [data["annotator"] for data in here.events("link_revoked")] == ["bo"]


def test_all_held_items_are_released_after_a_question(here: Site) -> None:
    for item in (4, 7):
        here.served.desk.passed(item, "unsure", annotator="ada")
    page = here.page("chief", "/admin")
    page.get_by_role("button", name="Release all 2").click()
    question = page.get_by_role("dialog", name="Release all 2 held items?")
    expect(question).to_contain_text("stays in the history")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_be_hidden()
    assert here.events("released") == []
    page.get_by_role("button", name="Release all 2").click()
    question.get_by_role("button", name="Release all").click()
    expect(page.get_by_text("Released: 2 items can be asked again.")).to_be_visible()
    expect(page.get_by_text("No item is held.")).to_be_visible()
    assert [data["item"] for data in here.events("released")] == [4, 7]


def test_the_last_admin_is_told_how_to_revoke_their_link(here: Site) -> None:
    here.excused = RESENT
    page = here.page("chief", "/admin")
    page.get_by_role("button", name="Revoke the link of chief").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("region", name="Private links").locator(".said.bad")).to_contain_text("make another")
    assert here.events("link_revoked") == []


def test_a_decision_is_listed_and_can_be_another(here: Site) -> None:
    for who, label in (("ada", 1), ("bo", 2)):
        here.served.desk.tell(3, label, annotator=who)
    page = here.page("chief", "/disputes")
    page.get_by_label("Label of item-3").select_option("other")
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_text("Decided: other.")).to_be_visible()
    decided = page.get_by_role("region", name="Decided").get_by_role("row").filter(has_text="item-3")
    expect(decided).to_contain_text("ada: heron, bo: crane")
    again = decided.get_by_label("Decision on item-3")
    expect(again).to_have_value("0")
    again.select_option("crane")
    decided.get_by_role("button", name="Decide otherwise").click()
    expect(page.get_by_text("Decided: crane.")).to_be_visible()
    assert [(data["item"], data["label"]) for data in here.events("adjudicated")] == [(3, 0), (3, 2)]
    assert here.served.desk.state.ballots.label(3) == 2


def test_what_people_said_of_a_decided_picture_stands_below_its_name(tmp_path: Path, browser: Browser) -> None:
    Image.new("RGB", (60, 40), (90, 140, 90)).save(tmp_path / "0.png")
    with site(serve_in_memory([{"picture": "0.png"}], kind="picture", source=str(tmp_path)), browser) as here:
        for who, label in (("ada", 1), ("bo", 2)):
            here.served.desk.tell(0, label, annotator=who)
        here.served.desk.adjudicate(0, 1, by="chief")
        for options in ({}, {"viewport": {"width": 390, "height": 800}}):
            decided = here.page("chief", "/disputes", **options).get_by_role("region", name="Decided")
            name, said = (decided.get_by_text(words).bounding_box() for words in ("item-0", "ada: heron, bo: crane"))
            assert name is not None
            assert said is not None
            assert said["y"] >= name["y"] + name["height"]
