"""Section 4 of the paper: core.thresholds against its naive twins, and what the paper proves about it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import naive
from cutpoint.core.thresholds import (
    best_threshold,
    losses,
    narrow,
    optimal_threshold,
    order_by_margin,
    thresholds_left,
    version_space,
)
from cutpoint.types import UNKNOWN, Labels
from draw import Case, cases, class_lists


def as_labels(y: list[int]) -> Labels:
    return np.array(y, np.int64)


def no_tie_probs(n: int, n_classes: int, seed: int) -> NDArray[np.float32]:
    """(n, n_classes) probabilities without exact ties within any class's order."""
    rng = np.random.default_rng(seed)
    while True:
        probs = rng.dirichlet(np.ones(n_classes), n).astype(np.float32)
        if all(len({(max(row) - row[k], row[k]) for row in probs}) == n for k in range(n_classes)):
            return probs


# --- order ------------------------------------------------------------------------------------------------


@given(cases())
def test_order_is_the_twins(case: Case) -> None:
    for k in range(case.n_classes):
        order = order_by_margin(case.probs, k)
        assert order.dtype == np.intp
        assert order.tolist() == naive.order_by_margin(case.probs, k)


@given(st.lists(st.integers(0, 4096), min_size=1, max_size=40, unique=True))
def test_two_classes_have_reverse_orders(numerators: list[int]) -> None:
    """Law 5: p_1 = 1 - p_0 exactly and no ties."""
    first = np.array(numerators, np.float32) / np.float32(4096)
    probs = np.stack([first, 1 - first], axis=1)
    assert order_by_margin(probs, 0).tolist() == order_by_margin(probs, 1)[::-1].tolist()
    assert order_by_margin(probs, 0).tolist() == np.argsort(-first, kind="stable").tolist()


def test_order_of_ties_in_every_key() -> None:
    probs = np.array([[0.5, 0.5], [1, 0], [0, 1], [1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]], np.float32)
    assert order_by_margin(probs, 0).tolist() == [1, 3, 4, 0, 5, 2, 6]
    assert order_by_margin(probs, 1).tolist() == [2, 6, 5, 0, 4, 1, 3]


# --- losses, version space, best and optimal threshold --------------------------------------------------


@given(class_lists())
def test_losses_are_the_twins(drawn: tuple[list[int], int]) -> None:
    y, k = drawn
    assert losses(as_labels(y), k).tolist() == naive.losses(y, k)


@given(class_lists())
def test_lemma_a1(drawn: tuple[list[int], int]) -> None:
    """Law 1: the least loss and the largest gain are at the same thresholds, on partly labelled lists too."""
    y, k = drawn
    loss, gain = losses(as_labels(y), k), np.array(naive.gains(y, k))
    assert np.flatnonzero(loss == loss.min()).tolist() == np.flatnonzero(gain == gain.max()).tolist()


@given(class_lists())
def test_version_space_is_the_twins(drawn: tuple[list[int], int]) -> None:
    y, k = drawn
    lo, hi = version_space(as_labels(y), k)
    assert (lo, hi) == naive.version_space(y, k)
    assert 0 <= lo <= hi <= len(y)


@given(class_lists())
def test_version_space_holds_a_best_threshold(drawn: tuple[list[int], int]) -> None:
    """Nothing is lost by looking only inside the space: a least loss is attained there."""
    y, k = drawn
    lo, hi = version_space(as_labels(y), k)
    loss = losses(as_labels(y), k)
    assert loss[lo : hi + 1].min() == loss.min()


@given(class_lists())
def test_best_threshold_is_the_twins(drawn: tuple[list[int], int]) -> None:
    y, k = drawn
    assert best_threshold(losses(as_labels(y), k)) == naive.best_threshold(naive.losses(y, k))


@given(st.lists(st.integers(0, 3), max_size=25), st.integers(0, 3), st.booleans())
def test_optimal_threshold_is_the_twins(y: list[int], k: int, minority: bool) -> None:
    assert optimal_threshold(as_labels(y), k, minority=minority) == naive.optimal_threshold(y, k, minority=minority)


def test_version_space_of_odd_lists() -> None:
    u = UNKNOWN
    for y, space in [
        ([], (0, 0)),
        ([u, u, u], (0, 3)),
        ([u, 0, u], (2, 3)),  # no other: I is the last k, J = N + 1
        ([u, 1, u], (0, 1)),  # no k: J is the first other
        ([1, u, u], (0, 0)),  # an absent class whose top place is labelled other: W = 1 asks nothing
        ([u, 0, u, u, 1, u], (2, 4)),
        ([u, 1, u, u, 0, u], (0, 6)),
        ([0, u, 1, u, 0, u, 1], (1, 6)),
    ]:
        assert version_space(as_labels(y), 0) == space, y


