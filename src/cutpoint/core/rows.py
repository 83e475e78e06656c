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
    h h^T, so a mean that all have in common is part of it. O(N D^2 + D^3) time; a new (N, n_columns) array.
    """
    if n_columns >= rows.n_columns:
        return rows
    moments = np.zeros((rows.n_columns, rows.n_columns))
    for first in range(0, len(rows), BLOCK):
        block = rows.take(slice(first, first + BLOCK))
        moments += block.T @ block
    directions = np.linalg.eigh(moments)[1][:, ::-1][:, :n_columns].astype(rows.dtype)
    projected = np.empty((len(rows), n_columns), rows.dtype)
    for first in range(0, len(rows), BLOCK):
        np.matmul(rows.take(slice(first, first + BLOCK)), directions, out=projected[first : first + BLOCK])
    return Rows(projected, rows.dtype)
