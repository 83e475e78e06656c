"""One label out of several people's answers, and what the answers say of the people.

`majority` counts. `dawid_skene` weighs each person by how often they are wrong, and with what, which it learns from the
answers alone: A. P. Dawid and A. M. Skene, Maximum Likelihood Estimation of Observer Error-Rates Using the EM
Algorithm, Applied Statistics 28 (1979), 20 to 28.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cutpoint.errors import UsageError


def majority(
    votes: ArrayLike, n_classes: int | None = None, rng: np.random.Generator | None = None
) -> NDArray[np.int64]:
    """Label with the most votes for each example, (n,) int64; -1 where nobody voted.

    `votes` (n, m) ints: the answer of each of m people, -1 for none. Ties go to the lowest class; with `rng`,
    to a uniformly drawn one of the tied classes. The order of the people does not matter. Given `n_classes`, a vote for
    another class is an error.
    """
    votes_n_m = np.asarray(votes)
    if votes_n_m.ndim != 2 or (votes_n_m.size and votes_n_m.dtype.kind not in "iub"):
        raise UsageError(
            f"votes are {votes_n_m.dtype} of shape {votes_n_m.shape}; they must be integers of shape (n, m)."
        )
    if n_classes is None:
        n_classes = int(votes_n_m.max(initial=0)) + 1
    bad = np.argwhere((votes_n_m < -1) | (votes_n_m >= n_classes))
    if bad.size:
        row, person = bad[0]
        raise UsageError(
            f"vote {person} on example {row} is {votes_n_m[row, person]}; "
            f"it must lie in 0..{n_classes - 1}, or be -1 for none."
        )
    n = len(votes_n_m)
    given = votes_n_m >= 0
    cells = np.nonzero(given)[0] * n_classes + votes_n_m[given].astype(np.int64)
    counts_n_K = np.bincount(cells, minlength=n * n_classes).reshape(n, n_classes)
    if rng is None:
        labels_n = counts_n_K.argmax(axis=1) if n else np.empty(0, dtype=np.int64)
    else:
        tied_n_K = counts_n_K == counts_n_K.max(axis=1, keepdims=True)
        labels_n = np.where(tied_n_K, rng.random((n, n_classes)), -1.0).argmax(axis=1)
    return np.where(given.any(axis=1), labels_n, -1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Consensus:
    """What several people's answers say together, and of each of them.

    posterior: (n, K) probability of each class for each example; the prior where nobody voted.
    prior:     (K,) share of each class.
    confusion: (m, K, K) probability that annotator a says l when the class is k, at [a, k, l].
    labels:    (n,) int64 most probable class, the lowest of several; -1 where nobody voted.
    steps:     passes over the votes; `converged` is False if they ended because there were `most_steps`.
    """

    posterior: NDArray[np.float64]
    prior: NDArray[np.float64]
    confusion: NDArray[np.float64]
    labels: NDArray[np.int64]
    steps: int
    converged: bool


class _Cast(NamedTuple):
    """v votes: of which example (v,), annotator * K + class (v,); whether an example has one (n,); m annotators."""

    item_v: NDArray[np.int64]
    cell_v: NDArray[np.int64]
    voted_n: NDArray[np.bool_]
    m: int


_TIE = 1e-9  # posteriors that differ by less are a tie: sums of votes in another order differ by as much


def dawid_skene(
    votes: ArrayLike,
    shape: tuple[int, int, int],
    *,
    trust: float = 1.0,
    smoothing: float = 0.01,
    tolerance: float = 1e-5,
    most_steps: int = 500,
) -> Consensus:
    """Consensus of votes under the model of Dawid and Skene (1979): each annotator errs in their own way.

    `votes` (v, 3) ints: example, annotator and class of each vote, in any order; somebody may vote twice on an example,
    as in the paper. `shape` is (n, m, K), the number of examples, annotators and classes. Deterministic: it begins with
    the shares of the votes on each example, alternates equations (2.3) and (2.4), the shares given the posterior, with
    (2.5), the posterior given the shares, and stops when no posterior moves by more than `tolerance`.

    Before the first vote everybody counts as having been right `trust` times on every class, and as having given every
    answer to every class `smoothing` times; with 0 and 0 these are the paper's estimates. Without smoothing, an answer
    that somebody never gave rules a class out for ever. Without trust, the model cannot tell where most examples have
    one vote whether somebody saw a rare class or erred, and it drifts to the frequent one. EM finds a local maximum,
    here the one near the majority: where most people are wrong in the same way, it is wrong, too.
    Costs O(v K) a step; memory is O(v + (n + m K) K).
    """
    n, m, n_classes = _checked_shape(shape)
    item_v, annotator_v, label_v = _checked_votes(votes, n, m, n_classes)
    _check_options(trust, smoothing, tolerance, most_steps)
    counts_n_K = np.bincount(item_v * n_classes + label_v, minlength=n * n_classes).reshape(n, n_classes)
    voted_n = np.asarray(counts_n_K.any(axis=1))
    cast = _Cast(item_v, annotator_v * n_classes + label_v, voted_n, m)
    posterior_n_K = _shares(counts_n_K.astype(float))
    prior_K, confusion_m_K_K = _rates(cast, posterior_n_K, trust, smoothing)
    moved, steps = np.inf, 0
    while moved > tolerance and steps < most_steps:
        before_n_K, steps = posterior_n_K, steps + 1
        posterior_n_K = _posterior(cast, prior_K, confusion_m_K_K)
        prior_K, confusion_m_K_K = _rates(cast, posterior_n_K, trust, smoothing)
        moved = float(np.abs(posterior_n_K - before_n_K)[voted_n].max(initial=0.0))
    posterior_n_K[~voted_n] = prior_K
    labels_n = np.where(voted_n, _likeliest(posterior_n_K), -1)
    return Consensus(posterior_n_K, prior_K, confusion_m_K_K, labels_n, steps, moved <= tolerance)


def _likeliest(posterior_n_K: NDArray[np.float64]) -> NDArray[np.int64]:
    """The most probable class of each example, (n,), the lowest of those that are as good as tied."""
    as_good_n_K = posterior_n_K >= posterior_n_K.max(axis=1, keepdims=True) - _TIE
    return np.asarray(as_good_n_K.argmax(axis=1), dtype=np.int64)


def _rates(
    cast: _Cast, posterior_n_K: NDArray[np.float64], trust: float, smoothing: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Equations (2.4) and (2.3), with what everybody counts as having said before: (K,) and (m, K, K)."""
    prior_K = _shares(posterior_n_K[cast.voted_n].sum(axis=0) + trust + smoothing)
    return prior_K, _shares(_said(cast, posterior_n_K) + trust * np.eye(len(prior_K)) + smoothing)


