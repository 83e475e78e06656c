"""What becomes of answers when something else replies in the server's place, refuses them, or belongs elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, Route, expect

from browse import RESENT, Site, box_of, press, shown, site, wait_until_sent
from served import serve_in_memory

LOGIN = "<!doctype html><title>Welcome to the hotel</title><form>Room number</form>"
UNCOVERED = """(at) => {
  const { left, top } = at.getBoundingClientRect();
  return document.elementFromPoint(left + 5, top + 10) === at;
}"""
NOT_OURS = [
    (200, "text/html", LOGIN),
    (200, "application/json", "{}"),
    (200, "application/json", '{"item": 999999, "status": "saved"}'),
    (204, "text/plain", ""),
    (400, "text/html", LOGIN),
    (404, "text/html", LOGIN),
    (409, "application/json", '{"detail": "of another program"}'),
    (403, "application/json", '{"error": "This request does not come from the server\'s own pages."}'),
    (500, "application/json", '{"error": "The server failed at this."}'),
]


def intercept(page: Page, path: str, replies: list[tuple[int, str, str]]) -> list[int]:
    """Reply to the first requests in the server's place; the statuses that were given."""
    given: list[int] = []

    def reply(route: Route) -> None:
        if len(given) == len(replies):
            return route.continue_()
        status, kind, body = replies[len(given)]
        given.append(status)
        return route.fulfill(status=status, content_type=kind, body=body)

    page.route(path, reply)
    return given


@pytest.mark.parametrize("reply", NOT_OURS, ids=lambda reply: f"{reply[0]}-{reply[1]}-{reply[2][:12]}")
def test_only_a_receipt_of_ours_empties_the_outbox(here: Site, reply: tuple[int, str, str]) -> None:
    here.excused = RESENT
    page = here.page("ada")
    shown(page)
    page.wait_for_load_state("networkidle")
    given = intercept(page, "**/api/answer", [reply] * 1000)  # as often as it is tried
    item = press(page, "2")
    expect(page.locator("#banner")).to_contain_text("What you said of 1 item is kept in this browser")
    assert here.events("answered") == []
    page.unroute("**/api/answer")
    wait_until_sent(page)
    expect(page.locator("#banner")).to_be_hidden()
    assert set(given) == {reply[0]}
    assert [(data["item"], data["label"]) for data in here.events("answered")] == [(item, 1)]


def test_a_login_page_in_place_of_questions_is_no_question(here: Site) -> None:
    here.excused = RESENT
    page = here.page(None)
    given = intercept(page, "**/api/next?*", [(200, "text/html", LOGIN), (200, "application/json", "{}")])
    page.goto(here.link("ada"))
    page.wait_for_url("**/label")
    expect(page.locator("#banner")).to_contain_text("No connection")
    with page.expect_response("**/api/next?*"):
        page.evaluate("() => dispatchEvent(new Event('online'))")
    expect(page.locator("#banner")).to_contain_text("No connection")
    page.evaluate("() => dispatchEvent(new Event('online'))")
    shown(page)
    assert given == [200, 200]


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_an_answer_that_is_never_taken_is_said_and_holds_up_no_other(here: Site, status: int) -> None:
    here.excused = RESENT
    page = here.page("ada")
    intercept(page, "**/api/answer", [(status, "application/json", '{"error": "The class is not there any more."}')])
    first = press(page, "2")
    expect(page.locator("#banner")).to_contain_text(f"“heron” for item-{first} was not taken")
    expect(page.locator("#banner")).to_contain_text("The class is not there any more.")
    second = press(page, "3")
    wait_until_sent(page)
    assert [data["item"] for data in here.events("answered")] == [second]
    expect(page.locator("#banner")).to_contain_text("The class is not there any more.")
    page.get_by_role("button", name="Understood").click()
    expect(page.locator("#banner")).to_be_hidden()


def test_an_item_at_which_the_server_breaks_holds_up_no_other_and_keeps_its_order(here: Site) -> None:
    here.excused = RESENT
    page = here.page("ada")
    first = shown(page)

    def broken(route: Route) -> None:
        if (route.request.post_data_json or {})["item"] == first:
            return route.fulfill(status=500, json={"error": "The server failed at this."})
        return route.continue_()

    page.route("**/api/answer", broken)
    page.keyboard.press("2")
    shown(page, other_than=first)
    page.keyboard.press("z")
    assert shown(page) == first
    page.keyboard.press("u")
    second = shown(page, other_than=first)
    page.keyboard.press("3")
    expect(page.locator("#mine")).to_have_text("1")
    expect(page.locator("#banner")).to_contain_text("The server failed at this. What you said of 1 item is kept")
    assert [data["item"] for data in here.events("answered")] == [second]
    assert here.events("taken_back") == here.events("passed") == []
    page.unroute("**/api/answer")
    wait_until_sent(page)
    expect(page.locator("#banner")).to_be_hidden()
    said = ("answered", "taken_back", "passed")
    kinds = [event.kind for event in here.served.store.events() if event.data.get("item") == first]
    assert [kind for kind in kinds if kind in said] == list(said)


