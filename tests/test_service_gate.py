"""The gate: hosts, origins, cookies, sizes, limits and headers, each tried from the wrong side."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from cutpoint.service.web.auth import Limit
from cutpoint.service.web.gate import HEADERS, LARGEST_BODY, House
from served import BASE, Served, first_item, key, serve_in_memory, token

HOSTS = frozenset({"127.0.0.1:8000"})


@pytest.fixture
def served() -> Served:
    return serve_in_memory()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:8001", "127.0.0.1:8000.evil.example", ""])
@pytest.mark.parametrize("path", ["/healthz", "/label", "/static/style.css", "/api/next"])
def test_another_host_is_refused_whatever_it_asks(served: Served, host: str, path: str) -> None:
    assert served.client("ada").get(path, headers={"host": host}).status_code == 421


def test_a_browser_that_is_refused_at_the_gate_is_told_by_a_page_and_a_script_by_json(served: Served) -> None:
    client, there = served.client("ada"), {"host": "elsewhere.example", "accept": "text/html,*/*;q=0.8"}
    page = client.get("/label", headers=there)
    assert (page.status_code, page.headers["content-type"]) == (421, "text/html; charset=utf-8")
    assert "<p>This server does not go by that name; use the address that `cutpoint serve` printed.</p>" in page.text
    for path, headers in (("/api/status", there), ("/label", {**there, "accept": "*/*"})):
        told = client.get(path, headers=headers)
        assert told.status_code == 421
        assert told.json()["error"].startswith("This server does not go by that name")


FOREIGN = ["http://evil.example", "http://127.0.0.1:8001", "https://127.0.0.1:8000", "null", "", f"{BASE}.evil.example"]


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ["/api/answer", "/api/links", "/api/settings", "/api/undo", "/api/nothing-here"])
def test_a_request_from_another_site_changes_nothing(served: Served, origin: str, path: str) -> None:
    client = served.client("chief")
    before = served.store.last()
    body = {"item": 0, "label": 0, "annotator": "eve", "admin": True, "budget": 3, "key": key()}
    assert client.post(path, json=body, headers={"origin": origin}).status_code == 403
    assert served.store.last() == before


def test_a_cookie_without_an_origin_changes_nothing_and_a_token_may(served: Served) -> None:
    client = served.client("ada")
    item = first_item(client)["item"]
    del client.headers["origin"]
    assert client.post("/api/answer", json={"item": item, "label": 0, "key": key()}).status_code == 403
    program = served.client()
    del program.headers["origin"]
    program.headers["authorization"] = f"Bearer {token('ada')}"
    assert program.post("/api/answer", json={"item": item, "label": 0, "key": key()}).status_code == 200
    program.headers["origin"] = "http://evil.example"
    assert program.post("/api/answer", json={"item": item, "label": 1, "key": key(1)}).status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_of_another_site_cannot_be_taken_for_json(served: Served, kind: str) -> None:
    client = served.client("ada")
    before = served.store.last()
    body = b'{"item": 0, "label": 0, "key": "test-key-0"}'
    assert client.post("/api/answer", content=body, headers={"content-type": kind}).status_code == 422
    assert served.store.last() == before


def test_the_cookie_is_for_this_server_alone(served: Served) -> None:
    set_cookie = served.client().get(f"/a/{token('ada')}").headers["set-cookie"].lower()
    assert "httponly" in set_cookie
    assert "samesite=strict" in set_cookie
    assert "path=/" in set_cookie
    assert "domain" not in set_cookie
    assert "secure" not in set_cookie, "loopback speaks http"
    safe = serve_in_memory(house=House(HOSTS, secure=True))
    assert "secure" in safe.client().get(f"/a/{token('ada')}").headers["set-cookie"].lower()


def test_the_page_behind_a_link_goes_on_and_holds_no_token(served: Served) -> None:
    answer = served.client().get(f"/a/{token('ada')}")
    assert 'url=/label"' in answer.text
    assert token("ada") not in answer.text
    assert served.client().get(f"/a/{token('chief')}").text.count('url=/admin"') == 1


@pytest.mark.parametrize("other", ['prefs={"a":1}', "a=b c", "flag", "x[y]=1", "ä=ö"])
def test_cookies_of_others_on_the_same_host_are_borne(other: str, served: Served) -> None:
    client = served.client("ada")
    (own,) = (f"{name}={value}" for name, value in client.cookies.items())
    client.cookies.clear()
    for header in (f"{other}; {own}", f"{own}; {other}"):
        assert client.get("/label", headers={b"cookie": header.encode("latin-1")}).status_code == 200


def test_a_revoked_link_ends_its_sessions_at_once(served: Served) -> None:
    client = served.client("ada")
    assert client.get("/label").status_code == 200
    link = next(link for link in served.front.links() if link.person.name == "ada")
    assert served.client("chief").post("/api/revoke", json={"hash": link.hash, "key": key()}).status_code == 200
    assert client.get("/label").status_code == 401
    assert client.get("/api/next").status_code == 401
    assert client.post("/api/answer", json={"item": 0, "label": 0, "key": key()}).status_code == 401
    assert served.client().get(f"/a/{token('ada')}").status_code == 401
    assert served.client("bo").get("/label").status_code == 200


def test_what_somebody_holds_goes_back_with_their_last_link(served: Served) -> None:
    ada, bo = served.client("ada"), served.client("bo")
    item = first_item(ada)["item"]
    leases = served.desk.state.leases
    another = served.front.make_link("ada", False)
    old, new = [link for link in served.front.links() if link.person.name == "ada"]
    served.front.revoke(old.hash)
    assert item in [lease.item for lease in leases.held_by("ada")], "another link holds"
    served.front.revoke(new.hash)
    assert leases.held_by("ada") == []
    assert item in [one["item"] for one in bo.get("/api/next?n=2").json()["items"]]
    assert another["annotator"] == "ada"


def test_a_page_of_one_person_sends_nothing_as_another(served: Served) -> None:
    bo = served.client("bo")
    item = first_item(bo)["item"]
    body = {"item": item, "label": 0, "key": key()}
    refused = bo.post("/api/answer", json=body, headers={"x-cutpoint-for": "ada"})
    assert refused.status_code == 403
    assert "another person's" in refused.json()["error"]
    assert "answered" not in {event.kind for event in served.store.events()}
    assert bo.post("/api/answer", json=body, headers={"x-cutpoint-for": "%62o"}).status_code == 200


def test_who_may_not_see_a_page_is_shown_a_way_back(served: Served) -> None:
    html = {"accept": "text/html"}
    for who, path, words in (
        ("ada", "/admin", "your link is an annotator&#39;s"),
        ("chief", "/label", "your link is an admin&#39;s"),
        ("ada", "/nothing", "There is no page /nothing"),
    ):
        page = served.client(who).get(path, headers=html).text
        assert words in page
        assert '<a class="button" href="/">' in page
    assert 'href="/"' not in served.client().get("/nothing", headers=html).text


ONLY_ADMINS = ["/admin", "/disputes"]
ONLY_ANNOTATORS = ["/label", "/mine", "/api/next"]
EVERYBODY = ["/dashboard", "/guide", "/api/status", "/items/0/picture"]


def test_everybody_sees_what_is_theirs(served: Served) -> None:
    stranger, ada, chief = served.client(), served.client("ada"), served.client("chief")
    for path in ONLY_ADMINS:
        assert [c.get(path).status_code for c in (stranger, ada, chief)] == [401, 403, 200], path
    for path in ONLY_ANNOTATORS:
        assert [c.get(path).status_code for c in (stranger, ada, chief)] == [401, 200, 403], path
    for path in EVERYBODY:
        assert [c.get(path).status_code for c in (stranger, ada, chief)] == [401, 200, 200], path


ADMIN_POSTS = ["adjudicate", "release", "release_all", "end_lease", "links", "revoke", "settings", "guideline"]
ADMIN_POSTS += ["classes"]


@pytest.mark.parametrize("path", ADMIN_POSTS)
def test_an_annotator_cannot_do_what_admins_do(served: Served, path: str) -> None:
    before = served.store.last()
    body = {"item": 0, "label": 0, "lease": "1", "annotator": "eve", "hash": "0" * 64, "text": "", "name": "x"}
    assert served.client("ada").post(f"/api/{path}", json=body | {"key": key()}).status_code == 403
    assert served.client().post(f"/api/{path}", json=body | {"key": key()}).status_code == 401
    assert served.store.last() == before


def test_an_annotators_cookie_under_an_admins_name_opens_nothing(served: Served) -> None:
    ada = served.client("ada")
    session = ada.cookies[served.house.cookie_for(False)]
    ada.cookies.set(served.house.cookie_for(True), session)
    assert ada.get("/admin").status_code == 403


def test_nobody_can_register(served: Served) -> None:
    for path in ("/register", "/signup", "/api/annotators", "/login"):
        assert served.client().post(path, json={"name": "eve"}).status_code in (404, 405)


def test_every_answer_carries_the_headers(served: Served) -> None:
    client = served.client("ada")
    paths = ["/label", "/api/next", "/healthz", "/static/style.css", "/a/wrong", "/nothing", "/admin"]
    answers = [client.get(path) for path in paths] + [client.get("/", headers={"host": "evil.example"})]
    for answer in answers:
        for name, value in HEADERS:
            assert answer.headers[name.decode()] == value.decode(), answer.url
    policy = dict(HEADERS)[b"content-security-policy"].decode()
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    for path in ("/label", "/api/next", "/mine", "/dashboard"):
        assert client.get(path).headers["cache-control"] == "no-store", path


def test_wrong_tokens_are_slowed_down_and_right_ones_are_not() -> None:
    served = serve_in_memory(house=House(HOSTS, strangers=Limit(0.01, 5)))
    client = served.client()
    statuses = [client.get(f"/a/guess-{i}").status_code for i in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    refused = client.get("/a/guess")
    assert int(refused.headers["retry-after"]) >= 1
    assert set(refused.json()) == {"error"}
    assert served.client("ada").get("/label").status_code == 200


def test_one_persons_haste_is_not_anothers() -> None:
    served = serve_in_memory(house=House(HOSTS, requests=Limit(0.01, 5)))
    ada, bo = served.client("ada"), served.client("bo")
    assert [ada.get("/api/next").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    assert bo.get("/api/next").status_code == 200


def test_a_huge_body_is_not_read(served: Served) -> None:
    chief = served.client("chief")
    text = "x" * LARGEST_BODY
    assert chief.post("/api/guideline", json={"text": text, "key": key()}).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    answer = chief.post("/api/guideline", content=pieces(), headers={"content-type": "application/json"})
    assert answer.status_code == 413, "chunked: its length is not said beforehand"
    assert "larger than" in answer.json()["error"]
    for length in ("9" * 5000, "65537", "0065537"):
        assert chief.post("/api/guideline", content=b"{}", headers={"content-length": length}).status_code == 413


def test_errors_say_nothing_of_the_inside(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(served.front, "next", fail)
    answer = served.client("ada", raise_server_exceptions=False).get("/api/next")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_nothing_at_the_gate_waits_for_the_desk(served: Served) -> None:
    client = served.client("ada")
    statuses: list[int] = []

    def knock() -> None:
        statuses.extend(client.get(path).status_code for path in ("/healthz", "/static/style.css", "/nothing"))

    with served.desk.locked:  # while somebody writes, and after something was logged
        served.desk.set_guideline("Look closely.")
        visitor = threading.Thread(target=knock, daemon=True)
        visitor.start()
        visitor.join(120)
        assert statuses == [200, 200, 404]


def test_links_follow_what_the_log_says_of_people(served: Served) -> None:
    front, desk = served.front, served.desk
    before = front.links()
    desk.set_guideline("Look closely.")
    assert front.links() is before, "nothing that links depend on"
    desk.add_annotator("ada", admin=True)
    assert {link.person.name: link.person.admin for link in front.links()} == {"ada": True, "bo": False, "chief": True}
    front.make_link("cy", admin=False)
    assert "cy" in {link.person.name for link in front.links()}
    front.revoke(before[0].hash)
    assert before[0].hash not in {link.hash for link in front.links()}


def test_the_server_imports_neither_torch_nor_scikit_learn() -> None:
    code = (
        "import sys; from served import serve_in_memory; served = serve_in_memory(); ada = served.client('ada');"
        "assert ada.get('/api/next').json()['items']; assert served.client('chief').get('/dashboard').is_success;"
        "import cutpoint.service.web.server; print(sorted({'torch', 'sklearn', 'matplotlib'} & sys.modules.keys()))"
    )
    path = ":".join(part for part in sys.path if part)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    assert done.stdout.strip() == "[]"
