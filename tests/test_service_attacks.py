"""What strangers, other pages and annotators have tried against a served campaign, each in a quick form."""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import uuid4

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

import httpx2
from starlette.testclient import TestClient

from cutpoint.service.desk.desk import Desk
from cutpoint.service.web.app import create_app
from cutpoint.service.web.front import LARGEST_ASK, Front
from cutpoint.service.web.gate import LARGEST_HEAD, House
from cutpoint.service.web.server import _greetings
from cutpoint.store.events import New
from served import Served, lend, serve_in_memory, token


@pytest.fixture
def served() -> Served:
    return serve_in_memory()


@pytest.mark.parametrize("path", ["/healthz", "/label", "/api/next", "/nothing"])
def test_no_cookie_takes_long(served: Served, path: str) -> None:
    cookie = 'x="' + "\\" * (LARGEST_HEAD - 2_000) + '"'  # a minute to Python's parser, which is quadratic
    began = time.process_time()
    answer = served.client().get(path, headers={"cookie": cookie})
    assert answer.status_code != 431
    assert time.process_time() - began < 2


def test_sessions_are_read_beside_any_cookie(served: Served) -> None:
    ada = served.client("ada")
    (own,) = (f"{name}={value}" for name, value in ada.cookies.items())
    ada.cookies.clear()
    for cookie in (f'x="\\\\";{own}', f"{own};x", f" ;; = ;{own}"):
        assert ada.get("/api/next", headers={"cookie": cookie}).status_code == 200


