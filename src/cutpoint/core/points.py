"""Squared distances among the rows of a large embedding: a product says where to look, a difference says how far.

What BADGE and CORESET keep is, for every example, the squared distance to the nearest of the centres so far. A new
centre changes few of these. `|x - y|^2 = |x|^2 + |y|^2 - 2 x.y` needs one product with the whole embedding and loses
digits where x and y are close, so it serves only as a lower bound, with its rounding taken off. Where the bound falls
below the distance that is kept, the difference x - y is formed in double precision, a few hundred rows at a time.
So duplicates are at distance 0, examples that differ are not, and equal examples have equal distances wherever
in the pool they stand. Nothing here copies the embedding, or holds N x N numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.types import Index

Floats = NDArray[np.floating[Any]]
Doubles = NDArray[np.float64]

ROWS = 8192  # of a pass over the embedding as it lies in memory
NUMBERS = 2**17  # of rows copied at one time: a megabyte in double precision, inside a level-two cache
FIRST, CENTRES = 1024, 512  # rows and centres of one matrix product: two megabytes of float32
AHEAD = 16  # centres for which one pass over the embedding forms products; it takes as long as three passes for one
SAFE = 2.0**60  # squared norms up to this, and at least one from its inverse on, need no scaling in float32
FAR = 100.0  # a mean so many times the mean squared distance to it, squared, is taken off before the products


class Points:
    """The rows of an embedding (N, D), in its own precision but at least float32 and at most float64.

    Products run over the embedding where it lies if it is float32 or float64 with rows (or columns) in one piece.
    All else (float16, every second column, numbers beyond 1e9 or all below 1e-9) is converted a few rows at a time.

    shifted: products may be of rows less their mean, which a difference of two rows does not feel; done only where
    the mean is far away and would eat the digits.
    """

    def __init__(self, embedding: Floats, *, shifted: bool = False) -> None:
        self._given = embedding
        self.dtype = np.dtype(np.float64 if embedding.dtype.itemsize > 4 else np.float32)
        self._in_place = embedding.dtype == self.dtype and embedding.dtype.isnative and _in_one_piece(embedding)
        self._scale = 1.0
        self._shift: Floats | None = None
        self.width = embedding.shape[1]
        self._step = max(1, NUMBERS // max(1, self.width))
        self.norms = self._squared_norms()
        if len(self.norms) and self.width and not 1 / SAFE <= self.norms.max() <= SAFE:
            self._rescale()
        if shifted and len(self.norms):
            self._move_to_mean()

    def __len__(self) -> int:
        """N."""
        return len(self._given)

    def working(self, rows: Index) -> Floats:
        """(len(rows), D) a copy of these rows as products see them: scaled, and shifted if need be."""
        if self._scale != 1:  # in double precision: the scale may be beyond what float32 holds
            part = np.empty((len(rows), self.width), self.dtype)
            for at in range(0, len(rows), self._step):
                part[at : at + self._step] = self.exact(rows[at : at + self._step])
        else:
            part = self._given[rows]
        if self._shift is not None:
            part = part - self._shift
        return np.ascontiguousarray(part, self.dtype)

    def exact(self, rows: Index) -> Doubles:
        """(len(rows), D) a copy of these rows in double precision, scaled and never shifted; for few rows."""
        part = self._given[rows].astype(np.float64)
        if self._scale != 1:
            part *= self._scale
        return part

    def products(self, first: int, after: int, rows: Index, vectors: Floats) -> Floats:
        """(len(rows), ...) products of `rows`, ascending and all within first..after - 1, with `vectors` (D, ...)."""
        if self._in_place and 2 * len(rows) >= after - first:
            return (self._given[first:after] @ vectors)[rows - first]
        out = np.empty((len(rows), *vectors.shape[1:]), self.dtype)
        for at in range(0, len(rows), self._step):
            out[at : at + self._step] = self.working(rows[at : at + self._step]) @ vectors
        return out

    def differences(self, rows: Index, centres: Index) -> Doubles:
        """(len(rows),) squared distance of each row to its centre, by subtraction; `centres` as long, or one."""
        out = np.empty(len(rows))
        one = self.exact(centres) if len(centres) == 1 else None
        for at in range(0, len(rows), self._step):
            part = self.exact(rows[at : at + self._step])
            part -= self.exact(centres[at : at + self._step]) if one is None else one
            out[at : at + self._step] = np.einsum("ij,ij->i", part, part)
        return out

    def _squared_norms(self) -> Doubles:
        out = np.empty(len(self))
        with np.errstate(over="ignore", under="ignore"):  # what overflows is scaled afterwards
            for at in range(0, len(self), self._step):
                rows = np.arange(at, min(at + self._step, len(self)))
                part = self.exact(rows) if self._shift is None else self.working(rows).astype(np.float64)
                out[rows] = np.einsum("ij,ij->i", part, part)
        return out

    def _rescale(self) -> None:
        """Scale by a power of two, which rounds nothing, so that the largest number is about 1."""
        blocks = range(0, len(self), self._step)
        top = max(float(np.abs(self._given[at : at + self._step]).max()) for at in blocks)
        if top > 0:
            self._scale = float(np.ldexp(1.0, -max(int(np.frexp(top)[1]), -1000)))
            self._in_place = False
            self.norms = self._squared_norms()

    def _move_to_mean(self) -> None:
        total = np.zeros(self.width)
        for at in range(0, len(self), self._step):
            total += self.exact(np.arange(at, min(at + self._step, len(self)))).sum(axis=0)
        mean = total / len(self)
        far = float(mean @ mean)
        if far > FAR * max(float(self.norms.mean()) - far, 0.0):
            self._shift = mean.astype(self.dtype)
            self._in_place = False
            self.norms = self._squared_norms()


def rounding(n_terms: int, dtype: np.dtype[Any]) -> tuple[float, float]:
    """How far `|x|^2 + |y|^2 - 2 x.y` may be off: a part of `|x|^2 + |y|^2`, and a number (for underflow).

    A sum of n products is off by at most n eps / 2 times the product of the norms, in whatever order it is summed; the
    rest is room for the other operations.
    """
    info = np.finfo(dtype)
    return (n_terms + 16) * float(info.eps), (n_terms + 16) * float(info.tiny)


def _in_one_piece(array: Floats) -> bool:
    """Whether a matrix product can read `array` where it lies: rows or columns in one piece, none overlapping."""
    size, (n, d), (row, column) = array.itemsize, array.shape, array.strides
    return bool(array.flags.aligned) and (
        (column == size and row >= d * size and row % size == 0)
        or (row == size and column >= n * size and column % size == 0)
    )
