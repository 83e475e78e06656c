"""Whether the arrays that a caller hands in can be meant; what cannot is refused with the first bad row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cutpoint.core.blocks import for_blocks
from cutpoint.errors import UsageError

ROW_SUM_TOLERANCE = 1e-3


def numbers(value: ArrayLike, name: str) -> NDArray[Any]:
    """The value as an array of numbers; `name` is what messages call it."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise UsageError(f"{name} is not an array of numbers ({error}); every row must have the same length.") from None
    if array.dtype.kind not in "fiu" and array.size:
        raise UsageError(f"{name} holds {array.dtype}; it must hold numbers.")
    return array


def floating(value: ArrayLike, name: str) -> NDArray[Any]:
    """The value as a floating array, float32 if it holds whole numbers."""
    array = numbers(value, name)
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def integers(value: ArrayLike, name: str) -> NDArray[Any]:
    """The value as an array of whole numbers."""
    array = numbers(value, name)
    if array.dtype.kind not in "iu" and array.size:
        raise UsageError(f"{name} holds {array.dtype}; it must hold whole numbers.")
    return array


def check_probabilities(probs: NDArray[np.float32]) -> None:
    """(N, K) probabilities: finite, none below 0, every row with sum 1 within 1e-3."""
    bad: list[int] = []

    def check(first: int, after: int) -> None:
        rows = probs[first:after]
        with np.errstate(all="ignore"):
            sums = np.einsum("ij->i", rows)  # along memory; a matrix product would start threads of its own
            fine = np.abs(sums - 1) <= ROW_SUM_TOLERANCE  # NaN and infinity fail this too
            if not (fine.all() and rows.min() >= 0):
                bad.append(first + int(np.flatnonzero(~(fine & (rows >= 0).all(axis=1)))[0]))

    for_blocks(len(probs), check)
    if bad:
        row = min(bad)
        with np.errstate(all="ignore"):
            total = float(probs[row].sum())
        raise UsageError(
            f"probs[{row}] is {_short(probs[row])}, with sum {total:.6g}; every row must hold probabilities"
            " (finite, none below 0) that sum to one within 0.001. Scores or logits must go through a softmax first."
        )


def check_head(head: NDArray[Any], width: int | None) -> None:
    """(K, D) or (K, D + 1): finite, but for a bias (the last column) of -inf; D = `width`, or not known."""
    allowed = np.zeros(head.shape, np.bool_)
    if width is None or head.shape[1] == width + 1:
        allowed[:, -1:] = np.isneginf(head[:, -1:])
    bad = np.flatnonzero(~(np.isfinite(head) | allowed).all(axis=1))
    if len(bad):
        raise UsageError(
            f"head[{bad[0]}] is {_short(head[bad[0]])}; weights must be finite"
            " (a bias, the last column, may be -inf for a class without labels)."
        )


def check_finite(array: NDArray[Any], name: str) -> None:
    """(N, D) finite numbers."""
    bad: list[int] = []

    def check(first: int, after: int) -> None:
        rows = array[first:after]
        if not np.isfinite(rows).all():
            bad.append(first + int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0]))

    for_blocks(len(array), check)
    if bad:
        raise UsageError(f"{name}[{min(bad)}] holds NaN or infinity; every value must be finite.")


def _short(row: NDArray[Any]) -> str:
    return np.array2string(row, precision=4, threshold=6, edgeitems=2, separator=", ")
