"""The three pictures of the pages in docs/pictures, from a campaign on scikit-learn's digits. Needs Chromium.

Run it as `python tools/screenshots.py`; it takes about ten seconds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from cutpoint.service.desk.desk import Desk
from cutpoint.service.log.settings import Settings
from cutpoint.service.web.app import create_app
from cutpoint.service.web.auth import hash_of
from cutpoint.service.web.front import Front
from cutpoint.service.web.gate import House
from cutpoint.service.web.server import listening
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from cutpoint.store.memory import MemoryStore

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
LARGEST = 160_000  # bytes of a picture
CLASSES = ("other digit", "zero", "six")
PEOPLE = ("ada", "bo", "carla")
GUIDELINE = "A zero is closed and round.\nA six has its loop below; of two strokes that meet, it is none."


def chromium() -> str | None:
    """The system's Chromium, or None."""
    return os.environ.get("CUTPOINT_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def demonstration(folder: Path) -> tuple[Front, MemoryStore, Desk]:
    """A campaign in the middle of its work: pictures of digits in `folder`, three people, five models."""
    pictures, digits = load_digits(return_X_y=True)
    truth = np.select([digits == 0, digits == 6], [1, 2], 0)
    store = MemoryStore()
    settings = Settings("Zeros and sixes", CLASSES, kind="picture", guideline=GUIDELINE, parallel=4, budget=24)
    store.append([settings.created()])
    for i, picture in enumerate(pictures):
        pixels = (255 - picture.reshape(8, 8) * 15.9).astype(np.uint8)
        Image.fromarray(pixels).resize((160, 160), Image.Resampling.BICUBIC).save(folder / f"digit-{i:04d}.png")
    items = [Item(i, f"digit-{i:04d}.png", {"picture": f"digit-{i:04d}.png"}) for i in range(len(pictures))]
    pool = {"first": 0, "count": len(items), "source": str(folder), "features": None}
    store.add_items(items, New("pool_added", pool))
    files = ArrayFiles(folder / "arrays")
    desk = Desk(store, files)
    for name in (*PEOPLE, "chief"):
        desk.add_annotator(name, admin=name == "chief")
        desk.make_link(name, hash_of(f"link-of-{name}"))
    _label(desk, store, files, pictures, truth)
    front = Front(desk, store, files)
    front.refresh()
    return front, store, desk


def _label(desk: Desk, store: MemoryStore, files: ArrayFiles, pictures: Any, truth: Any) -> None:
    """People answer what the desk asks, one in thirty wrongly; a model learns after every 24 answers."""
    rng = np.random.default_rng(0)
    for version in range(1, 6):
        for _ in range(24):
            name = PEOPLE[int(rng.integers(3))]
            for ask in desk.ask(name, 1):
                label = int(truth[ask.item]) if rng.random() > 1 / 30 else int(rng.integers(3))
                desk.tell(ask, label)
                if rng.random() < 0.1:
                    desk.tell(ask.item, int(truth[ask.item]), annotator="carla")
        _train(desk, store, files, version, pictures, truth)


def _train(desk: Desk, store: MemoryStore, files: ArrayFiles, version: int, pictures: Any, truth: Any) -> None:
    labels = desk.state.ballots.derived()
    known = labels >= 0
    model = LogisticRegression(C=1e-3, class_weight="balanced", max_iter=1000).fit(pictures[known], labels[known])
    probs = np.zeros((len(pictures), len(CLASSES)), np.float32)
    probs[:, model.classes_] = model.predict_proba(pictures)
    recalls = [float((probs[truth == k].argmax(axis=1) == k).mean()) for k in range(len(CLASSES))]
    upto, run = store.last(), f"run-{version}"
    about = {"classes": len(CLASSES), "rows": len(probs), "files": {"probs": files.put("probs", probs)}}
    store.append(
        [
            New("training_started", {"run": run, "upto": upto, "learner": "logistic"}),
            New(
                "scores_published",
                about
                | {"version": version, "upto": upto, "run": run}
                | {"measures": {"labels": float(known.sum()), "balanced_accuracy": float(np.mean(recalls))}},
            ),
            New("training_finished", {"run": run, "version": version}),
        ]
    )
    desk.tick()


@contextmanager
def served(front: Front) -> Iterator[str]:
    """The address of a server in a thread."""
    with listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        app = create_app(front, House(frozenset({f"127.0.0.1:{port}"})))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


def _shoot(browser: Browser, address: str, who: str, path: str, size: tuple[int, int], name: str) -> None:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme="light")
    page = context.new_page()
    page.goto(f"{address}/a/link-of-{who}")
    page.wait_for_url(lambda url: "/a/" not in url)
    page.goto(address + path)
    page.wait_for_load_state("networkidle")
    target = PICTURES / f"{name}.png"
    page.screenshot(path=target)
    context.close()
    with Image.open(target) as picture:
        picture.convert("RGB").save(target, optimize=True)  # a palette would be filled by greys, and small spots fade
    assert target.stat().st_size < LARGEST, f"{target} has {target.stat().st_size} bytes"


def main() -> None:
    """Draw the three pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        front, _, desk = demonstration(Path(folder))
        with served(front) as address, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium())
            _shoot(browser, address, "ada", "/label", (1280, 800), "label")
            _shoot(browser, address, "chief", "/dashboard", (1280, 960), "dashboard")
            _shoot(browser, address, "bo", "/label", (390, 780), "phone")
            browser.close()
        desk.close()


if __name__ == "__main__":
    main()
