"""Answers on their way in browsers that store nothing or little, in two windows, and as earlier versions kept them."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from playwright.sync_api import Browser, Dialog, Page, expect

from browse import KEPT, RESENT, Site, box_of, cut_off, press, shown, site, wait_for, wait_until_sent
from served import lend, serve_in_memory

FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
CLOSED = """
Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });
window.BroadcastChannel = class { constructor() { throw new DOMException('no', 'SecurityError'); } };
"""
ADD = """async ([first, many]) => {
    const { outbox } = await import('/static/banner.js');
    const say = (item) => outbox.add('/api/answer', { item, label: 1, lease: null }, 'heron');
    for (let item = first; item < first + many; item++) say(item);
}"""
OLDER = """([box, items]) => localStorage.setItem(box, JSON.stringify(items.map((item) => {
    const body = { item, label: 1, lease: null, key: `${item}`.padStart(32, 'a') };
    return { path: '/api/answer', words: 'heron', error: 'Crane is gone.', body };
})))"""
STALE = """() => { // this window sees the storage as it is now, and no more what others write
    const seen = { ...localStorage };
    const get = Storage.prototype.getItem;
    Storage.prototype.getItem = function (name) { return seen[name] ?? null; };
}"""


def unable(here: Site, script: str) -> Page:
    """A labelling page of ada's in a browser that cannot store as it should."""
    page = here.page(None)
    page.add_init_script(script)
    page.goto(here.link("ada"))
    page.wait_for_url("**/label")
    shown(page)
    page.wait_for_load_state("networkidle")
    return page


@pytest.mark.parametrize("script", [FULL, CLOSED], ids=["full", "closed"])
def test_what_cannot_be_stored_is_sent(here: Site, script: str) -> None:
    page = unable(here, script)
    first = press(page, "2")
    second = shown(page, other_than=first)
    page.keyboard.press("3")
    shown(page, other_than=second)
    wait_until_sent(page)
    assert [(data["item"], data["label"]) for data in here.events("answered")] == [(first, 1), (second, 2)]


@pytest.mark.parametrize("script", [FULL, CLOSED], ids=["full", "closed"])
def test_a_browser_that_stores_nothing_is_said_before_anything_is_wrong(here: Site, script: str) -> None:
    page = unable(here, script)
    banner = page.locator("#banner")
    expect(banner).to_contain_text("This browser cannot store anything for this page")
    page.get_by_role("button", name="Understood").click()
    expect(banner).to_be_hidden()
    press(page, "2")
    wait_until_sent(page)
    expect(banner).to_be_hidden()


def test_a_storage_that_fills_up_holds_up_no_answer(here: Site) -> None:
    page, first = cut_off(here)
    expect(page.locator("#banner")).to_contain_text("What you said of 1 item is kept in this browser until then")
    page.evaluate(f"() => {{ {FULL} }}")
    second = press(page, "3")
    expect(page.locator("#banner")).to_contain_text("What you said of 2 items is kept partly in this page alone")
    page.context.set_offline(False)
    wait_until_sent(page)
    assert [(data["item"], data["label"]) for data in here.events("answered")] == [(first, 1), (second, 2)]


@pytest.mark.parametrize("script", [FULL, CLOSED], ids=["full", "closed"])
def test_what_this_page_alone_keeps_is_said_and_not_left_by_mistake(here: Site, script: str) -> None:
    here.excused = RESENT
    page = unable(here, script)
    page.context.set_offline(True)
    item = press(page, "2")
    expect(page.locator("#banner")).to_contain_text("What you said of 1 item is kept in this page alone")
    expect(page.locator("#banner")).to_contain_text("keep the page open")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.remove_listener("dialog", here._asked)
    page.on("dialog", stay)
    with page.expect_event("dialog"):
        page.evaluate("() => { location.href = '/mine'; }")
    assert asked == ["beforeunload"]
    page.context.set_offline(False)
    wait_until_sent(page)
    assert [data["item"] for data in here.events("answered")] == [item]


def test_a_correction_that_cannot_be_stored_is_sent_and_not_said_to_be_kept(here: Site) -> None:
    here.served.desk.tell(3, 0, annotator="ada")
    page = unable(here, FULL)
    page.goto(f"{here.address}/mine")
    page.locator("select").select_option(label="crane")
    page.context.set_offline(True)
    here.excused = RESENT
    page.get_by_role("button", name="Correct").click()
    expect(page.locator("#banner")).to_contain_text("keep the page open")
    expect(page.locator(".said")).to_be_empty()
    page.context.set_offline(False)
    wait_until_sent(page)
    assert [(data["item"], data["label"]) for data in here.events("corrected")] == [(3, 2)]


