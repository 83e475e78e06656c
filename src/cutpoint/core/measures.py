"""What a campaign is judged by: pure functions of labels, predictions and curves.

Nothing here knows a strategy, a learner or a file. Definitions: recall per class, its mean (balanced
accuracy), labels to reach a target, and the saving of one curve against another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cutpoint.errors import UsageError

Floats = NDArray[np.float64]


def recall_per_class(truth: ArrayLike, predicted: ArrayLike, n_classes: int) -> Floats:
    """Recall of every class, (n_classes,); NaN for a class without an example in `truth`.

    `truth` and `predicted` are (M,) ints in 0..n_classes-1.
    """
    true_M = _labels(truth, n_classes, "truth")
    predicted_M = _labels(predicted, n_classes, "predicted")
    if true_M.shape != predicted_M.shape:
        raise UsageError(
            f"truth has {true_M.size} labels, predicted {predicted_M.size}; give one prediction per example."
        )
    counts_K = np.bincount(true_M, minlength=n_classes)
    hits_K = np.bincount(true_M[true_M == predicted_M], minlength=n_classes)
    recall_K = np.full(n_classes, np.nan)
    np.divide(hits_K, counts_K, out=recall_K, where=counts_K > 0)
    return recall_K


def balanced_accuracy(truth: ArrayLike, predicted: ArrayLike, n_classes: int) -> float:
    """Mean of the recalls of all classes; an error when a class has no example to measure on."""
    recall_K = recall_per_class(truth, predicted, n_classes)
    absent = np.flatnonzero(np.isnan(recall_K))
    if absent.size:
        raise UsageError(
            f"class {absent[0]} has no example among the {np.size(truth)} to measure on: no recall; "
            f"every class of 0..{n_classes - 1} needs one: add examples of it or use fewer classes."
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


def share_interval(found: int, drawn: int, deviations: float = 1.959964) -> tuple[float, float]:
    """Bounds of a share of which `found` of `drawn` were seen; 95 % unless told otherwise (Wilson, 1927).

    It is right for few and for none: 0 of 20 is 0 to 16 %. Of 0 drawn it is 0 to 1.
    """
    if not 0 <= found <= drawn:
        raise UsageError(f"{found} of {drawn} were found; it must be 0 of 0, or 0 to all of those drawn.")
    if not drawn:
        return 0.0, 1.0
    share, square = found / drawn, deviations**2
    middle = (share + square / (2 * drawn)) / (1 + square / drawn)
    reach = deviations / (1 + square / drawn) * np.sqrt(share * (1 - share) / drawn + square / (4 * drawn**2))
    low = 0.0 if found == 0 else max(0.0, float(middle - reach))
    return low, 1.0 if found == drawn else min(1.0, float(middle + reach))


def _labels(labels: ArrayLike, n_classes: int, name: str) -> NDArray[np.int64]:
    """The labels as (M,) int64, checked to lie in 0..n_classes-1."""
    labels_M = np.asarray(labels)
    if labels_M.ndim != 1 or (labels_M.size and labels_M.dtype.kind not in "iub"):
        raise UsageError(f"{name} is {labels_M.dtype} of shape {labels_M.shape}; it must be a flat array of integers.")
    bad = np.flatnonzero((labels_M < 0) | (labels_M >= n_classes))
    if bad.size:
        raise UsageError(f"{name}[{bad[0]}] is {labels_M[bad[0]]}; it must lie in 0..{n_classes - 1}.")
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
