"""The desk: questions under leases; answers in any order, late, twice, corrected, taken back, passed on."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint import STRATEGIES, Entry, Plan, Round
from cutpoint.errors import ReplayError, UsageError
from cutpoint.service.desk.desk import Desk
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from desks import FakeClock, a_desk, a_store, add_items, events_of, kinds, publish, some_probs

# --- asking -----------------------------------------------------------------------------------------------


def test_two_people_never_hold_the_same_item() -> None:
    desk = a_desk()
    one, two = desk.ask("one", 5), desk.ask("two", 5)
    assert len(one) == len(two) == 5
    assert not {ask.item for ask in one} & {ask.item for ask in two}
    assert one[0].id == f"i{one[0].item}"
    assert one[0].why is not None
    assert one[0].why.phase == "random"


def test_asking_again_gives_what_is_held_before_anything_new() -> None:
    desk = a_desk()
    first = desk.ask("one", 2)
    assert desk.ask("one", 2) == first
    desk.tell(first[0], 1)
    again = desk.ask("one", 2)
    assert again[0] == first[1]
    assert again[1].item not in {ask.item for ask in first}


def test_nobody_gets_an_empty_hand_while_work_is_left() -> None:
    desk = a_desk(30, first=4)
    held = [desk.ask(f"p{p}", 1) for p in range(30)]
    assert sorted(ask.item for asks in held for ask in asks) == list(range(30))
    late = desk.ask("p30", 1)
    assert late == []
    assert late.open == 30
    assert late.seconds == pytest.approx(900)
    assert late.reason == "All questions are with other people: 30 open; the next may come back in about 900 s."


@pytest.mark.parametrize("n", [0, 1])
def test_an_empty_pool_and_one_that_is_labelled_say_so(n: int) -> None:
    desk = a_desk(n)
    for ask in desk.ask("one", 1):
        desk.tell(ask, 0)
    asks = desk.ask("one", 1)
    assert asks == []
    assert asks.reason == ("Everything is labelled: all 1 items." if n else "The pool is empty: add items to it.")


def test_one_class_is_enough_to_ask_about() -> None:
    desk = a_desk(3, classes=("only",))
    for _ in range(3):
        desk.tell(desk.ask("one", 1)[0], "only")
    assert desk.status().found == (3,)


# --- answering --------------------------------------------------------------------------------------------


def test_the_same_answer_twice_is_one_and_another_corrects_it() -> None:
    desk = a_desk()
    ask = desk.ask("one", 1)[0]
    saved = desk.tell(ask, "heron")
    assert (saved.status, saved.label, saved.late) == ("saved", 1, False)
    again = desk.tell(ask, 1)
    assert (again.status, again.number) == ("again", saved.number)
    corrected = desk.tell(ask, 0)
    assert (corrected.status, corrected.label) == ("corrected", 0)
    assert kinds(desk._store)[-2:] == ["answered", "corrected"]


def test_a_request_sent_twice_is_done_once_whatever_came_between() -> None:
    desk = a_desk()
    ask = desk.ask("one", 1)[0]
    first = desk.tell(ask, 1, key="a")
    desk.tell(ask, 0, key="b")
    retry = desk.tell(ask, 1, key="a")
    assert (retry.status, retry.number, retry.label) == ("again", first.number, 0)
    back = desk.take_back(ask, key="c")
    assert desk.take_back(ask, key="c").number == back.number
    assert desk.tell(ask, 1, key="a").label is None
    with pytest.raises(UsageError, match="was used for something else"):
        desk.tell(desk.ask("two", 1)[0], 1, key="a")


def test_a_request_that_said_nothing_new_is_taken_once_for_ever_too() -> None:
    desk = a_desk()
    ask, other = desk.ask("one", 2)
    desk.tell(ask, 1, key="a")
    again = desk.tell(ask, 1, key="b")
    assert (again.status, desk.status().people[0].corrections) == ("again", 0)
    assert desk.tell(ask, 1).number == again.number  # without a key nothing is written
    desk.tell(ask, 0, key="c")
    late = desk.tell(ask, 1, key="b")  # its receipt was lost on the way
    assert (late.status, late.number, late.label) == ("again", again.number, 0)
    desk.passed(other, "skip", key="d")
    assert desk.passed(other, "skip", key="e").status == "again"
    desk.take_back(other, key="f")
    assert desk.passed(other, "skip", key="e").status == "again"
    assert desk.status().held == 0


def test_a_key_is_of_one_request_and_no_other() -> None:
    desk = a_desk()
    ask = desk.ask("one", 1)[0]
    desk.tell(ask, 1, key="a")
    with pytest.raises(UsageError, match="was used for something else"):
        desk.tell(ask, 0, key="a")
    with pytest.raises(UsageError, match="was used for something else"):
        desk.take_back(ask, key="a")
    with pytest.raises(UsageError, match="was used for something else"):
        desk.tell(ask, 1, key="a", annotator="two")
    assert desk.state.ballots.vote(ask.item, "one") == 1


def test_a_late_answer_is_kept_and_the_others_lease_is_untouched() -> None:
    clock = FakeClock()
    desk = a_desk(1, clock)
    mine = desk.ask("one", 1)[0]
    clock.now += 901
    theirs = desk.ask("two", 1)[0]
    assert theirs.item == mine.item
    receipt = desk.tell(mine, 1)
    assert (receipt.late, receipt.label) == (True, 1)
    assert desk.ask("two", 1)[0].lease == theirs.lease
    second = desk.tell(theirs, 0)
    assert (second.late, second.others, second.disputed) == (False, 1, True)
    assert second.label == 1  # of equals the one that was said first
    desk.adjudicate(mine.item, "other", by="admin")
    assert desk.state.ballots.label(mine.item) == 0
    assert not desk.state.ballots.disputed(mine.item)


def test_an_answer_to_what_nobody_asked_is_welcome() -> None:
    desk = a_desk(40, first=5)
    asked = {ask.item for ask in desk.ask("one", 5)}
    other = next(i for i in range(40) if i not in asked)
    receipt = desk.tell(f"i{other}", 1, annotator="two")
    assert (receipt.status, receipt.late, receipt.label) == ("saved", False, 1)
    assert desk.status().asked == 5


def test_undo_gives_the_question_back_to_whom_it_was() -> None:
    desk = a_desk()
    asks = desk.ask("one", 2)
    desk.tell(asks[0], 1)
    receipt = desk.take_back(asks[0])
    assert (receipt.status, receipt.label) == ("taken back", None)
    assert [ask.item for ask in desk.ask("one", 2)] == [ask.item for ask in asks]
    assert asks[0].item not in [ask.item for ask in desk.ask("two", 20)]


def test_what_was_passed_on_waits_for_an_admin() -> None:
    desk = a_desk(2, first=2)
    asks = desk.ask("one", 2)
    desk.passed(asks[0], "unsure")
    assert desk.passed(asks[0], "unsure").status == "again"
    desk.tell(asks[1], 0)
    empty = desk.ask("two", 1)
    assert empty == []
    assert empty.reason == "All that is left was passed on: 1 items wait until an admin releases them."
    assert desk.status().held == 1
    desk.release(asks[0].item, by="admin")
    assert [ask.item for ask in desk.ask("two", 1)] == [asks[0].item]


def test_a_pass_is_taken_back_like_an_answer() -> None:
    desk = a_desk(1)
    ask = desk.ask("one", 1)[0]
    desk.passed(ask, "skip")
    desk.take_back(ask)
    assert [ask.item for ask in desk.ask("one", 1)] == [ask.item]
    assert desk.tell(ask, 1).label == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d, a: d.ask("", 1), "it must be a name"),
        (lambda d, a: d.ask("one", -1), "n is -1"),
        (lambda d, a: d.tell(a, "crane"), "there is no class 'crane'; the classes are other, heron"),
        (lambda d, a: d.tell(a, 2), "label is 2"),
        (lambda d, a: d.tell(99, 1, annotator="one"), "there is no item 99; the pool has 30 items"),
        (lambda d, a: d.tell("x", 1, annotator="one"), "there is no item 'x'"),
        (lambda d, a: d.tell(a.item, 1), "annotator is missing"),
        (lambda d, a: d.passed(a, "tired"), "tired"),
        (lambda d, a: d.take_back(a), "has said nothing of item"),
        (lambda d, a: d.extend("77"), "has ended; ask again"),
        (lambda d, a: d.release(a.item, by="x"), "is not held back"),
        (lambda d, a: d.add_class("heron"), "is there twice"),
        (lambda d, a: d.change(overlap=0), "overlap is 0"),
        (lambda d, a: d.import_labels([1, 2], [0], "file"), "2 items and 1 labels"),
    ],
)
def test_a_bad_call_is_one_sentence_and_changes_nothing(call: Any, words: str) -> None:
    desk = a_desk()
    ask = desk.ask("one", 1)[0]
    before = desk.state.number
    with pytest.raises(UsageError, match=words):
        call(desk, ask)
    assert desk.state.number == before


# --- leases -----------------------------------------------------------------------------------------------


def test_a_lease_runs_out_by_the_clock_that_never_jumps() -> None:
    clock = FakeClock()
    desk = a_desk(1, clock)
    lease = desk.ask("one", 1)[0].lease
    clock.jump = 1e6  # the wall clock alone
    assert desk.ask("two", 1) == []
    clock.now += 890
    desk.extend(lease)
    clock.now += 890
    desk.tick()
    assert desk.ask("two", 1) == []
    clock.now += 20
    desk.tick()
    assert kinds(desk._store)[-1] == "lease_ended"
    assert len(desk.ask("two", 1)) == 1


@pytest.mark.parametrize(("jump", "left"), [(0.0, 800.0), (-1e6, 900.0), (1e6, 0.0)])
def test_after_a_restart_a_lease_has_what_is_left_of_it(jump: float, left: float) -> None:
    clock = FakeClock()
    store = a_store(1)
    desk = Desk(store, clock=clock)
    desk.ask("one", 1)
    desk.close()
    clock.now += 100
    clock.jump = jump
    again = Desk(store, clock=clock)
    asks = again.ask("one", 1)
    assert len(asks) == 1
    assert asks[0].seconds == pytest.approx(left or 900)  # a new lease where none was left


def test_a_lease_that_is_given_back_is_free_at_once() -> None:
    desk = a_desk(1)
    ask = desk.ask("one", 1)[0]
    desk.give_back(ask.lease)
    desk.give_back(ask.lease)
    assert [a.item for a in desk.ask("two", 1)] == [ask.item]


# --- several answers for each item --------------------------------------------------------------------------


def test_each_item_is_answered_by_as_many_people_as_are_wanted() -> None:
    desk = a_desk(6, overlap=2, first=3)
    for person in ("one", "two", "three"):
        while asks := desk.ask(person, 1):
            desk.tell(asks[0], 1)
    votes = desk.state.ballots.votes
    assert [len(votes[i]) for i in range(6)] == [2] * 6
    assert desk.ask("three", 1).reason == "Everything is labelled: all 6 items."


def test_one_person_alone_waits_for_others_without_end_of_rounds() -> None:
    desk = a_desk(6, overlap=2, first=3)
    while asks := desk.ask("one", 1):
        desk.tell(asks[0], 1)
    assert desk.ask("one", 1).reason == "You have answered all that is left; 6 items wait for other people."
    before = desk.state.number
    desk.ask("one", 1)
    assert desk.state.number == before
    assert desk.status().labelled == 0
    assert len(desk.ask("two", 1)) == 1


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
    asked = desk.status().asked
    assert desk.tell(mine[0], 1).late is False
    assert desk.status().asked == asked  # unasked there
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
        assert desk.status().budget == wanted
        assert desk.status().in_flight == 50


def test_the_window_grows_when_somebody_would_get_nothing_and_shrinks_when_half_is_enough(tmp_path: Path) -> None:
    clock = FakeClock()
    store = a_store(400)
    publish(store, tmp_path, some_probs(400))
    desk = Desk(store, ArrayFiles(tmp_path), clock=clock)
    for p in range(8):
        assert len(desk.ask(f"p{p}", 2)) == 2
    assert desk.status().in_flight == 16
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
    assert desk.status().in_flight == 4


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


def test_a_strategy_that_cannot_run_says_so_and_nothing_is_lost(tmp_path: Path) -> None:
    store = a_store(20, strategy="badge", first=2)
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    ask = desk.ask("one", 1)[0]
    publish(store, tmp_path, some_probs(20))  # without the embedding that BADGE reads
    desk.tell(ask, 1)
    rest = desk.ask("one", 1)
    if rest:  # the first batch goes on
        desk.tell(rest[0], 1)
        rest = desk.ask("one", 1)
    assert rest == []
    assert "badge" in rest.reason
    publish(store, tmp_path, some_probs(20), version=2, embedding=np.eye(20, dtype=np.float32))
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
    again = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())
    assert again.status().trouble == "round 1 failed: 2 answers are too many"
    assert len(again.ask("one", 2)) == 2  # of the next round
    assert events_of(store, "round_closed")[-1].data["reason"] == "round 1 failed: 2 answers are too many"


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


def test_events_that_others_append_are_applied_in_their_order() -> None:
    desk = a_desk(30)
    ask = desk.ask("one", 1)[0]
    desk._store.append([New("labels_imported", {"items": [ask.item, 0], "labels": [0, 1], "source": "elsewhere"})])
    receipt = desk.tell(ask, 1)
    assert (receipt.label, receipt.disputed) == (0, True)  # the import came first
    assert desk.status().labelled == len({ask.item, 0})
