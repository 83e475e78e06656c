"""How a data set is to be read: where, which columns, how many classes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cutpoint.errors import DataError, UsageError

DATA_ROOT_VARIABLE = "CUTPOINT_DATA"
ANEW = "move it away, and fetch it again."  # what to do with a damaged file: one that is there is never fetched over


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

    @property
    def data_root(self) -> Path | None:
        """The folder of the larger sets, as given or from the environment; None if neither says."""
        given = self.root or os.environ.get(DATA_ROOT_VARIABLE)
        return Path(given) if given else None

    def file(self, data_set: str, filename: str) -> Path:
        """Path of a file in the data root; DataError, with what to put where, if it is not there."""
        if self.data_root is None:
            raise DataError(
                f"data set {data_set} needs the file {filename} and no data root is set; put the file into "
                "a folder "
                f"and give it with --data-root FOLDER or {DATA_ROOT_VARIABLE}=FOLDER."
            )
        path = self.data_root / filename
        if not path.is_file():
            raise DataError(
                f"data set {data_set} needs {path}, which is not there; put {filename} into {self.data_root}."
            )
        return path

    def find(self, data_set: str, *names: str) -> Path:
        """Path of the first of these files or folders in the data root; DataError, with how to get it, if none is."""
        either = " or ".join(names)
        if self.data_root is None:
            raise DataError(
                f"data set {data_set} needs {either} and no data root is set; fetch it with `cutpoint data fetch "
                f"{data_set} --data-root FOLDER`, and give that folder or {DATA_ROOT_VARIABLE}=FOLDER."
            )
        for name in names:
            if (self.data_root / name).exists():
                return self.data_root / name
        raise DataError(
            f"data set {data_set} needs {either} in {self.data_root}, and it is not there; fetch it with `cutpoint "
            f"data fetch {data_set} --data-root {self.data_root}`, or put it there."
        )


def class_names(names: tuple[str, ...], n_classes: int | None) -> tuple[str, ...]:
    """The names after grouping to min(y, n_classes - 1): the last stands for all that were joined."""
    if n_classes is None or n_classes >= len(names):
        return names
    return (*names[: n_classes - 1], "other")


def wanted_classes(data_set: str, n_classes: int | None, most: int) -> int:
    """K of a name that must end in it; UsageError unless 2 <= K <= most, the number of classes before grouping."""
    if n_classes is None or not 2 <= n_classes <= most:
        source = data_set if n_classes is None else data_set.removesuffix(f"-{n_classes}")
        found = "says no number of classes" if n_classes is None else f"asks for {n_classes} classes"
        raise UsageError(f"data set {data_set} {found}; write {source}-2, or {source}-K with K from 2 to {most}.")
    return n_classes


def no_human(data_set: str, column: str, has: Iterable[str]) -> UsageError:
    """What to say of a noise whose labels the data set does not have; `has`: the label columns that it does have."""
    columns = ", ".join(sorted(has))
    known = f"it has {columns}: name one of them" if columns else "it has none: give a rate or a matrix"
    return UsageError(f"data set {data_set} has no label column '{column}' for the noise human:{column}; {known}.")
