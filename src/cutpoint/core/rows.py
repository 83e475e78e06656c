"""Rows of an embedding in the type and scale to compute in, block by block, and fewer columns where there are many.

The embedding is never copied whole: a block of it is converted, used and forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats = NDArray[np.floating[Any]]
BLOCK = 2048  # rows of passes that are done once; a block of 512 columns in double precision is 8 MiB
SMALL = 1_000_000  # multiplications up to which OpenBLAS neither packs nor starts threads (on processors with AVX-512)
LEAST = 16  # rows of such a strip; below, the calls cost more


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of `array` (N, D), times `scale`, as `dtype` (float32 or float64)."""

    array: Floats
    dtype: DTypeLike
    scale: float = 1.0

    @property
    def n_columns(self) -> int:
        """D."""
        return int(self.array.shape[1])

    def __len__(self) -> int:
        return len(self.array)

    def take(self, which: slice | NDArray[np.intp]) -> Floats:
        """The rows `which`; the array's own memory where nothing has to be converted and `which` is a slice."""
        block = self.array[which].astype(self.dtype, copy=False)
        return block if self.scale == 1.0 else block * block.dtype.type(self.scale)


def thin(rows: Rows | Floats, columns: Floats, part: slice) -> Floats:
    """(c, m) the transpose of rows[part] @ columns, for few columns (D, c).

    In strips that BLAS multiplies at once: up to twice as fast as the whole, which it would copy first, and 15 times as
    fast where cores are busy, since its threads would wait for each other after every small product.
    """
    take = rows.take if isinstance(rows, Rows) else rows.__getitem__
    height = SMALL // max(columns.size, 1)
    if height < LEAST:
        return columns.T @ take(part).T
    product = np.empty((columns.shape[1], part.stop - part.start), columns.dtype)
    for first in range(part.start, part.stop, height):
        after = min(first + height, part.stop)
        product[:, first - part.start : after - part.start] = (take(slice(first, after)) @ columns).T
    return product


def longest(array: Floats) -> float:
    """The largest Euclidean norm of a row, in one pass; 0.0 where there is none."""
    largest = float(max(array.max(), -array.min())) if array.size else 0.0
    if largest == 0.0:
        return 0.0
    square = 0.0
    for first in range(0, len(array), BLOCK):
        block = array[first : first + BLOCK].astype(np.float64) / largest  # nothing overflows, whatever the scale
        square = max(square, float(np.einsum("nd,nd->n", block, block).max()))
    return largest * float(np.sqrt(square))


def principal(rows: Rows, n_columns: int) -> Rows:
    """Rows projected onto the `n_columns` directions that carry most of their squared length, or as they are.

    Directions are eigenvectors of the second moments, about 0 and not about the mean: what reads these rows reads
    h h^T, so a mean that all have in common is part of it. O(N D^2 + D^3) time; a new (N, n_columns)
    array, single precision where the embedding is no more.
    """
    if n_columns >= rows.n_columns:
        return rows
    moments = np.zeros((rows.n_columns, rows.n_columns))
    blocks = [slice(first, first + BLOCK) for first in range(0, len(rows), BLOCK)]
    for block in blocks:
        h = rows.take(block)
        moments += h.T @ h
    directions = np.linalg.eigh(moments)[1][:, ::-1][:, :n_columns].astype(rows.dtype)
    projected = np.empty((len(rows), n_columns), np.promote_types(rows.array.dtype, np.float32))
    for block in blocks:
        projected[block] = rows.take(block) @ directions
    return Rows(projected, rows.dtype)
