"""What a campaign is judged by: pure functions of labels, predictions and curves.

Nothing here knows a strategy, a learner or a file. Definitions: recall per class, its mean (balanced
accuracy), labels to reach a target, the saving of one curve against another, bounds of a number in a pool and of a
share.
"""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cutpoint.errors import UsageError

Floats = NDArray[np.float64]

TAIL = 0.025 * (1 - 1e-9)  # of each side; what is 2.5 % but for rounding is no less
REACH = 6.0  # times sqrt(drawn): farther from the mean lies less than 1e-30 (Hoeffding's inequality)


def recall_per_class(truth: ArrayLike, predicted: ArrayLike, n_classes: int | None = None) -> Floats:
    """Recall of every class, (n_classes,); NaN for a class without an example in `truth`.

    `truth` and `predicted` are (M,) ints in 0..n_classes-1; without `n_classes`, the largest of both is the last class.
    """
    true_M = _labels(truth, n_classes, "truth")
    predicted_M = _labels(predicted, n_classes, "predicted")
    if true_M.shape != predicted_M.shape:
        raise UsageError(
            f"truth has {true_M.size} labels, predicted {predicted_M.size}; give one prediction per example."
        )
    if n_classes is None:
        n_classes = 1 + int(max(true_M.max(initial=0), predicted_M.max(initial=0)))
    counts_K = np.bincount(true_M, minlength=n_classes)
    hits_K = np.bincount(true_M[true_M == predicted_M], minlength=n_classes)
    recall_K = np.full(n_classes, np.nan)
    np.divide(hits_K, counts_K, out=recall_K, where=counts_K > 0)
    return recall_K


def balanced_accuracy(truth: ArrayLike, predicted: ArrayLike, n_classes: int | None = None) -> float:
    """Mean of the recalls of all classes; an error when a class has no example to measure on.

    Without `n_classes`, all classes are those of `truth`.
    """
    recall_K = recall_per_class(truth, predicted, n_classes)
    if n_classes is None and np.size(truth):
        return float(np.nanmean(recall_K))
    absent = np.flatnonzero(np.isnan(recall_K))
    if absent.size:
        raise UsageError(
            f"class {absent[0]} has no example among the {np.size(truth)} to measure on: no recall; "
            f"every class of 0..{len(recall_K) - 1} needs one: add examples of it or use fewer classes."
        )
    return float(recall_K.mean())


def labels_to_target(n_labels: ArrayLike, values: ArrayLike, target: float) -> float | None:
    """Number of labels at which the curve first reaches `target`; None if it never does: no extrapolation.

    `n_labels` (T,) strictly ascending, `values` (T,). Between two points the curve is a straight line. A
    curve that starts at or above the target reaches it at its first point.
    """
    counts_T, values_T = _curve(n_labels, values)
    reached = np.flatnonzero(values_T >= target)
    if reached.size == 0:
        return None
    t = int(reached[0])
    if t == 0:
        return float(counts_T[0])
    share = (target - values_T[t - 1]) / (values_T[t] - values_T[t - 1])
    return float(counts_T[t - 1] + share * (counts_T[t] - counts_T[t - 1]))


def saving(n_ours: float, n_other: float) -> float:
    """Share of the other's labels that we did without: 1 - ours / other. Negative when we needed more."""
    if n_other <= 0:
        raise UsageError(f"the other's number of labels is {n_other}; it must be above 0 to compare with.")
    return 1.0 - n_ours / n_other


def area_under_curve(n_labels: ArrayLike, values: ArrayLike) -> float:
    """Mean height of the curve: its area by trapezoids over its span. A single point is its own mean."""
    counts_T, values_T = _curve(n_labels, values)
    if counts_T.size == 1:
        return float(values_T[0])
    return float(np.trapezoid(values_T, counts_T) / (counts_T[-1] - counts_T[0]))


def count_bounds(found: int, drawn: int, pool: int) -> tuple[int, int]:
    """How many of a pool's items are of a class, at least and at most, where `found` of `drawn` at random are.

    The numbers at which neither `found` or more, nor `found` or fewer, has a chance below 2.5 %, by the hypergeometric
    distribution: they hold in 95 of 100 cases or more, however rare the class is. O(sqrt(drawn) log(pool)).
    """
    if not 0 <= found <= drawn <= pool:
        raise UsageError(f"{found} of {drawn} drawn of {pool} were found; it must be 0 to all of 0 to the whole pool.")
    return _least(found, drawn, pool), pool - _least(drawn - found, drawn, pool)


