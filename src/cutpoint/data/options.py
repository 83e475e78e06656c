"""How a data set is to be read: where, which columns, how many classes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cutpoint.errors import DataError, UsageError

DATA_ROOT_VARIABLE = "CUTPOINT_DATA"


@dataclass(frozen=True)
class DataOptions:
    """Where and how to read.

    `root`: folder of the larger sets (or the environment variable CUTPOINT_DATA). `features`, `label`,
    `split`: names of arrays or columns; for .npy files, paths of the other .npy files. A `split` that is named must be
    there; None is the column `split`, if there. `group`: join all classes from group - 1 on into one. `human`: further
    label columns, to be used as noise.
    """

    root: Path | None = None
    features: str = "features"
    label: str = "label"
    split: str | None = None
    group: int | None = None
    human: tuple[str, ...] = ()

    @property
    def split_column(self) -> str:
        """The name of the split: the one that was given, or else `split`."""
        return self.split or "split"

    def file(self, data_set: str, filename: str) -> Path:
        """Path of a file in the data root; DataError, with what to put where, if it is not there."""
        given = self.root or os.environ.get(DATA_ROOT_VARIABLE)
        if not given:
            raise DataError(
                f"data set {data_set} needs the file {filename} and no data root is set; put the file into "
                "a folder "
                f"and give it with --data-root FOLDER or {DATA_ROOT_VARIABLE}=FOLDER."
            )
        path = Path(given) / filename
        if not path.is_file():
            raise DataError(f"data set {data_set} needs {path}, which is not there; put {filename} into {given}.")
        return path


def class_names(names: tuple[str, ...], n_classes: int | None) -> tuple[str, ...]:
    """The names after grouping to min(y, n_classes - 1): the last stands for all that were joined."""
    if n_classes is None or n_classes >= len(names):
        return names
    return (*names[: n_classes - 1], "other")


def no_human(data_set: str, column: str, has: Iterable[str]) -> UsageError:
    """What to say of a noise whose labels the data set does not have; `has`: the label columns that it does have."""
    columns = ", ".join(sorted(has))
    known = f"it has {columns}: name one of them" if columns else "it has none: give a rate or a matrix"
    return UsageError(f"data set {data_set} has no label column '{column}' for the noise human:{column}; {known}.")
