"""Measures of a campaign against naive twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutpoint.core.measures import (
    area_under_curve,
    balanced_accuracy,
    labels_to_target,
    recall_per_class,
    saving,
    share_interval,
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


@pytest.mark.parametrize(
    ("found", "drawn", "low", "high"),
    [(0, 20, 0.0, 0.1611), (1, 20, 0.0089, 0.2361), (10, 20, 0.2993, 0.7007), (20, 20, 0.8389, 1.0), (0, 0, 0.0, 1.0)],
)
def test_an_interval_of_a_share_is_wilsons(found: int, drawn: int, low: float, high: float) -> None:
    assert share_interval(found, drawn) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_of_a_share_solves_wilsons_equation(drawn: tuple[int, int]) -> None:
    found, n = drawn
    low, high = share_interval(found, n)
    assert 0 <= low <= found / n <= high <= 1
    for bound in {low, high} - {0.0, 1.0}:  # the shares from which found / n lies 1.96 deviations away
        assert abs(found / n - bound) == pytest.approx(1.959964 * (bound * (1 - bound) / n) ** 0.5, rel=1e-6)


def test_more_cannot_be_found_than_drawn() -> None:
    with pytest.raises(UsageError, match="3 of 2"):
        share_interval(3, 2)
