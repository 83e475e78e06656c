"""The desk: questions under leases; answers in any order, late, twice, corrected, taken back, passed on."""

from __future__ import annotations

from typing import Any

import pytest

from cutpoint.errors import UsageError
from cutpoint.service.desk.desk import Desk
from desks import FakeClock, a_desk, a_store, kinds

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
    assert asks.reason == ("Everything is labelled: 1 item." if n else "The pool is empty: add items to it.")


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
    assert (again.status, desk.status().people[0].corrected) == ("again", 0)
    assert desk.tell(ask, 1).number == again.number  # without a key nothing is written
    desk.tell(ask, 0, key="c")
    late = desk.tell(ask, 1, key="b")  # its receipt was lost on the way
    assert (late.status, late.number, late.label) == ("again", again.number, 0)
    desk.passed(other, "skip", key="d")
    assert desk.passed(other, "skip", key="e").status == "again"
    desk.take_back(other, key="f")
    assert desk.passed(other, "skip", key="e").status == "again"
    desk.tell(other, 1, key="g")
    assert desk.passed(other, "skip", key="d").status == "again"
    with pytest.raises(UsageError, match="was used for something else"):
        desk.passed(other, "unsure", key="d")
    with pytest.raises(UsageError, match="has answered item"):
        desk.passed(other, "skip", key="h")
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
    now = desk.status().round
    assert now is not None
    assert (now.asked, now.done) == (5, 0)


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
    assert empty.reason == "All that is left was passed on, and waits until an admin releases it: 1 item."
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
        (lambda d, a: d.ask("", 1), "the name of an annotator is ''"),
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
        (lambda d, a: d.add_class("heron"), "is there already"),
        (lambda d, a: d.add_class("grey\theron"), r"the name of a class is 'grey\\theron', with '\\t' in it"),
        (lambda d, a: d.add_annotator("eve\n"), r"the name of an annotator is 'eve\\n'"),
        (lambda d, a: d.ask("e" * 201), "an annotator has 201 characters"),
        (lambda d, a: d.change(overlap=0), "overlap is 0"),
        (lambda d, a: d.import_labels([1, 2], [0], "file"), "2 items came with 1 label;"),
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
    assert desk.ask("three", 1).reason == "Everything is labelled: 6 items."


def test_one_person_alone_waits_for_others_without_end_of_rounds() -> None:
    desk = a_desk(6, overlap=2, first=3)
    while asks := desk.ask("one", 1):
        desk.tell(asks[0], 1)
    assert desk.ask("one", 1).reason == "You have answered all that is left; others are still to answer 6 items."
    before = desk.state.number
    desk.ask("one", 1)
    assert desk.state.number == before
    assert desk.status().labelled == 0
    assert len(desk.ask("two", 1)) == 1
