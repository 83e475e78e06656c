"""Asynchronous DIRECT: its twin's questions, distinct items, the exact budget; one annotator."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from cutpoint import STRATEGIES, UNKNOWN, Session
from draw import Case, cases
from naive_async import AsyncDirect

IN_FLIGHT = st.sampled_from([1, 2, 3, 4, 7, 30])


class Annotators:
    """A drawn history of events: answers in any order; some are wrong, skipped or unasked."""

    def __init__(self, case: Case, *, messy: bool) -> None:
        self.case, self.messy = case, messy
        self.dice = random.Random(case.seed)

    def next_event(self, session: Session) -> tuple[int, int | None]:
        """(index, label), or (index, None) for a skip."""
        i = self.dice.choice(session.wanted.tolist())
        chance = self.dice.random() if self.messy else 1.0
        if chance < 0.1:
            return i, None
        if chance < 0.2:
            return self.dice.randrange(len(self.case.truth)), self.dice.randrange(self.case.n_classes)
        if chance < 0.3:
            return i, self.dice.randrange(self.case.n_classes)
        return i, self.case.truth[i]


def apply(session: Session, event: tuple[int, int | None]) -> None:
    i, label = event
    if label is None:
        session.skip(i)
    else:
        session.tell(i, label)


class Twin:
    """The naive round, driven by the same events under the session's rule of when a plan is resumed."""

    def __init__(self, case: Case, in_flight: int) -> None:
        self.book = naive.Book(case.labels, lambda batch: {}, case.held)
        rng = np.random.default_rng(case.seed)
        self.plan = AsyncDirect(
            case.probs, self.book, budget=case.budget, parallel=case.parallel, in_flight=in_flight, rng=rng
        )
        self.over = False
        self.go_on()

    def go_on(self) -> None:
        while not self.over and len(self.plan.open) < self.plan.in_flight:
            batch = self.plan.step()
            self.over = batch is None
            if not batch:
                return

    def apply(self, event: tuple[int, int | None]) -> None:
        i, label = event
        if label is not None:
            if self.book.labels[i] == label:
                return
            self.book.labels[i] = label
        if i in self.plan.open:
            self.plan.open.remove(i)
        self.go_on()


@pytest.mark.parametrize("messy", [False, True])
@given(case=cases(max_n=60, max_classes=4), in_flight=IN_FLIGHT)
def test_every_question_is_the_twins(case: Case, in_flight: int, messy: bool) -> None:
    """Law 8, after every single event."""
    session, twin = (
        Session(STRATEGIES["direct"].strategy, case.round(), in_flight=in_flight),
        Twin(case, in_flight),
    )
    annotators = Annotators(case, messy=messy)
    assert session.wanted.tolist() == twin.plan.open
    while not session.done:
        event = annotators.next_event(session)
        apply(session, event)
        twin.apply(event)
        assert session.wanted.tolist() == twin.plan.open
    assert session.asked.tolist() == twin.book.asked


@given(case=cases(), in_flight=IN_FLIGHT, sizes=st.lists(IN_FLIGHT, max_size=3))
def test_budget_is_exact_and_no_item_is_open_twice(case: Case, in_flight: int, sizes: list[int]) -> None:
    """Law 2 while people come and go."""
    session = Session(STRATEGIES["direct"].strategy, case.round(), in_flight=in_flight)
    annotators = Annotators(case, messy=True)
    most = in_flight
    while not session.done:
        assert len(session.wanted) <= most
        apply(session, annotators.next_event(session))
        if sizes and annotators.dice.random() < 0.1:
            in_flight = sizes.pop()
            most = max(most, in_flight)
            session.resize(in_flight)
    asked = session.asked.tolist()
    assert len(asked) == len(set(asked))
    assert set(asked) <= case.askable
    free = np.flatnonzero(session.labels == UNKNOWN)
    nothing_left = set(free.tolist()) <= set(asked) | set(case.held)
    assert len(asked) == case.budget or (nothing_left and len(asked) < case.budget)


@given(case=cases(), in_flight=IN_FLIGHT)
def test_questions_stay_in_flight_while_there_are_any_left(case: Case, in_flight: int) -> None:
    """No barrier: fewer than n are open only when all is asked but what searches at their limit reserve."""
    session = Session(STRATEGIES["direct"].strategy, case.round(), in_flight=in_flight)
    annotators = Annotators(case, messy=False)
    total = min(case.budget, len(case.askable))
    reserved = sum(naive.search_budgets(case.budget, range(case.n_classes)).values())
    while not session.done:
        assert len(session.wanted) == in_flight or len(session.asked) >= total - reserved
        apply(session, annotators.next_event(session))


@given(case=cases(), in_flight=IN_FLIGHT)
def test_the_same_log_gives_the_same_questions(case: Case, in_flight: int) -> None:
    session = Session(STRATEGIES["direct"].strategy, case.round(), in_flight=in_flight)
    annotators = Annotators(case, messy=True)
    while not session.done:
        apply(session, annotators.next_event(session))
    for length in (len(session.log) // 2, len(session.log)):
        half = Session(STRATEGIES["direct"].strategy, case.round(), session.log[:length], in_flight=in_flight)
        again = Session(STRATEGIES["direct"].strategy, case.round(), half.log, in_flight=in_flight)
        assert again.wanted.tolist() == half.wanted.tolist()
        assert half.asked.tolist() == session.asked.tolist()[: len(half.asked)]
    assert half.done
    assert half.labels.tolist() == session.labels.tolist()


@given(case=cases(), parallel=st.sampled_from([1, 5]))
def test_one_annotator_gets_algorithms_1_and_2(case: Case, parallel: int) -> None:
    """With `in_flight=1`, whatever B_parallel, and with B_parallel = 1 in a blocking session."""
    book = naive.Book(case.labels, lambda batch: {i: case.truth[i] for i in batch}, case.held)
    naive.direct_round(case.probs, book, case.budget, 1, np.random.default_rng(case.seed))
    round = case.round()
    object.__setattr__(round, "parallel", parallel)
    sessions = [Session(STRATEGIES["direct"].strategy, round, in_flight=1)]
    if parallel == 1:
        sessions.append(Session(STRATEGIES["direct"].strategy, round))
    for session in sessions:
        while not session.done:
            (i,) = session.wanted.tolist()
            session.tell(i, case.truth[i])
        assert session.asked.tolist() == book.asked
