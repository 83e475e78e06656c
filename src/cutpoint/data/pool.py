"""What a campaign works on: a pool of features, and, for benchmarks alone, the truth beside it.

A `Pool` never carries labels, so a strategy or a learner that is handed one cannot read them. A `Benchmark`
holds what the oracle and the measures need, and is seen by neither strategies nor learners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cutpoint.errors import DataError
from cutpoint.types import Labels

Features = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pool:
    """The examples one may ask about: features (N, d) float32, finite; ids, if given, one for each row."""

    features: Features
    ids: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check the features and keep them read-only."""
        object.__setattr__(self, "features", check_features(self.features, "the pool's features"))
        if self.ids is not None and len(self.ids) != self.n_examples:
            raise DataError(f"there are {len(self.ids)} ids for {self.n_examples} examples; give one id for each row.")

    @property
    def n_examples(self) -> int:
        """N, the number of rows."""
        return len(self.features)


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A pool with its clean labels and a clean test split.

    `labels` (N,) and `test_labels` (M,) are int64 in 0..K-1, K = len(classes); every class has a test example, since
    its recall is undefined otherwise, and one in the pool, since it could never be found otherwise. `human` maps a
    name to (N,) labels as people gave them, grouped like `labels`. `note` is what its user should be told of how it
    was read, or empty.
    """

    name: str
    pool: Pool
    labels: Labels
    test_features: Features
    test_labels: Labels
    classes: tuple[str, ...]
    human: Mapping[str, Labels] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        """Check that all parts fit together."""
        n, k = self.pool.n_examples, self.n_classes
        if k < 2:
            raise DataError(f"data set {self.name} has {k} class; a benchmark needs at least 2.")
        object.__setattr__(self, "labels", check_labels(self.labels, n, k, f"{self.name}: the pool's labels"))
        test = check_features(self.test_features, f"{self.name}: the test features")
        object.__setattr__(self, "test_features", test)
        if test.shape[1] != self.pool.features.shape[1]:
            raise DataError(
                f"{self.name}: the test features have {test.shape[1]} columns and the pool's "
                f"{self.pool.features.shape[1]}; both splits must have the same."
            )
        test_labels = check_labels(self.test_labels, len(test), k, f"{self.name}: the test labels")
        object.__setattr__(self, "test_labels", test_labels)
        for labels, kind, lost in (
            (test_labels, "test example", "its recall is undefined"),
            (self.labels, "example in the pool", "no strategy can find it"),
        ):
            absent = np.flatnonzero(np.bincount(labels, minlength=k) == 0)
            if absent.size:
                raise DataError(
                    f"data set {self.name} has no {kind} of class {absent[0]} ({self.classes[absent[0]]}), so {lost}; "
                    "add examples of it there, or group it with others (fewer classes)."
                )
        for source, given in self.human.items():
            check_labels(given, n, k, f"{self.name}: the labels '{source}'")

    @property
    def n_classes(self) -> int:
        """K, the number of classes."""
        return len(self.classes)


def check_features(features: NDArray[np.generic], name: str) -> Features:
    """The features as read-only (N, d) float32, checked: two axes, not empty, finite."""
    array = np.asarray(features)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "fiub":
        raise DataError(f"{name} are {array.dtype} of shape {array.shape}; they must be numbers of shape (N, d).")
    with np.errstate(over="ignore"):
        array_N_d = np.ascontiguousarray(array, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(array_N_d).all(axis=1))
    if bad.size:
        raise DataError(f"row {bad[0]} of {name} holds NaN or infinity; fill or drop such rows ({bad.size} in all).")
    view = array_N_d.view()
    view.flags.writeable = False
    return view


def check_labels(labels: NDArray[np.generic], n: int, n_classes: int, name: str) -> Labels:
    """The labels as (n,) int64, checked to lie in 0..n_classes-1."""
    array = np.asarray(labels)
    if array.shape != (n,) or array.dtype.kind not in "iub":
        raise DataError(f"{name} are {array.dtype} of shape {array.shape}; they must be integers of shape ({n},).")
    bad = np.flatnonzero((array < 0) | (array >= n_classes))
    if bad.size:
        raise DataError(
            f"{name} hold {array[bad[0]]} in row {bad[0]}; labels must lie in 0..{n_classes - 1}: correct "
            "them, "
            "or state the classes."
        )
    return array.astype(np.int64)
