"""Scikit-learn's digits: 1797 pictures of 8 x 8, ten even classes. They ship with it: nothing is fetched."""

from __future__ import annotations

import numpy as np

from cutpoint.core.noise import group_classes
from cutpoint.data.options import DataOptions, class_names
from cutpoint.data.pool import Benchmark, Pool
from cutpoint.data.splits import stratified_split
from cutpoint.errors import UsageError

_CLASSES = tuple(str(digit) for digit in range(10))
_TEST_SHARE = 0.3
_SPLIT_SEED = 0  # one fixed split for everybody, so that results can be compared


def load_digits(name: str, n_classes: int | None, _options: DataOptions) -> Benchmark:
    """Digits with 70 % of each digit as the pool and 30 % as the test; grouped to min(y, n_classes - 1)."""
    from sklearn.datasets import load_digits as fetch

    if n_classes is not None and not 2 <= n_classes <= 10:
        raise UsageError(f"data set {name} asks for {n_classes} classes; digits can be grouped to 2..10.")
    features, digit = fetch(return_X_y=True)
    pool, test = stratified_split(digit.astype(np.int64), _TEST_SHARE, np.random.default_rng(_SPLIT_SEED))
    labels = group_classes(digit, n_classes or 10)
    return Benchmark(
        name=name,
        pool=Pool(features[pool]),
        labels=labels[pool],
        test_features=features[test],
        test_labels=labels[test],
        classes=class_names(_CLASSES, n_classes),
    )
