"""What a plan sees and may do, and plans made of plans."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from cutpoint.errors import CutpointError, UsageError
from cutpoint.plans import NOTHING, interleave, one_shot
from cutpoint.session import Session, run
from cutpoint.strategies import STRATEGIES
from cutpoint.types import UNKNOWN, Index, Known, Plan, Round, Strategy
from toys import N, a_round, batches


def named(name: str, function: Any) -> Any:
    function.__name__ = name
    return function


# --- what a plan sees and what it may not do ------------------------------------------------------------


def test_known_is_a_read_only_view() -> None:
    seen: list[Known] = []

    def watcher(round: Round) -> Plan:
        for i in (3, 4):
            known = yield np.array([i], np.intp)
            seen.append(known)

    session = Session(watcher, a_round(parallel=2))
    session.tell(8, 1)
    session.tell(3, 2)
    known = seen[0]
    assert known.labels[[3, 8]].tolist() == [2, 1]
    assert list(known.told) == [8, 3]
    assert list(known.told[1:]) == [3]
    assert list(known.open) == [4]
    others: list[Any] = [[8, 3], (8, 3), [8], [8, 4], {8, 3}]
    assert [known.told == other for other in others] == [True, True, False, False, False]
    assert repr(known.told) == "[8, 3]"
    assert (known.in_flight, known.parallel) == (None, 2)
    with pytest.raises(ValueError, match="read-only"):
        known.labels[0] = 1
    for change in ("append", "clear", "pop", "__setitem__"):
        assert not hasattr(known.told, change)
        assert change == "pop" or not hasattr(known.open, change)


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        ([-1], "-1, which is outside the pool"),
        ([0, N], "12, which is outside the pool"),
        ([0, 3, 3], "3 twice"),
        ([3, 1], "1, which is labelled"),
        ([0, 2], "2, which is held back"),
        ([0, 4], "4, which is asked already"),
        ([0, 3, 5], "more than its budget of 3"),
    ],
)
def test_a_plan_that_asks_for_what_it_may_not_is_named_and_asks_nothing(questions: list[int], said: str) -> None:
    def greedy(round: Round) -> Plan:
        yield np.array([4], np.intp)
        yield np.array(questions, np.intp)

    session = Session(greedy, a_round(budget=3, labels={1: 0}, held=[2]))
    with pytest.raises(CutpointError, match=f"greedy asked for {said}.*must") as told:
        session.tell(4, 1)
    assert type(told.value) is CutpointError, "not the fault of who told"
    assert session.wanted.tolist() == []
    assert session.asked.tolist() == [4]
    assert session.why(0) is None


NO_INDICES: list[Any] = [
    None,
    3,
    np.array(3),
    [[1, 2]],
    [[1], [2, 3]],
    [1.0],
    [np.nan],
    ["1"],
    [True],
    [None],
    {1, 2},
    np.array([1], object),
]


@pytest.mark.parametrize("odd", NO_INDICES, ids=repr)
def test_a_plan_that_yields_no_indices_is_named_and_asks_nothing(odd: Any) -> None:
    def confused(round: Round) -> Any:
        yield [4, 2]
        yield odd

    session = Session(confused, a_round())
    session.skip(4)
    with pytest.raises(CutpointError, match=r"confused asked for .*; these must be pool indices"):
        session.skip(2)
    assert session.wanted.tolist() == []
    assert session.asked.tolist() == [4, 2]


@pytest.mark.parametrize("odd", NO_INDICES, ids=repr)
def test_a_choice_that_is_no_indices_is_named(odd: Any) -> None:
    with pytest.raises(CutpointError, match=r"confused asked for .*; these must be pool indices"):
        Session(one_shot(named("confused", lambda round: odd)), a_round())


@pytest.mark.parametrize(
    "questions",
    [[5, 2], (5, 2), range(5, 1, -3), np.array([5, 2], np.uint64), np.array([5, 2], np.int8), np.array([[5, 2]])[0]],
    ids=repr,
)
def test_whole_numbers_may_be_yielded_in_any_list_or_array(questions: Any) -> None:
    def easy(round: Round) -> Any:
        yield questions
        yield []

    session = Session(easy, a_round())
    assert session.wanted.tolist() == [5, 2]
    assert all(type(i) is int for i in session.asked_since(0))


@pytest.mark.parametrize("returned", [np.array([1]), [1], None, iter([[1]])], ids=["array", "list", "None", "iterator"])
def test_a_function_that_makes_no_plan_is_told_of_one_shot(returned: Any) -> None:
    with pytest.raises(UsageError, match=r"choose returned .*; it must be a generator.*@one_shot"):
        Session(named("choose", lambda round: returned), a_round())


def test_a_round_must_be_one() -> None:
    with pytest.raises(
        UsageError, match=r"round is ndarray; it must be a Round: Round\(Scores\(probs\), labels, budget\)"
    ):
        Session(batches([1]), np.full((N, 2), 0.5))  # type: ignore[arg-type]


def test_labels_of_a_run_are_the_callers_own() -> None:
    round = a_round(budget=2)
    labels = run(STRATEGIES["random"].strategy, round, lambda asked: [1] * len(asked))
    labels[:] = 2
    assert set(round.labels.tolist()) == {UNKNOWN}


def test_a_plan_that_waits_for_nothing_is_named() -> None:
    def idle(round: Round) -> Plan:
        yield NOTHING

    with pytest.raises(CutpointError, match="idle waits"):
        Session(idle, a_round())


def test_a_plan_may_ask_for_nothing_at_all() -> None:
    assert Session(batches(), a_round()).done


# --- run, one_shot, interleave --------------------------------------------------------------------------


def test_run_asks_the_oracle_only_for_what_was_asked() -> None:
    handed: list[list[int]] = []

    def oracle(indices: Index) -> list[int]:
        handed.append(indices.tolist())
        return [2 if i != 7 else UNKNOWN for i in indices.tolist()]

    labels = run(batches([5, 2], [7], [1]), a_round(labels={0: 1}), oracle)
    assert handed == [[5, 2], [7], [1]]
    assert {i: int(v) for i, v in enumerate(labels) if v != UNKNOWN} == {0: 1, 1: 2, 2: 2, 5: 2}


def test_run_wants_one_label_for_each_question() -> None:
    with pytest.raises(UsageError, match="one label each"):
        run(batches([5, 2]), a_round(), lambda indices: [1])


def test_one_shot_asks_once_and_keeps_its_name() -> None:
    @one_shot
    def first_ones(round: Round) -> Index:
        """The first."""
        return round.unlabelled()[: round.budget]

    assert first_ones.__name__ == "first_ones"
    assert first_ones.__doc__ == "The first."
    session = Session(first_ones, a_round(budget=3, labels={0: 1}))
    assert session.wanted.tolist() == [1, 2, 3]
    everything = dict.fromkeys(range(N), 0)
    assert Session(first_ones, a_round(labels=everything)).done


def searcher(items: list[int], started: list[int]) -> Any:
    """Starts a plan that asks for its items one by one and waits for each answer."""

    def start(known: Known) -> Plan:
        started.append(items[0])
        for i in items:
            known = yield np.array([i], np.intp)
            while i in known.open:
                known = yield NOTHING

    return start


def side_by_side(started: list[int]) -> Strategy:
    def strategy(round: Round) -> Plan:
        known = Known(round.labels, [], {})
        yield from interleave([searcher([0, 1, 2], started), searcher([5, 6], started), searcher([9], started)], known)

    return strategy


def test_interleaved_plans_run_one_after_the_other_where_nobody_waits() -> None:
    started: list[int] = []
    session = Session(side_by_side(started), a_round())
    asked = []
    while not session.done:
        assert len(session.wanted) == 1
        asked.append(int(session.wanted[0]))
        session.tell(asked[-1], 0)
    assert asked == [0, 1, 2, 5, 6, 9]
    assert started == [0, 5, 9]


def test_a_later_plan_starts_only_when_all_before_it_wait() -> None:
    started: list[int] = []
    session = Session(side_by_side(started), a_round(), in_flight=2)
    assert session.wanted.tolist() == [0, 5]
    assert started == [0, 5]
    session.tell(5, 0)
    assert session.wanted.tolist() == [0, 6]
    session.tell(0, 0)
    assert session.wanted.tolist() == [6, 1]
    assert started == [0, 5]
    session.resize(3)
    assert session.wanted.tolist() == [6, 1, 9]
    for i in (9, 1, 6, 2):
        session.tell(i, 0)
    assert session.done


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_a_plan_can_be_driven_by_hand(name: str) -> None:
    """Without a session: labels, what was told and what is open are all that a blocking plan needs."""
    round = a_round(budget=6, parallel=3, labels={0: 0, 1: 1, 2: 2})
    labels, told, asked = round.labels.copy(), list[int](), list[int]()
    plan = STRATEGIES[name].strategy(round)
    questions = next(plan)
    while True:
        asked += questions.tolist()
        for i in questions.tolist():
            labels[i] = i % 3
            told.append(i)
        try:
            questions = plan.send(Known(labels, told, set()))
        except StopIteration:
            break
    assert len(asked) == len(set(asked)) == 6
    session = Session(STRATEGIES[name].strategy, round)
    while not session.done:
        for i in session.wanted.tolist():
            session.tell(i, i % 3)
    assert session.asked.tolist() == asked


@pytest.mark.parametrize("handed", [list, tuple, lambda items: np.array(items, np.intp)])
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_plan_can_be_driven_by_hand_with_any_collections(name: str, handed: Any) -> None:
    """What is told and what is open may be arrays, whose truth value is no size."""
    round = a_round(budget=4, labels={1: 0, 2: 1})
    labels, told = round.labels.copy(), list[int]()
    plan = STRATEGIES[name].strategy(round)
    questions = next(plan)
    with suppress(StopIteration):
        while True:
            labels[questions] = 1
            told += questions.tolist()
            assert len(questions), "it waits for nothing"
            questions = plan.send(Known(labels, handed(told), handed([])))
    assert len(set(told)) == len(told) == 4


@pytest.mark.parametrize("handed", [list, tuple, set, dict.fromkeys, lambda items: np.array(items, np.intp)])
def test_galaxy_waits_for_example_0_as_for_any_other(handed: Any) -> None:
    round = a_round(budget=4, labels=dict.fromkeys(range(1, N), 0))
    plan = STRATEGIES["galaxy"].strategy(round)
    assert next(plan).tolist() == [0]
    assert len(plan.send(Known(round.labels, (), handed([0])))) == 0
