"""The lowest few of many numbers, without sorting the many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.types import Index


def lowest(values_M: NDArray[np.floating[Any]], size: int) -> Index:
    """(min(size, M),) places of the lowest values, lowest first; of equal ones the lower place comes first.

    values: (M,) floating, infinity allowed, no NaN. O(M), and a sort of `size` of them.
    """
    size = min(size, len(values_M))
    if size <= 0:
        return np.empty(0, np.intp)
    last = np.partition(values_M, size - 1)[size - 1]
    below = np.flatnonzero(values_M < last)
    equal = np.flatnonzero(values_M == last)[: size - len(below)]
    return np.concatenate([below[np.argsort(values_M[below], kind="stable")], equal])