def _said(cast: _Cast, posterior_n_K: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often each annotator said l of class k, by the posterior: the counts of equation (2.3), (m, K, K)."""
    posterior_K_n = np.ascontiguousarray(posterior_n_K.T)
    n_classes, m = len(posterior_K_n), cast.m
    said_of_classes = [np.bincount(cast.cell_v, w_n[cast.item_v], m * n_classes) for w_n in posterior_K_n]
    said_K_mK: NDArray[Any] = np.stack(said_of_classes)
    return said_K_mK.reshape(n_classes, m, n_classes).swapaxes(0, 1)


def _posterior(cast: _Cast, prior_K: NDArray[np.float64], confusion_m_K_K: NDArray[np.float64]) -> NDArray[np.float64]:
    """Equation (2.5), (n, K), in logarithms: thousands of votes on an example would underflow."""
    with np.errstate(divide="ignore"):  # log 0 rules a class out, as it must
        log_prior_K, log_m_K_K = np.log(prior_K), np.log(confusion_m_K_K)
    of_classes = (np.ascontiguousarray(log_m_K_K[:, k, :]).ravel() for k in range(len(prior_K)))
    n = len(cast.voted_n)
    logs_K_n = np.stack([np.bincount(cast.item_v, of_cell[cast.cell_v], n) for of_cell in of_classes])
    logs_n_K = np.ascontiguousarray(logs_K_n.T) + log_prior_K
    return _shares(np.exp(logs_n_K - logs_n_K.max(axis=1, keepdims=True)))


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts along the last axis as shares; uniform where there are none."""
    total = counts.sum(axis=-1, keepdims=True)
    uniform = np.full_like(counts, 1 / counts.shape[-1])
    shares: NDArray[np.float64] = np.divide(counts, total, out=uniform, where=total > 0)
    return shares


def _check_options(trust: float, smoothing: float, tolerance: float, most_steps: int) -> None:
    if not (trust >= 0 and smoothing >= 0 and tolerance > 0 and most_steps >= 1):
        raise UsageError(
            f"trust is {trust}, smoothing {smoothing}, tolerance {tolerance} and most_steps {most_steps}; the first "
            "two must be at least 0, the tolerance above 0, and most_steps at least 1."
        )


def _checked_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    if min(shape) < 0 or shape[2] < 1:
        raise UsageError(f"shape is {tuple(shape)}; it must be (examples, annotators, classes), with a class at least.")
    return shape


def _checked_votes(votes: ArrayLike, n: int, m: int, n_classes: int) -> tuple[NDArray[np.int64], ...]:
    """Examples, annotators and classes of the votes, (v,) int64 each."""
    votes_v_3 = np.asarray(votes)
    if votes_v_3.size == 0:
        votes_v_3 = np.empty((0, 3), np.int64)
    if votes_v_3.ndim != 2 or votes_v_3.shape[1] != 3 or votes_v_3.dtype.kind not in "iu":
        raise UsageError(
            f"votes are {votes_v_3.dtype} of shape {votes_v_3.shape}; they must be integers of shape (v, 3): example, "
            "annotator and class of each."
        )
    for column, (what, end) in enumerate((("example", n), ("annotator", m), ("class", n_classes))):
        bad = np.flatnonzero((votes_v_3[:, column] < 0) | (votes_v_3[:, column] >= end))
        if bad.size:
            found = votes_v_3[bad[0], column]
            raise UsageError(f"vote {bad[0]} has {what} {found}; it must lie in 0..{end - 1}.")
    votes_v_3 = votes_v_3[np.argsort(votes_v_3[:, 0], kind="stable")]  # by example: memory is read in order
    return tuple(np.ascontiguousarray(column, np.int64) for column in votes_v_3.T)