def test_what_was_never_taken_is_listed_until_it_is_read_and_says_what_to_do(here: Site) -> None:
    here.excused = RESENT
    page = here.page("ada")
    refusal = (400, "application/json", '{"error": "The class is not there any more."}')
    intercept(page, "**/api/answer", [refusal, refusal])
    first, second = press(page, "2"), press(page, "3")
    wait_until_sent(page)
    expect(page.locator("#banner li")).to_have_count(2)
    page.goto(f"{here.address}/mine")
    banner = page.locator("#banner")
    expect(banner).to_contain_text(f"“heron” for item-{first} was not taken: The class is not there any more.")
    expect(banner).to_contain_text(f"“crane” for item-{second} was not taken")
    expect(banner).to_contain_text("tell whoever runs this campaign")
    other = page.context.new_page()
    here.watch(other)
    other.goto(f"{here.address}/label")
    expect(other.locator("#banner li")).to_have_count(2)
    page.get_by_role("button", name="Understood").click()
    expect(banner).to_be_hidden()
    expect(other.locator("#banner")).to_be_hidden()
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(banner).to_be_hidden()


def test_what_was_never_taken_is_listed_where_the_browser_stores_nothing(here: Site) -> None:
    here.excused = RESENT
    page = here.page(None)
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } });")
    page.goto(here.link("ada"))
    page.wait_for_url("**/label")
    intercept(page, "**/api/answer", [(400, "application/json", '{"error": "The class is not there any more."}')])
    page.get_by_role("button", name="Understood").click()
    item = press(page, "2")
    expect(page.locator("#banner")).to_contain_text(f"“heron” for item-{item} was not taken")
    page.get_by_role("button", name="Understood").click()
    expect(page.locator("#banner")).to_be_hidden()


def test_corrections_outlive_a_lost_connection_and_the_window(here: Site) -> None:
    here.excused = RESENT
    first, second = 3, 5
    for item in (first, second):
        here.served.desk.tell(item, 0, annotator="ada")
    page = here.page("ada", "/mine")
    page.context.set_offline(True)
    row = page.locator("tr", has_text=f"item-{first}")
    row.get_by_role("combobox").select_option(label="crane")
    row.get_by_role("button", name="Correct").click()
    expect(page.locator("#banner")).to_contain_text("What you said of 1 item is kept in this browser")
    page.locator("tr", has_text=f"item-{second}").get_by_role("button", name="Take back").click()
    expect(page.locator("#banner")).to_contain_text("What you said of 2 items is kept in this browser")
    expect(page.locator(".said")).to_be_empty()  # the banner says it, and above no word that all is well
    assert page.locator("h1").evaluate(UNCOVERED)
    assert here.events("corrected") == []
    context = page.context
    page.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(f"{here.address}/mine")
    wait_until_sent(again)
    expect(again.locator("tr", has_text=f"item-{first}").get_by_role("combobox")).to_have_value("2")
    expect(again.locator("tr", has_text=f"item-{second}")).to_have_count(0)
    assert [(data["item"], data["label"]) for data in here.events("corrected")] == [(first, 2)]
    assert [data["item"] for data in here.events("taken_back")] == [second]


def test_a_refused_correction_is_said_and_the_row_shows_what_holds(here: Site) -> None:
    here.excused = RESENT
    here.served.desk.tell(3, 0, annotator="ada")
    page = here.page("ada", "/mine")
    intercept(page, "**/api/answer", [(400, "application/json", '{"error": "Crane is gone."}')])
    row = page.locator("tr", has_text="item-3")
    row.get_by_role("combobox").select_option(label="crane")
    row.get_by_role("button", name="Correct").click()
    expect(page.locator("#banner")).to_contain_text("“crane” for item-3 was not taken")
    expect(page.locator("#banner")).to_contain_text("Crane is gone.")
    expect(row.get_by_role("combobox")).to_have_value("0")
    assert here.events("corrected") == []


def test_a_pass_is_corrected_only_to_a_class_that_was_chosen(here: Site) -> None:
    here.served.desk.passed(3, "unsure", annotator="ada")
    page = here.page("ada", "/mine")
    page.get_by_role("button", name="Correct").click()
    choice = page.get_by_role("combobox")
    assert choice.evaluate("(select) => select.validity.valueMissing && select === document.activeElement")
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator(".said")).to_be_empty()
    choice.select_option(label="crane")
    page.get_by_role("button", name="Correct").click()
    wait_until_sent(page)
    assert [(data["item"], data["label"]) for data in here.events("answered")] == [(3, 2)]


def test_campaigns_of_one_name_keep_their_answers_apart(browser: Browser) -> None:
    with site(serve_in_memory(), browser) as one:
        one.excused = RESENT
        page = one.page("ada")
        shown(page)
        page.wait_for_load_state("networkidle")
        page.context.set_offline(True)
        press(page, "2")
        expect(page.locator("#banner")).to_contain_text("What you said of 1 item is kept")
        left: dict[str, Any] = page.evaluate("() => ({...localStorage})")
        assert [place for place in left if place.startswith(box_of(page))]
        with site(serve_in_memory(), browser) as other:  # made anew under the same name, reached at the same address
            again = other.page("ada")
            shown(again)
            again.evaluate("(left) => Object.assign(localStorage, left)", left)
            again.reload()
            shown(again)
            again.wait_for_load_state("networkidle")
            assert other.events("answered") == []
            assert box_of(again) != box_of(page)
        page.context.set_offline(False)
        wait_until_sent(page)
        assert len(one.events("answered")) == 1
