"""Why a question is asked, in Chromium: the picture comes when drawn, follows answers, and agrees with its words."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")
pytest.importorskip("playwright")

from playwright.sync_api import Browser, expect

from browse import site
from served import Served, publish, serve_in_memory

CLASSES = ("other", "heron")


def with_a_model(folder: Path) -> Served:
    """A campaign whose first batch is answered, with the first scores published and sorted; strips not yet drawn."""
    served = serve_in_memory(60, files=folder, classes=CLASSES, first=6, budget=6)
    for turn in range(6):
        served.desk.tell(served.desk.ask("ada", 1)[0], turn % 2)
    sure = np.linspace(0.02, 0.98, 60)
    publish(served, np.column_stack([sure, 1 - sure]))
    return served


def test_a_picture_that_is_not_drawn_yet_comes_by_itself(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("cutpoint.service.overview.strips.Strips.refresh", lambda *_: None)
        served = with_a_model(tmp_path)
    with site(served, browser) as here:
        page = here.page("ada")
        expect(page.locator("#now")).to_have_text("The picture of this class is being drawn.")
        assert page.locator("#strip svg").count() == 0
        served.front.refresh()
        expect(page.locator("#strip svg .here")).to_be_attached()
        ends = re.compile("surely (other|heron).*the model's score.*surely another", re.DOTALL)
        expect(page.locator("#ends")).to_have_text(ends)
        expect(page.locator("#now")).to_contain_text("this item at place")


def test_words_of_then_and_picture_of_now_do_not_contradict_each_other(browser: Browser, tmp_path: Path) -> None:
    served = with_a_model(tmp_path)
    with site(served, browser) as here:
        page = here.page("ada")
        expect(page.locator("#reason")).to_contain_text("When this was asked")
        now = page.locator("#now")
        expect(now).to_contain_text("Now: ")
        before = now.inner_text()
        held = {ask.item for ask in served.desk.ask("ada", 2)}
        for item in range(20, 40):  # somebody else answers meanwhile
            if item not in held:
                served.desk.tell(item, int(item < 30), annotator="bo")
        page.reload()
        expect(now).to_contain_text("Now: ")
        assert now.inner_text() != before
        expect(page.locator("#reason")).to_contain_text("When this was asked")


def test_the_picture_follows_ones_own_answer(browser: Browser, tmp_path: Path) -> None:
    served = with_a_model(tmp_path)
    with site(served, browser) as here:
        page = here.page("ada")
        dots = page.locator("#strip circle")
        expect(dots).to_have_count(6)
        page.wait_for_timeout(120)
        page.keyboard.press("1")
        expect(dots).to_have_count(7)
