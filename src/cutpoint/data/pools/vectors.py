"""Features that people bring themselves: .npy in the order of the items, or parquet, also with the items' ids.

A parquet file has either one column of lists of numbers, or numeric columns; its rows are found by its column `id` or
`ids`, and are in the order of the items where it has neither. Only the wanted columns are read, a few thousand rows at
a time, into one array of float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.arrays import read_array
from cutpoint.data.pool import Features, check_features
from cutpoint.data.pools.brought import Brought, Embedded
from cutpoint.data.pools.records import PARQUET, load_pyarrow
from cutpoint.data.pools.sheets_of_items import ID
from cutpoint.errors import DataError, UsageError
from cutpoint.words import count

NPY = (".npy",)
IDS = "ids"  # what a column of ids may be called besides
_TOGETHER = 4096  # rows read at one time


def read_embeddings(path: Path, ids: Sequence[str] | None, id_column: str | None = None) -> Embedded:
    """Features of the items `ids` from a file: of .npy, and of parquet without ids, by place, else by id.

    ids: None for all rows by place. Refused whole if one item has none.
    """
    if path.suffix.lower() not in (*NPY, *PARQUET):
        raise UsageError(f"{path} ends in '{path.suffix}'; embeddings must be .npy or .parquet: convert the file.")
    column = None
    if path.suffix.lower() in PARQUET:
        column = id_column or _own_column(path)
    if column is not None and ids is not None:
        features = _by_id(path, ids, column)
    else:
        features = _npy(path) if path.suffix.lower() in NPY else _rows(path, column)
        if ids is not None and len(features) != len(ids):
            raise DataError(
                f"{path} has {count(len(features), 'row')} for {count(len(ids), 'item')}; it must have one for each."
            )
    return Embedded(features, f"the {features.shape[1]} numbers of each item in {path.name}")


def own_ids(path: Path) -> list[str] | None:
    """The ids that a parquet file brings along in its column `id` or `ids`; None if it has none, or is another kind."""
    if path.suffix.lower() not in PARQUET:
        return None
    column = _own_column(path)
    return None if column is None else _given_ids(path, column)


def numbered(path: Path) -> Brought:
    """A pool out of the rows of an .npy file, which shows their numbers alone; the ids are 0, 1, ..."""
    features = _npy(path)
    ids = [str(i) for i in range(len(features))]
    notes = (f"{path} holds features alone: people see the number of a row; give --csv or --images for more.",)
    return Brought("row", str(path), ids, lambda: ({"row": {"row": int(i)}} for i in ids), notes, features=features)


def features_column(path: Path) -> str | None:
    """The first column of lists of numbers of a parquet file; None if it has none, or is another kind of file."""
    if path.suffix.lower() not in PARQUET or not path.is_file():
        return None
    import pyarrow as pa

    parquet, broken = load_pyarrow(path)
    try:
        schema = parquet.read_schema(path)
    except broken as error:
        raise DataError(f"{path} cannot be read as parquet ({error}); replace it.") from None
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return next((f.name for f in schema if any(kind(f.type) for kind in lists) and _number(f.type.value_type)), None)


def read_features(path: Path, column: str) -> Features:
    """The features in a column of lists, in the file's order; (N, d) float32."""
    return check_features(np.concatenate(list(_blocks(path, [column]))), f"{path}: {column}")


def _npy(path: Path) -> Features:
    if not path.is_file():
        raise DataError(f"there is no file {path}; give the path of an .npy file that exists.")
    return check_features(read_array(path, "give an array that numpy.save has written."), str(path))


def _number(kind: Any) -> bool:
    import pyarrow as pa

    return any(is_kind(kind) for is_kind in (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean))


