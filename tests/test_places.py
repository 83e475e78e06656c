"""The orders that are never sorted whole, and the version space on them, against the plain definitions."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from cutpoint.core import blocks, places
from cutpoint.core.places import Order, class_orders
from cutpoint.core.sorted_sets import added, nth_free, removed
from cutpoint.core.thresholds import losses, narrow, order_by_margin, version_space
from cutpoint.core.version_space import VersionSpace
from cutpoint.session import Session
from cutpoint.strategies import STRATEGIES, direct
from cutpoint.types import UNKNOWN, Round, Scores
from draw import Case, cases

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True, params=[places.SAMPLE, 3])
def sample(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of guessing where a place lies: from the whole column, and from a sample far too small to be right."""
    monkeypatch.setattr(places, "SAMPLE", request.param)


def orders(case: Case) -> list[Order]:
    return class_orders(case.round().scores.probs)


@given(case=cases(max_n=60), seed=seeds)
def test_places_and_stretches_are_those_of_the_sorted_list(case: Case, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = len(case.probs)
    for k, order in enumerate(orders(case)):
        plain = order_by_margin(case.probs, k)
        assert plain.tolist() == naive.order_by_margin(case.probs, k)
        assert [order.place(int(i)) for i in plain] == list(range(1, n + 1))
        chosen = np.sort(rng.choice(n, rng.integers(0, n + 1), replace=False))
        assert order.sort(chosen).tolist() == [i for i in plain.tolist() if i in chosen]
        first, last = sorted(rng.integers(1, n + 1, 2).tolist())
        stretch = order.stretch(first, last)
        assert (stretch.first, stretch.last) == (first, last)
        assert stretch.items.tolist() == plain[first - 1 : last].tolist()
        found = order.find(stretch, chosen)
        assert sorted(stretch.items[found].tolist()) == sorted(set(chosen.tolist()) & set(stretch.items.tolist()))
        for size in (int(rng.integers(1, n + 1)), -int(rng.integers(1, n + 1))):
            beside = order.beside(int(plain[first - 1]), first, size)
            expected = plain[first : first + size] if size > 0 else plain[max(0, first - 1 + size) : first - 1]
            assert beside.items.tolist() == expected.tolist()
            assert len(expected) == 0 or beside.at(beside.last) == expected[-1]


@given(case=cases(max_n=120), seed=seeds)
def test_the_version_space_narrows_as_the_definition_says(case: Case, seed: int) -> None:
    """Labels of its own questions, of other people's and corrected ones arrive between two narrowings."""
    rng = np.random.default_rng(seed)
    n, labels = len(case.probs), np.array(case.labels)
    k = int(rng.integers(case.n_classes))
    plain, order = order_by_margin(case.probs, k), orders(case)[k]
    askable = labels == UNKNOWN
    askable[case.held] = False
    space = VersionSpace(order, k, np.flatnonzero(~askable), labels, askable)
    lo, hi = version_space(labels[plain], k)
    assert (space.lo, space.hi) == (lo, hi)
    while hi > lo:
        if rng.random() < 0.5:
            batch = space.draw(int(rng.integers(1, 4)), rng)
            assert set(batch.tolist()) <= {i for i in plain[lo:hi].tolist() if askable[i]}
        touched = np.unique(rng.integers(0, n, 2))
        labels[touched] = rng.integers(0, case.n_classes, len(touched))
        askable[touched] = False
        space.see(touched)
        count = int(rng.integers(1, hi - lo + 1))
        lo, hi = narrow(losses(labels[plain], k), lo, hi, count)
        space.narrow(count, labels)
        assert (space.lo, space.hi) == (lo, hi)


@given(case=cases(max_n=30), seed=seeds)
def test_every_candidate_can_be_drawn(case: Case, seed: int) -> None:
    labels = np.array(case.labels)
    askable = labels == UNKNOWN
    for k, order in enumerate(orders(case)):
        plain = order_by_margin(case.probs, k)
        lo, hi = version_space(labels[plain], k)
        space = VersionSpace(order, k, np.flatnonzero(~askable), labels, askable)
        drawn = space.draw(len(labels), np.random.default_rng(seed))
        assert sorted(drawn.tolist()) == sorted(i for i in plain[lo:hi].tolist() if askable[i])


def test_draws_are_uniform_whether_the_candidates_are_listed_or_not() -> None:
    """Chi-square with a fixed seed: 40 candidates of 60 (drawn from the pool) and of 6000 (listed)."""
    for n in (60, 6000):
        p = np.linspace(0.9, 0.1, n, dtype=np.float32)
        labels = np.full(n, UNKNOWN)
        labels[9], labels[50] = 0, 1
        askable = labels == UNKNOWN
        order = class_orders(np.stack([p, 1 - p], axis=1))[0]
        space = VersionSpace(order, 0, np.flatnonzero(~askable), labels, askable)
        rng = np.random.default_rng(0)
        counts = np.bincount(np.concatenate([space.draw(2, rng) for _ in range(4000)]), minlength=n)[10:50]
        assert counts.sum() == 8000
        assert ((counts - 200.0) ** 2 / 200).sum() < 72.05  # 39 degrees of freedom, p = 0.001


@given(seed=seeds)
def test_sorted_sets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    members = np.unique(rng.integers(0, 30, 10))
    others = rng.integers(0, 30, int(rng.integers(0, 8)))
    assert added(members, others).tolist() == sorted(set(members.tolist()) | set(others.tolist()))
    assert removed(members, others).tolist() == sorted(set(members.tolist()) - set(others.tolist()))
    free = [i for i in range(60) if i not in members]
    assert nth_free(members, np.arange(20)).tolist() == free[:20]


@pytest.mark.parametrize("cores", [1, 3])
def test_blocks_cover_every_row_once(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "THREADED_FROM", 10)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    for n in (0, 1, 9, 64, 65, 100):
        seen = np.zeros(n, np.int64)

        def work(first: int, after: int, seen: np.ndarray = seen) -> None:
            assert first % 8 == 0
            seen[first:after] += 1

        blocks.for_blocks(n, work, 8)
        assert (seen == 1).all()


def test_many_tied_examples_are_sorted_once() -> None:
    """All scores equal, 20 questions in flight: what was listed is kept, and the questions are the plain ones."""
    n = 3000
    scores = Scores(np.full((n, 2), 0.5, np.float32))
    truth = (np.arange(n) > 100).astype(np.int64)
    now = Round(scores, np.full(n, UNKNOWN), 60, 4, 3)
    session = Session(STRATEGIES["direct"].strategy, now, in_flight=20)
    while not session.done:
        i = int(session.wanted[0])
        session.tell(i, int(truth[i]))
    assert len(set(session.asked.tolist())) == 60


@given(seed=seeds)
def test_narrowing_takes_no_more_than_there_is_and_leaves_one_at_least(seed: int) -> None:
    loss = np.random.default_rng(seed).integers(0, 4, 12)
    assert narrow(loss, 2, 9, 20) == (2, 9)
    lo, hi = narrow(loss, 2, 9, 0)
    assert 2 <= lo == hi <= 9


def test_galaxy_asks_one_question_at_a_time_even_when_an_answer_is_taken_back() -> None:
    case_labels = np.full(8, UNKNOWN)
    case_labels[[0, 7]] = [0, 1]
    p = np.linspace(0.9, 0.1, 8, dtype=np.float32)
    now = Round(Scores(np.stack([p, 1 - p], axis=1)), case_labels, 4)
    session = Session(STRATEGIES["galaxy"].strategy, now, in_flight=3)
    (first,) = session.wanted.tolist()
    session.tell(first, 0)
    (second,) = session.wanted.tolist()
    session.tell(first, UNKNOWN)
    assert session.wanted.tolist() == [first, second]
    session.tell(second, 1)
    assert session.wanted.tolist() == [first]


@given(case=cases(max_n=120), in_flight=st.sampled_from([None, 1, 5]))
def test_preparing_the_searches_changes_no_question(case: Case, in_flight: int | None) -> None:
    """What is listed ahead for large pools is only kept, whatever is told meanwhile."""

    def asked() -> list[int]:
        rng = np.random.default_rng(case.seed)
        session = Session(STRATEGIES["direct"].strategy, case.round(), in_flight=in_flight)
        while not session.done:
            i = int(rng.choice(session.wanted))
            session.tell(i, case.truth[i])
            session.tell(int(rng.integers(len(case.truth))), int(rng.integers(case.n_classes)))
        questions: list[int] = session.asked.tolist()
        return questions

    plain = asked()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(direct, "PREPARED_FROM", 1)
        patch.setattr(places, "KEPT", 1)
        assert asked() == plain
