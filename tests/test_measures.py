"""Measures of a campaign against naive twins."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import naive
from cutpoint.core.measures import (
    area_under_curve,
    balanced_accuracy,
    count_bounds,
    labels_to_target,
    recall_per_class,
    saving,
    share_bounds,
)
from cutpoint.errors import UsageError


def naive_recall(truth: list[int], predicted: list[int], k: int) -> float:
    members = [i for i, t in enumerate(truth) if t == k]
    return sum(predicted[i] == k for i in members) / len(members) if members else float("nan")


@given(st.integers(1, 5).flatmap(lambda k: st.tuples(st.just(k), st.lists(st.tuples(*[st.integers(0, k - 1)] * 2)))))
def test_recall_equals_its_naive_twin(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    n_classes, pairs = drawn
    truth, predicted = [t for t, _ in pairs], [p for _, p in pairs]
    truth_M, predicted_M = np.array(truth, dtype=int), np.array(predicted, dtype=int)
    expected = [naive_recall(truth, predicted, k) for k in range(n_classes)]
    assert np.array_equal(recall_per_class(truth_M, predicted_M, n_classes), expected, equal_nan=True)
    if set(truth) == set(range(n_classes)):
        assert balanced_accuracy(truth_M, predicted_M, n_classes) == pytest.approx(np.mean(expected))
    else:
        with pytest.raises(UsageError, match="has no example"):
            balanced_accuracy(truth_M, predicted_M, n_classes)


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=1))
def test_balanced_accuracy_without_a_number_of_classes_is_over_those_of_the_truth(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = [t for t, _ in pairs], [p for _, p in pairs]
    expected = np.mean([naive_recall(truth, predicted, k) for k in sorted(set(truth))])
    assert balanced_accuracy(truth, predicted) == pytest.approx(expected)


def test_balanced_accuracy_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="no example among the 0 to measure on"):
        balanced_accuracy([], [])


@pytest.mark.parametrize(
    ("truth", "predicted"), [([0, 2], [0, 0]), ([0, -1], [0, 0]), ([0], [0, 1]), ([0.5], [0]), ([[0]], [[0]])]
)
def test_recall_refuses_labels_that_are_none(truth: list[int], predicted: list[int]) -> None:
    with pytest.raises(UsageError):
        recall_per_class(truth, predicted, 2)


curves = st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), min_size=1, max_size=8).map(
    lambda steps: (np.cumsum([s for s, _ in steps]).astype(float), np.array([v for _, v in steps]))
)


@given(curves, st.floats(0, 1))
def test_labels_to_target_is_the_first_crossing(
    curve: tuple[NDArray[np.float64], NDArray[np.float64]], target: float
) -> None:
    n_labels, values = curve
    found = labels_to_target(n_labels, values, target)
    if values.max() < target:
        assert found is None
        return
    assert found is not None
    first = next(t for t in range(len(values)) if values[t] >= target)
    assert found <= n_labels[first]
    if first == 0:
        assert found == n_labels[0]
    else:
        assert found >= n_labels[first - 1]
        assert np.interp(found, n_labels, values) == pytest.approx(target)


def test_labels_to_target_by_hand() -> None:
    assert labels_to_target([100, 200, 300], [0.5, 0.7, 0.6], 0.6) == pytest.approx(150)
    assert labels_to_target([100, 200], [0.5, 0.7], 0.5) == 100
    assert labels_to_target([100, 200], [0.5, 0.7], 0.71) is None


@given(curves)
def test_area_is_the_mean_height(curve: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    n_labels, values = curve
    area = area_under_curve(n_labels, values)
    grid = np.linspace(n_labels[0], n_labels[-1], 2001)
    assert area == pytest.approx(np.interp(grid, n_labels, values).mean(), abs=2e-2)
    assert values.min() - 1e-9 <= area <= values.max() + 1e-9


def test_area_and_saving_by_hand() -> None:
    assert area_under_curve([0, 1, 3], [0, 1, 1]) == pytest.approx(2.5 / 3)
    assert area_under_curve([7], [0.3]) == 0.3
    assert saving(300, 1000) == pytest.approx(0.7)
    assert saving(1500, 1000) == pytest.approx(-0.5)
    with pytest.raises(UsageError, match="above 0"):
        saving(1, 0)


@pytest.mark.parametrize(
    ("n_labels", "values"),
    [([], []), ([1, 1], [0, 0]), ([2, 1], [0, 0]), ([1, 2], [0.0, np.nan]), ([1], [1, 2])],
)
def test_a_curve_that_is_none_is_refused(n_labels: list[int], values: list[float]) -> None:
    with pytest.raises(UsageError, match="curve"):
        area_under_curve(n_labels, values)


def draws(most: int) -> st.SearchStrategy[tuple[int, int, int]]:
    """(found, drawn, pool) of pools up to so many items."""
    drawn = st.integers(0, most).flatmap(lambda pool: st.tuples(st.integers(0, pool), st.just(pool)))
    return drawn.flatmap(lambda pair: st.tuples(st.integers(0, pair[0]), *map(st.just, pair)))


@given(draws(60))
def test_bounds_of_a_number_are_those_of_the_exact_tails(draw: tuple[int, int, int]) -> None:
    assert count_bounds(*draw) == naive.count_bounds(*draw)


@pytest.mark.parametrize(("drawn", "pool"), [(1, 40), (20, 60), (20, 400), (50, 200), (55, 60), (100, 1000)])
def test_bounds_of_a_number_hold_in_95_of_100_cases_whatever_the_number_is(drawn: int, pool: int) -> None:
    bounds = [count_bounds(found, drawn, pool) for found in range(drawn + 1)]
    for number in range(pool + 1):
        held = [hits for hits, (low, high) in enumerate(bounds) if low <= number <= high]
        assert sum(naive.chance_of_hits(hits, drawn, number, pool) for hits in held) >= Fraction(95, 100), number


def test_bounds_of_a_number_in_ten_million() -> None:
    hypergeom = pytest.importorskip("scipy.stats").hypergeom
    pool = 10_000_000
    for found, drawn in [(0, 20), (3, 200), (700, 1000), (20, 100_000)]:
        low, high = count_bounds(found, drawn, pool)
        if found:
            assert hypergeom.sf(found - 1, pool, low - 1, drawn) < 0.025 <= hypergeom.sf(found - 1, pool, low, drawn)
        assert hypergeom.cdf(found, pool, high + 1, drawn) < 0.025 <= hypergeom.cdf(found, pool, high, drawn)
    assert count_bounds(0, 0, pool) == (0, pool)
    assert count_bounds(9, pool, pool) == (9, 9)


@given(st.integers(0, 40).flatmap(lambda drawn: st.tuples(st.integers(0, drawn), st.just(drawn))))
def test_bounds_of_a_share_are_those_of_the_exact_tails(draw: tuple[int, int]) -> None:
    low, high = share_bounds(*draw)
    step = Fraction(1, 10**9)
    assert 0 <= low <= high <= 1
    for inside in (Fraction(low) + step, Fraction(high) - step):
        assert naive.share_fits(*draw, inside) or draw[1] == 0
    assert low == 0 or not naive.share_fits(*draw, Fraction(low) - step)
    assert high == 1 or not naive.share_fits(*draw, Fraction(high) + step)


def test_bounds_of_a_share_of_many_draws_and_of_none() -> None:
    beta = pytest.importorskip("scipy.stats").beta
    for found, drawn in [(1, 1), (3, 100), (5000, 100_000)]:
        low, high = share_bounds(found, drawn)
        assert low == pytest.approx(beta.ppf(0.025, found, drawn - found + 1))
        assert high == pytest.approx(beta.ppf(0.975, found + 1, drawn - found) if found < drawn else 1)
    assert share_bounds(0, 0) == (0, 1)
    with pytest.raises(UsageError, match="3 of 2 drawn were found"):
        share_bounds(3, 2)


@pytest.mark.parametrize("draw", [(3, 2, 10), (-1, 2, 10), (2, 11, 10)])
def test_more_cannot_be_found_than_drawn_nor_drawn_than_there_are(draw: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError, match=f"{draw[0]} of {draw[1]} drawn of 10"):
        count_bounds(*draw)
