"""One round of one run, kept for its picture: reading and checking the .npz files of a results folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.arrays import read_archive
from cutpoint.errors import CutpointError, DataError
from cutpoint.types import UNKNOWN, Index, Labels, Scores

_REMEDY = "delete it and the file of the same name in runs/, and the same `cutpoint bench run` makes both anew."


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One round of one run.

    probs: (N, K) float32; before, after: (N,) labels at the round's start and end, -1 unknown; asked: (n,) in
    order; clean: (N,) true labels, for the mark of the true cut alone; classes: (K,) names.
    """

    probs: NDArray[np.float32]
    before: Labels
    after: Labels
    asked: Index
    clean: Labels
    classes: tuple[str, ...]


def read_snapshot(path: Path) -> Snapshot:
    """The snapshot in an .npz file; DataError where it is damaged or something else."""
    arrays = read_archive(path, _REMEDY)
    try:
        names = arrays.get("classes", np.arange(arrays["probs"].shape[1]))
        scores = Scores(arrays["probs"])
        labels = [_integers(arrays[name]) for name in ("labels_before", "labels_after", "clean")]
        asked = _integers(arrays["asked"]).astype(np.intp)
        n, k = scores.n_examples, scores.n_classes
        if len(names) != k or any(y.shape != (n,) or y.min() < UNKNOWN or y.max() >= k for y in labels):
            raise ValueError("its arrays do not fit together")
        if asked.ndim != 1 or (asked.size and (asked.min() < 0 or asked.max() >= n)):
            raise ValueError("it asks for examples outside the pool")
    except (ValueError, LookupError, CutpointError) as error:
        raise DataError(f"{path} is no snapshot of a benchmark round ({error}); {_REMEDY}") from None
    return Snapshot(scores.probs, labels[0], labels[1], asked, labels[2], tuple(str(name) for name in names))


def _integers(array: NDArray[Any]) -> Labels:
    if array.dtype.kind not in "iu":
        raise ValueError(f"it holds {array.dtype} where whole numbers belong")
    return array.astype(np.int64)