def test_windows_that_see_each_other_late_lose_no_answer(here: Site) -> None:
    here.excused = RESENT
    page = here.page("ada")
    shown(page)
    page.wait_for_load_state("networkidle")
    other = page.context.new_page()
    here.watch(other)
    other.goto(f"{here.address}/label")
    shown(other)
    other.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    other.evaluate(STALE)
    lend(here.served, "ada", *range(5, 15), *range(20, 30))
    page.evaluate(ADD, [5, 10])
    other.evaluate(ADD, [20, 10])
    other.close()
    wait_for(page, f"async () => await ({KEPT})() === 20")  # what another window stored comes late
    page.context.set_offline(False)
    wait_until_sent(page)
    assert sorted(data["item"] for data in here.events("answered")) == [*range(5, 15), *range(20, 30)]


def test_a_receipt_reaches_the_window_that_it_is_for(here: Site) -> None:
    here.excused = RESENT
    page = here.page("ada")
    item = shown(page)
    page.wait_for_load_state("networkidle")
    here.served.desk.tell(item, 1, annotator="bo")
    page.route("**/api/answer", lambda route: route.abort())
    page.keyboard.press("3")
    expect(page.locator("#banner")).to_contain_text("What you said of 1 item is kept")
    other = page.context.new_page()
    here.watch(other)
    other.goto(f"{here.address}/mine")  # which sends it
    wait_until_sent(page)
    expect(page.locator("#toast")).to_contain_text("crane. Somebody else answered this item differently")
    expect(page.locator("#banner")).to_be_hidden()


def test_no_name_leads_to_what_somebody_else_keeps(browser: Browser) -> None:
    people = {"ada": False, "ada:rejected": False, "ada%3Arejected": False}
    with site(serve_in_memory(people=people), browser) as here:
        here.excused = RESENT
        page = here.page("ada")
        page.route("**/api/answer", lambda route: route.fulfill(status=400, json={"error": "Gone."}))
        press(page, "2")
        expect(page.locator("#banner li")).to_have_count(1)
        for name in ("ada:rejected", "ada%3Arejected"):
            page.unroute_all()
            page.goto(here.link(name))
            page.wait_for_url("**/label")
            shown(page)
            page.wait_for_load_state("networkidle")
            expect(page.locator("#banner")).to_be_hidden()
        assert here.events("answered") == []


def test_two_windows_send_all_answers_once(here: Site) -> None:
    page = here.page("ada")
    shown(page)
    other = page.context.new_page()
    here.watch(other)
    other.goto(f"{here.address}/label")
    shown(other)
    send = f"async (what) => {{ await ({ADD})(what); (await import('/static/banner.js')).outbox.pump(); }}"
    lend(here.served, "ada", *range(5, 15), *range(20, 30))
    page.evaluate(send, [5, 10])
    other.evaluate(send, [20, 10])
    wait_until_sent(page)
    wait_until_sent(other)
    assert sorted(data["item"] for data in here.events("answered")) == [*range(5, 15), *range(20, 30)]


def test_the_order_holds_over_reloads_and_clocks(here: Site) -> None:
    here.excused = RESENT
    page = here.page("ada")
    shown(page)
    page.wait_for_load_state("networkidle")
    page.route("**/api/answer", lambda route: route.abort())
    lend(here.served, "ada", *range(10, 13), *range(30, 33))
    page.evaluate(ADD, [30, 3])
    page.add_init_script("Date.now = () => 1000;")  # the clock was set back
    page.reload()
    shown(page)
    page.evaluate(ADD, [10, 3])
    page.unroute("**/api/answer")
    page.reload()
    wait_until_sent(page)
    assert [data["item"] for data in here.events("answered")] == [30, 31, 32, 10, 11, 12]


def test_answers_that_an_earlier_version_kept_are_sent(here: Site) -> None:
    page = here.page("ada")
    shown(page)
    lend(here.served, "ada", 31, 12, 25)
    page.evaluate(OLDER, [box_of(page), [31, 12, 25]])
    page.evaluate(OLDER, [f"{box_of(page)}:rejected", [7]])
    page.reload()
    wait_until_sent(page)
    assert [data["item"] for data in here.events("answered")] == [31, 12, 25]
    expect(page.locator("#banner li")).to_have_text("heron was not taken: Crane is gone.")
    page.get_by_role("button", name="Understood").click()
    page.reload()
    shown(page)
    expect(page.locator("#banner")).to_be_hidden()
    assert not page.evaluate("(box) => Object.keys(localStorage).filter((name) => name.startsWith(box))", box_of(page))
