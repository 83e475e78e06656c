"""What every candidate would add to the Fisher information, from two small matrices each.

A candidate is V = L (x) h: its (K-1, K-1) root L and its row h of the embedding. Of the inverse G of what is known so
far, and of H = G F G, it needs P = V G V^T and R = V H V^T alone, both (K-1, K-1). They follow every change of G by
inner products with h, so nothing of (K-1) D columns is ever built for a candidate.

Small symmetric matrices are packed: the columns of the lower triangle one after the other, a contiguous row of numbers
for each entry, candidates side by side. What is done to an entry is then one pass over a block that stays in the cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cutpoint.core.blocks import for_each
from cutpoint.core.rows import Rows, thin

Floats = NDArray[np.floating[Any]]
Doubles = NDArray[np.float64]
CACHED = 1 << 17  # candidates of a block times (K-1)^2: a few such arrays fit into a level-two cache
SHORTEST, LONGEST = 64, 4096  # candidates in a block: shorter ones cost calls, longer ones leave the cache
STRIP = 1024  # rows of the embedding in one product of all its columns


class Roots:
    """Square roots L = (I - t s s^T) diag(s) of diag p - p p^T without its last class, for n examples.

    s = sqrt(p) and t = 1 / (1 + sqrt(p_last)), so that L^T L = diag p - p p^T; the product with L costs O(K). Rows
    that do not quite sum to one are used as they are: p p^T then has the factor 2 - sum p, as it has in
    sum_c p_c (e_c - p) (e_c - p)^T. Both arrays are (K-1, n): `s`, and `ts`, which is t s.
    """

    def __init__(self, probs: Floats, dtype: DTypeLike = np.float64) -> None:
        p = np.ascontiguousarray(probs.T, dtype=np.float64)
        excess = p.sum(axis=0) - 1
        t = (1 - excess) / (1 + np.sqrt(excess**2 + (1 - excess) * p[-1]))
        s = np.sqrt(p[:-1])
        self.s: Floats = s.astype(dtype)
        self.ts: Floats = (t * s).astype(dtype)

    def times(self, columns: Floats, part: slice = slice(None)) -> Floats:
        """L times the columns (K-1, m, n) of the examples `part`, in place."""
        s, ts = self.s[:, part], self.ts[:, part]
        columns *= s[:, None]
        inner = np.einsum("an,amn->mn", s, columns)
        for row, factor in zip(columns, ts, strict=True):
            row -= factor * inner
        return columns

    def matrix(self) -> Floats:
        """(K-1, K-1, n) the roots themselves."""
        eye = np.eye(len(self.s), dtype=self.s.dtype)
        return self.times(np.repeat(eye[:, :, None], self.s.shape[1], axis=2))


class Gains:
    """tr[R (I + sign P)^-1] of every candidate: what it adds (sign 1), or what leaving it out would cost (sign -1).

    rows:   the candidates' embedding (n, D).
    probs:  (n, K).
    weight: what V^T V is multiplied by.
    O(n K^2) memory.
    """

    def __init__(self, rows: Rows, probs: Floats, weight: float, sign: int = 1) -> None:
        self._rows, self._sign, self._weight = rows, sign, weight
        self._roots = Roots(probs, rows.dtype)
        self._k = k = probs.shape[1] - 1
        ends = np.cumsum([0, *range(k, 0, -1)]).tolist()
        self._columns = [slice(ends[a], ends[a + 1]) for a in range(k)]
        self._width = width = min(max(CACHED // k**2, SHORTEST), LONGEST)
        self._parts = [slice(first, min(first + width, len(rows))) for first in range(0, len(rows), width)]
        self._state = [np.empty((2, k * (k + 1) // 2, part.stop - part.start), rows.dtype) for part in self._parts]

    def start(self, inverse: Doubles, middle: Doubles) -> Floats:
        """(n,) the values for G = `inverse` and G F G = `middle`, each (K-1) D x (K-1) D."""
        for index, matrix in enumerate((inverse, middle)):
            blocks = (matrix * self._weight).reshape(2 * (self._k, self._rows.n_columns)).astype(self._rows.dtype)
            for part, state in zip(self._parts, self._state, strict=True):
                self._fill(state[index], blocks, part)
        return np.concatenate([self._value(state) for state in self._state])

    def changed(self, outer: Doubles, middle: Doubles) -> Floats:
        """(n,) after G lost (sign 1) or gained (sign -1) U U^T, and G F G likewise U W^T + W U^T.

        outer: (K-1) D x (K-1), U; middle: W, of the same shape.
        """
        k = self._k
        both = np.concatenate((outer, middle), axis=1) * np.sqrt(self._weight)
        columns = both.reshape(k, -1, 2 * k).transpose(1, 0, 2).reshape(-1, 2 * k * k).astype(self._rows.dtype)
        values = np.empty(len(self._rows), self._rows.dtype)
        change = np.subtract if self._sign > 0 else np.add

        def follow(place: int) -> None:
            part, (p, r) = self._parts[place], self._state[place]
            vw = thin(self._rows, columns, part).reshape(k, 2 * k, -1)
            vw = self._roots.times(vw, part)
            wv = np.concatenate((vw[:, k:], vw[:, :k]), axis=1)
            for a, column in enumerate(self._columns):
                change(p[column], np.einsum("jn,bjn->bn", vw[a, :k], vw[a:, :k]), out=p[column])
                change(r[column], np.einsum("jn,bjn->bn", vw[a], wv[a:]), out=r[column])
            values[part] = self._value(self._state[place])

        for_each(len(self._parts), follow, rows=len(self._rows))
        return values

    def drop(self, candidate: int) -> None:
        """No longer ask about one: its value is 0 from now on, and harmless."""
        self._roots.s[:, candidate] = self._roots.ts[:, candidate] = 0
        block, place = divmod(candidate, self._width)
        self._state[block][:, :, place] = 0

    def _value(self, state: Floats) -> Floats:
        """tr[R (I + sign P)^-1], from the inverse of a Cholesky factor, an entry of all candidates at a time."""
        k, (p, r) = self._k, state
        least = np.finfo(p.dtype).eps
        factor = np.zeros((k, k, p.shape[1]), p.dtype)
        inverse = np.zeros_like(factor)  # of the factor; both are lower triangles
        for a, column in enumerate(self._columns):
            below = p[column] * self._sign
            below[0] += 1
            if a:
                below -= np.einsum("jn,bjn->bn", factor[a, :a], factor[a:, :a])
            np.maximum(below[0], least, out=below[0])
            scale = inverse[a, a]
            np.divide(1, np.sqrt(below[0]), out=scale)
            if a:
                np.einsum("jn,jbn->bn", factor[a, :a], inverse[:a, :a], out=inverse[a, :a])
                inverse[a, :a] *= -scale
            np.multiply(below[1:], scale, out=factor[a + 1 :, a])
        value: Floats = np.zeros_like(p[0])
        for a, column in enumerate(self._columns):
            whole = np.einsum("jn,jbn->bn", inverse[a:, a], inverse[a:, a:])
            whole *= r[column]
            whole[1:] *= 2
            value += whole.sum(axis=0)
        return value

    def _fill(self, packed: Floats, blocks: Floats, part: slice) -> None:
        """L_x (h_x^T Q_ab h_x)_ab L_x^T of the candidates `part`; blocks: (K-1, D, K-1, D), Q."""
        k = self._k
        square = np.empty((k, k, part.stop - part.start), packed.dtype)
        for first in range(part.start, part.stop, STRIP):
            after = min(first + STRIP, part.stop)
            h = self._rows.take(slice(first, after))
            to = slice(first - part.start, after - part.start)
            for a in range(k):
                images = (h @ blocks[a, :, : a + 1].reshape(h.shape[1], -1)).reshape(len(h), a + 1, -1)
                square[a, : a + 1, to] = square[: a + 1, a, to] = np.einsum("nbd,nd->bn", images, h)
        square = self._roots.times(square, part)
        square = self._roots.times(np.ascontiguousarray(square.transpose(1, 0, 2)), part)
        for a, column in enumerate(self._columns):
            packed[column] = square[a, a:]