def test_best_threshold_of_odd_lists() -> None:
    u = UNKNOWN
    for y, threshold in [([], 0), ([u], 0), ([u] * 4, 2), ([u] * 5, 2), ([0, u, u, u], 2), ([u, u, u, 1], 2)]:
        assert best_threshold(losses(as_labels(y), 0)) == threshold, y


# --- narrowing ------------------------------------------------------------------------------------------


@st.composite
def spaces(draw: st.DrawFn) -> tuple[Labels, int, int, int]:
    """Losses of a drawn list, some space inside it, and how many thresholds shall be left."""
    y, k = draw(class_lists())
    loss = losses(as_labels(y), k)
    lo = draw(st.integers(0, len(y)))
    hi = draw(st.integers(lo, len(y)))
    return loss, lo, hi, draw(st.integers(1, hi - lo + 1))


@given(spaces())
def test_narrow_is_the_twins(space: tuple[Labels, int, int, int]) -> None:
    loss, lo, hi, count = space
    assert narrow(loss, lo, hi, count) == naive.narrow(loss.tolist(), lo, hi, count)


@given(spaces())
def test_narrow_is_nested_exact_and_never_worse_than_greedy(space: tuple[Labels, int, int, int]) -> None:
    """Law 1."""
    loss, lo, hi, count = space
    left, right = narrow(loss, lo, hi, count)
    assert lo <= left
    assert right <= hi
    assert right - left + 1 == count
    cost = max(loss[left], loss[right])
    greedy_left, greedy_right = naive.greedy_narrow(loss.tolist(), lo, hi, count)
    assert cost <= max(loss[greedy_left], loss[greedy_right])
    assert cost == min(naive.window_cost(loss.tolist(), s, count) for s in range(lo, hi - count + 2))


def test_narrow_takes_the_middle_of_the_first_longest_run() -> None:
    assert narrow(np.array([0, 0, 0, 1, 0, 0, 0]), 0, 6, 1) == (1, 1)
    assert narrow(np.array([0, 1, 0, 0, 1, 0, 0]), 0, 6, 1) == (2, 2)
    assert narrow(np.array([0, 0, 0, 0]), 0, 3, 2) == (1, 2)
    assert narrow(np.array([0, 0, 0, 0, 0]), 1, 4, 1) == (2, 2)


@given(st.integers(1, 10**7), st.integers(1, 60))
def test_thresholds_left_shrink_to_one(width: int, b: int) -> None:
    left = [thresholds_left(width, a, b) for a in range(b + 1)]
    assert left == [naive.thresholds_left(width, a, b) for a in range(b + 1)]
    assert left[0] == width
    assert left[-1] == 1
    assert left == sorted(left, reverse=True)


def test_thresholds_left_of_exact_powers() -> None:
    """1000 ** (1/3) is a little off 10 in floating point: it must be 10 either way."""
    assert [thresholds_left(1000, a, 3) for a in range(4)] == [1000, 100, 10, 1]
    assert [thresholds_left(2**20, a, 20) for a in range(21)] == [2 ** (20 - a) for a in range(21)]


# --- law 6: without exact ties, permuting the pool or renaming the classes permutes or renames the result -


@given(st.integers(1, 25), st.integers(2, 4), st.integers(0, 10**6), st.data())
def test_order_follows_permutation_and_renaming(n: int, n_classes: int, seed: int, data: st.DataObject) -> None:
    probs = no_tie_probs(n, n_classes, seed)
    new_place = np.array(data.draw(st.permutations(range(n))), np.intp)  # example i moves to new_place[i]
    new_name = np.array(data.draw(st.permutations(range(n_classes))), np.intp)  # class k is called new_name[k]
    moved, renamed = np.empty_like(probs), np.empty_like(probs)
    moved[new_place] = probs
    renamed[:, new_name] = probs
    for k in range(n_classes):
        order = order_by_margin(probs, k)
        assert order_by_margin(moved, k).tolist() == new_place[order].tolist()
        assert order_by_margin(renamed, int(new_name[k])).tolist() == order.tolist()


@given(class_lists(), st.permutations(range(4)))
def test_thresholds_follow_renaming(drawn: tuple[list[int], int], new_name: list[int]) -> None:
    y, k = drawn
    called = as_labels([v if v == UNKNOWN else new_name[v] for v in y])
    loss, lo, hi = losses(called, new_name[k]), *version_space(called, new_name[k])
    assert loss.tolist() == losses(as_labels(y), k).tolist()
    assert (lo, hi) == version_space(as_labels(y), k)
