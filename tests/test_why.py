"""Every question says why it is asked, and saying so changes no question."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutpoint import STRATEGIES, Scores, Session, Why, because
from cutpoint.core.thresholds import order_by_margin
from cutpoint.service.desk.desk import Desk
from cutpoint.service.replay import replay
from cutpoint.store.files import ArrayFiles
from cutpoint.types import Index, Plan, Round
from desks import FakeClock, a_store, events_of, publish, some_probs
from draw import Case, cases
from toys import a_round

IN_FLIGHT = st.sampled_from([None, 1, 3])


def drive(session: Session, case: Case) -> None:
    while not session.done:
        i = int(session.wanted[0])
        session.tell(i, case.truth[i])


@pytest.mark.parametrize("name", STRATEGIES)
@given(case=cases(max_n=20, max_classes=3), in_flight=IN_FLIGHT)
def test_every_strategy_says_why(name: str, case: Case, in_flight: int | None) -> None:
    session = Session(STRATEGIES[name].strategy, case.round(), in_flight=in_flight)
    drive(session, case)
    phases = {"direct": {"search", "threshold"}, "galaxy": {"cut", "random"}, "random": {"random"}}.get(name, {"score"})
    for i in session.asked.tolist():
        why = session.why(i)
        assert why is not None
        assert why.strategy == name
        assert why.phase in phases
    asked = set(session.asked.tolist())
    assert all(session.why(i) is None for i in range(len(case.truth)) if i not in asked)


@given(case=cases(max_n=40), in_flight=IN_FLIGHT)
def test_a_search_asks_between_the_thresholds_that_are_left(case: Case, in_flight: int | None) -> None:
    session = Session(STRATEGIES["direct"].strategy, case.round(), in_flight=in_flight)
    drive(session, case)
    for i in session.asked.tolist():
        why = session.why(i)
        assert why is not None
        assert why.class_ is not None
        place = 1 + order_by_margin(case.probs, why.class_).tolist().index(i)
        if why.phase == "search":
            assert why.low is not None
            assert why.high is not None
            assert why.low < place <= why.high  # the thresholds low..high disagree on it
        else:
            assert why.threshold is not None
            assert 0 <= why.threshold <= len(case.truth)


@pytest.mark.parametrize("name", ["direct", "galaxy"])
@given(case=cases(max_n=40, max_classes=3), in_flight=IN_FLIGHT)
def test_a_question_of_a_class_says_where_the_example_lies_in_its_order(
    name: str, case: Case, in_flight: int | None
) -> None:
    session = Session(STRATEGIES[name].strategy, case.round(), in_flight=in_flight)
    drive(session, case)
    for i in session.asked.tolist():
        why = session.why(i)
        assert why is not None
        k = why.class_
        assert why.place == (None if k is None else 1 + order_by_margin(case.probs, k).tolist().index(i))


def test_reasons_go_with_the_questions_they_were_given_for() -> None:
    first, second = Why("mine", "score", 1), Why("mine", "random")

    def mine(round: Round) -> Plan:
        yield because(np.array([4, 2], np.intp), first, {4: 7, 2: 9}.__getitem__)
        yield np.array([3], np.intp)
        yield because(np.array([5], np.intp), second)

    session = Session(mine, a_round())
    for i in (4, 2, 3):
        session.tell(i, 0)
    there = [replace(first, place=place) for place in (7, 9)]
    assert [session.why(i) for i in (4, 2, 3, 5, 6)] == [*there, None, second, None]
    assert [session.is_open(i) for i in (4, 5)] == [False, True]


def test_no_pass_over_a_large_pool_is_made_to_say_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutpoint.strategies.direct.PREPARED_FROM", 50)
    session = Session(STRATEGIES["direct"].strategy, Round(Scores(some_probs(50)), np.full(50, -1), 8))
    why = session.why(int(session.wanted[0]))
    assert why is not None
    assert (why.phase, why.place) == ("search", None)


def test_the_log_of_a_campaign_says_the_place_and_one_that_does_not_is_the_same_campaign(tmp_path: Path) -> None:
    store, probs = a_store(60, first=5, budget=8), some_probs(60)
    publish(store, tmp_path, probs)
    files = ArrayFiles(tmp_path)
    desk = Desk(store, files, clock=FakeClock())
    for turn in range(8):
        (ask,) = desk.ask("one", 1)
        assert ask.why is not None
        assert ask.why.class_ is not None
        place = 1 + order_by_margin(probs, ask.why.class_).tolist().index(ask.item)
        assert ask.why.place == place
        logged = [why for event in events_of(store, "asked") for why in event.data["why"]]
        assert logged[turn]["place"] == place
        desk.tell(ask, turn % 2)
    desk.close()
    for event in events_of(store, "asked"):
        for why in event.data["why"]:
            why["place"] = None  # as older logs have it
    assert replay(store, files).same
    again = Desk(store, files, clock=FakeClock())
    assert len(again.ask("one", 1)) == 1
    assert again.status().labelled == 8
    again.close()


def test_what_is_computed_from_questions_carries_no_reason() -> None:
    questions: Index = because(np.array([4, 2], np.intp), Why("mine", "score"))
    assert getattr(questions, "why", None) == Why("mine", "score")
    assert getattr(questions[:1], "why", None) is None
    assert questions.tolist() == [4, 2]
