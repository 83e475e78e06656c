"""Any .npz, .npy or parquet file of features and labels as a benchmark; its own split is respected.

.npz      arrays `features` (n, d) and `label` (n,), and, if there, `split` (n,), `classes` (K,), further labels.
.npy      features (n, d); the options `label` and `split` are then paths of other .npy files.
.parquet  a list column `features`, or else all numeric columns not named otherwise (extra `parquet`).

A split is "train", 0 or False for the pool, "test", 1 or True for the test (text in any case; numbers in the order of
`split_names` if the file has it). Other parts ("val") are left out, and the benchmark's note says so. Without a split,
a fixed fifth of each class is the test. No pickle is ever read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cutpoint.core.noise import group_classes
from cutpoint.data.arrays import Array, read_archive, read_array
from cutpoint.data.options import DataOptions, class_names, no_human
from cutpoint.data.pool import Benchmark, Pool, check_features, check_labels
from cutpoint.data.splits import stratified_split
from cutpoint.errors import DataError, UsageError
from cutpoint.types import Labels

SUFFIXES = (".npz", ".npy", ".parquet")
_TEST_SHARE = 0.2
_SPLIT_SEED = 0
_PART_WORDS = {"0": "train", "false": "train", "1": "test", "true": "test"}
_REMEDY = "give an array that numpy.save has written."


def load_file(name: str, path: Path, options: DataOptions) -> Benchmark:
    """The benchmark in a file, its classes grouped to min(y, options.group - 1) if that is given."""
    columns = read_columns(path, options)
    features = check_features(columns[options.features], f"{path.name}: '{options.features}'")
    return from_columns(name, path, columns, features, options)


def from_columns(name: str, path: Path, columns: dict[str, Array], features: Any, options: DataOptions) -> Benchmark:
    """The benchmark of the labels, the split and the classes in `columns`, and of features or pictures in their order.

    What `features` gives for indices is kept: pictures that are decoded when asked for are decoded here.
    """
    labels, names = _classes(columns, options.label, len(features), path)
    is_pool, is_test, note = _split(columns.get(options.split_column), columns.get("split_names"), labels, path)
    human = {}
    for source in options.human:
        has = {key for key, array in columns.items() if array.ndim == 1 and len(array) in (len(labels), is_pool.size)}
        if source not in has:
            raise no_human(name, source, has - {options.label, options.split_column})
        human[source] = _human(columns[source], source, is_pool, names, path)
    if options.group is not None:
        if not 2 <= options.group <= len(names):
            raise UsageError(
                f"{name} asks for {options.group} classes; its {len(names)} can be grouped to 2..{len(names)}."
            )
        labels = group_classes(labels, options.group)
        human = {source: group_classes(given, options.group) for source, given in human.items()}
    return Benchmark(
        name=name,
        pool=Pool(features[is_pool]),
        labels=labels[is_pool],
        test_features=features[is_test],
        test_labels=labels[is_test],
        classes=class_names(names, options.group),
        human=human,
        note=note,
    )


def read_columns(path: Path, options: DataOptions) -> dict[str, Array]:
    """All named arrays of a file; DataError if it is missing, damaged or lacks the features or the labels."""
    if not path.is_file():
        raise DataError(f"there is no file {path}; give the path of an .npz, .npy or .parquet file that exists.")
    readers: dict[str, Callable[[Path, DataOptions], dict[str, Array]]] = {
        ".npz": read_npz,
        ".npy": _read_npy,
        ".parquet": _read_parquet,
    }
    if path.suffix not in readers:
        raise UsageError(f"{path} ends in '{path.suffix}'; a data file must end in {', '.join(SUFFIXES)}.")
    columns = readers[path.suffix](path, options)
    for role in ("features", "label"):
        wanted = getattr(options, role)
        if wanted not in columns:
            raise UsageError(
                f"{path} has no column '{wanted}'; it has {', '.join(sorted(columns))}: name one with --{role}-column."
            )
    if options.split is not None and options.split not in columns:
        raise DataError(
            f"{path} has no column '{options.split}' for the split; it has {', '.join(sorted(columns))}: "
            "name one with --split-column, or leave that option out."
        )
    return columns


def read_npz(path: Path, _options: DataOptions | None = None) -> dict[str, Array]:
    """All arrays of an .npz file, without pickle; DataError if it is damaged."""
    return read_archive(path, "it is damaged or not what it claims to be: replace it.")


def _read_npy(path: Path, options: DataOptions) -> dict[str, Array]:
    if options.features != DataOptions().features:
        raise UsageError(f"{path} holds the features alone, so there are none to name; leave --features-column out.")
    columns = {options.features: read_array(path, _REMEDY)}
    for role, name in (("label", options.label), ("split", options.split_column)):
        other = Path(name)
        if other.suffix == ".npy":
            columns[str(other)] = read_array(other, _REMEDY)
        elif role == "label":
            raise UsageError(
                f"{path} holds features alone; give the labels as another file: --label-column LABELS.npy."
            )
    for source in options.human:
        columns[source] = read_array(Path(source), _REMEDY)
    return columns


def _read_parquet(path: Path, options: DataOptions) -> dict[str, Array]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError(f"reading {path} needs pyarrow; install it with: pip install pyarrow.") from None
    try:
        table = parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} cannot be read as parquet ({error}); it is damaged or not parquet: replace it."
        ) from None
    columns: dict[str, Array] = {}
    for field in table.schema:
        if any(kind(field.type) for kind in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)):
            if field.name == options.features:
                rows = table[field.name].to_pylist()
                if len({len(row or ()) for row in rows}) != 1:
                    raise DataError(
                        f"{path}: the lists in '{field.name}' differ in length; every row needs the same d."
                    )
                columns[field.name] = np.array(rows)
        else:
            columns[field.name] = table[field.name].to_numpy()
    if options.features not in columns:
        named = {options.label, options.split_column, *options.human}
        numeric = [a for key, a in columns.items() if key not in named and a.dtype.kind in "fiub"]
        if numeric:
            columns[options.features] = np.column_stack(numeric)
    return columns


def _classes(columns: dict[str, Array], label: str, n: int, path: Path) -> tuple[Labels, tuple[str, ...]]:
    """(n,) int64 labels and the classes' names; text labels are numbered in the order of their names."""
    given = columns[label]
    if given.dtype.kind in "UO" and given.shape == (n,):
        if any(not isinstance(value, str) for value in given):
            raise DataError(f"{path}: '{label}' mixes text with other values; labels must be all text or all integers.")
        names, numbers = np.unique(given.astype(str), return_inverse=True)
        return numbers.astype(np.int64), tuple(names.tolist())
    if "classes" in columns:
        names = columns["classes"]
        stated = tuple(str(value) for value in names.tolist())
    else:
        top = int(given.max()) if given.size and given.dtype.kind in "iu" else 0
        stated = tuple(str(k) for k in range(top + 1))
    return check_labels(given, n, len(stated), f"{path.name}: the labels '{label}'"), stated