def _by_id(path: Path, ids: Sequence[str], id_column: str) -> Features:
    """(N, d) float32, each item's row found by its id."""
    given = _given_ids(path, id_column)
    place = {name: row for row, name in enumerate(given)}
    if len(place) != len(given):
        twice = next(name for row, name in enumerate(given) if place[name] != row)
        raise DataError(f"{path} has the id {twice!r} twice; each item needs one row.")
    missing = [name for name in ids if name not in place]
    if missing:
        raise DataError(
            f"{path} has no row for {missing[0]!r} ({count(len(missing), 'item')} without one); add what is missing."
        )
    return check_features(_rows(path, id_column)[[place[name] for name in ids]], str(path))


def _rows(path: Path, id_column: str | None) -> Features:
    """(N, d) float32, all rows in the file's order."""
    lists = features_column(path)
    columns = [lists] if lists else _numeric(path, id_column)
    return check_features(np.concatenate(list(_blocks(path, columns))), str(path))


def _own_column(path: Path) -> str | None:
    """The column of a parquet file that names its rows, None if there is none."""
    names = _columns(path)
    return next((name for name in (ID, IDS) if name in names), None)


def _columns(path: Path) -> list[str]:
    if not path.is_file():
        raise DataError(f"there is no file {path}; give the path of a parquet file that exists.")
    parquet, broken = load_pyarrow(path)
    try:
        return list(parquet.read_schema(path).names)
    except broken as error:
        raise DataError(f"{path} cannot be read as parquet ({error}); replace it.") from None


def _given_ids(path: Path, column: str) -> list[str]:
    if column not in (names := _columns(path)):
        raise UsageError(f"{path} has no column {column}; it has {', '.join(names)}: name the ids' with --id.")
    parquet, broken = load_pyarrow(path)
    try:
        values = parquet.read_table(path, columns=[column])[column].to_pylist()
    except broken as error:
        raise DataError(f"{path} cannot be read as parquet ({error}); replace it.") from None
    if None in values:
        raise DataError(f"{path}: {column} is empty in row {values.index(None)}; every row needs an id: fill it.")
    return [str(value) for value in values]


def _numeric(path: Path, id_column: str | None) -> list[str]:
    parquet, _ = load_pyarrow(path)
    names = [field.name for field in parquet.read_schema(path) if field.name != id_column and _number(field.type)]
    if not names:
        raise DataError(f"{path} has neither a column of lists of numbers nor numeric columns; give the embeddings.")
    return names


def _blocks(path: Path, columns: list[str]) -> Iterator[NDArray[np.float32]]:
    """The columns' numbers, (m, d) float32 at a time; of one column of lists, the lists."""
    parquet, broken = load_pyarrow(path)
    width, row = None, 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_TOGETHER, columns=columns):
                block = _block(batch, columns, path, row)
                width = block.shape[1] if width is None else width
                if block.shape[1] != width:
                    raise _unequal(path, columns[0], row)
                row += len(block)
                yield block
    except broken as error:
        raise DataError(f"{path} cannot be read as parquet ({error}); replace it.") from None
    if width is None:
        raise DataError(f"{path} holds no row; it must have one for each item.")


def _block(batch: Any, columns: list[str], path: Path, row: int) -> NDArray[np.float32]:
    arrays = [batch.column(batch.schema.get_field_index(name)) for name in columns]
    for name, array in zip(columns, arrays, strict=True):
        if array.null_count:
            raise DataError(
                f"{path}: {name} is empty in {count(array.null_count, 'row')} after row {row}; fill or drop them."
            )
    if len(columns) == 1 and hasattr(arrays[0], "flatten"):
        sizes = np.asarray(arrays[0].value_lengths())
        if (sizes != sizes[0]).any():
            raise _unequal(path, columns[0], row)
        flat = arrays[0].flatten().to_numpy(zero_copy_only=False)
        return np.asarray(flat, np.float32).reshape(len(sizes), int(sizes[0]))
    return np.column_stack([np.asarray(array.to_numpy(zero_copy_only=False), np.float32) for array in arrays])


def _unequal(path: Path, column: str, row: int) -> DataError:
    return DataError(f"{path}: the lists in {column} differ in length after row {row}; every row needs the same d.")
