"""Running a campaign over HTTP: links, settings, the dashboard, pictures, and who is told of failures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from PIL import Image

from cutpoint.service.web.front import Front
from cutpoint.store.events import New
from desks import kinds
from served import Served, first_item, key, lend, publish, serve_in_memory


@pytest.fixture
def served() -> Served:
    return serve_in_memory()


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


def test_a_link_makes_nobody_an_admin_nor_one_no_more(served: Served) -> None:
    chief = served.client("chief")
    for name, admin, role in (("chief", False, "an admin"), ("ada", True, "an annotator")):
        refused = chief.post("/api/links", json={"annotator": name, "admin": admin, "key": key()})
        assert (refused.status_code, f"{name} is {role} here" in refused.json()["error"]) == (400, True)
    assert chief.get("/admin").status_code == 200
    assert served.client("ada").get("/label").status_code == 200


def test_an_admins_page_decides_nothing_for_another_admin(served: Served) -> None:
    served.front.make_link("boss", admin=True)
    both = served.client("chief")
    both.cookies.update(served.client("ada").cookies)
    for path, whose in (("/label", "ada"), ("/dashboard", "ada"), ("/disputes", "chief"), ("/admin", "chief")):
        assert f'data-for="{whose}"' in both.get(path).text
    body, page = {"item": 3, "label": 1}, {"x-cutpoint-for": "chief"}
    assert both.post("/api/adjudicate", json=body, headers=page).status_code == 200
    assert served.client("ada").post("/api/adjudicate", json=body, headers=page).status_code == 403


def test_what_a_browser_keeps_of_pictures_is_of_one_campaign_and_folder(tmp_path: Path) -> None:
    served = serve_in_memory([{"picture": "a.png"}])
    again = Front(served.desk, served.store), Front(served.desk, served.store, folder=tmp_path)
    same, moved = (front.campaign()["pictures"] for front in again)
    assert same == served.front.campaign()["pictures"] != moved
    assert f'data-of="{same}"' in served.client("ada").get("/label").text
    served.desk.tell(0, 1, annotator="ada")
    assert f"/items/0/picture?drawn=false&amp;of={same}" in served.client("ada").get("/mine").text


def test_settings_guideline_and_classes_change_by_events(served: Served) -> None:
    chief, ada = served.client("chief"), served.client("ada")
    told = {"budget": 7, "overlap": 2, "lease_seconds": 60}
    assert chief.post("/api/settings", json=told | {"key": key()}).json()["note"] == "Changed."
    assert served.desk.state.made.overlap == 2
    assert chief.post("/api/settings", json=told | {"key": key(1)}).json()["note"] == "Nothing to change."
    assert chief.post("/api/settings", json={"overlap": 0, "key": key(2)}).status_code == 400
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


def test_an_interval_that_is_never_reached_is_said(tmp_path: Path) -> None:
    served = serve_in_memory(60, files=tmp_path, first=6)
    chief = served.client("chief")

    def changed(budget: int | None) -> str:
        note: str = chief.post("/api/settings", json={"budget": budget, "key": key(budget or 0)}).json()["note"]
        return note

    assert changed(54) == "Changed."
    assert changed(55).startswith("Changed, but the next model comes after 55 more items, and 54 will be left, so that")
    for item in range(6):
        served.desk.tell(item, item % 2, annotator="ada")
    publish(served, np.linspace(0, 1, 120, dtype=np.float32).reshape(60, 2), 1)
    assert changed(54) == "Changed."
    assert "Changed, but the next model comes after 100,000 more items, and 54 will be left" in changed(100_000)
    assert changed(None) == "Changed."


def test_the_dashboard_shows_strips_curve_and_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve_in_memory(60, files=tmp_path, first=6, budget=6)
    ada, bo, chief = (served.client(name) for name in ("ada", "bo", "chief"))
    assert "The strips appear with the first trained model." in chief.get("/dashboard").text
    assert ada.get("/strips/0.svg").status_code == 204
    assert ada.get("/strips/9.svg").status_code == 400, "there is no such class"
    rng = np.random.default_rng(0)
    probs = rng.dirichlet((3, 1, 1), 60)
    lend(served, "ada", *range(12))
    lend(served, "bo", 0)
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
        assert ada.get(f"/items/{item}/picture?drawn=false").status_code == 204
    assert ada.get("/items/0/picture?drawn=false").content == good.content
    assert ada.get("/items/99/picture").status_code == 400
    for path in ("/items/../secret.png/picture", "/items/..%2fsecret/picture", "/items/-1/picture"):
        assert ada.get(path).status_code in (404, 422)


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
        ("release_all", {}),
        ("guideline", {"text": "Look closely."}),
        ("settings", {"overlap": 2}),
        ("classes", {"name": "stork"}),
        ("end_lease", {"lease": "1"}),
    ],
)
def test_what_an_admin_sends_twice_is_done_once(served: Served, path: str, body: dict[str, object]) -> None:
    first_item(served.client("bo"))
    lend(served, "ada", 4)
    served.client("ada").post("/api/pass", json={"item": 4, "why": "skip", "key": key()})
    chief, before = served.client("chief"), len(kinds(served.store))
    assert chief.post(f"/api/{path}", json=body).status_code == 200, "without a key"
    after = len(kinds(served.store))
    assert after > before
    again = chief.post(f"/api/{path}", json=body)
    assert again.status_code == 200 or "twice" in again.json()["error"] or "stork" in again.json()["error"]
    assert len(kinds(served.store)) == after, kinds(served.store)[after:]


def test_a_link_that_is_revoked_twice_is_revoked_once(served: Served) -> None:
    chief = served.client("chief")
    hash = next(link.hash for link in served.front.links() if link.person.name == "ada")
    assert [chief.post("/api/revoke", json={"hash": hash}).status_code for _ in range(2)] == [200, 200]
    assert kinds(served.store).count("link_revoked") == 1


def test_the_last_link_of_an_admin_is_not_revoked(served: Served) -> None:
    chief = served.client("chief")
    hash = next(link.hash for link in served.front.links() if link.person.admin)
    refused = chief.post("/api/revoke", json={"hash": hash})
    assert refused.status_code == 400
    assert "the last link of an admin" in refused.json()["error"]
    assert "make another" in refused.json()["error"]
    served.front.make_link("chief", True)
    assert chief.post("/api/revoke", json={"hash": hash}).status_code == 200
    assert kinds(served.store).count("link_revoked") == 1


def test_of_many_leases_the_first_are_shown_and_all_are_counted() -> None:
    served = serve_in_memory(210, first=210)
    chief = served.client("chief")
    for n in range(200):
        assert len(served.desk.ask(f"person {n}", 1)) == 1
    assert "The first 200 of" not in chief.get("/admin").text
    served.desk.ask("one more", 3)
    page = chief.get("/admin").text
    assert "The first 200 of 203." in page
    assert page.count('action="/api/end_lease"') + page.count('data-post="/api/end_lease"') == 200
