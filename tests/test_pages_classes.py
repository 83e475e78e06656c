"""A class that is added while label pages are open: its button, key and count come without a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, Route, expect

from browse import Site, press, shown, site, wait_until_sent
from cutpoint.store.events import New
from served import serve_in_memory


def by_an_admin(here: Site, name: str) -> None:
    """Add a class with the form of the admin's page."""
    page = here.page("chief", "/admin")
    page.get_by_label("Name of the class").fill(name)
    page.get_by_role("button", name="Add a class").click()
    expect(page.get_by_text(f"The class {name} is added.")).to_be_visible()


def by_another_process(here: Site, name: str) -> None:
    """Add a class as `cutpoint classes add` does: into the log, past the desk."""
    here.served.store.append([New("class_added", {"name": name})])
    here.served.desk.tick()


def button(page: Page, name: str) -> Any:
    """The button of a class."""
    return page.locator(".answers").get_by_role("button", name=name)


@pytest.mark.parametrize("add", [by_an_admin, by_another_process])
def test_an_added_class_reaches_a_page_that_is_open(here: Site, add: Callable[[Site, str], None]) -> None:
    page = here.page("ada")
    shown(page)
    add(here, "stork")
    first = press(page, "1")
    expect(button(page, "stork")).to_be_enabled()
    expect(page.locator("#toast-words")).to_contain_text("“stork”")
    second = shown(page, other_than=first)
    expect(button(page, "stork").locator("kbd")).to_have_text("4")
    page.keyboard.press("4")
    third = shown(page, other_than=second)
    wait_until_sent(page)
    expect(page.locator("#found-3")).to_have_text("1")
    page.keyboard.press("z")
    assert shown(page, other_than=third) == second, "what was answered before the class came can be taken back"
    page.keyboard.press("z")
    assert shown(page, other_than=second) == first
    wait_until_sent(page)
    assert [(data["item"], data["label"]) for data in here.events("answered")] == [(first, 0), (second, 3)]
    page.keyboard.press("g")
    expect(page.get_by_role("dialog")).to_contain_text("stork")


def test_somebody_who_reads_on_learns_of_a_class_without_an_answer(here: Site) -> None:
    page = here.page(None)
    page.clock.install()
    page.goto(here.link("ada"))
    item = int(page.locator("#item[data-item]").get_attribute("data-item") or -1)
    button(page, "crane").focus()
    by_another_process(here, "stork")
    page.clock.run_for(15_000)
    expect(button(page, "stork")).to_be_enabled()
    expect(button(page, "crane")).to_be_focused()
    assert int(page.locator("#item").get_attribute("data-item") or -1) == item


def test_a_class_comes_though_the_first_try_to_fetch_it_fails(here: Site) -> None:
    here.excused = ("Failed to load resource",)
    page = here.page("ada")
    shown(page)
    tries: list[str] = []

    def fail_once(route: Route) -> None:
        tries.append(route.request.url)
        route.abort() if len(tries) == 1 else route.continue_()

    page.route("**/label", fail_once)
    by_another_process(here, "stork")
    with page.expect_event("requestfailed"):
        press(page, "1")
    wait_until_sent(page)
    press(page, "2")
    expect(button(page, "stork")).to_be_enabled()
    assert len(tries) >= 2
    wait_until_sent(page)
    assert len(here.events("answered")) == 2


def test_the_tenth_class_changes_the_size_of_all_buttons(browser: Browser) -> None:
    with site(serve_in_memory(classes=tuple("abcdefghi")), browser) as here:
        page = here.page("ada")
        shown(page)
        by_another_process(here, "a tenth")
        press(page, "9")
        expect(button(page, "a tenth")).to_be_enabled()
        expect(button(page, "a tenth").locator("kbd")).to_have_count(0)
        expect(page.locator("main.many")).to_be_visible()


def test_a_class_without_a_number_is_reached_by_keyboard_and_the_guideline_says_how(browser: Browser) -> None:
    with site(serve_in_memory(classes=tuple("abcdefghijk")), browser) as here:
        page = here.page("ada")
        items = [shown(page)]
        page.keyboard.press("g")
        expect(page.get_by_role("dialog")).to_contain_text("a class without a number")
        page.keyboard.press("g")
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.dataset.label") == "10":
                break
        page.keyboard.press("Enter")
        items.append(shown(page, other_than=items[0]))
        expect(button(page, "k")).to_be_focused()
        page.keyboard.press("Enter")
        shown(page, other_than=items[1])
        wait_until_sent(page)
        assert [(data["item"], data["label"]) for data in here.events("answered")] == [(item, 10) for item in items]


def test_my_answers_offer_an_added_class(here: Site) -> None:
    page = here.page("ada")
    items = [press(page, "1")]
    items.append(press(page, "2"))
    wait_until_sent(page)
    page.goto(here.address + "/mine")
    by_another_process(here, "stork")
    row = page.get_by_role("row").filter(has_text=f"item-{items[0]}")
    row.get_by_role("button", name="Take back").click()
    other = page.get_by_label(f"Answer to item-{items[1]}", exact=True)
    expect(row).to_have_count(0)
    other.select_option("stork")
    page.get_by_role("row").filter(has_text=f"item-{items[1]}").get_by_role("button", name="Correct").click()
    wait_until_sent(page)
    assert [data["label"] for data in here.events("corrected")] == [3]
