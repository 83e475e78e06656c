"""The larger sets of the data root: features from a frozen encoder, and labels that people gave.

CIFAR-10 here is made from JPEG pictures, clearly harder than the original: never set its numbers beside the
paper's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.noise import group_classes
from cutpoint.data.files import load_file, read_npz
from cutpoint.data.options import DataOptions, class_names, no_human
from cutpoint.data.pool import Benchmark
from cutpoint.errors import DataError, UsageError
from cutpoint.types import Labels

_HUMAN = "cifar10_human_labels.npz"


def load_cifar10_jpeg(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """CIFAR-10 (JPEG), 50 000 and 10 000; human labels from CIFAR-10N, grouped like the clean ones."""
    path = options.file(name, "cifar10_jpeg_features.npz")
    plain = load_file(name, path, DataOptions())
    if n_classes is not None and not 2 <= n_classes <= plain.n_classes:
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
            human[source] = group_classes(given, n_classes or plain.n_classes)
    k = n_classes or plain.n_classes
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


def load_ham10000(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """HAM10000 skin lesions: 5984 and 1512, seven classes, imbalanced by nature (72 : 1)."""
    path = options.file(name, "ham10000_features.npz")
    return load_file(name, path, DataOptions(group=n_classes, human=options.human))
