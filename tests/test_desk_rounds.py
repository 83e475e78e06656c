"""The desk's rounds: when one ends and the next begins, what fails, what a desk made again knows."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from cutpoint import STRATEGIES, Entry, Plan, Round
from cutpoint.errors import ReplayError, UsageError
from cutpoint.service.desk.desk import Desk
from cutpoint.service.replay import replay
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from desks import FakeClock, a_desk, a_store, add_items, events_of, in_flight, kinds, publish, some_probs

# --- rounds -----------------------------------------------------------------------------------------------


def test_new_scores_end_the_round_and_what_is_leased_is_held_in_the_next(tmp_path: Path) -> None:
    store = a_store(60, first=5)
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    mine = desk.ask("one", 2)
    publish(store, tmp_path, some_probs(60))
    theirs = desk.ask("two", 1)[0]
    opened = events_of(store, "round_opened")[-1].data
    assert (opened["round"], opened["scores"], opened["strategy"]) == (2, 1, "direct")
    assert opened["held"] == sorted(ask.item for ask in mine)
    assert events_of(store, "round_closed")[-1].data == {"round": 1, "reason": "new scores"}
    assert theirs.why is not None
    assert theirs.why.phase == "search"
    before = desk.status().round
    assert desk.tell(mine[0], 1).late is False
    assert desk.status().round == before  # unasked there
    assert desk.status().labelled == 1


def test_a_round_that_is_spent_is_followed_by_another_on_the_old_scores(tmp_path: Path) -> None:
    store = a_store(60, budget=4, first=4)
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    publish(store, tmp_path, some_probs(60))
    for turn in range(60):
        desk.tell(desk.ask("one", 1)[0], turn % 2)
    opened = [event.data for event in events_of(store, "round_opened")]
    assert [data["scores"] for data in opened] == [1] * 15
    assert {event.data["reason"] for event in events_of(store, "round_closed")} == {"spent"}
    assert len({data["seed"] for data in opened}) == 15


def test_a_round_outlasts_four_answers_of_everybody_unless_its_budget_is_set(tmp_path: Path) -> None:
    for budget, wanted in ((None, 4 * 50), (20, 20)):
        store = a_store(400, budget=budget, first=50)
        desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
        for p in range(50):
            desk.ask(f"p{p}", 1)
        publish(store, tmp_path, some_probs(400))
        desk.tick()
        assert events_of(store, "round_opened")[-1].data["budget"] == wanted
        assert in_flight(store) == 50


def test_the_window_grows_when_somebody_would_get_nothing_and_shrinks_when_half_is_enough(tmp_path: Path) -> None:
    clock = FakeClock()
    store = a_store(400)
    publish(store, tmp_path, some_probs(400))
    desk = Desk(store, ArrayFiles(tmp_path), clock=clock)
    for p in range(8):
        assert len(desk.ask(f"p{p}", 2)) == 2
    assert in_flight(store) == 16
    for p in range(8):  # the same number of leases all along
        desk.tell(desk.ask(f"p{p}", 2)[0], 0)
        desk.ask(f"p{p}", 2)
    resized = len(events_of(store, "resized"))
    assert resized == 8
    clock.now += 40
    desk.tick()
    assert len(events_of(store, "resized")) == resized
    for p in range(2, 8):
        for ask in desk.ask(f"p{p}", 2):
            desk.give_back(ask.lease)
    desk.tick()
    assert in_flight(store) == 4


def test_a_class_that_is_added_gets_a_column_of_zeros(tmp_path: Path) -> None:
    store = a_store(60, strategy="base")
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    line = np.linspace(0, 1, 120, dtype=np.float32).reshape(60, 2)
    publish(store, tmp_path, some_probs(60), embedding=line, head=np.eye(2, dtype=np.float32))
    desk.tell(desk.ask("one", 1)[0], 0)
    desk.add_class("crane")
    ask = desk.ask("one", 1)[0]
    assert desk.tell(ask, "crane").label == 2
    live = desk._board.live
    assert live is not None
    scores = live.session.round.scores
    assert scores.probs.shape == (60, 3)
    assert not scores.probs[:, 2].any()
    assert scores.head is not None
    assert scores.head[2].tolist() == [0, 0, -np.inf]
    assert [event.data["reason"] for event in events_of(store, "round_closed")][-1] == "the class crane was added"


def test_a_pool_that_grows_is_asked_about(tmp_path: Path) -> None:
    store = a_store(5, first=5)
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    publish(store, tmp_path, some_probs(5))
    for ask in desk.ask("one", 5):
        desk.tell(ask, 0)
    add_items(store, 5)
    asks = desk.ask("one", 5)  # without scores, so at random
    assert sorted(ask.item for ask in asks) == [5, 6, 7, 8, 9]
    for _ in range(3):
        desk.tick()
    assert kinds(store).count("round_opened") == 2, "the newest scores are used up, and no news"
    publish(store, tmp_path, some_probs(10), version=2)
    desk.give_back(asks[0].lease or "")
    desk.tick()
    assert desk.state.rounds.all[-1].data["scores"] == 2


def test_a_strategy_that_cannot_run_says_so_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(round: Round) -> Plan:
        raise ZeroDivisionError("margin cannot begin")
        yield

    entry = Entry(unable, frozenset({"probs"}), "")
    monkeypatch.setattr("cutpoint.service.desk.live.STRATEGIES", {**STRATEGIES, "margin": entry})
    store = a_store(20, strategy="margin", first=2)
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    ask = desk.ask("one", 1)[0]
    publish(store, tmp_path, some_probs(20))
    desk.tell(ask, 1)
    rest = desk.ask("one", 1)
    if rest:  # the first batch goes on
        desk.tell(rest[0], 1)
        rest = desk.ask("one", 1)
    assert rest == []
    assert "a round could not begin" in rest.reason
    assert "margin cannot begin" in desk.status().trouble
    monkeypatch.undo()
    desk.change(strategy="direct")
    assert len(desk.ask("one", 1)) == 1
    assert desk.status().labelled == 2


def test_a_strategy_that_fails_in_mid_round_ends_it_also_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fragile(round: Round) -> Plan:
        known = yield round.unlabelled()[:2]
        raise ZeroDivisionError(f"{len(known.told)} answers are too many")

    entry = Entry(fragile, frozenset({"probs"}), "")
    monkeypatch.setattr("cutpoint.service.desk.live.STRATEGIES", {**STRATEGIES, "margin": entry})
    store = a_store(20, strategy="margin")
    publish(store, tmp_path, some_probs(20))
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    for ask in desk.ask("one", 2):
        desk.tell(ask, 1)
    assert desk.status().labelled == 2
    assert desk.status().trouble == "round 1 failed: 2 answers are too many"
    desk.close()
    assert replay(store, ArrayFiles(tmp_path)).same
    again = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    assert again.status().trouble == "round 1 failed: 2 answers are too many"
    assert len(again.ask("one", 2)) == 2  # of the next round
    assert events_of(store, "round_closed")[-1].data["reason"] == "round 1 failed: 2 answers are too many"
    again.close()
    done = replay(store, ArrayFiles(tmp_path))
    assert (done.same, done.failed) == (True, ((1, "2 answers are too many"),))
    broken = next(event for event in store._log if event.kind == "round_closed")
    broken.data["reason"] = "spent"  # type: ignore[index] # as if it had not failed then
    assert replay(store, ArrayFiles(tmp_path)).broken == ((1, "2 answers are too many"),)


def test_what_else_goes_wrong_meanwhile_does_not_hide_that_a_round_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fragile(round: Round) -> Plan:
        yield round.unlabelled()[:2]
        raise ZeroDivisionError("too many")

    entry = Entry(fragile, frozenset({"probs"}), "")
    monkeypatch.setattr("cutpoint.service.desk.live.STRATEGIES", {**STRATEGIES, "margin": entry})
    store = a_store(20, strategy="margin")
    publish(store, tmp_path, some_probs(20))
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    for ask in desk.ask("one", 2):
        desk.tell(ask, 1)
    desk._not_made(-1, OSError("a file is gone"))
    assert desk.status().trouble == "round 1 failed: too many"
    desk.ask("one", 1)
    assert events_of(store, "round_closed")[-1].data["reason"] == "round 1 failed: too many"


def test_a_question_and_an_answer_cost_nothing_of_the_pools_size(tmp_path: Path) -> None:
    n = 100_000
    store = a_store(n, strategy="margin", budget=100)
    publish(store, tmp_path, some_probs(n))
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    for person in ("one", "two"):  # whatever is made once
        desk.tell(desk.ask(person, 2)[0], 1)
    tracemalloc.start()
    try:
        for turn in range(20):
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            ask = desk.ask("one", 2)[0]
            desk.tell(ask, turn % 2)
            desk.tell(ask, 1 - turn % 2)
            desk.take_back(ask)
            desk.passed(ask, "skip")
            desk.explain(ask.item)
            desk.status()
            assert tracemalloc.get_traced_memory()[1] - before < n // 2  # bytes: half of one for each item
    finally:
        tracemalloc.stop()


# --- restart ----------------------------------------------------------------------------------------------


def test_a_desk_made_again_knows_all_and_asks_the_same(tmp_path: Path) -> None:
    store = a_store(60)
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    publish(store, tmp_path, some_probs(60))
    held = desk.ask("one", 3)
    desk.tell(held[0], 1)
    with pytest.raises(UsageError, match="desk"):
        Desk(store)
    desk.close()
    again = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    assert again.ask("one", 2) == held[1:]
    assert again.explain(held[1].item) == held[1].why
    assert kinds(store).count("round_opened") == 1


def test_code_that_would_ask_otherwise_is_one_error_that_loses_no_label(tmp_path: Path) -> None:
    store = a_store(60)
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    publish(store, tmp_path, some_probs(60))
    desk.tell(desk.ask("one", 1)[0], 1)
    desk.close()
    asked = next(event for event in store._log if event.kind == "asked")
    asked.data["items"][0] += 1
    with pytest.raises(ReplayError, match="question 1 of round 1 is item"):
        Desk(store, ArrayFiles(tmp_path))
    again = Desk(store, ArrayFiles(tmp_path), clock=FakeClock(), new_round=True)
    assert again.status().labelled == 1
    assert len(again.ask("one", 1)) == 1


def test_a_replay_misses_what_a_round_asked_and_the_log_has_not(tmp_path: Path) -> None:
    store = a_store(60, first=10, budget=10)
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    for _ in range(15):
        desk.tell(desk.ask("one", 1)[0], 1)
    desk.close()
    assert replay(store, ArrayFiles(tmp_path)).same
    last = [event for event in store._log if event.kind == "asked" and event.data["round"] == 1][-1]
    for name in ("items", "why"):
        last.data[name].pop()
    (different,) = replay(store, ArrayFiles(tmp_path)).differences
    assert different[:3] == (1, 10, None)


def test_events_that_others_append_are_applied_in_their_order() -> None:
    desk = a_desk(30)
    ask = desk.ask("one", 1)[0]
    desk._store.append([New("labels_imported", {"items": [ask.item, 0], "labels": [0, 1], "source": "elsewhere"})])
    receipt = desk.tell(ask, 1)
    assert (receipt.label, receipt.disputed) == (0, True)  # the import came first
    assert desk.status().labelled == len({ask.item, 0})
