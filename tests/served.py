"""A campaign behind the HTTP application, for tests: in memory, with people and their links."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from cutpoint.service.desk.clock import Clock
from cutpoint.service.desk.desk import Desk
from cutpoint.service.log.settings import Settings
from cutpoint.service.web.app import create_app
from cutpoint.service.web.auth import hash_of
from cutpoint.service.web.front import Front
from cutpoint.service.web.gate import Gate, House
from cutpoint.store.base import Item, Store
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from cutpoint.store.memory import MemoryStore

BASE = "http://127.0.0.1:8000"
CLASSES = ("other", "heron", "crane")
JSON = {"origin": BASE}


def token(name: str) -> str:
    """The token of somebody's link in these tests; real ones are random."""
    return f"the-token-of-{name.encode().hex()}"


@dataclass
class Served:
    """Everything behind the pages, and the application itself."""

    store: Store
    desk: Desk
    front: Front
    house: House
    app: Gate

    def client(self, name: str | None = None, **options: Any) -> TestClient:
        """A browser, with the session of somebody's link if a name is given."""
        client = TestClient(self.app, base_url=BASE, **options)
        if name is not None:
            assert client.get(f"/a/{token(name)}").status_code == 200
        client.headers.update(JSON)
        return client


def serve_in_memory(
    contents: Iterable[Mapping[str, Any]] | int = 40,
    *,
    files: Path | None = None,
    people: Mapping[str, bool] | None = None,
    house: House | None = None,
    clock: Clock | None = None,
    source: str = "birds.csv",
    featured: bool = True,
    store: Store | None = None,
    **settings: Any,
) -> Served:
    """A campaign of texts, or of the items given, with annotators ada and bo and the admin chief.

    featured: it says that there are features; nobody reads them, since nothing is trained here. store: an empty one in
    place of one in memory.
    """
    store = MemoryStore() if store is None else store
    store.append([Settings(**{"name": "birds", "classes": CLASSES, "kind": "text", **settings}).created()])
    if isinstance(contents, int):
        contents = [{"text": f"bird number {i}"} for i in range(contents)]
    items = [Item(i, f"item-{i}", content) for i, content in enumerate(contents)]
    features = {"file": "features-0", "shape": [len(items), 2]} if featured else None
    store.add_items(items, New("pool_added", {"first": 0, "count": len(items), "source": source, "features": features}))
    arrays = ArrayFiles(files) if files is not None else None
    desk = Desk(store, arrays, clock=clock)
    for name, admin in (people or {"ada": False, "bo": False, "chief": True}).items():
        desk.add_annotator(name, admin=admin)
        desk.make_link(name, hash_of(token(name)))
    front = Front(desk, store, arrays)
    house = house or House(frozenset({"127.0.0.1:8000"}))
    return Served(store, desk, front, house, create_app(front, house))


def publish(served: Served, probs: np.ndarray, version: int = 1, **measures: float) -> None:
    """Scores as a training publishes them; the campaign must have files."""
    files = served.front.files
    assert files is not None
    entry = files.put("probs", np.ascontiguousarray(probs, np.float32))
    upto = served.store.last()
    about = {"classes": probs.shape[1], "rows": len(probs), "files": {"probs": entry}, "measures": measures}
    served.store.append(
        [
            New("training_started", {"run": f"r{version}", "upto": upto, "learner": "logistic"}),
            New("scores_published", {"version": version, "upto": upto, "run": f"r{version}", **about}),
            New("training_finished", {"run": f"r{version}", "version": version}),
        ]
    )
    served.desk.tick()
    served.front.refresh()


def lend(served: Served, name: str, *items: int) -> None:
    """Have somebody hold these items, as if the strategy had asked them."""
    about = {"annotator": name, "until": time.time() + 900, "seconds": 900.0}
    leases = [{"lease": f"{name} {item}", "item": item, **about} for item in items]
    with served.desk.locked:
        served.store.append([New("lease_granted", lease) for lease in leases])
        served.desk._catch_up()


def first_item(client: TestClient) -> dict[str, Any]:
    """The item that a person is asked first."""
    item: dict[str, Any] = client.get("/api/next").json()["items"][0]
    return item


def key(n: int = 0) -> str:
    """A key for a request."""
    return f"test-key-{n:04d}"