def _split(given: Array | None, names: Array | None, labels: Labels, path: Path) -> tuple[Array, Array, str]:
    """Indices of the pool and of the test, and what to say of the rows that are in neither."""
    if given is None:
        return *stratified_split(labels, _TEST_SHARE, np.random.default_rng(_SPLIT_SEED)), ""
    if given.shape != labels.shape:
        raise DataError(
            f"{path}: the split has shape {given.shape}; it must have one value for each of {labels.size} rows."
        )
    parts = _parts(given, names, path)
    pool, test = np.flatnonzero(parts == "train"), np.flatnonzero(parts == "test")
    found = np.unique(parts).tolist()
    if not (pool.size and test.size):
        raise DataError(f"{path}: the split has {', '.join(found)}; it must have both 'train' and 'test' (or 0 and 1).")
    left_out = labels.size - pool.size - test.size
    others = ", ".join(f"'{part}'" for part in found if part not in ("train", "test"))
    return (
        pool,
        test,
        f"{path}: {left_out} of {labels.size} rows left out, whose split is {others}." if others else "",
    )


def _parts(given: Array, names: Array | None, path: Path) -> Array:
    """The part of each row in lower case, "train" and "test" among them, however the file writes them."""
    if given.dtype.kind in "UO":
        parts = given.astype(str)
    else:
        order = np.array(["train", "test"]) if names is None else names.astype(str)
        parts = order[check_labels(given, given.size, len(order), f"{path.name}: the split")]
    small = [part.strip().casefold() for part in parts.tolist()]
    return np.array([_PART_WORDS.get(part, part) for part in small])


def _human(given: Array, source: str, pool: Array, names: tuple[str, ...], path: Path) -> Labels:
    """(N,) labels of the pool in a second label column, over the whole file or over the pool alone."""
    if given.dtype.kind in "UO":
        unknown = sorted(set(given.astype(str).tolist()) - set(names))
        if unknown:
            raise DataError(
                f"{path}: '{source}' holds '{unknown[0]}', which is no class; the classes are {', '.join(names)}."
            )
        given = np.array([names.index(value) for value in given.astype(str).tolist()])
    if len(given) != pool.size:
        given = given[pool] if len(given) > pool.max() else given
    return check_labels(given, pool.size, len(names), f"{path.name}: the labels '{source}'")
