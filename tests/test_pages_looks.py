"""What has to be seen: items of every shape beside their buttons, at a desk and on a phone, with nothing over them."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, expect

from browse import press, resize, see_picture, shown, site
from cutpoint.service.web.pages import STATIC
from served import publish, serve_in_memory

LOW = {"old phone": (320, 568), "phone": (390, 844), "on its side": (844, 390), "at 200 %": (640, 400)}
LOW |= {"tablet": (768, 1024), "desk": (1440, 900)}
SIZES = {"desk": (1280, 800), "laptop": (1024, 640), "phone": (390, 780), "small": (360, 640)}
LONG = "a bird of which only the feet and the shadow can be seen, and nothing else at all"
LONGEST = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"


def viewport(size: str) -> dict[str, int]:
    """A size's width and height."""
    return dict(zip(("width", "height"), SIZES[size], strict=True))


def box(page: Page, selector: str) -> FloatRect:
    """Where something is on the page."""
    found = page.locator(selector).first.bounding_box()
    assert found is not None, selector
    return found


def overlap(a: FloatRect, b: FloatRect) -> bool:
    """Whether two boxes share more than a border."""
    across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    return across > 1 and down > 1


def within(a: FloatRect, b: FloatRect) -> bool:
    """Whether one box lies in the other, but for a pixel."""
    across = a["x"] >= b["x"] - 1 and a["x"] + a["width"] <= b["x"] + b["width"] + 1
    return across and a["y"] >= b["y"] - 1 and a["y"] + a["height"] <= b["y"] + b["height"] + 1


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A very tall, a very wide and a usual picture."""
    for name, size in {"tall": (240, 3000), "wide": (3000, 60), "usual": (640, 480)}.items():
        Image.new("RGB", size, "teal").save(tmp_path / f"{name}.png")
    return tmp_path


@pytest.mark.parametrize("size", SIZES)
def test_the_toast_covers_neither_picture_nor_buttons(browser: Browser, photos: Path, size: str) -> None:
    with site(serve_in_memory([{"picture": "tall.png"}] * 4, source=str(photos)), browser) as here:
        page = here.page("ada", reduced_motion="reduce", viewport=viewport(size))  # nothing is on its way
        see_picture(page)
        shown(page, other_than=press(page, "2"))
        expect(page.locator("#toast")).to_have_class("on")
        see_picture(page)
        toast = box(page, "#toast")
        for covered in ("#item", ".answers", ".acts", "#why summary", ".bar"):
            assert not overlap(toast, box(page, covered)), covered
        assert toast["x"] >= 0
        assert toast["x"] + toast["width"] <= SIZES[size][0]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["tall", "wide", "usual"])
def test_a_picture_is_shown_whole_and_can_be_enlarged(browser: Browser, photos: Path, name: str, size: str) -> None:
    with site(serve_in_memory([{"picture": f"{name}.png"}], source=str(photos)), browser) as here:
        page = here.page("ada", viewport=viewport(size))
        see_picture(page)
        stage, picture = box(page, "#item"), box(page, "#item img")
        assert picture["x"] >= stage["x"]
        assert picture["y"] >= stage["y"]
        assert picture["x"] + picture["width"] <= stage["x"] + stage["width"]
        assert picture["y"] + picture["height"] <= stage["y"] + stage["height"]
        page.keyboard.press("e")
        near = box(page, "#item img")
        with Image.open(photos / f"{name}.png") as real:
            assert near["width"] / near["height"] == pytest.approx(real.width / real.height, rel=0.05)
        assert near["width"] > 1.2 * picture["width"]
        assert min(near["width"], near["height"]) > 120
        wide, high = SIZES[size]
        for key in ("ArrowLeft", "ArrowUp"):
            for _ in range(120):
                page.keyboard.press(key)
        near = box(page, "#item img")
        assert min(near["x"], near["y"]) >= -1
        for key in ("ArrowRight", "ArrowDown"):
            for _ in range(120):
                page.keyboard.press(key)
        near = box(page, "#item img")
        assert near["x"] + near["width"] <= wide + 1
        assert near["y"] + near["height"] <= high + 1
        page.keyboard.press("Escape")
        assert box(page, "#item img") == picture
        page.locator("#item img").click()
        page.locator("#item").click(position={"x": 20, "y": 20})
        assert box(page, "#item img") == picture


def test_a_picture_that_cannot_be_shown_is_said_in_words(browser: Browser, photos: Path) -> None:
    with site(serve_in_memory([{"picture": "missing.png"}], source=str(photos)), browser) as here:
        page = here.page("ada")
        expect(page.get_by_text("This picture cannot be shown")).to_be_visible()
        assert page.locator("#item img").count() == 0
        assert page.get_by_role("region", name="The item to label").get_by_text("b reports it").is_visible()


@pytest.mark.parametrize("path", ["/mine", "/admin", "/disputes"])
def test_lists_say_in_words_which_pictures_cannot_be_shown(browser: Browser, photos: Path, path: str) -> None:
    contents = [{"picture": "usual.png"}, {"picture": "missing.png"}]
    with site(serve_in_memory(contents, source=str(photos), overlap=2), browser) as here:
        for item in (0, 1):
            here.served.desk.tell(item, 0, annotator="ada")
            if path == "/disputes":
                here.served.desk.tell(item, 1, annotator="bo")
            if path == "/admin":
                here.served.desk.passed(item, "broken", annotator="bo")
        page = here.page("ada" if path == "/mine" else "chief", path)
        expect(page.get_by_text("This picture cannot be shown")).to_have_count(1)
        expect(page.get_by_role("img", name="Picture item-0")).to_be_visible()
        assert page.locator("#main img").count() == 1


@pytest.mark.parametrize("size", SIZES)
def test_a_remark_is_read_whole_and_covers_no_reason(browser: Browser, tmp_path: Path, size: str) -> None:
    served = serve_in_memory(files=tmp_path)
    publish(served, np.random.default_rng(0).dirichlet(np.ones(3), 40))
    with site(served, browser) as here:
        page = here.page("ada", reduced_motion="reduce", viewport=viewport(size))  # nothing is on its way
        item = shown(page)
        page.evaluate("() => { document.getElementById('why').open = true; }")
        expect(page.locator("#strip svg")).to_be_visible()
        for remark in (False, True):
            if remark:
                served.desk.tell(item, 2, annotator="bo")
            page.keyboard.press("2")
            item = shown(page, other_than=item)
            expect(page.locator("#toast.on")).to_contain_text("looked at again" if remark else "heron")
            expect(page.locator("#strip svg")).to_be_visible()
            toast = page.locator("#toast-words")
            assert toast.evaluate("(at) => at.scrollHeight <= at.clientHeight"), "all of it is seen"
            for covered in ("#item", ".answers", ".acts", "#why summary", "#strip"):
                assert not overlap(box(page, "#toast"), box(page, covered)), covered
            assert within(box(page, "#toast"), {"x": 0, "y": 0, "width": SIZES[size][0], "height": SIZES[size][1]})


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("classes", [tuple(f"class {k}" for k in range(20)), ("ok", LONG, LONGEST, "طائر البلشون")])
def test_many_and_long_classes_leave_room_for_the_item(browser: Browser, size: str, classes: tuple[str, ...]) -> None:
    wide, high = SIZES[size]
    with site(serve_in_memory(classes=classes), browser) as here:
        page = here.page("ada", viewport={"width": wide, "height": high})
        shown(page)
        page.evaluate("() => { document.getElementById('why').open = false; }")
        stage, acts = box(page, "#item"), box(page, ".acts")
        assert stage["height"] > 90
        assert not overlap(stage, box(page, ".answers"))
        assert acts["y"] + acts["height"] <= high
        last = page.locator(".answers button").last
        last.scroll_into_view_if_needed()
        last.click()
        shown(page, other_than=None)
        page.wait_for_function("() => document.getElementById('mine').textContent === '1'")
        assert here.events("answered")[0]["label"] == len(classes) - 1


@pytest.mark.parametrize("classes", [[f"bird {k}" for k in range(5)], [f"{k} {LONG}"[:60] for k in range(12)]])
def test_every_button_is_reached_while_the_reason_is_open(browser: Browser, tmp_path: Path, classes: list[str]) -> None:
    served = serve_in_memory(classes=classes, files=tmp_path)
    publish(served, np.random.default_rng(0).dirichlet(np.ones(len(classes)), 40))
    with site(served, browser) as here:
        page = here.page("ada")
        shown(page)
        page.evaluate("() => { document.getElementById('why').open = true; }")
        expect(page.locator("#strip svg")).to_be_visible()
        for name, (wide, high) in LOW.items():
            resize(page, wide, high)
            boxes = [box(page, part) for part in ("#item", "#why", ".answers", ".acts")]
            assert not any(overlap(a, b) for a, b in combinations(boxes, 2)), name
            assert boxes[0]["height"] > 90, name
            assert boxes[3]["y"] + boxes[3]["height"] <= high, name
            for k in range(len(classes)):
                page.locator(f"[data-label='{k}']").scroll_into_view_if_needed()
                button = box(page, f"[data-label='{k}']")
                assert within(button, boxes[2]), name
                assert within(box(page, f"[data-label='{k}'] span"), button), name
            for part in (":root", ".acts"):
                assert page.locator(part).evaluate("(at) => at.scrollWidth <= at.clientWidth"), name


@pytest.mark.parametrize(
    ("who", "path"), [("chief", page) for page in ("/dashboard", "/disputes", "/admin")] + [("ada", "/mine")]
)
def test_lists_and_tables_fold_into_a_phone(browser: Browser, tmp_path: Path, who: str, path: str) -> None:
    wide = {"row": {f"column {i} with a name": LONG if i % 3 else LONGEST for i in range(40)}}
    names = [f"{k} {LONG}"[:60] for k in range(12)]
    served = serve_in_memory(
        [wide] * 40, classes=names, files=tmp_path, kind="row", people={"ada": False, LONGEST: False, "chief": True}
    )
    for item in range(12):
        served.desk.tell(item, item, annotator="ada")
        served.desk.tell(item, 11 - item, annotator=LONGEST)
    served.desk.passed(20, "broken", annotator=LONGEST)
    served.desk.ask(LONGEST, 2)
    for version in (1, 2):
        publish(served, np.random.default_rng(version).dirichlet(np.ones(12), 40), version)
    with site(served, browser) as here:
        page = here.page(who, path)
        for width in (320, 390, 768, 1440):
            resize(page, width, 700)
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width
            for part in page.locator(".scroll, .low, .card").all():
                assert part.evaluate("(at) => at.scrollWidth <= at.clientWidth"), (width, part.inner_html())


STOP = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  return {
    name: at.getAttribute("aria-label") ?? at.innerText,
    seen: at.checkVisibility({ opacityProperty: true, visibilityProperty: true }),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
  };
}"""


