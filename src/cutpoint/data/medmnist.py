"""PathMNIST of MedMNIST as published: one .npz of tissue pictures, 28 x 28, in nine classes.

The paper's grouping is not min(y, K - 1): class 7 (cancer-associated stroma) is the minority, index 0, and all others
are index 1. The pictures are resized to 32 x 32. The validation part is not used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.arrays import read_archive
from cutpoint.data.options import ANEW, DataOptions
from cutpoint.data.pictures import PictureArray, resized
from cutpoint.data.pool import Benchmark, Pool, check_labels
from cutpoint.data.table_1 import as_in_table_1
from cutpoint.errors import DataError, UsageError
from cutpoint.types import Labels

FILE = "pathmnist.npz"
MINORITY = 7
_CLASSES = 9
_SIDE = 32
_NAMES = ("train_images", "train_labels", "test_images", "test_labels")


def load_pathmnist(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """PathMNIST with two classes: 89 996 pictures as the pool, 7 180 as the test."""
    if n_classes != 2:
        raise UsageError(f"there is no data set {name}; PathMNIST is grouped in one way: write pathmnist-2.")
    path = options.find(name, FILE)
    arrays = read_archive(path, f"it is damaged: {ANEW}", _NAMES)
    (pictures, labels), (test_pictures, test_labels) = (_split(arrays, part, path) for part in ("train", "test"))
    benchmark = Benchmark(
        name=name,
        pool=Pool(pictures),
        labels=labels,
        test_features=test_pictures,
        test_labels=test_labels,
        classes=("cancer-associated stroma", "other"),
    )
    return as_in_table_1(benchmark, path)


def _split(arrays: dict[str, NDArray[Any]], part: str, path: Path) -> tuple[PictureArray, Labels]:
    """Pictures (n, 32, 32, 3) uint8 and labels (n,), 0 for the minority, of "train" or "test"."""
    images, given = arrays.get(f"{part}_images"), arrays.get(f"{part}_labels")
    if images is None or given is None:
        raise DataError(f"{path} has no {part}_images or no {part}_labels; {ANEW}")
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise DataError(
            f"{path}: {part}_images are {images.dtype} of shape {images.shape}; they must be uint8 of shape (n, 28, "
            f"28, 3): {ANEW}"
        )
    labels = check_labels(given.reshape(-1), len(images), _CLASSES, f"{path}: {part}_labels")
    return _enlarged(images), (labels != MINORITY).astype(np.int64)


def _enlarged(images: PictureArray) -> PictureArray:
    """Pictures (n, H, W, 3) as (n, 32, 32, 3)."""
    from PIL import Image

    large = np.empty((len(images), _SIDE, _SIDE, 3), np.uint8)
    for i, image in enumerate(images):
        large[i] = resized(Image.fromarray(image), _SIDE, _SIDE)
    return large
