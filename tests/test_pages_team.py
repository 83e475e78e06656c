"""Hostile texts in Chromium, and the pages beside the labelling page: admin, my answers, stopping."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, expect

from browse import RESENT, Site, press, shown, site, wait_until_sent
from served import serve_in_memory

ATTACK = '<img src=x onerror="window.hit=1;alert(1)"><script>window.hit=1;alert(2)</script>\'"><b>bold</b>{{7*7}}'


def test_scripts_in_texts_labels_and_names_are_shown_as_text(browser: Browser) -> None:
    contents: list[dict[str, Any]] = [
        {"text": ATTACK},
        {"row": {ATTACK: ATTACK}},
        {"picture": ATTACK},
        {"text": "\u202eabc\u0000 \ud7ff é 鷺"},
    ]
    people = {ATTACK: False, "bo": False, "chief": True}
    served = serve_in_memory(
        contents, people=people, name=ATTACK, classes=(ATTACK, "b", "</script>"), guideline=ATTACK, seed=1
    )
    with site(served, browser) as here:
        page = here.page(ATTACK)
        texts = []
        for _ in contents:
            item = shown(page)
            texts.append(page.locator("#item").inner_text())
            page.keyboard.press("1")
            page.wait_for_function(f"() => document.getElementById('item').dataset.item !== '{item}'")
        page.wait_for_load_state("networkidle")
        assert sum(ATTACK in text for text in texts) == 2
        served.desk.tell(0, 1, annotator="bo")
        for who, paths in ((ATTACK, ["/label", "/mine", "/guide", "/dashboard"]), ("chief", ["/disputes", "/admin"])):
            looked = here.page(who, paths[0])
            for path in paths:
                looked.goto(here.address + path)
                looked.wait_for_load_state("networkidle")
                assert looked.evaluate("() => window.hit") is None, path
                assert looked.locator("b", has_text="bold").count() == 0, path
                assert "49" not in looked.locator("h1, .brand").first.inner_text()
                assert ATTACK in looked.locator(".brand").inner_text(), path


def test_an_admin_makes_a_link_and_revokes_it(here: Site) -> None:
    page = here.page("chief", "/admin")
    page.get_by_label("Name", exact=True).fill("eve")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("#link .link")
    expect(link).to_contain_text("/a/")
    address = link.inner_text()
    eve = here.page(None)
    eve.goto(address)
    eve.wait_for_url("**/label")
    shown(eve)
    expect(page.locator("#links tr", has_text="eve")).to_be_visible()
    page.locator("#links tr", has_text="eve").get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("region", name="Private links").locator(".said")).to_contain_text("holds no longer")
    here.excused = RESENT
    eve.keyboard.press("1")
    expect(eve.locator("#banner")).to_contain_text("Your private link no longer holds")
    expect(eve.locator("#banner")).to_contain_text("What you said of 1 item is kept in this browser")
    expect(eve.locator("#item")).to_contain_text("There are no questions here now")
    assert here.events("answered") == []
    assert [data["reason"] for data in here.events("lease_ended")].count("returned") == len(here.events("lease_ended"))
    assert here.served.desk.state.leases.held_by("eve") == []
    page.get_by_label("Name", exact=True).fill("eve")
    page.get_by_role("button", name="Make a link").click()
    expect(link).not_to_have_text(address)
    again = eve.context.new_page()
    again.goto(link.inner_text())
    again.wait_for_url("**/label")
    wait_until_sent(again)
    assert len(here.events("answered")) == 1


def test_an_open_page_says_nothing_as_whoever_has_the_browser_next(here: Site) -> None:
    here.excused = (*RESENT, "403")
    ada = here.page("ada")
    shown(ada)
    ada.wait_for_load_state("networkidle")
    bo = ada.context.new_page()
    bo.goto(here.link("bo"))
    shown(bo)
    ada.keyboard.press("1")
    expect(ada.locator("#banner")).to_contain_text("This page is another person's")
    expect(ada.locator("#banner")).to_contain_text("What you said of 1 item is kept in this browser")
    expect(ada.locator("#item")).to_contain_text("There are no questions here now")
    press(bo, "2")
    wait_until_sent(bo)
    assert [data["annotator"] for data in here.events("answered")] == ["bo"]
    bo.goto(here.link("ada"))
    wait_until_sent(ada)
    assert [data["annotator"] for data in here.events("answered")] == ["bo", "ada"]


def test_a_form_says_beside_itself_what_became_of_it(here: Site) -> None:
    here.excused = RESENT
    page = here.page("chief", "/admin")
    classes = page.get_by_role("region", name="Classes")
    expect(classes.get_by_role("listitem")).to_have_text([re.compile(name) for name in ("other", "heron", "crane")])
    classes.get_by_label("Name of the class").fill("heron")
    classes.get_by_role("button", name="Add a class").click()
    expect(classes.locator(".said.bad")).to_contain_text("'heron' is there already")
    expect(classes.get_by_label("Name of the class")).to_be_focused()
    classes.get_by_label("Name of the class").fill("stork")
    classes.get_by_role("button", name="Add a class").click()
    expect(classes.locator(".said:not(.bad)")).to_contain_text("stork is added")
    expect(classes.get_by_role("listitem")).to_have_count(4)
    expect(classes.get_by_label("Name of the class")).to_have_value("")
    expect(page.get_by_role("region", name="Settings").locator(".said")).to_be_empty()


def test_what_somebody_opened_on_the_dashboard_stays_open_when_its_numbers_change(here: Site) -> None:
    page = here.page("chief", "/dashboard")
    page.get_by_text("What these columns say").click()
    before = page.inner_text("main")
    ask = here.served.desk.ask("ada", 1)[0]
    here.served.desk.tell(ask, 0)
    page.evaluate("() => import('/static/fresh.js').then((module) => module.refresh())")
    assert page.inner_text("main") != before
    expect(page.get_by_text("95 % bounds, by the questions")).to_be_visible()
    expect(page.locator("summary")).to_be_focused()


def test_the_budget_is_set_and_left_to_the_campaign_again(here: Site) -> None:
    page = here.page("chief", "/admin")
    settings = page.get_by_role("region", name="Settings")
    budget = settings.get_by_label("Items until the model learns")
    budget.fill("7")
    settings.get_by_role("button", name="Change").click()
    expect(settings.locator(".said")).to_have_text("Changed.")
    assert here.served.desk.state.made.budget == 7
    page.reload()
    expect(budget).to_have_value("7")
    budget.fill("")
    settings.get_by_role("button", name="Change").click()
    expect(settings.locator(".said")).to_have_text("Changed.")
    assert here.served.desk.state.made.budget is None


def test_without_disputes_the_page_says_what_would_make_one(here: Site) -> None:
    page = here.page("chief", "/disputes")
    expect(page.locator("main")).to_contain_text("Nobody disagrees")
    expect(page.locator("main")).to_contain_text("each item is asked of one person")
    page.get_by_role("link", name="answers per item").click()
    expect(page.get_by_label("Answers per item")).to_be_visible()


def test_my_answers_are_corrected_and_taken_back(here: Site) -> None:
    page = here.page("ada")
    first = press(page, "1")
    second = press_other(page, first, "2")
    wait_until_sent(page)
    page.goto(f"{here.address}/mine")
    row = page.locator("tr", has_text=f"item-{first}").first
    row.get_by_role("combobox").select_option(label="crane")
    row.get_by_role("button", name="Correct").click()
    expect(page.locator(".said")).to_have_text("Saved. You had answered “other”; it is now “crane”.")
    page.locator("tr", has_text=f"item-{second}").first.get_by_role("button", name="Take back").click()
    expect(page.locator("tr", has_text=f"item-{second}")).to_have_count(0)
    assert [(data["item"], data["label"], data["was"]) for data in here.events("corrected")] == [(first, 2, 0)]
    assert [data["item"] for data in here.events("taken_back")] == [second]


def press_other(page: Page, before: int, key: str) -> int:
    """Press a key at the item after a given one; the item."""
    item = shown(page, other_than=before)
    page.keyboard.press(key)
    shown(page, other_than=item)
    return item


def test_stopping_gives_the_items_back_and_says_how_many(here: Site) -> None:
    page = here.page("ada")
    shown(page)
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#item strong")).to_have_text("You have stopped. 2 questions went back to the others.")
    assert here.served.desk.state.leases.held_by("ada") == []
    page.keyboard.press("1")
    expect(page.get_by_role("button", name="heron")).to_be_disabled()
    assert here.events("answered") == []
    page.get_by_role("button", name="Go on").click()
    shown(page)


def test_stopping_without_a_connection_says_what_becomes_of_the_items(here: Site) -> None:
    here.excused = RESENT
    page = here.page("ada")
    shown(page)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#item strong")).to_contain_text("2 questions will go back by themselves")
