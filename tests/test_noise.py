"""Imposed imbalance and noise: exact counts, and the distribution that was stated."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.core.noise import flip_by_annotator, flip_by_matrix, flip_uniform, group_classes, noise_rate_per_class
from cutpoint.errors import UsageError

labels = st.lists(st.integers(0, 9), max_size=60)


@given(labels, st.integers(1, 10))
def test_grouping_keeps_the_first_classes_and_joins_the_rest(y: list[int], n_classes: int) -> None:
    assert group_classes(y, n_classes).tolist() == [min(v, n_classes - 1) for v in y]


@given(labels, st.floats(0, 1), st.integers(2, 5), st.integers(0, 2**32))
def test_uniform_noise_flips_exactly_the_stated_number(y: list[int], rate: float, n_classes: int, seed: int) -> None:
    clean = group_classes(y, n_classes)
    before = clean.copy()
    observed = flip_uniform(clean, rate, n_classes, np.random.default_rng(seed))
    assert np.count_nonzero(observed != clean) == round(rate * len(y))
    assert not len(y) or (observed.min() >= 0 and observed.max() < n_classes)
    assert np.array_equal(clean, before)
    assert np.array_equal(observed, flip_uniform(clean, rate, n_classes, np.random.default_rng(seed)))


def test_uniform_noise_is_uniform_over_the_other_classes_and_places() -> None:
    clean = np.full(30_000, 1)
    observed = flip_uniform(clean, 0.5, 4, np.random.default_rng(0))
    assert np.bincount(observed, minlength=4) / 15_000 == pytest.approx([1 / 3, 1, 1 / 3, 1 / 3], abs=0.02)
    assert np.count_nonzero(observed[:15_000] != 1) == pytest.approx(7500, abs=300)


@given(st.integers(1, 4), labels, st.integers(0, 2**32))
def test_matrix_noise_follows_a_permutation_exactly(n_classes: int, y: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    clean = group_classes(y, n_classes)
    turned = rng.permutation(n_classes)
    matrix = np.eye(n_classes)[turned]
    assert np.array_equal(flip_by_matrix(clean, matrix, rng), turned[clean])


def test_matrix_noise_has_the_stated_rates_and_never_draws_the_impossible() -> None:
    matrix = np.array([[0.0, 0.3, 0.7, 0.0], [0.1, 0.9, 0, 0], [1 / 3, 1 / 3, 1 / 3, 0], [0, 0, 0.5, 0.5]])
    clean = np.repeat(np.arange(4), 20_000)
    observed = flip_by_matrix(clean, matrix, np.random.default_rng(1))
    for k in range(4):
        share = np.bincount(observed[clean == k], minlength=4) / 20_000
        assert share == pytest.approx(matrix[k], abs=0.02)
        assert not share[matrix[k] == 0].any()
    assert noise_rate_per_class(clean, observed, 4) == pytest.approx(1 - np.diag(matrix), abs=0.02)


@given(st.integers(1, 4), st.integers(1, 5), labels, st.integers(0, 2**32))
def test_noise_of_annotators_is_its_twin(n_classes: int, m: int, y: list[int], seed: int) -> None:
    """What is drawn for each label decides by the row of whoever answers, and never for what has probability 0."""
    rng = np.random.default_rng(seed)
    clean = group_classes(y, n_classes)
    matrices = rng.multinomial(4, np.full(n_classes, 1 / n_classes), (m, n_classes)) / 4  # many of them 0
    observed = flip_by_annotator(clean, matrices, np.random.default_rng(seed))
    twin = np.random.default_rng(seed)
    draws, who = twin.random(len(y)).tolist(), twin.integers(m, size=len(y)).tolist()
    for label, true, draw, annotator in zip(observed, clean, draws, who, strict=True):
        row = matrices[annotator][true].tolist()
        assert label == next(k for k, reached in enumerate(accumulate(row)) if draw < reached)
        assert row[label] > 0


@given(st.integers(1, 4), labels, st.integers(0, 2**32))
def test_noise_of_one_annotator_is_that_of_a_matrix(n_classes: int, y: list[int], seed: int) -> None:
    matrix = np.random.default_rng(seed).dirichlet(np.ones(n_classes), n_classes)
    clean = group_classes(y, n_classes)
    one, other = (np.random.default_rng(seed + 1) for _ in range(2))
    assert np.array_equal(flip_by_annotator(clean, matrix[None], one), flip_by_matrix(clean, matrix, other))


@given(st.integers(1, 4), st.integers(1, 5), labels, st.integers(0, 2**32))
def test_annotators_who_do_not_err_change_nothing(n_classes: int, m: int, y: list[int], seed: int) -> None:
    clean = group_classes(y, n_classes)
    before, careful = clean.copy(), np.tile(np.eye(n_classes), (m, 1, 1))
    observed = flip_by_annotator(clean, careful, np.random.default_rng(seed))
    assert observed.dtype == np.int64
    assert np.array_equal(observed, before)
    assert np.array_equal(clean, before)


def test_noise_of_annotators_has_the_mean_of_their_rates() -> None:
    matrices = np.array([np.eye(3), [[0.4, 0.6, 0], [0, 1, 0], [0.5, 0, 0.5]], [[0, 0, 1], [0, 0.7, 0.3], [1, 0, 0]]])
    clean = np.repeat(np.arange(3), 20_000)
    observed = flip_by_annotator(clean, matrices, np.random.default_rng(2))
    for k in range(3):
        share = np.bincount(observed[clean == k], minlength=3) / 20_000
        assert share == pytest.approx(matrices[:, k].mean(axis=0), abs=0.02)


def test_rate_of_an_empty_class_is_nan() -> None:
    assert np.array_equal(noise_rate_per_class([0, 0, 2], [0, 1, 2], 3), [0.5, np.nan, 0.0], equal_nan=True)


def test_bad_noise_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match=r"noise rate is 1\.5"):
        flip_uniform([0, 1], 1.5, 2, rng)
    with pytest.raises(UsageError, match="one class"):
        flip_uniform([0, 0], 0.5, 1, rng)
    with pytest.raises(UsageError, match="label 1 is 2"):
        flip_uniform([0, 2], 0.5, 2, rng)
    with pytest.raises(UsageError, match="square"):
        flip_by_matrix([0], np.array([[0.5, 0.5]]), rng)
    with pytest.raises(UsageError, match="row 1"):
        flip_by_matrix([0], np.array([[1, 0], [0.5, 0.6]]), rng)
    with pytest.raises(UsageError, match="row 0"):
        flip_by_matrix([0], np.array([[2, -1], [0, 1]]), rng)
    with pytest.raises(UsageError, match="noise matrix holds <U1"):
        flip_by_matrix([0], np.array([["a"]]), rng)
    with pytest.raises(UsageError, match=r"shape \(2, 2\); they must be \(m, K, K\)"):
        flip_by_annotator([0], np.eye(2), rng)
    with pytest.raises(UsageError, match=r"shape \(0, 2, 2\)"):
        flip_by_annotator([0], np.empty((0, 2, 2)), rng)
    with pytest.raises(UsageError, match=r"shape \(2, 2, 3\)"):
        flip_by_annotator([0], np.ones((2, 2, 3)), rng)
    with pytest.raises(UsageError, match="row 0 of annotator 1's noise matrix"):
        flip_by_annotator([0], np.array([np.eye(2), [[0.5, 0.6], [0, 1]]]), rng)
    with pytest.raises(UsageError, match="label 1 is 2"):
        flip_by_annotator([0, 2], np.eye(2)[None], rng)
    with pytest.raises(UsageError, match="0 or more"):
        group_classes([-1], 2)
    for labels_given in ([0.7, 1.2], [0.0, np.nan], ["0"], [[0, 1]], [1.0]):
        with pytest.raises(UsageError, match="must be flat integers"):
            group_classes(np.array(labels_given), 2)
    with pytest.raises(UsageError, match="at least 1"):
        group_classes([1], 0)
    with pytest.raises(UsageError, match="one for each"):
        noise_rate_per_class([0], [0, 1], 2)
