"""More classes than keys: how many are seen, how one is found by its name, and what the line above says of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, expect

from browse import Site, press, resize, shown, site, wait_until_sent
from cutpoint.store.events import New
from served import publish, serve_in_memory

DEEDS = ("book", "cancel", "change", "find", "pay")
THINGS = ("a_car", "Flüge", "hotel", "meal", "the_bill", "user_name")
NAMES = tuple(f"{deed}_{thing}" for deed in DEEDS for thing in THINGS)
FLIGHTS = NAMES.index("book_Flüge")
SEEN = """() => {
  const list = document.getElementById("answers").getBoundingClientRect();
  const seen = (at) => at.top >= list.top - 1 && at.bottom <= Math.min(list.bottom, innerHeight) + 1;
  return [...document.querySelectorAll(".answers button")].filter((one) => seen(one.getBoundingClientRect())).length;
}"""


@pytest.fixture
def thirty(browser: Browser) -> Iterator[Site]:
    """A campaign of 40 texts in thirty classes."""
    with site(serve_in_memory(classes=NAMES), browser) as opened:
        yield opened


def seeking(page: Page, words: str) -> None:
    """Seek a class by keyboard."""
    page.keyboard.press("/")
    page.keyboard.type(words)


def matching(page: Page) -> list[str]:
    """The classes that are seen, as they follow each other."""
    return page.locator(".answers button:visible span").all_inner_texts()


@pytest.mark.parametrize("size", [(1280, 800), (1366, 768), (1920, 1080), (360, 740)])
def test_as_many_classes_are_seen_as_there_is_room_for(browser: Browser, tmp_path: Path, size: tuple[int, int]) -> None:
    wide, high = size
    served = serve_in_memory(classes=NAMES, files=tmp_path)
    publish(served, np.random.default_rng(0).dirichlet(np.ones(30), 40))
    with site(served, browser) as here:
        page = here.page("ada", viewport={"width": wide, "height": high})
        shown(page)
        assert page.evaluate(SEEN) >= (30 if wide > 1000 else 12)
        item = page.locator("#item").bounding_box()
        assert item is not None
        assert item["height"] > 120


def test_a_sign_stands_where_there_are_more_classes_below_until_the_last_is_seen(thirty: Site) -> None:
    page = thirty.page("ada", viewport={"width": 360, "height": 640})
    shown(page)
    answers = page.locator("#answers")
    expect(answers).to_have_class("answers more")
    answers.evaluate("(at) => at.scrollTo(0, at.scrollHeight)")
    expect(answers).to_have_class("answers")
    resize(page, 1920, 1080)
    answers.evaluate("(at) => at.scrollTo(0, 0)")
    expect(answers).to_have_class("answers")


def test_a_class_is_found_by_its_name_and_answered_by_keyboard_alone(thirty: Site) -> None:
    page = thirty.page("ada")
    first = shown(page)
    seeking(page, "FLUG")
    assert matching(page) == [name for name in NAMES if "Flüge" in name], "of a word that begins so, in their order"
    expect(page.get_by_role("status").filter(has_text="1 of 5")).to_have_text("book_Flüge: 1 of 5")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".marked span")).to_have_text("cancel_Flüge")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    second = shown(page, other_than=first)
    assert matching(page) == list(NAMES), "all are back, in their order"
    page.keyboard.press("2")
    shown(page, other_than=second)
    wait_until_sent(page)
    assert [(data["item"], data["label"]) for data in thirty.events("answered")] == [(first, FLIGHTS), (second, 1)]


def test_names_that_begin_so_come_before_words_and_those_before_the_rest(browser: Browser) -> None:
    with site(serve_in_memory(classes=("scar", "a car", "carry on", "car", *"bdefgh")), browser) as here:
        page = here.page("ada")
        shown(page)
        seeking(page, "car")
        assert matching(page) == ["car", "carry on", "a car", "scar"]
        page.keyboard.type(" o")
        assert matching(page) == ["carry on"], "each word must be in the name"


def test_what_is_typed_is_no_answer_and_escape_ends_it(thirty: Site) -> None:
    page = thirty.page("ada")
    item = shown(page)
    seeking(page, "1zu b/w")
    expect(page.get_by_text("No class has “1zu b/w” in its name")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert matching(page) == list(NAMES)
    expect(page.locator("#item")).to_be_focused()
    assert shown(page) == item
    page.keyboard.press("u")
    shown(page, other_than=item)
    wait_until_sent(page)
    assert [data["why"] for data in thirty.events("passed")] == ["unsure"]
    assert thirty.events("answered") == []


def test_on_a_phone_a_class_is_found_by_touch(thirty: Site) -> None:
    page = thirty.page("ada", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    item = shown(page)
    field = page.get_by_role("searchbox", name="Find one of 30 classes")
    field.tap()
    field.fill("user")
    page.get_by_role("button", name="pay_user_name").tap()
    shown(page, other_than=item)
    expect(field).to_have_value("")
    assert matching(page) == list(NAMES)
    wait_until_sent(page)
    assert [data["label"] for data in thirty.events("answered")] == [29]
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_nine_classes_need_no_search_and_the_tenth_brings_it(browser: Browser) -> None:
    with site(serve_in_memory(classes=tuple("abcdefghi")), browser) as here:
        page = here.page("ada")
        first = shown(page)
        expect(page.get_by_role("searchbox")).to_have_count(0)
        page.keyboard.press("/")
        here.served.store.append([New("class_added", {"name": "a tenth"})])
        here.served.desk.tick()
        page.keyboard.press("1")
        expect(page.get_by_role("searchbox", name="Find one of 10 classes")).to_be_visible()
        second = shown(page, other_than=first)
        seeking(page, "ten")
        page.keyboard.press("Enter")
        shown(page, other_than=second)
        wait_until_sent(page)
        assert [data["label"] for data in here.events("answered")] == [0, 9]


def test_the_guideline_names_the_key_that_seeks(thirty: Site) -> None:
    page = thirty.page("ada")
    shown(page)
    page.keyboard.press("g")
    expect(page.get_by_role("dialog")).to_contain_text("find a class without a number by its name")


def test_of_many_classes_the_line_above_names_the_rarest_and_leads_to_all(thirty: Site) -> None:
    for item, label in enumerate([*range(27), 0]):
        thirty.served.desk.tell(item, label, annotator="bo")
    page = thirty.page("ada")
    rare = page.locator("#found > span:has(bdi):visible bdi")
    expect(rare).to_have_text(["pay_meal", "pay_the_bill", "pay_user_name"])
    shown(page)
    seeking(page, "pay meal")
    page.keyboard.press("Enter")
    wait_until_sent(page)
    expect(rare).to_have_text(["pay_the_bill", "pay_user_name", "book_Flüge"])
    expect(page.locator("#found").get_by_role("link", name="all 30")).to_have_attribute("href", "/dashboard")
    press(page, "1")
    wait_until_sent(page)
    expect(page.locator("#mine")).to_have_text("2")


WHOLE = """(name) => [...name.childNodes].every((part) => {
  const range = document.createRange();
  range.selectNodeContents(part);
  return range.getClientRects().length <= 1 && name.scrollWidth <= name.parentNode.clientWidth;
})"""


@pytest.mark.parametrize("wide", [1280, 390])
def test_names_on_the_dashboard_are_whole_and_end_a_line_between_words_alone(
    browser: Browser, tmp_path: Path, wide: int
) -> None:
    names = ["confirm_reservation", "application_status", "accept-reservations", *NAMES[:9]]
    served = serve_in_memory(classes=names, files=tmp_path)
    publish(served, np.random.default_rng(0).dirichlet(np.ones(12), 40))
    with site(served, browser) as here:
        page = here.page("ada", "/dashboard", viewport={"width": wide, "height": 800})
        shown_names = page.locator(".cards bdi, .strips h3 bdi").all()
        assert len(shown_names) == 24
        for name in shown_names:
            assert name.evaluate(WHOLE), name.inner_text()
