"""The session: ask and tell in any order, twice, unasked, taken back, skipped, resized."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from cutpoint.errors import UsageError
from cutpoint.session import Session
from cutpoint.strategies import STRATEGIES
from cutpoint.types import UNKNOWN
from toys import N, a_round, batches, climber, singles

# --- asking and telling ---------------------------------------------------------------------------------


def test_ask_returns_the_first_and_changes_nothing() -> None:
    session = Session(batches([5, 2, 9]), a_round())
    assert session.wanted.tolist() == [5, 2, 9]
    assert session.ask(2).tolist() == [5, 2]
    assert session.ask(2).tolist() == [5, 2]
    assert session.ask(0).tolist() == []
    assert session.ask(99).tolist() == [5, 2, 9]
    assert session.log == ()
    assert session.wanted.dtype == session.ask(1).dtype == np.intp


def test_the_plan_waits_for_the_whole_batch() -> None:
    session = Session(batches([5, 2], [7]), a_round())
    session.tell(2, 1)
    assert session.wanted.tolist() == [5]
    session.skip(5)
    assert session.wanted.tolist() == [7]
    assert not session.done
    session.tell(7, 0)
    assert session.done
    assert session.labels[[2, 5, 7]].tolist() == [1, UNKNOWN, 0]
    assert session.asked.tolist() == [5, 2, 7]
    assert session.log == (("tell", 2, 1), ("skip", 5), ("tell", 7, 0))


def test_the_same_answer_twice_is_one_answer() -> None:
    session = Session(batches([5, 2], [7]), a_round())
    session.tell(5, 1)
    before = session.log
    session.tell(5, 1)
    assert session.log == before
    assert session.wanted.tolist() == [2]


def test_the_last_label_wins() -> None:
    session = Session(batches([5, 2], [7]), a_round())
    session.tell(5, 1)
    session.tell(5, 2)
    assert session.labels[5] == 2
    assert session.wanted.tolist() == [2]
    session.tell(2, 0)
    session.tell(5, 0)  # also after the plan has gone on
    assert session.labels[5] == 0
    assert session.wanted.tolist() == [7]


def test_an_answer_that_nobody_asked_for_is_data_and_no_spending() -> None:
    session = Session(batches([5], [7, 8], [9]), a_round(budget=3))
    session.tell(7, 1)
    assert session.wanted.tolist() == [5]
    assert session.labels[7] == 1
    session.tell(5, 0)
    assert session.wanted.tolist() == [8]  # 7 is not asked afterwards
    session.tell(8, 0)
    assert session.wanted.tolist() == [9]
    session.tell(9, 0)
    assert session.done


def test_a_held_example_may_be_told_and_is_never_asked() -> None:
    session = Session(climber, a_round(held=[0, 1]))
    session.tell(0, 2)
    assert session.labels[0] == 2
    while not session.done:
        session.tell(int(session.wanted[0]), 1)
    assert set(session.asked.tolist()) == set(range(2, N))


def test_taking_a_label_back_opens_the_question_again() -> None:
    session = Session(batches([5, 2], [7]), a_round())
    session.tell(5, 1)
    session.tell(5, UNKNOWN)
    assert session.labels[5] == UNKNOWN
    assert sorted(session.wanted.tolist()) == [2, 5]
    session.tell(5, 1)
    session.tell(2, 1)
    assert session.wanted.tolist() == [7]
    session.tell(2, UNKNOWN)  # an earlier batch: open beside the present one
    assert sorted(session.wanted.tolist()) == [2, 7]
    session.tell(7, 0)
    assert not session.done
    session.tell(2, 0)
    assert session.done
    session.tell(7, UNKNOWN)  # and after the end
    assert not session.done
    session.skip(7)
    assert session.done


def test_taking_back_what_was_not_asked_opens_nothing() -> None:
    session = Session(batches([5, 2]), a_round(labels={1: 0}))
    session.tell(1, UNKNOWN)
    assert session.labels[1] == UNKNOWN
    assert session.wanted.tolist() == [5, 2]
    session.tell(3, UNKNOWN)  # nothing to take back: nothing happens
    assert session.log == (("tell", 1, UNKNOWN),)


def test_skipping_closes_and_a_late_answer_is_kept() -> None:
    session = Session(batches([5, 2], [7]), a_round())
    session.skip(5)
    session.skip(5)
    assert session.log == (("skip", 5),)
    session.tell(5, 2)
    assert session.labels[5] == 2
    assert session.wanted.tolist() == [2]
    session.tell(5, UNKNOWN)
    assert sorted(session.wanted.tolist()) == [2, 5]
    session.skip(5)  # open again, so it can be skipped again
    assert session.wanted.tolist() == [2]


def test_a_skip_is_taken_back_like_a_label_and_returns_to_its_old_place() -> None:
    session = Session(batches([5, 2, 8]), a_round())
    session.skip(5)
    session.tell(5, UNKNOWN)
    assert session.wanted.tolist() == [5, 2, 8]
    session.tell(5, 1)
    with pytest.raises(UsageError, match="not an open question"):
        session.skip(5)
    assert session.log == (("skip", 5), ("tell", 5, UNKNOWN), ("tell", 5, 1))
    assert Session(batches([5, 2, 8]), a_round(), session.log).wanted.tolist() == [2, 8]


@pytest.mark.parametrize(
    ("strategy", "log"), [(STRATEGIES["direct"], ()), ("direct", ()), (climber, None), (climber, 5)]
)
def test_what_is_no_strategy_or_no_log_is_said(strategy: Any, log: Any) -> None:
    with pytest.raises(UsageError, match="it must be"):
        Session(strategy, a_round(), log)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.tell(N, 0), "outside the pool"),
        (lambda s: s.tell(-1, 0), "-1"),
        (lambda s: s.tell(5, 3), "label is 3"),
        (lambda s: s.tell(5, -2), "label is -2"),
        (lambda s: s.tell(5, 1.0), r"label is 1\.0"),
        (lambda s: s.tell(5, None), "label is None"),
        (lambda s: s.tell(2.5, 1), r"2\.5"),
        (lambda s: s.tell("5", 1), "'5'"),
        (lambda s: s.skip(0), "not an open question"),
        (lambda s: s.skip(99), "outside the pool"),
        (lambda s: s.resize(0), "in_flight is 0"),
        (lambda s: s.ask(-1), "n is -1"),
    ],
)
def test_a_bad_call_is_one_sentence_and_changes_nothing(call: Any, words: str) -> None:
    session = Session(batches([5, 2], [7]), a_round())
    with pytest.raises(UsageError, match=words):
        call(session)
    assert session.log == ()
    assert session.wanted.tolist() == [5, 2]
    assert set(session.labels.tolist()) == {UNKNOWN}


def test_a_smaller_or_larger_number_in_flight_may_be_named_n() -> None:
    session = Session(singles, a_round())
    session.resize(n=2)
    assert session.in_flight == 2


def test_labels_are_read_only_and_the_rounds_own_labels_stay() -> None:
    round = a_round()
    session = Session(batches([5]), round)
    with pytest.raises(ValueError, match="read-only"):
        session.labels[0] = 1
    session.tell(5, 1)
    assert round.labels[5] == UNKNOWN


def test_whole_numbers_of_any_type_are_understood_and_logged_as_plain_ones() -> None:
    session = Session(batches([5, 2]), a_round())
    session.tell(np.int64(5), np.int8(2))  # type: ignore[arg-type]
    session.skip(np.intp(2))  # type: ignore[arg-type]
    assert json.loads(json.dumps(session.log)) == [["tell", 5, 2], ["skip", 2]]


# --- several in flight ----------------------------------------------------------------------------------


def test_in_flight_keeps_that_many_open() -> None:
    session = Session(singles, a_round(), in_flight=3)
    assert session.wanted.tolist() == [0, 1, 2]
    session.tell(1, 0)
    assert session.wanted.tolist() == [0, 2, 3]
    session.resize(5)
    assert session.wanted.tolist() == [0, 2, 3, 4, 5]
    session.resize(1)
    for i in (0, 2, 3, 4):
        session.tell(i, 0)
        assert 5 in session.wanted.tolist()
    assert session.wanted.tolist() == [5]
    session.resize(None)
    session.skip(5)
    assert session.wanted.tolist() == [6]
    assert [event for event in session.log if event[0] == "resize"] == [
        ("resize", 5),
        ("resize", 1),
        ("resize", None),
    ]


def test_resizing_to_the_same_is_no_event() -> None:
    session = Session(singles, a_round(), in_flight=3)
    session.resize(3)
    assert session.log == ()


@pytest.mark.parametrize("in_flight", [0, -1, 1.5, True])
def test_in_flight_must_be_a_whole_number(in_flight: Any) -> None:
    with pytest.raises(UsageError, match="in_flight"):
        Session(singles, a_round(), in_flight=in_flight)
