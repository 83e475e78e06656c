"""Questions and answers over HTTP, at a real desk: asking, answering, passing and undoing, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from cutpoint.service.web.app import create_routes
from cutpoint.service.web.shown import shown_item
from cutpoint.store.base import Item, StoreError
from cutpoint.store.events import New
from desks import kinds
from served import Served, first_item, key, lend, serve_in_memory

ROOT = Path(__file__).parent.parent


@pytest.fixture
def served() -> Served:
    return serve_in_memory()


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
    assert "answered" in kinds(served.store)
    again = [one["item"] for one in ada.get("/api/next?n=2").json()["items"]]
    assert item["item"] not in again
    assert again[0] == asked["items"][1]["item"], "what a person holds comes first"


def test_the_same_key_is_taken_once(served: Served) -> None:
    ada = served.client("ada")
    body = {"item": first_item(ada)["item"], "label": 2, "key": key()}
    first, second = (ada.post("/api/answer", json=body).json() for _ in range(2))
    assert (first["status"], second["status"]) == ("saved", "again")
    assert first["number"] == second["number"]
    assert kinds(served.store).count("answered") == 1


def test_keys_of_two_people_never_meet(served: Served) -> None:
    for name in ("ada", "bo"):
        client = served.client(name)
        body = {"item": first_item(client)["item"], "label": 0, "key": key()}
        assert client.post("/api/answer", json=body).json()["status"] == "saved"
    assert kinds(served.store).count("answered") == 2


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


def test_all_held_items_are_released_at_once(served: Served) -> None:
    ada, chief = served.client("ada"), served.client("chief")
    assert chief.post("/api/release_all", json={}).json()["note"] == "No item is held."
    lend(served, "ada", *range(3))
    for item in range(3):
        ada.post("/api/pass", json={"item": item, "why": "unsure", "key": key(item)})
    assert "Release all 3" in chief.get("/admin").text
    served.desk.adjudicate(1, 0, by="chief")  # labelled, and held no more
    assert chief.post("/api/release_all", json={}).json()["note"] == "Released: 2 items can be asked again."
    assert list(served.desk.state.ballots.held) == []
    assert [event.data["item"] for event in served.store.events() if event.kind == "released"] == [0, 2]
    assert "Release all" not in chief.get("/admin").text


def test_a_second_opinion_is_kept_and_told_and_decided(served: Served) -> None:
    ada, bo, chief = (served.client(name) for name in ("ada", "bo", "chief"))
    lend(served, "ada", 3)
    lend(served, "bo", 3)
    ada.post("/api/answer", json={"item": 3, "label": 1, "key": key()})
    told = bo.post("/api/answer", json={"item": 3, "label": 2, "key": key()}).json()
    assert told["disputed"]
    assert "differently" in told["note"]
    page = chief.get("/disputes").text
    assert "item-3" in page
    assert "1 item on which" in page
    assert chief.post("/api/adjudicate", json={"item": 3, "label": 2, "key": key()}).json()["note"] == "Decided: crane."
    page = chief.get("/disputes").text
    assert "item-3" not in page.split("Decided")[0]
    assert "item-3" in page.split("Decided")[1]
    assert served.desk.state.ballots.label(3) == 2


def test_my_answers_are_listed_a_page_at_a_time(served: Served) -> None:
    ada = served.client("ada")
    lend(served, "ada", *range(40))
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
    assert kinds(served.store)[-1] == "lease_ended"


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


def test_a_decision_replaces_only_the_one_that_was_seen(served: Served) -> None:
    chief, body = served.client("chief"), {"item": 3, "label": 1}
    first = [chief.post("/api/adjudicate", json=body).json()["number"] for _ in range(2)]
    assert first[0] == first[1], "again is no other decision"
    second = served.desk.adjudicate(3, 2, by="another")
    late = chief.post("/api/adjudicate", json=body)
    assert (late.status_code, served.desk.state.ballots.label(3)) == (400, 2)
    assert f"item 3 is decided as “crane” (decision {second}) by now, and stays so" in late.json()["error"]
    over = body | {"seen": second}
    assert chief.post("/api/adjudicate", json=over).status_code == 200
    served.desk.adjudicate(3, 0, by="another")
    assert chief.post("/api/adjudicate", json=over).status_code == 400, "said once"
    assert chief.post("/api/adjudicate", json={"item": 4, "label": 1, "seen": 7}).status_code == 400


def test_half_a_character_of_an_older_pool_is_shown_as_a_sign() -> None:
    half = "\ud83d"
    store = serve_in_memory([{"text": f"a {half} bird"}, {"row": {f"{half}name": f"{half}"}}])
    ada = store.client("ada")
    texts = [one["text"] or one["row"] for one in ada.get("/api/next?n=2").json()["items"]]
    assert sorted(map(str, texts)) == ["[['\ufffdname', '\ufffd']]", "a \ufffd bird"]
    for item in range(2):
        assert ada.post("/api/answer", json={"item": item, "label": 0, "key": key(item)}).status_code == 200
    assert ada.get("/mine").status_code == 200


def test_values_of_a_row_are_shown_whole_or_say_what_is_left_out() -> None:
    row = {"a": 1234567.89, "b": 20231105.0, "c": 0.1, "d": 1e22, "e": -0.5, "f": True, "g": None, "h": "x" * 9_000}
    shown = shown_item(Item(0, "i", {"row": row}))
    values = [value for _, value in shown["row"]]
    assert values[:-1] == ["1234567.89", "20231105", "0.1", "1e+22", "-0.5", "True", "–"]
    assert values[-1] == "x" * 5_000 + "… (these are the first characters of 9,000)"
    assert shown["cut"] is None
    wide = shown_item(Item(0, "i", {"row": {f"c{i}": i for i in range(1_300)}}))
    assert (len(wide["row"]), wide["cut"]) == (200, 1_300)


def test_keys_of_people_with_strange_names_never_meet() -> None:
    served = serve_in_memory(people={"a": False, "a:b": False})
    one, other = served.client("a"), served.client("a:b")
    lend(served, "a", 1)
    lend(served, "a:b", 2)
    assert one.post("/api/answer", json={"item": 1, "label": 1, "key": "b:12345678"}).json()["status"] == "saved"
    assert other.post("/api/answer", json={"item": 2, "label": 1, "key": "12345678"}).json()["status"] == "saved"


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


def test_a_pass_is_told_nothing_of_other_answers_and_counts_beside_them(served: Served) -> None:
    ada, bo = served.client("ada"), served.client("bo")
    lend(served, "ada", 0, 1, 2, 7)
    lend(served, "bo", 0)
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


def test_a_watcher_may_ask_for_the_head_alone(served: Served) -> None:
    told = served.client().head("/healthz")
    assert (told.status_code, told.text) == (200, "")
