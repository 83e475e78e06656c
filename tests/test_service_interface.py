"""The interface as a whole: what is strange is refused in words, and what there is is described."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from cutpoint.service.web.app import create_routes
from served import Served, key, lend, serve_in_memory, token

ROOT = Path(__file__).parent.parent


@pytest.fixture
def served() -> Served:
    return serve_in_memory()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("answer", {"item": 0, "label": 99, "key": key()}, 400),
        ("answer", {"item": 10**6, "label": 0, "key": key()}, 400),
        ("answer", {"item": -1, "label": 0, "key": key()}, 422),
        ("answer", {"item": 2**70, "label": 0, "key": key()}, 422),
        ("answer", {"item": 0, "label": 0}, 422),
        ("answer", {"item": 0, "label": 0, "key": "short"}, 422),
        ("answer", {"item": "zero", "label": 0, "key": key()}, 422),
        ("pass", {"item": 0, "why": "bored", "key": key()}, 422),
        ("undo", {"item": 0, "key": key()}, 400),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(
    served: Served, path: str, body: dict[str, object], status: int
) -> None:
    before = served.store.last()
    answer = served.client("ada").post(f"/api/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert served.store.last() == before


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/static/"],
)
def test_assets_come_from_their_folder_alone(served: Served, path: str) -> None:
    assert served.client().get(path).status_code in (404, 405)


def test_the_assets_are_light() -> None:
    static = ROOT / "src" / "cutpoint" / "service" / "web" / "static"
    assert sum(path.stat().st_size for path in static.iterdir()) < 150_000


def test_the_interface_says_what_proves_that_an_answer_is_saved(served: Served) -> None:
    described = create_routes(served.front, served.house).openapi()
    saved = described["components"]["schemas"]["Saved"]
    assert {"item", "status", "number"} <= set(saved["required"])
    assert "proves" in saved["properties"]["status"]["description"]
    ada = served.client("ada")
    lend(served, "ada", 5)
    for path, more in (("answer", {"label": 1}), ("undo", {}), ("pass", {"why": "skip"})):
        answer = described["paths"][f"/api/{path}"]["post"]["responses"]
        assert answer["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Saved")
        assert answer["4XX"]["content"]["application/json"]["schema"]["$ref"].endswith("/Told")
        said = ada.post(f"/api/{path}", json={"item": 5, "key": f"{path}-key-0", **more}).json()
        assert set(said) == set(saved["properties"])
        assert said["item"] == 5


STRANGE = [
    ("POST", "/api/answer", {"item": 10**30, "label": 0, "key": "a-key-of-mine"}, 422),
    ("POST", "/api/answer", {"item": -1, "label": 0, "key": "a-key-of-mine"}, 422),
    ("POST", "/api/answer", {"item": True, "label": 0, "key": "a-key-of-mine"}, 422),
    ("POST", "/api/answer", {"item": "1", "label": 0, "key": "a-key-of-mine"}, 422),
    ("POST", "/api/answer", {"item": 999, "label": 0, "key": "a-key-of-mine"}, 400),
    ("POST", "/api/answer", {"item": 1, "label": 99, "key": "a-key-of-mine"}, 400),
    ("POST", "/api/answer", {"item": 1, "label": 0, "key": "k" * 10_000}, 422),
    ("POST", "/api/answer", b'{"item": 1, "label": NaN, "key": "a-key-of-mine"}', 422),
    ("POST", "/api/answer", b'{"item": 1, "label": 0, "key": "half \\ud800 a key"}', 422),
    ("POST", "/api/answer", b"[" * 60_000, 400),
    ("POST", "/api/answer", b'"\xff"', 400),
    ("POST", "/api/answer", b"", 422),
    ("POST", "/api/settings", b'{"lease_seconds": NaN}', 400),
    ("POST", "/api/settings", b'{"lease_seconds": Infinity}', 400),
    ("POST", "/api/links", {"annotator": "\x00"}, 400),
    ("POST", "/api/classes", {"name": "grey\theron"}, 400),
    ("POST", "/api/links", {"annotator": "   "}, 400),
    ("GET", "/items/1000000000000000000000000000000/picture", None, 422),
    ("GET", "/strips/9.svg?item=1000000000000000000000000000000", None, 400),
    ("GET", "/api/next?n=1e3", None, 422),
    ("GET", "/api/nothing", None, 404),
    ("GET", "/nothing", None, 404),
    ("GET", "/static/nothing.js", None, 404),
    ("GET", "/api/answer", None, 405),
    ("PUT", "/api/answer", None, 405),
    ("DELETE", "/label", None, 405),
    ("OPTIONS", "/api/answer", None, 405),
    ("HEAD", "/api/next", None, 405),
]


@pytest.mark.parametrize(("method", "path", "content", "status"), STRANGE, ids=[f"{i}" for i in range(len(STRANGE))])
def test_what_is_strange_is_refused_in_words(
    served: Served, method: str, path: str, content: object, status: int
) -> None:
    client = served.client("chief" if any(part in path for part in ("settings", "links", "classes")) else "ada")
    body = content if isinstance(content, bytes) else None if content is None else json.dumps(content).encode()
    answer = client.request(method, path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    if status >= 400 and method != "HEAD":
        assert set(answer.json()) == {"error"}
        assert isinstance(answer.json()["error"], str)
    if status == 405:
        assert answer.headers["allow"]


def test_a_browser_is_told_on_a_page(served: Served) -> None:
    for path, status in (("/nothing", 404), ("/admin", 403), ("/strips/0.svg?item=-1", 422)):
        answer = served.client("ada").get(path, headers={"accept": "text/html,*/*;q=0.8"})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


def test_every_route_is_documented(served: Served) -> None:
    text = (ROOT / "docs" / "labelling.md").read_text()
    app = create_routes(served.front, served.house)
    paths = set(app.openapi()["paths"]) | {"/static", "/api/openapi.json"}
    missing = [path for path in sorted(paths) if f"`{path}`" not in text and f" {path}`" not in text]
    assert not missing, f"docs/labelling.md does not say what these do: {missing}"
    assert all(operation.get("summary") for path in app.openapi()["paths"].values() for operation in path.values())


def test_the_interface_describes_itself(served: Served) -> None:
    described = served.client("ada").get("/api/openapi.json").json()
    assert "/api/answer" in described["paths"]


def test_home_leads_on(served: Served) -> None:
    assert served.client("ada").get("/", follow_redirects=False).headers["location"] == "/label"
    assert served.client("chief").get("/", follow_redirects=False).headers["location"] == "/dashboard"
    assert "private link" in served.client().get("/").text
    assert token("ada") not in served.client("ada").get("/label").text