@pytest.mark.parametrize("path", ["/label", "/mine", "/dashboard", "/guide"])
def test_what_tab_reaches_is_seen_has_a_name_and_shows_the_focus(browser: Browser, path: str) -> None:
    with site(serve_in_memory(), browser) as here:
        here.served.desk.tell(3, 1, annotator="ada")
        page = here.page("ada", path)
        page.wait_for_load_state("networkidle")
        stops = []
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement === document.body"):
                break
            stops.append(page.evaluate(STOP))
        assert all(stop["seen"] and stop["name"] and stop["ring"] for stop in stops), stops
        assert stops[0]["name"] == "Skip to the content"
        assert len(stops) > 3


WORDS: list[tuple[str, tuple[str, ...]]] = [
    ("ink", ("paper", "card", "sunk", "tint")),
    ("soft", ("paper", "card", "sunk", "tint")),
]
WORDS += [(colour, ("paper", "card")) for colour in ("good", "bad", "accent")]
WORDS += [(f"c{k}", ("card",)) for k in range(10)]


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_words_and_edges_stand_out_in_light_and_dark() -> None:
    roots = re.findall(r":root \{(.*?)\}", (STATIC / "style.css").read_text("utf-8"), re.DOTALL)
    light, dark = (dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", root)) for root in roots)
    for mode in (light, light | dark):
        for wanted, pairs in ((4.5, WORDS), (3.0, [("edge", ("paper", "card"))])):
            for colour, other in ((colour, other) for colour, others in pairs for other in others):
                low, high = sorted((luminance(mode[colour]), luminance(mode[other])))
                assert (high + 0.05) / (low + 0.05) >= wanted, (colour, other)


ITEMS: list[dict[str, Any]] = [
    {"text": "fine"},
    {"text": "It was the best of times, it was the worst of times. " * 200},
    {"row": {f"column {i} with a name": i * 1.25 if i % 3 else "some longer text" for i in range(40)}},
    {"row": {"age": 31, "town": "Ulm"}},
]


def test_a_row_of_very_many_columns_says_how_many_there_are(browser: Browser) -> None:
    with site(serve_in_memory([{"row": {f"c{i}": i for i in range(1_300)}}]), browser) as here:
        page = here.page("ada")
        shown(page)
        expect(page.locator("#item dd").last).to_have_text("These are the first 200 of 1,300 columns.")


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_texts_and_rows_fill_a_card_of_their_size_and_scroll_by_keys(browser: Browser, size: str) -> None:
    heights = []
    for item in ITEMS:
        with site(serve_in_memory([item]), browser) as here:
            page = here.page("ada", viewport=viewport(size))
            shown(page)
            heights.append(box(page, "#item")["height"])
            more = page.locator("#item").evaluate("(at) => at.scrollHeight > at.clientHeight")
            assert more or item is not ITEMS[1]
            page.keyboard.press("PageDown")
            assert page.evaluate("() => document.getElementById('item').scrollTop > 0") == more
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    short, long, many, few = heights
    assert max(short, few) < 0.55 * min(long, many)