def test_a_head_that_is_too_large_is_refused(served: Served) -> None:
    ada = served.client("ada")
    for refused in (
        ada.get("/healthz", headers={"x-long": "x" * LARGEST_HEAD}),
        ada.get("/api/next?" + "n=1&" * (LARGEST_HEAD // 4)),
    ):
        assert refused.status_code == 431
        assert f"more than {LARGEST_HEAD:,} bytes" in refused.json()["error"]


@pytest.mark.parametrize("path", [f"/a/{token('ada')}/", "/label/", "/api/next/", "/static"])
def test_no_address_with_a_slash_too_many_leads_to_http(path: str) -> None:
    served = serve_in_memory(house=House(frozenset({"127.0.0.1:8000"}), secure=True))
    answer = served.client().get(path, follow_redirects=False)
    assert answer.status_code in (401, 404)
    assert "location" not in answer.headers


def say(person: TestClient, path: str, item: int, **more: object) -> httpx2.Response:
    """Something said of an item over HTTP, each time under a key of its own."""
    return person.post(f"/api/{path}", json={"item": item, "key": uuid4().hex, **more})


def test_nobody_says_anything_of_what_they_were_never_asked(served: Served) -> None:
    ada, bo = served.client("ada"), served.client("bo")
    (item,) = (one["item"] for one in bo.get("/api/next?n=1").json()["items"])
    say(bo, "answer", item, label=1)
    before = served.store.last()
    for refused in (
        say(ada, "answer", item, label=0),
        say(ada, "pass", item, why="skip"),
        say(ada, "pass", 7, why="skip"),
    ):
        assert refused.status_code == 400
        assert "was never asked of ada" in refused.json()["error"]
    assert served.store.last() == before
    assert served.desk.tell(item, 0, annotator="ada").disputed, "a script may say what it knows"


def test_what_was_asked_once_may_be_answered_for_ever(served: Served) -> None:
    ada = served.client("ada")
    late, passed, undone = (one["item"] for one in ada.get("/api/next?n=3").json()["items"])
    for lease in served.desk.state.leases.held_by("ada"):
        served.desk.give_back(lease.lease)
    served.desk.close()
    desk = Desk(served.store)  # the server was started again meanwhile
    front = Front(desk, served.store)
    again = replace(served, desk=desk, front=front, app=create_app(front, served.house))
    ada, chief = again.client("ada"), again.client("chief")
    said = say(ada, "answer", late, label=1).json()
    assert (said["status"], said["late"]) == ("saved", True)
    assert say(ada, "answer", late, label=2).json()["status"] == "corrected"
    assert say(ada, "pass", passed, why="skip").json()["status"] == "saved"
    assert chief.post("/api/release", json={"item": passed}).status_code == 200
    assert say(ada, "answer", passed, label=1).json()["status"] == "saved", "from a page that does not know"
    lend(again, "bo", undone)
    say(ada, "answer", undone, label=0)
    assert say(ada, "undo", undone).json()["lease"] is None, "bo has it"
    said = say(ada, "answer", undone, label=1).json()
    assert (said["status"], said["late"]) == ("saved", False)


def test_taking_back_gives_nobody_more_than_they_may_hold(served: Served) -> None:
    ada = served.client("ada")
    first = ada.get("/api/next?n=1").json()["items"][0]["item"]
    say(ada, "answer", first, label=1)
    assert len(ada.get(f"/api/next?n={LARGEST_ASK}").json()["items"]) == LARGEST_ASK
    assert say(ada, "undo", first).json()["lease"] is None
    assert len(served.desk.state.leases.held_by("ada")) == LARGEST_ASK
    served.desk.give_back(served.desk.state.leases.held_by("ada")[0].lease)
    say(ada, "answer", first, label=1)
    assert say(ada, "undo", first).json()["lease"] is not None
    assert len(served.desk.state.leases.held_by("ada")) == LARGEST_ASK


CROSS = {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
LED = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def test_a_page_of_others_leads_here_and_fetches_nothing(served: Served) -> None:
    ada = served.client("ada")
    for path in ("/api/next?n=8", "/items/0/picture", f"/a/{token('bo')}", "/static/keys.js"):
        for headers in (CROSS, CROSS | {"sec-fetch-site": "cross-site"}, LED | {"sec-fetch-dest": "iframe"}):
            refused = ada.get(path, headers=headers)
            assert (refused.status_code, "set-cookie" in refused.headers) == (403, False), path
    assert ada.get("/api/next", headers=LED).status_code == 403
    assert not served.desk.state.leases.live
    for headers in (LED, {"sec-fetch-site": "none"}, {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}):
        assert ada.get(f"/a/{token('ada')}", headers=headers).status_code == 200
        assert ada.get("/label", headers=headers).status_code == 200
    assert ada.get("/api/next", headers={"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}).status_code == 200


def test_admins_are_taken_at_their_word(served: Served) -> None:
    chief, before = served.client("chief"), served.store.last()
    for path, body in (
        ("settings", {"budget": True}),
        ("settings", {"lease_seconds": "60"}),
        ("links", {"annotator": "eve", "admin": "yes"}),
        ("adjudicate", {"item": True, "label": 0}),
        ("adjudicate", {"item": 1, "label": 0, "number": 3}),
        ("settings", {"overlapp": 3}),
    ):
        assert chief.post(f"/api/{path}", json=body).status_code == 422, (path, body)
    assert served.store.last() == before
    assert chief.post("/api/settings", json={"lease_seconds": 60}).status_code == 200


def test_a_version_that_is_installed_meanwhile_changes_no_page(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = served.client("ada")

    def gone(*_: object) -> None:
        raise AssertionError("read anew")

    monkeypatch.setattr("jinja2.FileSystemLoader.get_source", gone)
    assert ada.get("/mine").status_code == 200
    assert served.client().get("/label", headers={"accept": "text/html"}).status_code == 401


UNSEEN = ["\u200d", " \u200c ", "\u00a0", "\u3000", "\u2003", "\u200c\u00a0\u200d"]


@pytest.mark.parametrize("name", ["bird\ufffe", "bird\uffff", "bird\U0001ffff", "\ufdd0bird", *UNSEEN])
@pytest.mark.parametrize(("path", "what"), [("classes", "name"), ("links", "annotator")])
def test_names_that_break_a_drawing_or_cannot_be_seen_are_refused(
    served: Served, name: str, path: str, what: str
) -> None:
    before = served.store.last()
    assert served.client("chief").post(f"/api/{path}", json={what: name}).status_code == 400
    assert served.store.last() == before


@pytest.mark.parametrize("name", [" ada", "ada ", "a\u200dda", "\u0430da", "ad\u03b1"])
def test_nobody_new_looks_like_somebody_else(served: Served, name: str) -> None:
    refused = served.client("chief").post("/api/links", json={"annotator": name})
    assert refused.status_code == 400
    assert "look" in refused.json()["error"]
    assert name not in served.desk.state.people.by_name
    served.store.append([New("annotator_added", {"annotator": name, "admin": False})])  # as an older version took it
    served.desk.tick()
    assert served.client("chief").post("/api/links", json={"annotator": name}).status_code == 200


@pytest.mark.parametrize("name", ["\u0410\u043d\u043d\u0430 B.", "\u03b1", "h\u00e9ron", "O\u2019Neil 2", "\u9ce5 one"])
def test_names_of_people_everywhere_are_taken(served: Served, name: str) -> None:
    assert served.client("chief").post("/api/links", json={"annotator": name}).status_code == 200


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("http://192.168.1.5:8000", True),
        ("http://lab-pc:8000", True),
        ("https://label.example.org", False),
        ("http://127.0.0.1:8000", False),
        ("http://localhost:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_links_that_travel_in_the_clear_are_warned_of(served: Served, address: str, warned: bool) -> None:
    assert any("in the clear" in line for line in _greetings(served.front, [], address, False)) == warned
