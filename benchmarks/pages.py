"""How long the next item takes after a key: `python benchmarks/pages.py [--keys 20] [--latency 100]`. Needs Chromium.

One person labels pictures in Chromium, at a server on loopback whose network is made slower by `--latency` milliseconds
a request. Of every key two times are taken on the same page: until the frame with the next item, which is here already;
and until the server has said that the answer is on its disk, for which a page would wait that asked for the next item
only then, and for that item besides.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))

from playwright.sync_api import Page, sync_playwright

from screenshots import chromium, demonstration, served

KEY = """async () => {
  const { outbox } = await import("/static/banner.js"), item = document.getElementById("item");
  const start = performance.now(), before = item.dataset.item;
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true }));
  if ([before, undefined].includes(item.dataset.item)) throw new Error("the next item was not here yet");
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const shown = performance.now() - start;
  while (outbox.list().length) await new Promise((done) => setTimeout(done, 1));
  return [shown, performance.now() - start];
}"""


def press(page: Page, latency: float) -> tuple[float, float]:
    """Milliseconds from a key to the next item, and until its answer was saved."""
    page.wait_for_selector("#item[data-item] img")
    page.wait_for_timeout(500 + 5 * latency)  # somebody looks, and the next item comes
    shown, saved = page.evaluate(KEY)
    return shown, saved


def main() -> None:
    """Press keys, and print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keys", type=int, default=20, help="how many items are labelled")
    parser.add_argument("--latency", type=float, default=100.0, help="milliseconds by which each request is slower")
    options = parser.parse_args()
    path = chromium()
    if path is None:
        sys.exit("No Chromium is here: install it, or name one in CUTPOINT_TEST_CHROMIUM.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        front, _, desk = demonstration(Path(folder))
        with served(front) as address:
            browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"{address}/a/link-of-ada")
            page.wait_for_url("**/label")
            slow = {"offline": False, "latency": options.latency, "downloadThroughput": -1, "uploadThroughput": -1}
            page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
            times = [press(page, options.latency) for _ in range(options.keys)]
            browser.close()
        desk.close()
    shown, saved = (median(each) for each in zip(*times, strict=True))
    print(f"{options.keys} keys, {options.latency:g} ms more for each request; medians:")
    print(f"  {shown:6.1f} ms  from a key to the frame with the next item")
    print(f"  {saved:6.1f} ms  from a key until its answer is saved ({saved / shown:.1f} times as long)")


if __name__ == "__main__":
    main()
