"""CIFAR-10 and CIFAR-100 as published: pickles in an archive, read from it directly or from the unpacked folder.

imb-cifar10-K and imb-cifar100-K keep the first K - 1 classes and join the others (section 5.1).
"""

from __future__ import annotations

import gzip
import tarfile
import textwrap
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cutpoint.core.noise import group_classes
from cutpoint.data.options import ANEW, DataOptions, class_names, wanted_classes
from cutpoint.data.pickles import read_plain_pickle
from cutpoint.data.pictures import PictureArray
from cutpoint.data.pool import Benchmark, Pool, check_labels
from cutpoint.data.table_1 import as_in_table_1
from cutpoint.data.whole import has_all
from cutpoint.errors import DataError
from cutpoint.types import Labels

SIDE = 32
_MOST_BYTES = 1 << 29  # of one member: three times what the largest has


@dataclass(frozen=True)
class Layout:
    """Where the parts of an archive are: its files, and the keys in them."""

    archive: str
    folder: str
    train: tuple[str, ...]
    test: str
    meta: str
    labels: str
    names: str
    n_classes: int

    @property
    def members(self) -> tuple[str, ...]:
        """All its files."""
        return (*self.train, self.test, self.meta)


CIFAR10 = Layout(
    archive="cifar-10-python.tar.gz",
    folder="cifar-10-batches-py",
    train=tuple(f"data_batch_{k}" for k in range(1, 6)),
    test="test_batch",
    meta="batches.meta",
    labels="labels",
    names="label_names",
    n_classes=10,
)
CIFAR100 = Layout(
    archive="cifar-100-python.tar.gz",
    folder="cifar-100-python",
    train=("train",),
    test="test",
    meta="meta",
    labels="fine_labels",
    names="fine_label_names",
    n_classes=100,
)


def load_cifar10(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """Imb CIFAR-10: 50 000 pictures of 32 x 32 as the pool, 10 000 as the test, grouped to min(y, K - 1)."""
    return _load(name, n_classes, options, CIFAR10)


def load_cifar100(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """Imb CIFAR-100: 50 000 pictures of 32 x 32 as the pool, 10 000 as the test, grouped to min(y, K - 1)."""
    return _load(name, n_classes, options, CIFAR100)


def _load(name: str, n_classes: int | None, options: DataOptions, layout: Layout) -> Benchmark:
    k = wanted_classes(name, n_classes, layout.n_classes)
    path = _path(name, options, layout)
    parts = {member: _unpickled(data, path, member) for member, data in _members(path, layout)}
    missing = [member for member in layout.members if member not in parts]
    if missing:
        raise DataError(f"{path} has no {missing[0]}; it is incomplete: {ANEW}")
    names = parts[layout.meta].get(layout.names)
    if not isinstance(names, list) or len(names) != layout.n_classes:
        raise DataError(f"{path}: {layout.meta} must name {layout.n_classes} classes; {ANEW}")
    train = [_batch(parts[member], path, member, layout) for member in layout.train]
    test_pictures, test_labels = _batch(parts[layout.test], path, layout.test, layout)
    benchmark = Benchmark(
        name=name,
        pool=Pool(np.concatenate([pictures for pictures, _ in train])),
        labels=group_classes(np.concatenate([labels for _, labels in train]), k),
        test_features=test_pictures,
        test_labels=group_classes(test_labels, k),
        classes=class_names(tuple(_text(each) for each in names), k),
    )
    return as_in_table_1(benchmark, path)


def _path(name: str, options: DataOptions, layout: Layout) -> Path:
    """The unpacked folder, or the archive where that folder is not there or not whole."""
    path = options.find(name, layout.folder, layout.archive)
    archive = path.with_name(layout.archive)
    return archive if archive.is_file() and not has_all(path, layout.members) else path


def _members(path: Path, layout: Layout) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of the parts that are there; an archive is read to its end, so that its checksum is compared.

    Nothing is unpacked: members of other names, links among them, are passed over.
    """
    if path.is_dir():
        yield from ((member, (path / member).read_bytes()) for member in layout.members if (path / member).is_file())
        return
    try:
        with gzip.open(path) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
            for member in archive:
                folder, _, file = member.name.removeprefix("./").rpartition("/")
                if folder == layout.folder and file in layout.members and member.isreg() and member.size <= _MOST_BYTES:
                    stream = archive.extractfile(member)
                    assert stream is not None  # it is a regular file
                    yield file, stream.read()
            while plain.read(1 << 20):
                pass
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as error:
        raise _damaged(path, error) from None


def _unpickled(data: bytes, path: Path, member: str) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read_plain_pickle(data)
    except Exception as error:  # a damaged pickle raises anything
        raise _damaged(path / member, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    said = textwrap.shorten(str(error) or type(error).__name__, 120)
    return DataError(f"{path} cannot be read ({said}); it is damaged or not what it claims to be: {ANEW}")


def _batch(part: dict[str, Any], path: Path, member: str, layout: Layout) -> tuple[PictureArray, Labels]:
    """Pictures (n, 32, 32, 3) uint8 and labels (n,) of a batch, stored as n rows of 1024 red, green and blue values."""
    data, given = part.get("data"), part.get(layout.labels)
    row = 3 * SIDE * SIDE
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != row:
        raise DataError(f"{path}: 'data' of {member} must be uint8 of shape (n, {row}); {ANEW}")
    if not isinstance(given, list) or not all(type(label) is int for label in given):
        raise DataError(f"{path}: '{layout.labels}' of {member} must be a list of whole numbers; {ANEW}")
    labels = check_labels(np.array(given, np.int64), len(data), layout.n_classes, f"{path}: the labels of {member}")
    return np.ascontiguousarray(data.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)), labels


def _text(name: Any) -> str:
    return name.decode("latin1") if isinstance(name, bytes) else str(name)
