"""One label out of several people's answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cutpoint.errors import UsageError


def majority(votes: ArrayLike, n_classes: int, rng: np.random.Generator | None = None) -> NDArray[np.int64]:
    """Label with the most votes for each example, (n,) int64; -1 where nobody voted.

    `votes` (n, m) ints: the answer of each of m people, -1 for none. Ties go to the lowest class; with `rng`,
    to a uniformly drawn one of the tied classes. The order of the people does not matter.
    """
    votes_n_m = np.asarray(votes)
    if votes_n_m.ndim != 2 or (votes_n_m.size and votes_n_m.dtype.kind not in "iub"):
        raise UsageError(
            f"votes are {votes_n_m.dtype} of shape {votes_n_m.shape}; they must be integers of shape (n, m)."
        )
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
