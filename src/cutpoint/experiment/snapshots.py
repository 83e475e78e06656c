"""One round of one run, kept for its picture: reading and checking the .npz files of a results folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from cutpoint.errors import CutpointError, DataError
from cutpoint.types import UNKNOWN, Index, Labels, Scores


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
    try:
        with path.open("rb") as raw:
            file = np.load(raw, allow_pickle=False)
            arrays = {name: file[name] for name in ("probs", "labels_before", "labels_after", "asked", "clean")}
            names = file["classes"] if "classes" in file else np.arange(arrays["probs"].shape[1])
        scores = Scores(arrays["probs"])
        labels = [arrays[name].astype(np.int64) for name in ("labels_before", "labels_after", "clean")]
        asked = arrays["asked"].astype(np.intp)
        n, k = scores.n_examples, scores.n_classes
        if len(names) != k or any(y.shape != (n,) or y.min() < UNKNOWN or y.max() >= k for y in labels):
            raise ValueError("its arrays do not fit together")
        if asked.ndim != 1 or (asked.size and (asked.min() < 0 or asked.max() >= n)):
            raise ValueError("it asks for examples outside the pool")
    except (OSError, ValueError, LookupError, EOFError, BadZipFile, CutpointError) as error:
        raise damaged_snapshot(path, error) from None
    return Snapshot(scores.probs, labels[0], labels[1], asked, labels[2], tuple(str(name) for name in names))


def damaged_snapshot(path: Path, error: object) -> DataError:
    """What to say of a snapshot that cannot be read."""
    return DataError(
        f"{path} is no snapshot of a benchmark round ({error}); delete it and run the same"
        " `cutpoint bench run` again, which writes it anew."
    )
