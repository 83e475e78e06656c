"""The pages in a real Chromium: people side by side, lost connections, undo, keyboard alone, phones, hostile texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from browse import PATIENCE, Site, press, shown, site
from cutpoint.store.base import StoreError
from screenshots import chromium
from served import serve_in_memory, token

expect.set_options(timeout=PATIENCE)
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
RESENT = ("Failed to load resource",)  # what Chromium says of a request that failed, as some tests let it


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium: install it, or name one in CUTPOINT_TEST_CHROMIUM")
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def here(browser: Browser) -> Iterator[Site]:
    """A campaign of 40 texts in three classes."""
    with site(serve_in_memory(), browser) as opened:
        yield opened


def wait_until_sent(page: Page) -> None:
    """Wait until the server has everything that the page was told."""
    page.wait_for_function(
        "() => Object.keys(localStorage).filter((k) => k.startsWith('cutpoint:birds'))"
        ".every((k) => JSON.parse(localStorage[k]).length === 0)"
    )


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


def test_a_key_shows_the_next_item_at_once(here: Site) -> None:
    page = here.page("ada")
    shown(page)
    page.wait_for_load_state("networkidle")
    slowest = 0.0
    for _ in range(5):
        before = shown(page)
        took, after = page.evaluate(
            """() => new Promise((done) => {
                const start = performance.now();
                document.dispatchEvent(new KeyboardEvent("keydown", {key: "1", bubbles: true}));
                const after = Number(document.getElementById("item").dataset.item);
                requestAnimationFrame(() => done([performance.now() - start, after]));
            })"""
        )
        assert after != before, "the next item was not there yet"
        slowest = max(slowest, took)
        page.wait_for_load_state("networkidle")
    assert slowest < 50


def test_a_lost_connection_loses_and_doubles_nothing(here: Site) -> None:
    here.excused = RESENT
    page = here.page("ada")
    first = shown(page)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.keyboard.press("2")
    second = shown(page, other_than=first)
    page.keyboard.press("3")
    expect(page.locator("#banner")).to_contain_text("No connection")
    expect(page.locator("#banner")).to_contain_text("2 answers are kept in this browser")
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
    expect(page.locator("#banner")).to_contain_text("1 answer is kept")
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
        expect(page.locator("#banner")).to_contain_text("The disk is full")
        expect(page.locator("#banner")).to_contain_text("1 answer is kept")
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
    expect(page.get_by_role("progressbar", name="0 of 20 answers until the model learns again")).to_be_attached()
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
    with site(serve_in_memory(2, lease_seconds=3.0), browser) as here:
        here.served.desk.ask("bo", 2)
        page = here.page("ada")
        expect(page.locator("#item strong")).not_to_be_empty()
        expect(page.locator("#countdown")).to_contain_text("Looking again in")
        expect(page.get_by_role("button", name="heron")).to_be_disabled()
        shown(page)
        expect(page.get_by_role("button", name="heron")).to_be_enabled()


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
    expect(page.locator("#said")).to_contain_text("holds no longer")
    here.excused = RESENT
    eve.keyboard.press("1")
    expect(eve.locator("#banner")).to_contain_text("Your link no longer holds")
    assert here.events("answered") == []


def test_my_answers_are_corrected_and_taken_back(here: Site) -> None:
    page = here.page("ada")
    first = press(page, "1")
    second = press_other(page, first, "2")
    wait_until_sent(page)
    page.goto(f"{here.address}/mine")
    row = page.locator("tr", has_text=f"item-{first}").first
    row.get_by_role("combobox").select_option(label="crane")
    row.get_by_role("button", name="Correct").click()
    expect(page.locator("#said")).to_have_text("Saved.")
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


def test_stopping_gives_the_items_back(here: Site) -> None:
    page = here.page("ada")
    shown(page)
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_url("**/mine")
    assert here.served.desk.state.leases.held_by("ada") == []


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
