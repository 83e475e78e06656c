"""A fixed split into pool and test where a source brings none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cutpoint.types import Index, Labels


def stratified_split(labels: Labels, share: float, rng: np.random.Generator) -> tuple[Index, Index]:
    """(pool, test) ascending indices; of each class, round(share * count) go to the test, and one at least.

    `labels` (n,) int64. A class with a single example has it in the test: there recall must be defined.
    """
    is_test: NDArray[np.bool_] = np.zeros(labels.size, dtype=np.bool_)
    for k in np.unique(labels):
        members = np.flatnonzero(labels == k)
        count = max(1, round(share * members.size))
        is_test[rng.choice(members, size=count, replace=False)] = True
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)
