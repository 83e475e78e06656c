"""A campaign in a real Chromium, for tests: a server in a thread, and pages that must not complain or go elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, expect, sync_playwright

from cutpoint.service.web.app import create_app
from cutpoint.service.web.server import listening
from screenshots import chromium
from served import Served, serve_in_memory, token

PATIENCE = 90_000  # milliseconds until something that must come counts as missing: shared machines stall now and then
CALM = """
const soon = window.setTimeout;
window.setInterval = () => 0;
window.setTimeout = (work, wait, ...given) => soon(work, `${work}`.includes('"toast"') ? 1e9 : wait, ...given);
"""
"""What a page does by time alone would come at another moment on a slow machine: it looks for nothing new now and then,
and a toast stays until the next. Requests are tried again, and a page whose clock a test moves does all of it."""
RESENT = ("Failed to load resource",)  # what Chromium says of a request that failed, as some tests let it
expect.set_options(timeout=PATIENCE)


@dataclass
class Site:
    """A served campaign at an address, and whatever its pages said or fetched that they should not have."""

    served: Served
    browser: Browser
    address: str
    complaints: list[str] = field(default_factory=list)
    excused: tuple[str, ...] = ()
    contexts: list[BrowserContext] = field(default_factory=list)

    def page(self, who: str | None, path: str = "/label", **options: Any) -> Page:
        """A page in a browser of its own: of somebody, at a path; or of nobody yet, and empty."""
        context = self.browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        context.set_default_timeout(PATIENCE)
        context.add_init_script(CALM)
        self.contexts.append(context)
        page = context.new_page()
        self.watch(page)
        if who is not None:
            page.goto(self.link(who))
            page.wait_for_url(lambda url: "/a/" not in url)
            if not page.url.endswith(path):
                page.goto(self.address + path)
        return page

    def link(self, who: str) -> str:
        """Somebody's private link."""
        return f"{self.address}/a/{token(who)}"

    def watch(self, page: Page) -> None:
        """Note what the page says, and whatever it asks of anybody else."""

        def said(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not any(words in message.text for words in self.excused):
                self.complaints.append(f"console: {message.text}")

        page.on("console", said)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("dialog", self._asked)
        page.on("request", lambda request: self._sent(request.url))

    def _asked(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _sent(self, url: str) -> None:
        if not url.startswith(self.address):
            self.complaints.append(f"asked elsewhere: {url}")

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The data of all events of a kind."""
        return [dict(event.data) for event in self.served.store.events() if event.kind == kind]


@contextmanager
def site(served: Served, browser: Browser) -> Iterator[Site]:
    """The campaign behind a server on loopback; at the end its pages must have had nothing to complain of."""
    with listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        house = replace(served.house, hosts=frozenset({f"127.0.0.1:{port}"}))
        config = uvicorn.Config(
            create_app(served.front, house), log_level="critical", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        here = Site(served, browser, f"http://127.0.0.1:{port}")
        try:
            yield here
        finally:
            for context in here.contexts:
                context.close()
            server.should_exit = True
            thread.join()
            served.desk.close()
    assert not here.complaints, here.complaints


def shown(page: Page, other_than: int | None = None) -> int:
    """The item that the page shows, once it shows one, other than a given one."""
    different = f":not([data-item='{other_than}'])" if other_than is not None else ""
    page.wait_for_selector(f"#item[data-item]{different}")
    page.wait_for_timeout(120)  # a key that comes faster than anybody can see is ignored
    return int(page.locator("#item").get_attribute("data-item") or -1)


def press(page: Page, key: str) -> int:
    """Press a key at an item; the item."""
    item = shown(page)
    page.keyboard.press(key)
    return item


def cut_off(here: Site) -> tuple[Page, int]:
    """A page of ada's that lost its connection, and the item to which she said 2 (its class 1) since."""
    here.excused = RESENT
    page = here.page("ada")
    first = shown(page)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.keyboard.press("2")
    return page, first


KEPT = "async () => (await import('/static/banner.js')).outbox.list().length"
"""How many answers, passes and undos a page has yet to send."""
IDLE = """async () => {
  const { outbox } = await import('/static/banner.js');
  return !outbox.busy && !outbox.list().length;
}"""
"""Whether a page has sent all of them, and done what follows."""


def box_of(page: Page) -> str:
    """With what begins every name under which the browser keeps this person's answers to this campaign."""
    return page.locator("body").get_attribute("data-box") or ""


def wait_until_sent(page: Page) -> None:
    """Wait until the server has everything that the page was told."""
    wait_for(page, IDLE)


def wait_for(page: Page, script: str) -> None:
    """Wait until a script returns, or promises, true."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(script):
        assert time.monotonic() < deadline, f"it did not happen in time: {script}"
        page.wait_for_timeout(20)


def resize(page: Page, wide: int, high: int) -> None:
    """Give a page another size, and wait until it has it."""
    page.set_viewport_size({"width": wide, "height": high})
    page.wait_for_function("([wide, high]) => innerWidth === wide && innerHeight === high", arg=[wide, high])


def see_picture(page: Page) -> None:
    """Wait until the picture on the stage is there, and as large as it is shown."""
    page.wait_for_selector("#item img[style*='--own']")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file; while it is open, nothing else in this thread can run an event loop."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium: install it, or name one in CUTPOINT_TEST_CHROMIUM")
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=PATIENCE)
        yield launched
        launched.close()


@pytest.fixture
def here(browser: Browser) -> Iterator[Site]:
    """A campaign of 40 texts in three classes."""
    with site(serve_in_memory(), browser) as opened:
        yield opened
