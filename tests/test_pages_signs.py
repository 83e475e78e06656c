"""What pages say when nothing can be shown, when a key does nothing and of what others do, as long as it holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from browse import RESENT, Site, cut_off, press, shown, site, wait_until_sent
from cutpoint.store.base import StoreError
from served import serve_in_memory

TWO_AT_ONCE = """() => { // however slow the machine is
    const now = performance.now();
    performance.now = () => now;
    for (const key of ["2", "3"]) document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    delete performance.now;
}"""


def test_without_a_connection_the_stage_waits_for_it(here: Site) -> None:
    page, first = cut_off(here)
    second = shown(page, other_than=first)
    page.keyboard.press("3")
    stage = page.locator("#item")
    expect(stage).to_contain_text("Waiting for the connection")
    expect(stage).to_contain_text("What you answered is kept")
    page.context.set_offline(False)
    shown(page, other_than=second)
    wait_until_sent(page)


def test_where_the_server_stores_nothing_the_stage_waits_for_it(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    here.excused = RESENT
    page = here.page("ada")
    first = shown(page)
    page.wait_for_load_state("networkidle")

    def full(news: object) -> None:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(here.served.store, "append", full)
        page.keyboard.press("1")
        second = shown(page, other_than=first)
        page.keyboard.press("1")
        expect(page.locator("#item")).to_contain_text("Waiting for the server")
    shown(page, other_than=second)
    wait_until_sent(page)


def test_no_more_is_asked_for_while_an_answer_is_on_its_way(here: Site) -> None:
    page = here.page("ada")
    item = shown(page)
    page.wait_for_load_state("networkidle")
    held: list[Route] = []
    asked: list[str] = []
    page.route("**/api/answer", lambda route: held.append(route))
    page.on("request", lambda request: asked.append(request.url) if "/api/next" in request.url else None)
    with page.expect_request("**/api/answer"):
        page.keyboard.press("2")
    shown(page, other_than=item)
    page.evaluate("() => dispatchEvent(new Event('online'))")
    page.wait_for_timeout(700)
    assert asked == []
    with page.expect_response("**/api/next?*"):
        held[0].continue_()
    wait_until_sent(page)
    assert [url.split("?")[1] for url in asked] == ["n=2"]
    assert len(here.served.desk.state.leases.held_by("ada")) == 2


def test_a_key_that_is_pressed_before_anybody_can_see_the_item_is_not_counted_and_says_so(here: Site) -> None:
    page = here.page("ada")
    shown(page)  # with which the next one came
    page.evaluate(TWO_AT_ONCE)
    expect(page.locator(".answers .pressed")).to_have_text(re.compile("heron"))
    expect(page.locator("#toast-words")).to_have_text("Too fast, not counted")
    expect(page.locator("#toast-undo")).to_be_hidden()
    wait_until_sent(page)
    assert [data["label"] for data in here.events("answered")] == [1]


def test_a_key_of_no_class_says_so(here: Site) -> None:
    page = here.page("ada")
    item = press(page, "7")
    expect(page.locator("#toast-words")).to_have_text("No class has the key 7")
    assert shown(page) == item


def test_the_counts_above_follow_others_without_an_answer_of_ones_own(here: Site) -> None:
    page = here.page(None)
    page.clock.install()
    page.goto(here.link("ada"))
    page.wait_for_selector("#item[data-item]")
    held = {lease.item for lease in here.served.desk.state.leases.held_by("ada")}
    for item in [i for i in range(10) if i not in held][:5]:
        here.served.desk.tell(item, 1, annotator="bo")
    page.clock.run_for(11_000)
    expect(page.locator("#found-1")).to_have_text("5")
    expect(page.locator("#thread-words")).to_contain_text("5 of 20 are done")


def test_a_picture_in_a_list_that_has_not_come_is_not_called_broken(browser: Browser, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "0.png")
    contents = [{"picture": "0.png"}, {"picture": "gone.png"}]
    with site(serve_in_memory(contents, kind="picture", source=str(tmp_path)), browser) as here:
        here.excused = RESENT
        for item in range(2):
            here.served.desk.tell(item, 0, annotator="ada")
        page = here.page("ada", "/guide")
        page.clock.install()
        page.route("**/picture?*", lambda route: route.abort())
        page.goto(f"{here.address}/mine")
        expect(page.get_by_text("This picture has not come yet")).to_have_count(2)
        page.unroute("**/picture?*")
        page.clock.run_for(6_000)
        expect(page.get_by_role("img", name="Picture item-0")).to_be_visible()
        expect(page.get_by_text("This picture cannot be shown")).to_have_count(1)


def make_link(page: Page, name: str) -> None:
    """Make a link with the form of the admin's page."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator("#link")).to_contain_text(f"Send this to {name}")


def test_what_was_said_of_one_form_does_not_stand_beside_the_next(here: Site) -> None:
    here.excused = RESENT
    page = here.page("chief", "/admin")
    links = page.get_by_role("region", name="Private links")
    page.get_by_label("Name", exact=True).fill("chief")
    page.get_by_role("button", name="Make a link").click()
    expect(links.locator(".said.bad")).to_contain_text("chief is an admin here")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("Nothing to change.")).to_be_visible()
    expect(links.locator(".said")).to_be_empty()
    make_link(page, "eve")
    expect(page.get_by_text("Nothing to change.")).to_have_count(0)
    page.get_by_role("button", name="Revoke the link of eve").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The link of eve holds no longer.")).to_be_visible()
    expect(page.locator("#link")).to_be_hidden()
    make_link(page, "fay")
    page.get_by_role("button", name="Revoke the link of bo").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The link of bo holds no longer.")).to_be_visible()
    expect(page.locator("#link")).to_contain_text("Send this to fay")


def test_an_answer_that_another_window_gave_before_is_named(here: Site) -> None:
    page = here.page("ada")
    item = shown(page)
    other = page.context.new_page()
    here.watch(other)
    other.goto(here.address + "/label")
    assert shown(other) == item, "two windows of one person have the same items"
    press(page, "1")
    wait_until_sent(page)
    press(other, "2")
    wait_until_sent(other)
    expect(other.locator("#toast-words")).to_have_text("heron. You had answered “other”; it is now “heron”.")
    assert [(data["was"], data["label"]) for data in here.events("corrected")] == [(0, 1)]


@pytest.mark.parametrize("content", [{"text": " \n"}, {"row": {"name": "ada", "town": ""}}])
def test_what_is_empty_is_called_so(browser: Browser, content: dict[str, Any]) -> None:
    with site(serve_in_memory([content] * 3, overlap=2), browser) as here:
        page = here.page("ada")
        item = shown(page)
        expect(page.locator("#item").get_by_text("(empty)", exact=True)).to_be_visible()
        press(page, "1")
        wait_until_sent(page)
        here.served.desk.tell(item, 1, annotator="bo")
        for who, path in (("ada", "/mine"), ("chief", "/disputes")):
            lists = here.page(who, path)
            expect(lists.locator("#main").get_by_text("(empty)").first).to_be_visible()