def _least(found: int, drawn: int, pool: int) -> int:
    """The least number in the pool at which `found` or more of those drawn has a chance of TAIL: it grows with it."""
    numbers = range(found, pool - drawn + found)
    return found + bisect_left(numbers, TAIL, key=lambda number: _chance_of_as_many(found, drawn, number, pool))


def _chance_of_as_many(found: int, drawn: int, number: int, pool: int) -> float:
    """The chance that `found` or more of `drawn` items are of a class of which the pool has `number`."""
    mean, reach = drawn * number / pool, REACH * math.sqrt(drawn)
    first = max(0, drawn + number - pool, math.floor(mean - reach))
    last = min(drawn, number, math.ceil(mean + reach))
    if not first < found <= last:
        return float(found <= first)
    hits = np.arange(first, last, dtype=np.float64)
    steps = np.log((number - hits) * (drawn - hits)) - np.log((hits + 1) * (pool - number - drawn + hits + 1))
    logs = np.concatenate([[0.0], np.cumsum(steps)])  # of the chances of first..last, but for their sum
    chances = np.exp(logs - logs.max())
    return float(chances[found - first :].sum() / chances.sum())


def share_bounds(found: int, drawn: int) -> tuple[float, float]:
    """Which share of draws is of a class, at least and at most, where `found` of `drawn` independent ones are.

    The shares at which neither `found` or more, nor `found` or fewer, has a chance below 2.5 %, by the binomial
    distribution (Clopper and Pearson, 1934): they hold in 95 of 100 cases or more, however rare the class is.
    """
    if not 0 <= found <= drawn:
        raise UsageError(f"{found} of {drawn} drawn were found; it must be 0 to all of 0 or more.")
    return _least_share(found, drawn), 1.0 - _least_share(drawn - found, drawn)


def _least_share(found: int, drawn: int) -> float:
    """The share at which `found` or more of those drawn has a chance of TAIL: it grows with the share."""
    if not found:
        return 0.0
    hits = np.arange(found, drawn + 1)
    ways = np.array([-math.lgamma(hit + 1) - math.lgamma(drawn - hit + 1) for hit in hits]) + math.lgamma(drawn + 1)
    low, high = 0.0, 1.0
    for _ in range(60):  # halved until a double has no more places
        share = (low + high) / 2
        chance = np.exp(ways + hits * math.log(share) + (drawn - hits) * math.log1p(-share)).sum()
        low, high = (low, share) if chance >= TAIL else (share, high)
    return low


def _labels(labels: ArrayLike, n_classes: int | None, name: str) -> NDArray[np.int64]:
    """The labels as (M,) int64, checked to lie in 0..n_classes-1, or to be 0 or more."""
    labels_M = np.asarray(labels)
    if labels_M.ndim != 1 or (labels_M.size and labels_M.dtype.kind not in "iub"):
        raise UsageError(f"{name} is {labels_M.dtype} of shape {labels_M.shape}; it must be a flat array of integers.")
    bad = np.flatnonzero((labels_M < 0) | (labels_M >= (np.inf if n_classes is None else n_classes)))
    if bad.size:
        wanted = "be 0 or more" if n_classes is None else f"lie in 0..{n_classes - 1}"
        raise UsageError(f"{name}[{bad[0]}] is {labels_M[bad[0]]}; it must {wanted}.")
    return labels_M.astype(np.int64)


def _curve(n_labels: ArrayLike, values: ArrayLike) -> tuple[Floats, Floats]:
    """The curve as two (T,) float arrays, checked: at least one point, counts strictly ascending, no NaN."""
    counts_T = np.asarray(n_labels, dtype=np.float64)
    values_T = np.asarray(values, dtype=np.float64)
    if counts_T.ndim != 1 or counts_T.size == 0 or counts_T.shape != values_T.shape:
        raise UsageError(
            f"the curve has label counts of shape {counts_T.shape} and values of shape {values_T.shape}; "
            "give two flat arrays of one length."
        )
    if np.any(np.diff(counts_T) <= 0):
        raise UsageError("the curve's label counts do not ascend; sort its points and drop repeated ones.")
    if np.isnan(counts_T).any() or np.isnan(values_T).any():
        raise UsageError("the curve holds NaN; a curve must be measured at each of its points.")
    return counts_T, values_T
