"""Imposed imbalance and imposed label noise, exactly as stated: pure functions, the generator handed in.

Used by benchmarks alone, on the labels that an oracle will give; a strategy never sees what was clean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cutpoint.core.checks import numbers
from cutpoint.errors import UsageError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def group_classes(y: ArrayLike, n_classes: int) -> Ints:
    """min(y, n_classes - 1), (N,) int64: the first `n_classes - 1` classes are kept and all others joined.

    Imbalance without subsampling (section 6): ten even classes and `n_classes` = 2 give 1 : 9.
    """
    if n_classes < 1:
        raise UsageError(f"the number of classes is {n_classes}; it must be at least 1.")
    labels_N = _flat_integers(y).astype(np.int64)
    if labels_N.size and labels_N.min() < 0:
        raise UsageError(f"the smallest label is {labels_N.min()}; labels to group must be 0 or more.")
    return np.minimum(labels_N, n_classes - 1)


def flip_uniform(y: ArrayLike, rate: float, n_classes: int, rng: np.random.Generator) -> Ints:
    """(N,) int64 labels, exactly round(rate * N) of them replaced by a uniformly drawn *different* class.

    The places are drawn without replacement. Python's round: a half goes to the even number.
    """
    if not 0.0 <= rate <= 1.0:
        raise UsageError(f"the noise rate is {rate}; it must lie in 0..1.")
    labels_N = _checked(y, n_classes).copy()
    count = round(rate * labels_N.size)
    if count == 0:
        return labels_N
    if n_classes < 2:
        raise UsageError("labels of one class cannot be flipped to a different one; use at least 2 classes or rate 0.")
    places = rng.choice(labels_N.size, size=count, replace=False)
    labels_N[places] = (labels_N[places] + rng.integers(1, n_classes, size=count)) % n_classes
    return labels_N


def flip_by_matrix(y: ArrayLike, matrix: ArrayLike, rng: np.random.Generator) -> Ints:
    """Labels drawn independently from the row of their class, (N,) int64: class-conditional noise.

    `matrix` (K, K): row k is the distribution of the label that is seen when the class is k.
    """
    return _drawn(y, _edges(matrix, "the noise matrix")[None], rng)


def flip_by_annotator(y: ArrayLike, matrices: ArrayLike, rng: np.random.Generator) -> Ints:
    """Labels of m annotators who err each in their own way, (N,) int64; who gives a label is drawn uniformly.

    `matrices` (m, K, K): [a, k] is the distribution of what annotator a says when the class is k. With m = 1 the labels
    are those of `flip_by_matrix`, by the same generator.
    """
    given_m_K_K = numbers(matrices, "the noise of annotators")
    if given_m_K_K.ndim != 3 or given_m_K_K.shape[1] != given_m_K_K.shape[2] or given_m_K_K.size == 0:
        raise UsageError(
            f"the noise matrices of annotators have shape {given_m_K_K.shape}; they must be (m, K, K): "
            "a square one for each of one or more annotators."
        )
    edges_m_K_K = [_edges(matrix, f"annotator {a}'s noise matrix") for a, matrix in enumerate(given_m_K_K)]
    return _drawn(y, np.stack(edges_m_K_K), rng)


def _drawn(y: ArrayLike, edges: Floats, rng: np.random.Generator) -> Ints:
    """(N,) what is said of each label, by the (m, K, K) edges of whoever says it: the first of the row above a draw."""
    m, n_classes = edges.shape[:2]
    labels_N = _checked(y, n_classes)
    draws_N = rng.random(labels_N.size)
    rows_N = rng.integers(m, size=labels_N.size) * n_classes + labels_N
    observed_N = np.zeros_like(labels_N)
    for edge_mK in edges.reshape(m * n_classes, n_classes).T[:-1]:
        observed_N += draws_N >= edge_mK[rows_N]
    return observed_N


def _edges(matrix: ArrayLike, name: str) -> Floats:
    """(K, K) the sums of each row's probabilities up to each class, checked; `name` is what messages call it."""
    matrix_K_K = numbers(matrix, name).astype(np.float64)
    if matrix_K_K.ndim != 2 or matrix_K_K.shape[0] != matrix_K_K.shape[1] or matrix_K_K.size == 0:
        raise UsageError(f"{name} has shape {matrix_K_K.shape}; it must be square, one row for each class.")
    sums_K = matrix_K_K.sum(axis=1)
    bad = np.flatnonzero(~(np.isfinite(sums_K) & (np.abs(sums_K - 1.0) <= 1e-6) & (matrix_K_K >= 0).all(axis=1)))
    if bad.size:
        raise UsageError(
            f"row {bad[0]} of {name} is {matrix_K_K[bad[0]].tolist()}; "
            "a row must hold probabilities (0 or more) that sum to 1."
        )
    edges_K_K: Floats = np.cumsum(matrix_K_K, axis=1) / sums_K[:, None]
    # From the last possible class on the edge is exactly 1, so that rounding never draws an impossible class.
    last_K = len(matrix_K_K) - 1 - np.argmax(matrix_K_K[:, ::-1] > 0, axis=1)
    edges_K_K[np.arange(len(matrix_K_K)) >= last_K[:, None]] = 1.0
    return edges_K_K


def noise_rate_per_class(clean: ArrayLike, observed: ArrayLike, n_classes: int) -> Floats:
    """Share of each class that is observed as another one, (n_classes,); NaN for an empty class."""
    clean_N = _checked(clean, n_classes)
    observed_N = _checked(observed, n_classes)
    if clean_N.shape != observed_N.shape:
        raise UsageError(f"there are {clean_N.size} clean and {observed_N.size} observed labels; give one for each.")
    counts_K = np.bincount(clean_N, minlength=n_classes)
    wrong_K = np.bincount(clean_N[clean_N != observed_N], minlength=n_classes)
    rate_K = np.full(n_classes, np.nan)
    np.divide(wrong_K, counts_K, out=rate_K, where=counts_K > 0)
    return rate_K


def _checked(y: ArrayLike, n_classes: int) -> Ints:
    """The labels as (N,) int64, checked to lie in 0..n_classes-1."""
    labels_N = _flat_integers(y)
    bad = np.flatnonzero((labels_N < 0) | (labels_N >= n_classes))
    if bad.size:
        raise UsageError(f"label {bad[0]} is {labels_N[bad[0]]}; it must lie in 0..{n_classes - 1}.")
    return labels_N.astype(np.int64)


def _flat_integers(y: ArrayLike) -> NDArray[np.integer]:
    """The labels as they are, (N,), checked to be integers."""
    labels_N: NDArray[np.integer] = np.asarray(y)
    if labels_N.ndim != 1 or (labels_N.size and labels_N.dtype.kind not in "iub"):
        raise UsageError(f"the labels are {labels_N.dtype} of shape {labels_N.shape}; they must be flat integers.")
    return labels_N
