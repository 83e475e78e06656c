"""What a campaign works on: a pool of features or pictures, and, for benchmarks alone, the truth beside it.

A `Pool` never carries labels, so a strategy or a learner that is handed one cannot read them. A `Benchmark`
holds what the oracle and the measures need, and is seen by neither strategies nor learners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.pictures import PictureArray, Pictures
from cutpoint.errors import DataError, UsageError
from cutpoint.types import Labels

Features = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pool:
    """The examples one may ask about; ids, if given, one for each row.

    `features`: (N, d) float32, finite; or pictures, (N, H, W, 3) uint8, as an array or as `Pictures` that are decoded
    when asked for. `table` and `pictures` are the same, typed, and refuse the other kind.
    """

    features: Any
    ids: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check the features and keep them read-only."""
        object.__setattr__(self, "features", check_inputs(self.features, "the pool's features"))
        if self.ids is not None and len(self.ids) != self.n_examples:
            raise DataError(f"there are {len(self.ids)} ids for {self.n_examples} examples; give one id for each row.")

    @property
    def n_examples(self) -> int:
        """N, the number of rows."""
        return len(self.features)

    @property
    def is_pictures(self) -> bool:
        """True if the examples are pictures, False if they are rows of features."""
        return is_pictures(self.features)

    @property
    def table(self) -> Features:
        """The features (N, d) float32; UsageError if the pool holds pictures."""
        if self.is_pictures:
            _, height, width, _ = self.features.shape
            raise UsageError(
                f"the pool holds pictures of {height} x {width}, and features (N, d) are needed; take a learner of "
                "pictures, such as resnet18, or a data set of features."
            )
        features: Features = self.features
        return features

    @property
    def pictures(self) -> PictureArray | Pictures:
        """The pictures (N, H, W, 3) uint8; UsageError if the pool holds features."""
        if not self.is_pictures:
            raise UsageError(
                f"the pool holds features of {self.features.shape[1]} columns, and pictures are needed; take a "
                "learner of features, such as logistic, or a data set of pictures."
            )
        pictures: PictureArray | Pictures = self.features
        return pictures


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A pool with its clean labels and a clean test split.

    `labels` (N,) and `test_labels` (M,) are int64 in 0..K-1, K = len(classes); every class has a test example, since
    its recall is undefined otherwise, and one in the pool, since it could never be found otherwise. `untested` lets
    classes be without a test example, in a published split that is so; they have no part in measures of the test.
    `human` maps a name to (N,) labels as people gave them, grouped like `labels`. `note` is what its user should be
    told of how it was read, or empty. `test_features` are of the pool's kind: features (M, d), or pictures of the
    same size.
    """

    name: str
    pool: Pool
    labels: Labels
    test_features: Any
    test_labels: Labels
    classes: tuple[str, ...]
    human: Mapping[str, Labels] = field(default_factory=dict)
    note: str = ""
    untested: bool = False

    def __post_init__(self) -> None:
        """Check that all parts fit together."""
        n, k = self.pool.n_examples, self.n_classes
        if k < 2:
            raise DataError(f"data set {self.name} has {k} class; a benchmark needs at least 2.")
        object.__setattr__(self, "labels", check_labels(self.labels, n, k, f"{self.name}: the pool's labels"))
        test = check_inputs(self.test_features, f"{self.name}: the test features")
        object.__setattr__(self, "test_features", test)
        if test.shape[1:] != self.pool.features.shape[1:]:
            raise DataError(
                f"{self.name}: the test features have {_each(test)} and the pool's {_each(self.pool.features)}; "
                "both splits must have the same."
            )
        test_labels = check_labels(self.test_labels, len(test), k, f"{self.name}: the test labels")
        object.__setattr__(self, "test_labels", test_labels)
        for labels, kind, lost in (
            (test_labels, "test example", "its recall is undefined"),
            (self.labels, "example in the pool", "no strategy can find it"),
        ):
            absent = np.flatnonzero(np.bincount(labels, minlength=k) == 0)
            if absent.size and not (self.untested and labels is test_labels):
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


def is_pictures(features: Any) -> bool:
    """True for pictures, in an array of four axes or decoded when asked for."""
    return len(features.shape) == 4


def check_inputs(features: Any, name: str) -> Features | PictureArray | Pictures:
    """Features or pictures, checked, arrays read-only; the pictures that are still to be decoded as they are."""
    if isinstance(features, Pictures):
        if len(features) == 0:
            raise DataError(f"{name} hold no picture; give at least one.")
        return features
    array = np.asarray(features)
    if array.ndim != 4:
        return check_features(array, name)
    if array.dtype != np.uint8 or array.shape[3] != 3 or 0 in array.shape:
        raise DataError(
            f"{name} are {array.dtype} of shape {array.shape}; pictures must be uint8 of shape (N, H, W, 3)."
        )
    view: PictureArray = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _each(features: Any) -> str:
    """What one example is, in words."""
    if is_pictures(features):
        return f"pictures of {features.shape[1]} x {features.shape[2]}"
    return f"{features.shape[1]} columns"


def check_features(features: NDArray[np.generic], name: str) -> Features:
    """The features as read-only (N, d) float32, checked: two axes, not empty, finite."""
    array = np.asarray(features)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "fiub":
        hint = " These look like pictures: give what a network makes of each, one row (d,)." if array.ndim == 4 else ""
        raise DataError(f"{name} are {array.dtype} of shape {array.shape}; they must be numbers of shape (N, d).{hint}")
    with np.errstate(over="ignore"):
        array_N_d = np.ascontiguousarray(array, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(array_N_d).all(axis=1))
    if bad.size:
        raise DataError(f"row {bad[0]} of {name} holds NaN or infinity; fill or drop such rows ({bad.size} in all).")
    view = array_N_d.view()
    view.flags.writeable = False
    return view


def alike(features: Features) -> bool:
    """Whether several items all have the same features: no model could tell one from another."""
    return len(features) > 1 and bool((features == features[0]).all())


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
