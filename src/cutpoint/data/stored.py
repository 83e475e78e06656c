"""The larger sets of the data root: features from a frozen encoder or pictures, and labels that people gave.

CIFAR-10 here is made from JPEG pictures, clearly harder than the original: never set its numbers beside the
paper's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.noise import group_classes
from cutpoint.data.files import from_columns, load_file, read_npz
from cutpoint.data.options import DataOptions, class_names, no_human
from cutpoint.data.pictures import Packed, Pictures
from cutpoint.data.pool import Benchmark
from cutpoint.errors import DataError, UsageError
from cutpoint.types import Labels

FILES: Mapping[str, str] = {
    "cifar10-jpeg": "cifar10_jpeg_features.npz",
    "cifar10-jpeg-pictures": "cifar10_jpeg.npz",
    "ham10000": "ham10000_features.npz",
    "ham10000-pictures": "ham10000_64.npz",
}
ABOUT: Mapping[str, tuple[int, str, str]] = {  # examples in the pool, classes, terms
    "cifar10-jpeg": (50000, "2 to 10", "none stated; cite it"),
    "cifar10-jpeg-pictures": (50000, "2 to 10", "none stated; cite it"),
    "ham10000": (5984, "2 to 7", "CC BY-NC 4.0"),
    "ham10000-pictures": (5984, "2 to 7", "CC BY-NC 4.0"),
}
_HUMAN = "cifar10_human_labels.npz"


def load_cifar10_jpeg(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """CIFAR-10 (JPEG), 50 000 and 10 000; human labels from CIFAR-10N, grouped like the clean ones."""
    return _cifar10(name, n_classes, options, FILES["cifar10-jpeg"], load_file)


def load_cifar10_jpeg_pictures(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """The same as pictures of 32 x 32, decoded once: 184 MB."""
    return _cifar10(name, n_classes, options, FILES["cifar10-jpeg-pictures"], _load_pictures)


def load_ham10000(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """HAM10000 skin lesions: 5984 and 1512, seven classes, imbalanced by nature (72 : 1)."""
    path = options.file(name, FILES["ham10000"])
    return load_file(name, path, DataOptions(group=n_classes, human=options.human))


def load_ham10000_pictures(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """The same as pictures of 64 x 64, decoded once: 92 MB."""
    path = options.file(name, FILES["ham10000-pictures"])
    return _load_pictures(name, path, DataOptions(group=n_classes, human=options.human))


def _cifar10(
    name: str,
    n_classes: int | None,
    options: DataOptions,
    filename: str,
    load: Callable[[str, Path, DataOptions], Benchmark],
) -> Benchmark:
    """CIFAR-10 of a file, grouped, with the labels that people gave."""
    path = options.file(name, filename)
    plain = load(name, path, DataOptions())
    k = plain.n_classes if n_classes is None else n_classes
    if not 2 <= k <= plain.n_classes:
        raise UsageError(f"data set {name} asks for {n_classes} classes; it can be grouped to 2..{plain.n_classes}.")
    human = {}
    if options.human:
        columns = read_npz(options.file(name, _HUMAN))
        if not np.array_equal(columns.get("train_clean", np.empty(0)), plain.labels):
            raise DataError(
                f"the clean labels in {_HUMAN} are not those of {path.name}; both files must be in one order."
            )
        for source in options.human:
            given = columns.get(source)
            if given is None or not _fits(given, plain.labels):
                raise no_human(name, source, [key for key, array in columns.items() if _fits(array, plain.labels)])
            human[source] = group_classes(given, k)
    return replace(
        plain,
        labels=group_classes(plain.labels, k),
        test_labels=group_classes(plain.test_labels, k),
        classes=class_names(plain.classes, k),
        human=human,
    )


def _fits(array: NDArray[Any], labels: Labels) -> bool:
    """True if the array may hold labels of the same examples."""
    return array.shape == labels.shape and array.dtype.kind in "iu"


def _load_pictures(name: str, path: Path, options: DataOptions) -> Benchmark:
    """A benchmark of pictures of one size, packed into one array: `data`, `offsets`, `header`, `shape`, and labels."""
    columns = read_npz(path)
    data, offsets, header, shape = (columns.get(key, np.empty(0)) for key in ("data", "offsets", "header", "shape"))
    ordered = offsets.ndim == 1 and offsets.dtype.kind in "iu" and offsets.size > 1 and (np.diff(offsets) >= 0).all()
    if data.dtype != np.uint8 or data.ndim != 1 or not ordered or offsets[0] < 0 or offsets[-1] > data.size:
        raise DataError(f"{path} holds no packed pictures: its data and offsets do not fit; replace it.")
    if shape.shape != (3,) or shape.dtype.kind not in "iu" or shape[2] != 3 or not 0 < shape[:2].prod() < 10**6:
        raise DataError(f"{path}: 'shape' is {shape.tolist()}; it must be height, width and 3: replace it.")
    if header.dtype != np.uint8 or "label" not in columns:
        raise DataError(f"{path} has no header of its pictures, or no labels; replace it.")
    packed = Packed(path, data, offsets, header.tobytes(), np.arange(offsets.size - 1))
    return from_columns(name, path, columns, Pictures(packed, int(shape[0]), int(shape[1])), options)
