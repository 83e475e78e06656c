"""Labelling in a real Chromium: people side by side, lost connections, lost receipts, full disks, undo."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from playwright.sync_api import Route, expect

from browse import RESENT, Site, cut_off, press, shown, wait_until_sent
from cutpoint.store.base import StoreError


def test_two_people_side_by_side_never_see_the_same_item(here: Site) -> None:
    pages = [here.page("ada"), here.page("bo")]
    seen: list[list[int]] = [[], []]
    for turn in range(6):
        for who, page in enumerate(pages):
            item = press(page, str(1 + (turn + who) % 3))
            seen[who].append(item)
            shown(page, other_than=item)
    for page in pages:
        wait_until_sent(page)
    assert len({*seen[0], *seen[1]}) == 12
    answered = here.events("answered")
    assert sorted(data["item"] for data in answered) == sorted(seen[0] + seen[1])
    assert all(data["lease"] is not None and not data["late"] for data in answered)
    assert {data["item"]: data["label"] for data in answered if data["annotator"] == "ada"} == {
        item: turn % 3 for turn, item in enumerate(seen[0])
    }


def test_a_key_shows_the_next_item_before_anything_is_sent(here: Site) -> None:
    page = here.page("ada")
    before = shown(page)  # with which the next one came
    after, sent = page.evaluate(
        """() => { // no other code of the page, and no reply, comes in between
            const sent = [], fetch = window.fetch;
            window.fetch = (path, ...rest) => { sent.push(path); return fetch(path, ...rest); };
            document.dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true }));
            window.fetch = fetch;
            return [document.getElementById("item").dataset.item, sent];
        }"""
    )
    assert int(after) != before, "the next item was not there yet"
    assert sent == [], "nor waits for a request"
    wait_until_sent(page)
    assert [data["item"] for data in here.events("answered")] == [before]


def test_a_lost_connection_loses_and_doubles_nothing(here: Site) -> None:
    page, first = cut_off(here)
    second = shown(page, other_than=first)
    page.keyboard.press("3")
    expect(page.locator("#banner")).to_contain_text("No connection")
    expect(page.locator("#banner")).to_contain_text("What you said of 2 items is kept in this browser")
    assert here.events("answered") == []
    page.context.set_offline(False)
    expect(page.locator("#banner")).to_be_hidden()
    shown(page)
    wait_until_sent(page)
    assert [(data["item"], data["label"]) for data in here.events("answered")] == [(first, 1), (second, 2)]


def test_answers_outlive_the_window(here: Site) -> None:
    here.excused = RESENT
    page = here.page("ada")
    item = shown(page)
    page.context.set_offline(True)
    page.keyboard.press("1")
    expect(page.locator("#banner")).to_contain_text("What you said of 1 item is kept")
    context = page.context
    page.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(f"{here.address}/label")
    shown(again)
    wait_until_sent(again)
    assert [data["item"] for data in here.events("answered")] == [item]


def test_an_answer_whose_receipt_was_lost_is_sent_again_and_kept_once(here: Site) -> None:
    here.excused = RESENT
    page = here.page("ada")
    sent: list[Any] = []

    def lose(route: Route) -> None:
        sent.append(route.request.post_data_json)
        if len(sent) == 1:
            route.fetch()  # it arrives, and the receipt is lost
            route.abort()
        else:
            route.continue_()

    page.route("**/api/answer", lose)
    item = press(page, "2")
    page.wait_for_function("() => document.getElementById('mine').textContent === '1'")
    wait_until_sent(page)
    assert len(sent) >= 2
    assert len({body["key"] for body in sent}) == 1
    assert [data["item"] for data in here.events("answered")] == [item]


def test_a_full_disk_is_said_and_the_answer_stays(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    here.excused = RESENT
    page = here.page("ada")
    shown(page)
    page.wait_for_load_state("networkidle")
    append = here.served.store.append

    def full(news: Any) -> Any:
        if any(new.kind == "answered" for new in news):
            raise StoreError("The disk is full; the answer was not stored.")
        return append(news)

    with monkeypatch.context() as patch:
        patch.setattr(here.served.store, "append", full)
        item = press(page, "1")
        expect(page.locator("#banner")).to_contain_text("cannot read or store anything")
        expect(page.locator("#banner")).to_contain_text("There is nothing to do")
        expect(page.locator("#banner")).to_contain_text("What you said of 1 item is kept")
        assert here.events("answered") == []
    expect(page.locator("#banner")).to_be_hidden()
    wait_until_sent(page)
    assert [data["item"] for data in here.events("answered")] == [item]


def test_undo_shows_the_item_again_and_takes_the_answer_back(here: Site) -> None:
    page = here.page("ada")
    first = press(page, "2")
    expect(page.locator("#toast")).to_contain_text("heron")
    second = shown(page, other_than=first)
    page.keyboard.press("3")
    shown(page, other_than=second)
    page.keyboard.press("z")
    assert shown(page) == second
    page.keyboard.press("z")
    assert shown(page) == first
    page.keyboard.press("1")
    assert shown(page, other_than=first) == second
    wait_until_sent(page)
    assert [data["item"] for data in here.events("taken_back")] == [second, first]
    assert here.served.desk.state.ballots.label(first) == 0
    assert here.served.desk.state.ballots.label(second) == -1


def test_the_toast_undoes_by_mouse_and_passes_have_keys(here: Site) -> None:
    page = here.page("ada")
    first = press(page, "u")
    shown(page, other_than=first)
    page.locator("#toast-undo").click()
    assert shown(page) == first
    for key in (" ", "b"):
        item = press(page, key)
        shown(page, other_than=item)
    wait_until_sent(page)
    assert [data["why"] for data in here.events("passed")] == ["unsure", "skip", "broken"]


def test_the_remark_on_a_second_answer_names_the_class_and_can_be_undone(here: Site) -> None:
    page = here.page("ada")
    first = shown(page)
    here.served.desk.tell(first, 1, annotator="bo")
    page.keyboard.press("3")
    toast = page.locator("#toast")
    expect(toast).to_contain_text("crane. Somebody else answered this item differently")
    expect(toast.locator(".dot.c2")).to_be_visible()
    page.locator("#toast-undo").click()
    assert shown(page) == first
    wait_until_sent(page)
    assert [data["item"] for data in here.events("taken_back")] == [first]


def test_a_skip_of_what_somebody_else_answered_is_a_skip(here: Site) -> None:
    page = here.page("ada")
    first = shown(page)
    here.served.desk.tell(first, 1, annotator="bo")
    page.keyboard.press(" ")
    wait_until_sent(page)
    expect(page.locator("#toast-words")).to_have_text("Skipped")
    expect(page.locator("#toast-undo")).to_be_visible()


def test_an_undo_without_a_connection_keeps_no_more_than_the_answer_did(here: Site) -> None:
    page, first = cut_off(here)
    banner = page.locator("#banner")
    expect(banner).to_contain_text("What you said of 1 item is kept")
    shown(page, other_than=first)
    page.keyboard.press("z")
    assert shown(page) == first
    expect(banner).to_contain_text("What you said of 1 item is kept")
    page.context.set_offline(False)
    wait_until_sent(page)
    assert here.served.desk.state.ballots.label(first) == -1
