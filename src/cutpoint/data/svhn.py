"""SVHN as published: two Matlab files of digits cut out of house numbers, 32 x 32; label 10 means the digit 0.

imb-svhn-K keeps the digits 0 to K - 2 and joins the others (section 5.1).
"""

from __future__ import annotations

import textwrap
import warnings
from pathlib import Path

import numpy as np

from cutpoint.core.noise import group_classes
from cutpoint.data.options import ANEW, DataOptions, class_names, wanted_classes
from cutpoint.data.pictures import PictureArray
from cutpoint.data.pool import Benchmark, Pool, check_labels
from cutpoint.data.table_1 import as_in_table_1
from cutpoint.errors import DataError
from cutpoint.types import Labels

TRAIN, TEST = "train_32x32.mat", "test_32x32.mat"
_DIGITS = tuple(str(digit) for digit in range(10))


def load_svhn(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """Imb SVHN: 73 257 digits as the pool, 26 032 as the test, grouped to min(digit, K - 1)."""
    k = wanted_classes(name, n_classes, len(_DIGITS))
    path = options.find(name, TRAIN)
    pictures, digits = _read(path)
    test_pictures, test_digits = _read(options.find(name, TEST))
    benchmark = Benchmark(
        name=name,
        pool=Pool(pictures),
        labels=group_classes(digits, k),
        test_features=test_pictures,
        test_labels=group_classes(test_digits, k),
        classes=class_names(_DIGITS, k),
    )
    return as_in_table_1(benchmark, path)


def _read(path: Path) -> tuple[PictureArray, Labels]:
    """Pictures (n, 32, 32, 3) uint8 and digits (n,) of a file that stores X (32, 32, 3, n) and y (n, 1) in 1..10."""
    from scipy.io import loadmat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = loadmat(path, variable_names=["X", "y"])
    except Exception as error:  # scipy's reader of damaged files raises anything
        said = textwrap.shorten(str(error) or type(error).__name__, 120)
        raise DataError(f"{path} cannot be read as .mat ({said}); it is damaged: {ANEW}") from None
    X, y = found.get("X"), found.get("y")
    if not isinstance(X, np.ndarray) or X.dtype != np.uint8 or X.ndim != 4 or X.shape[:3] != (32, 32, 3):
        raise DataError(f"{path}: 'X' must be uint8 of shape (32, 32, 3, n); {ANEW}")
    if not isinstance(y, np.ndarray) or y.size != X.shape[3]:
        raise DataError(f"{path}: 'y' must be one label for each of {X.shape[3]} pictures; {ANEW}")
    labels = check_labels(y.reshape(-1), y.size, 11, f"{path}: the labels")
    return np.ascontiguousarray(X.transpose(3, 0, 1, 2)), labels % 10
