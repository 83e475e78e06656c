"""The rounds that a run has done, kept until it is finished, so that a long one need not begin anew.

One file, written whole beside the states of the learner's fits, at most every so many seconds: runs of quick rounds
never write it. A round whose fit left a state is written at once, and the state, which is of no more use, goes. No
pickle.
"""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from cutpoint.data.arrays import read_archive
from cutpoint.data.whole import write_atomically
from cutpoint.errors import DataError
from cutpoint.experiment.campaign import Measure, Snapshot, State
from cutpoint.types import Labels

SECONDS = 30.0  # between two writes: what a kill loses at most, besides the round that it meets
_REMEDY = "delete it, and the run begins anew."


class Diary:
    """Where the rounds of one run are kept."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rounds.npz"
        self._written = monotonic()

    def read(self, observed: Labels) -> State | None:
        """What was kept of a run on these observed labels (N,), or None; DataError if it cannot be."""
        if not self._path.is_file():
            return None
        arrays = read_archive(self._path, _REMEDY)
        try:
            labels = arrays["labels"]
            known = labels >= 0
            columns = (arrays[name].tolist() for name in ("rounds", "n_labels", "metrics", "values"))
            measures = [Measure(*row) for row in zip(*columns, strict=True)]
            if not measures or not np.array_equal(labels[known], observed[known]):
                raise ValueError
            parts = [arrays[name] for name in Snapshot.__dataclass_fields__ if name in arrays]
            return State(measures, labels, Snapshot(*parts) if parts else None)
        except (KeyError, ValueError, IndexError, TypeError):
            raise DataError(f"{self._path} holds no rounds of this run; {_REMEDY}") from None

    def write(self, state: State) -> None:
        """Keep what is done by now if the last time was long enough ago, or a fit left a state, which is removed."""
        folder = self._path.parent
        fits = [path for path in folder.iterdir() if path != self._path] if folder.is_dir() else []
        if not fits and monotonic() - self._written < SECONDS:
            return
        rounds, n_labels, metrics, values = zip(*state.measures, strict=True)
        arrays: dict[str, Any] = {"rounds": rounds, "n_labels": n_labels, "metrics": metrics, "values": values}
        arrays |= {"labels": state.labels} | (vars(state.snapshot) if state.snapshot else {})
        write_atomically(self._path, lambda file: np.savez(file, **arrays))
        self._written = monotonic()
        for path in fits:
            path.unlink()
