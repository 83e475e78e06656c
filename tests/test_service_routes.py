"""The REST interface and the pages over a real desk: asking, answering, undoing, and running the campaign."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from PIL import Image

from cutpoint.service.web.app import create_routes
from cutpoint.store.base import StoreError
from cutpoint.store.events import New
from served import Served, first_item, key, publish, serve_in_memory, token

ROOT = Path(__file__).parent.parent


@pytest.fixture
def served() -> Served:
    return serve_in_memory()


def kinds(served: Served) -> list[str]:
    """The kinds of all events so far."""
    return [event.kind for event in served.store.events()]


def test_a_question_is_asked_and_answered(served: Served) -> None:
    ada = served.client("ada")
    asked = ada.get("/api/next?n=2").json()
    assert len(asked["items"]) == 2
    item = asked["items"][0]
    assert item["text"] == f"bird number {item['item']}"
    assert 0 < item["seconds"] <= 900
    said = ada.post("/api/answer", json={"item": item["item"], "label": 1, "lease": item["lease"], "key": key()}).json()
    assert (said["status"], said["label"], said["late"], said["disputed"]) == ("saved", 1, False, False)
    assert said["progress"]["found"] == [0, 1, 0]
    assert said["progress"]["mine"] == 1
    assert "answered" in kinds(served)
    again = [one["item"] for one in ada.get("/api/next?n=2").json()["items"]]
    assert item["item"] not in again
    assert again[0] == asked["items"][1]["item"], "what a person holds comes first"


def test_the_same_key_is_taken_once(served: Served) -> None:
    ada = served.client("ada")
    body = {"item": first_item(ada)["item"], "label": 2, "key": key()}
    first, second = (ada.post("/api/answer", json=body).json() for _ in range(2))
    assert (first["status"], second["status"]) == ("saved", "again")
    assert first["number"] == second["number"]
    assert kinds(served).count("answered") == 1


def test_keys_of_two_people_never_meet(served: Served) -> None:
    for name in ("ada", "bo"):
        client = served.client(name)
        body = {"item": first_item(client)["item"], "label": 0, "key": key()}
        assert client.post("/api/answer", json=body).json()["status"] == "saved"
    assert kinds(served).count("answered") == 2


def test_two_people_are_never_asked_the_same(served: Served) -> None:
    held = [{one["item"] for one in served.client(who).get("/api/next?n=4").json()["items"]} for who in ("ada", "bo")]
    assert len(held[0] | held[1]) == 8


def test_undo_brings_the_question_back(served: Served) -> None:
    ada = served.client("ada")
    item = first_item(ada)["item"]
    ada.post("/api/answer", json={"item": item, "label": 1, "key": key()})
    assert ada.post("/api/undo", json={"item": item, "key": key(1)}).json()["status"] == "taken back"
    assert ada.post("/api/undo", json={"item": item, "key": key(1)}).json()["status"] == "again"
    assert item in [one["item"] for one in ada.get("/api/next?n=3").json()["items"]]
    said = ada.post("/api/answer", json={"item": item, "label": 2, "key": key(2)}).json()
    assert (said["status"], said["progress"]["found"]) == ("saved", [0, 0, 1])


@pytest.mark.parametrize("why", ["skip", "unsure", "broken"])
def test_a_pass_is_an_answer_of_its_own(served: Served, why: str) -> None:
    ada, chief = served.client("ada"), served.client("chief")
    item = first_item(ada)["item"]
    assert ada.post("/api/pass", json={"item": item, "why": why, "key": key()}).json()["status"] == "saved"
    assert item not in [one["item"] for one in ada.get("/api/next?n=8").json()["items"]]
    assert f"item-{item}" in chief.get("/admin").text
    assert chief.post("/api/release", json={"item": item, "key": key(1)}).status_code == 200
    assert served.desk.state.ballots.passed == {}


def test_a_second_opinion_is_kept_and_told_and_decided(served: Served) -> None:
    ada, bo, chief = (served.client(name) for name in ("ada", "bo", "chief"))
    ada.post("/api/answer", json={"item": 3, "label": 1, "key": key()})
    told = bo.post("/api/answer", json={"item": 3, "label": 2, "key": key()}).json()
    assert told["disputed"]
    assert "differently" in told["note"]
    page = chief.get("/disputes").text
    assert "item-3" in page
    assert "1 item on which" in page
    assert chief.post("/api/adjudicate", json={"item": 3, "label": 2, "key": key()}).json()["note"] == "Decided: crane."
    assert "item-3" not in chief.get("/disputes").text
    assert served.desk.state.ballots.label(3) == 2


def test_my_answers_are_listed_a_page_at_a_time(served: Served) -> None:
    ada = served.client("ada")
    numbers = {}
    for item in range(40):
        body = {"item": item, "label": item % 3, "key": key(item)}
        numbers[item] = ada.post("/api/answer", json=body).json()["number"]
    page = ada.get("/mine").text
    assert "40 answers; the latest first" in page
    assert page.index("item-39") < page.index("item-38")
    earlier = ada.get(f"/mine?before={numbers[5]}").text
    assert "item-4<" in earlier
    assert "item-5<" not in earlier
    assert "You have not answered" in served.client("bo").get("/mine").text


def test_a_lease_is_extended_and_given_back_by_its_owner_alone(served: Served) -> None:
    ada, bo = served.client("ada"), served.client("bo")
    lease = first_item(ada)["lease"]
    assert ada.post("/api/extend", json={"lease": lease}).json() == {"seconds": 900.0}
    assert bo.post("/api/extend", json={"lease": lease}).json() == {"seconds": 0}
    assert bo.post("/api/give_back", json={"leases": [lease]}).json() == {"given_back": 0}
    assert ada.post("/api/give_back", json={"leases": [lease, "no such lease"]}).json() == {"given_back": 1}
    assert kinds(served)[-1] == "lease_ended"


def test_an_empty_answer_says_why_and_when_to_come_back() -> None:
    served = serve_in_memory(2)
    ada, bo = served.client("ada"), served.client("bo")
    assert len(ada.get("/api/next?n=8").json()["items"]) == 2
    told = bo.get("/api/next").json()
    assert told["items"] == []
    assert "other" in told["reason"] or "people" in told["reason"]
    assert told["seconds"] > 0
    for item in range(2):
        ada.post("/api/answer", json={"item": item, "label": 0, "key": key(item)})
    told = ada.get("/api/next").json()
    assert told["items"] == []
    assert told["reason"]


def test_a_full_disk_refuses_the_answer_and_keeps_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = served.client("ada")
    item = first_item(ada)["item"]

    def full(news: object) -> None:
        raise StoreError("the disk is full; the answer was not stored.")

    with monkeypatch.context() as patch:
        patch.setattr(served.store, "append", full)
        answer = ada.post("/api/answer", json={"item": item, "label": 1, "key": key()})
        assert answer.status_code == 503
        assert "sent again" in answer.json()["error"]
        assert "disk is full" not in answer.text, "what it says may name files"
        assert answer.headers["retry-after"] == "5"
        refused = served.client("chief").post("/api/guideline", json={"text": "Look closely."})
        assert "disk is full" in refused.json()["error"], "admins are told all"
    assert served.desk.state.ballots.label(item) == -1
    assert ada.post("/api/answer", json={"item": item, "label": 1, "key": key()}).json()["status"] == "saved"


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


def test_an_admin_makes_links_that_open(served: Served) -> None:
    chief = served.client("chief")
    made = chief.post("/api/links", json={"annotator": "eve", "admin": False, "key": key()}).json()
    eve = served.client()
    assert eve.get(made["link"]).status_code == 200
    assert eve.get("/label").status_code == 200
    assert eve.get("/admin").status_code == 403
    page = chief.get("/admin").text
    assert "eve" in page
    assert made["link"].removeprefix("/a/") not in page, "a link is told once"
    assert not any(made["link"].removeprefix("/a/") in str(event.data) for event in served.store.events())


def test_a_link_makes_nobody_an_admin_no_more(served: Served) -> None:
    chief = served.client("chief")
    assert chief.post("/api/links", json={"annotator": "chief", "key": key()}).status_code == 200
    assert chief.get("/admin").status_code == 200


def test_settings_guideline_and_classes_change_by_events(served: Served) -> None:
    chief, ada = served.client("chief"), served.client("ada")
    told = {"budget": 7, "overlap": 2, "lease_seconds": 60}
    assert chief.post("/api/settings", json=told | {"key": key()}).json()["note"] == "Changed."
    assert served.desk.state.made.overlap == 2
    assert chief.post("/api/settings", json=told | {"key": key(1)}).json()["note"] == "Nothing to change."
    assert chief.post("/api/settings", json={"overlap": 0, "key": key(2)}).status_code == 422
    assert chief.post("/api/settings", json={"budget": None, "key": key(8)}).json()["note"] == "Changed."
    assert (served.desk.state.made.budget, served.desk.state.made.overlap) == (None, 2), "by itself again"
    assert chief.post("/api/settings", json={"overlap": None, "key": key(9)}).status_code in (400, 422)
    chief.post("/api/guideline", json={"text": "Herons are grey.", "key": key(3)})
    assert "Herons are grey." in ada.get("/guide").text
    assert chief.post("/api/classes", json={"name": "stork", "key": key(4)}).status_code == 200
    assert chief.post("/api/classes", json={"name": "stork", "key": key(5)}).status_code == 400
    assert 'data-label="3"' in ada.get("/label").text
    lease = first_item(ada)["lease"]
    assert chief.post("/api/end_lease", json={"lease": lease}).json()["note"].startswith("Taken back")
    assert chief.post("/api/end_lease", json={"lease": lease}).json()["note"] == "The lease had ended before."


def test_the_dashboard_shows_strips_curve_and_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve_in_memory(60, files=tmp_path, first=6, budget=6)
    ada, bo, chief = (served.client(name) for name in ("ada", "bo", "chief"))
    assert "The strips appear with the first trained model." in chief.get("/dashboard").text
    assert ada.get("/strips/0.svg").status_code == 400
    rng = np.random.default_rng(0)
    probs = rng.dirichlet((3, 1, 1), 60)
    for item in range(12):
        ada.post("/api/answer", json={"item": item, "label": int(probs[item].argmax()), "key": key(item)})
    publish(served, probs, 1, balanced_accuracy=0.6, labels=10)
    bo.post("/api/answer", json={"item": 0, "label": 2, "key": key(50)})
    with monkeypatch.context() as patch:
        patch.setattr(served.front.strips, "refresh", lambda _: None)
        publish(served, probs, 2, labels=12, balanced_accuracy=0.75, found_0=10, found_2=2, seconds=1.25, val_loss=0.5)
    assert ada.get("/strips/1.svg").status_code == 204, "newer scores, not sorted yet: come again"
    served.front.refresh()
    page = chief.get("/dashboard").text
    assert page.count('class="strip c') == 3
    assert "<polyline" in page
    assert "Model: model 2 is the newest" in page
    assert "Two models so far" in page, "too few for a trend"
    assert "10 other, 2 crane" in page, "classes by their names"
    assert "found 0" not in page
    assert "found_" not in page
    assert "1.25" in page
    assert "val loss" in page
    assert "12" in page
    people = chief.get("/api/status").json()["people"]
    assert [one["name"] for one in people] == ["ada", "bo"]
    assert [one["name"] for one in ada.get("/api/status").json()["people"]] == ["ada"], "not other people's work"
    assert chief.get("/api/status").json()["labelled"] == 12
    strip = ada.get("/strips/1.svg?item=30")
    assert strip.headers["content-type"].startswith("image/svg+xml")
    assert 'class="here"' in strip.text
    assert ada.get("/strips/3.svg").status_code == 400
    asked = first_item(ada)
    assert asked["why"]
    assert asked["strip"] is None or ada.get(asked["strip"]).status_code == 200


def test_a_failed_training_is_said(served: Served) -> None:
    upto = served.store.last()
    served.store.append([New("training_started", {"run": "r1", "upto": upto, "learner": "logistic"})])
    served.desk.tick()
    chief = served.client("chief")
    assert "the first is being trained now" in chief.get("/dashboard").text
    served.store.append([New("training_failed", {"run": "r1", "upto": upto, "error": "NaN in column 3."})])
    served.desk.tick()
    assert "NaN in column 3." in chief.get("/dashboard").text
    assert served.client("ada").get("/api/next").json()["items"], "the page never waits"


def test_pictures_come_by_item_from_the_folder_of_the_pool(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (30, 30), "teal").save(photos / "a.png")
    Image.new("RGB", (30, 30), "red").save(tmp_path / "secret.png")
    names = ["a.png", "../secret.png", str(tmp_path / "secret.png"), "file:///etc/passwd", "missing.png"]
    served = serve_in_memory([{"picture": name} for name in names], source=str(photos), kind="picture")
    ada = served.client("ada")
    good = ada.get("/items/0/picture")
    assert good.content == (photos / "a.png").read_bytes()
    assert good.headers["content-type"] == "image/png"
    assert "max-age" in good.headers["cache-control"]
    for item in range(1, len(names)):
        answer = ada.get(f"/items/{item}/picture")
        assert answer.status_code == 200
        assert "cannot be shown" in answer.text
        assert answer.headers["cache-control"] == "no-cache"
    assert ada.get("/items/99/picture").status_code == 400
    for path in ("/items/../secret.png/picture", "/items/..%2fsecret/picture", "/items/-1/picture"):
        assert ada.get(path).status_code in (404, 422)


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/static/"],
)
def test_assets_come_from_their_folder_alone(served: Served, path: str) -> None:
    assert served.client().get(path).status_code in (404, 405)


def test_the_assets_are_light() -> None:
    static = ROOT / "src" / "cutpoint" / "service" / "web" / "static"
    assert sum(path.stat().st_size for path in static.iterdir()) < 150_000


def test_annotators_are_told_of_failures_and_admins_why(served: Served) -> None:
    upto, error = served.store.last(), "/srv/secret/birds.db cannot be read."
    served.store.append([New("training_started", {"run": "r1", "upto": upto, "learner": "logistic"})])
    served.store.append([New("training_failed", {"run": "r1", "upto": upto, "error": error})])
    served.desk.tick()
    ada, chief = served.client("ada"), served.client("chief")
    for path in ("/dashboard", "/api/status"):
        assert error in chief.get(path).text
        assert "secret" not in ada.get(path).text
    assert "The last training failed" in ada.get("/dashboard").text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("adjudicate", {"item": 3, "label": 1}),
        ("release", {"item": 4}),
        ("guideline", {"text": "Look closely."}),
        ("settings", {"overlap": 2}),
        ("classes", {"name": "stork"}),
        ("end_lease", {"lease": "1"}),
    ],
)
def test_what_an_admin_sends_twice_is_done_once(served: Served, path: str, body: dict[str, object]) -> None:
    first_item(served.client("bo"))
    served.client("ada").post("/api/pass", json={"item": 4, "why": "skip", "key": key()})
    chief, before = served.client("chief"), len(kinds(served))
    assert chief.post(f"/api/{path}", json=body).status_code == 200, "without a key"
    after = len(kinds(served))
    assert after > before
    again = chief.post(f"/api/{path}", json=body)
    assert again.status_code == 200 or "twice" in again.json()["error"] or "stork" in again.json()["error"]
    assert len(kinds(served)) == after, kinds(served)[after:]


def test_what_another_admin_decided_meanwhile_stays(served: Served) -> None:
    chief, body = served.client("chief"), {"item": 3, "label": 1, "first": True}
    assert [chief.post("/api/adjudicate", json=body).status_code for _ in range(2)] == [200, 200]
    served.desk.adjudicate(3, 2, by="another")
    late = chief.post("/api/adjudicate", json=body)
    assert (late.status_code, late.json()["error"]) == (
        400,
        "it was decided meanwhile, as “crane”, and stays so; nothing was changed.",
    )
    assert served.desk.state.ballots.decided[3] == 2
    assert chief.post("/api/adjudicate", json=body | {"first": False}).status_code == 200


def test_a_link_that_is_revoked_twice_is_revoked_once(served: Served) -> None:
    chief = served.client("chief")
    hash = next(link.hash for link in served.front.links() if link.person.name == "ada")
    assert [chief.post("/api/revoke", json={"hash": hash}).status_code for _ in range(2)] == [200, 200]
    assert kinds(served).count("link_revoked") == 1


def test_half_a_character_of_an_older_pool_is_shown_as_a_sign() -> None:
    half = "\ud83d"
    store = serve_in_memory([{"text": f"a {half} bird"}, {"row": {f"{half}name": f"{half}"}}])
    ada = store.client("ada")
    texts = [one["text"] or one["row"] for one in ada.get("/api/next?n=2").json()["items"]]
    assert sorted(map(str, texts)) == ["[['\ufffdname', '\ufffd']]", "a \ufffd bird"]
    for item in range(2):
        assert ada.post("/api/answer", json={"item": item, "label": 0, "key": key(item)}).status_code == 200
    assert ada.get("/mine").status_code == 200


def test_the_interface_says_what_proves_that_an_answer_is_saved(served: Served) -> None:
    described = create_routes(served.front, served.house).openapi()
    saved = described["components"]["schemas"]["Saved"]
    assert {"item", "status", "number"} <= set(saved["required"])
    assert "proves" in saved["properties"]["status"]["description"]
    ada = served.client("ada")
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
    ("POST", "/api/settings", b'{"lease_seconds": NaN}', 422),
    ("POST", "/api/settings", b'{"lease_seconds": Infinity}', 422),
    ("POST", "/api/links", {"annotator": "\x00"}, 400),
    ("POST", "/api/classes", {"name": "grey\theron"}, 400),
    ("POST", "/api/links", {"annotator": "   "}, 400),
    ("GET", "/items/1000000000000000000000000000000/picture", None, 422),
    ("GET", "/strips/0.svg?item=1000000000000000000000000000000", None, 400),
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


def test_keys_of_people_with_strange_names_never_meet() -> None:
    served = serve_in_memory(people={"a": False, "a:b": False})
    one, other = served.client("a"), served.client("a:b")
    assert one.post("/api/answer", json={"item": 1, "label": 1, "key": "b:12345678"}).json()["status"] == "saved"
    assert other.post("/api/answer", json={"item": 2, "label": 1, "key": "12345678"}).json()["status"] == "saved"


def test_every_route_is_documented(served: Served) -> None:
    text = (ROOT / "docs" / "labelling.md").read_text()
    app = create_routes(served.front, served.house)
    paths = set(app.openapi()["paths"]) | {"/static", "/api/openapi.json"}
    missing = [path for path in sorted(paths) if f"`{path}`" not in text and f" {path}`" not in text]
    assert not missing, f"docs/labelling.md does not say what these do: {missing}"
    assert all(operation.get("summary") for path in app.openapi()["paths"].values() for operation in path.values())


def test_questions_come_with_the_classes_as_they_are(served: Served) -> None:
    ada = served.client("ada")
    described = create_routes(served.front, served.house).openapi()
    following = described["components"]["schemas"]["Next"]
    assert "number" in following["properties"]["classes"]["description"]
    said = ada.get("/api/next").json()
    assert (set(said), said["classes"]) == (set(following["required"]), ["other", "heron", "crane"])
    served.store.append([New("class_added", {"name": "stork"})])  # by another process
    served.desk.tick()
    served.desk.add_class("ibis")
    assert ada.get("/api/next").json()["classes"] == ["other", "heron", "crane", "stork", "ibis"]


def test_the_interface_describes_itself(served: Served) -> None:
    described = served.client("ada").get("/api/openapi.json").json()
    assert "/api/answer" in described["paths"]


def test_home_leads_on(served: Served) -> None:
    assert served.client("ada").get("/", follow_redirects=False).headers["location"] == "/label"
    assert served.client("chief").get("/", follow_redirects=False).headers["location"] == "/dashboard"
    assert "private link" in served.client().get("/").text
    assert token("ada") not in served.client("ada").get("/label").text


def test_a_pass_is_told_nothing_of_other_answers_and_counts_beside_them(served: Served) -> None:
    ada, bo = served.client("ada"), served.client("bo")
    for item in range(3):
        ada.post("/api/answer", json={"item": item, "label": 1, "key": key(item)})
    told = bo.post("/api/pass", json={"item": 0, "why": "skip", "key": key()}).json()
    assert (told["status"], told["note"]) == ("saved", None)
    ada.post("/api/pass", json={"item": 7, "why": "unsure", "key": key(7)})
    assert "3 answers, 1 passed; the latest first" in ada.get("/mine").text
    assert '>you <b id="mine">3</b>' in ada.get("/label").text
    assert "0 answers, 1 passed" in bo.get("/mine").text


def test_nowhere_is_a_skip_said_to_go_to_somebody_else(served: Served) -> None:
    page = served.client("ada").get("/guide").text
    assert "somebody else may say" not in page + (ROOT / "docs/labelling.md").read_text()
    assert "nobody is asked about it until an admin releases it" in page
