"""The labelling page for everybody: by keyboard alone, by ear, on a phone, in light and dark, with nothing to do."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, expect

from browse import Site, shown, site, wait_until_sent
from desks import FakeClock
from served import serve_in_memory, token

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_everything_can_be_done_by_keyboard(here: Site) -> None:
    page = here.page("ada")
    first = shown(page)
    page.keyboard.press("g")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("1")
    assert shown(page) == first, "keys do not answer behind an open guideline"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    names = []
    for _ in range(25):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "() => [document.activeElement.innerText.trim(), getComputedStyle(document.activeElement).outlineStyle]"
        )
        names.append(name)
        assert outline != "none" or page.evaluate("() => document.activeElement === document.body"), name
        if name.endswith("heron"):
            break
    assert names[-1].endswith("heron"), names
    page.keyboard.press("Enter")
    second = shown(page, other_than=first)
    page.get_by_role("button", name="Skip").focus()
    page.keyboard.press("Space")
    shown(page, other_than=second)
    wait_until_sent(page)
    assert [data["label"] for data in here.events("answered")] == [1]
    assert [data["item"] for data in here.events("passed")] == [second], "space on a button presses it, once"


def test_names_for_those_who_hear_the_page(here: Site) -> None:
    page = here.page("ada")
    shown(page)
    expect(page.get_by_role("group", name="Classes")).to_be_visible()
    expect(page.get_by_role("region", name="The item to label")).to_be_visible()
    until = "20 more items until the model learns; 0 of 20 are done"
    expect(page.get_by_role("progressbar", name=until)).to_be_attached()
    expect(page.get_by_role("button", name="crane", exact=True)).to_be_enabled()
    assert page.locator("#item").get_attribute("aria-live") == "polite"
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_link_leaves_no_token_in_address_and_history(here: Site) -> None:
    page = here.page(None)
    page.goto(f"{here.address}/a/{token('ada')}")
    page.wait_for_url("**/label")
    page.go_back()
    assert token("ada") not in page.url


def test_on_a_phone_nothing_is_cut_off_and_a_thumb_can_answer(here: Site) -> None:
    page = here.page("ada", **PHONE)
    first = shown(page)
    button = page.get_by_role("button", name="heron")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["y"] + box["height"] <= 844
    button.tap()
    shown(page, other_than=first)
    wait_until_sent(page)
    assert [data["item"] for data in here.events("answered")] == [first]
    chief = here.page("chief", "/dashboard", **PHONE)
    for opened, paths in ((page, ["/label", "/mine", "/guide"]), (chief, ["/dashboard", "/admin", "/disputes"])):
        for path in paths:
            opened.goto(here.address + path)
            wide = opened.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is {wide} pixels too wide"


def test_an_empty_desk_says_why_and_looks_again_by_itself(browser: Browser) -> None:
    clock = FakeClock()
    with site(serve_in_memory(2, clock=clock, lease_seconds=3.0), browser) as here:
        here.served.desk.ask("bo", 2)
        page = here.page("ada")
        expect(page.locator("#item strong")).not_to_be_empty()
        expect(page.locator("#countdown")).to_contain_text("Looking again in")
        expect(page.get_by_role("button", name="heron")).to_be_disabled()
        clock.now += 3
        shown(page)
        expect(page.get_by_role("button", name="heron")).to_be_enabled()


CONTRAST = """(selectors) => {
    const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const linear = (v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => .2126 * linear(r / 255) + .7152 * linear(g / 255) + .0722 * linear(b / 255);
    const behind = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const selector of selectors) for (const node of document.querySelectorAll(selector)) {
        const a = light(parse(getComputedStyle(node).color)), b = light(behind(node));
        found.push([selector, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)]);
    }
    return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Browser, scheme: str) -> None:
    with site(serve_in_memory(classes=tuple("abcdefghi")), browser) as here:
        page = here.page("ada", color_scheme=scheme, reduced_motion="reduce")
        shown(page)
        check_contrast(page)


def check_contrast(page: Page) -> None:
    """WCAG AA for text of usual size, and no motion for those who asked for none."""
    selectors = [
        ".answers button",
        ".answers kbd",
        ".acts button",
        ".acts kbd",
        ".bar a",
        ".found",
        ".found b",
        ".text",
    ]
    found = page.evaluate(CONTRAST, selectors)
    assert {selector for selector, _ in found} == set(selectors)
    assert all(ratio >= 4.5 for _, ratio in found), [pair for pair in found if pair[1] < 4.5]
    moving = page.evaluate("() => getComputedStyle(document.querySelector('.answers button')).transitionDuration")
    assert moving == "0s"


def test_on_a_phone_all_pages_of_two_links_in_one_browser_are_named(here: Site) -> None:
    page = here.page("ada", **PHONE | {"viewport": {"width": 360, "height": 740}})
    page.goto(here.link("chief"))
    page.wait_for_url("**/admin")
    for path in ("/label", "/mine", "/dashboard", "/disputes", "/admin"):
        page.goto(here.address + path)
        for link in page.get_by_role("navigation", name="Pages").get_by_role("link").all():
            box = link.bounding_box()
            if box is not None:  # the page that is open is not named on the labelling page of a phone
                assert box["x"] >= 0, path
                assert box["x"] + box["width"] <= 360, (path, link.inner_text())
