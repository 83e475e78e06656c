"""What is on the labelling page's stage: who has it, how its pictures are fetched, and keys of other keyboards."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, Route, expect

from browse import RESENT, Site, press, shown, site, wait_until_sent
from served import serve_in_memory


def undone(here: Site, page: Page) -> int:
    """An item that was answered and is on the stage again, once the server has its answer."""
    item = shown(page)
    with page.expect_response("**/api/next?*"):  # two questions are held then, beside this one
        page.keyboard.press("2")
    shown(page, other_than=item)
    wait_until_sent(page)
    page.keyboard.press("z")
    assert shown(page) == item
    return item


def test_stop_gives_back_what_was_taken_back_to_be_answered_anew(here: Site) -> None:
    page = here.page("ada")
    item = undone(here, page)
    wait_until_sent(page)
    leases = here.served.desk.state.leases
    assert leases.of(item, "ada") is not None
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("3 questions went back to the others")).to_be_visible()
    assert not leases.live


def test_an_undo_that_arrives_after_the_stop_leaves_nothing_behind(here: Site) -> None:
    here.excused = RESENT
    page = here.page("ada")
    page.route("**/api/undo", lambda route: route.abort())
    item = undone(here, page)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("You have stopped")).to_be_visible()
    page.unroute("**/api/undo")
    with page.expect_response("**/api/give_back"):
        wait_until_sent(page)
    assert [data["item"] for data in here.events("taken_back")] == [item]
    assert not here.served.desk.state.leases.live


def test_the_receipt_of_an_undo_names_the_lease() -> None:
    served = serve_in_memory()
    client = served.client("ada")
    item = client.get("/api/next?n=1").json()["items"][0]["item"]
    answered = client.post("/api/answer", json={"key": "key-00001", "item": item, "label": 1}).json()
    assert (answered["lease"], answered["seconds"]) == (None, None)
    said = client.post("/api/undo", json={"key": "key-00002", "item": item}).json()
    assert client.post("/api/extend", json={"lease": said["lease"]}).json()["seconds"] == said["seconds"] > 0
    served.desk.close()


def test_a_picture_that_fails_is_asked_for_only_while_it_is_wanted(browser: Browser, tmp_path: Path) -> None:
    pictures = [{"picture": f"{i}.png"} for i in range(4)]
    with site(serve_in_memory(pictures, kind="picture", source=str(tmp_path)), browser) as here:
        here.excused = RESENT
        page = here.page(None)
        page.clock.install()
        asked: list[int] = []

        def fail(route: Route) -> None:
            asked.append(int(route.request.url.split("/")[-2]))
            route.fulfill(status=503, json={"error": "Not now."})

        page.route("**/picture?*", fail)
        page.goto(here.link("ada"))
        page.wait_for_url("**/label")
        page.clock.run_for(200)
        first = press(page, "2")
        second = shown(page, other_than=first)
        wait_until_sent(page)
        expect(page.get_by_text("The picture has not come yet")).to_be_visible()
        asked.clear()
        with page.expect_request(f"**/items/{second}/picture?*"):
            page.clock.run_for(3100)
        page.wait_for_timeout(200)
        assert first not in asked


FRENCH = ["&", "é", '"']  # where others have 1, 2 and 3
PERSIAN = ["\u06f1", "\u06f2", "\u06f3"]


@pytest.mark.parametrize("row", [FRENCH, PERSIAN], ids=["french", "persian"])
def test_classes_have_their_keys_where_the_layout_has_no_digits(here: Site, row: list[str]) -> None:
    page = here.page("ada")
    items: list[int] = []
    for place, key in enumerate(row, start=1):
        items.append(shown(page, other_than=items[-1] if items else None))
        type_key(page, key, f"Digit{place}")
    wait_until_sent(page)
    assert [data["item"] for data in here.events("answered")] == items
    assert [data["label"] for data in here.events("answered")] == [0, 1, 2]


def test_letters_count_by_their_place_only_where_they_are_not_latin(here: Site) -> None:
    page = here.page("ada")
    first = shown(page)
    type_key(page, "г", "KeyU")  # noqa: RUF001
    second = shown(page, other_than=first)
    type_key(page, "a", "KeyQ")  # a French q: no key of ours
    type_key(page, "!", "Digit1", shift=True)
    type_key(page, "z", "KeyW")  # a French z
    assert shown(page, other_than=second) == first
    wait_until_sent(page)
    assert [data["why"] for data in here.events("passed")] == ["unsure"]
    assert [data["item"] for data in here.events("taken_back")] == [first]
    assert here.events("answered") == []


def type_key(page: Page, key: str, code: str, shift: bool = False) -> None:
    """Press a key as a keyboard of another layout does: what it writes, and its place on a usual one."""
    about = {"key": key, "code": code, "shiftKey": shift, "bubbles": True, "cancelable": True}
    page.locator("body").dispatch_event("keydown", about)
    page.locator("body").dispatch_event("keyup", about)


def test_an_item_without_content_is_shown_by_its_id(browser: Browser) -> None:
    with site(serve_in_memory([{"row": {}}]), browser) as here:
        page = here.page("ada")
        shown(page)
        expect(page.locator("#item")).to_have_text("iditem-0")


def test_an_item_that_cannot_be_shown_is_said_to_be_so_and_reported(browser: Browser) -> None:
    with site(serve_in_memory([{"row": [1, 2]}]), browser) as here:
        page = here.page("ada")
        shown(page)
        expect(page.locator("#item strong")).to_have_text("This item cannot be shown")
        press(page, "b")
        wait_until_sent(page)
        assert [(data["item"], data["why"]) for data in here.events("passed")] == [(0, "broken")]
