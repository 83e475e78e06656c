"""What every candidate would add to the Fisher information, from two small matrices each.

A candidate is V = L (x) h: its (K-1, K-1) root L and its row h of the embedding. Of the inverse G of what is known so
far, and of H = G F G, it needs P = V G V^T and R = V H V^T alone, both (K-1, K-1). They follow every change of G by
inner products with h, so nothing of (K-1) D columns is ever built for a candidate.

Small symmetric matrices are packed: the rows of the lower triangle one after the other, one contiguous row of numbers
per entry, candidates side by side. An operation on an entry is then one pass over a block that stays in a core's cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cutpoint.core.rows import Rows

Floats = NDArray[np.floating[Any]]
Doubles = NDArray[np.float64]
CACHED = 1 << 15  # candidates of a block times (K-1)^2: a few such arrays fit into a level-two cache
SHORTEST, LONGEST = 64, 512  # candidates in a block: shorter ones cost calls, longer ones leave the cache with h


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

    rows:    the candidates' embedding (n, D).
    probs:   (n, K).
    weight:  what V^T V is multiplied by.
    inverse: (K-1) D x (K-1) D, G, and `middle` G F G. O(n K^2) memory.
    """

    def __init__(
        self, rows: Rows, probs: Floats, weight: float, matrices: tuple[Doubles, Doubles], sign: int = 1
    ) -> None:
        self._rows, self._sign, self._weight = rows, sign, weight
        self._roots = Roots(probs, rows.dtype)
        self._k = probs.shape[1] - 1
        self._width = width = min(max(CACHED // self._k**2, SHORTEST), LONGEST)
        self._parts = [slice(first, min(first + width, len(rows))) for first in range(0, len(rows), width)]
        size = self._k * (self._k + 1) // 2
        self._state = [np.empty((2, size, part.stop - part.start), rows.dtype) for part in self._parts]
        for index, matrix in enumerate(matrices):
            self._fill(index, matrix * weight)

    def values(self) -> Floats:
        """(n,) now."""
        return np.concatenate([self._value(state) for state in self._state])

    def changed(self, outer: Doubles, middle: Doubles) -> Floats:
        """(n,) after G lost (sign 1) or gained (sign -1) U U^T, and G F G likewise U W^T + W U^T.

        outer: (K-1) D x (K-1), U; middle: W, of the same shape.
        """
        k = self._k
        both = np.concatenate((outer, middle), axis=1) * np.sqrt(self._weight)
        columns = both.reshape(k, -1, 2 * k).transpose(0, 2, 1).reshape(2 * k * k, -1).astype(self._rows.dtype)
        values = np.empty(len(self._rows), self._rows.dtype)
        change = np.subtract if self._sign > 0 else np.add
        for part, state in zip(self._parts, self._state, strict=True):
            p, r = state
            vw = (columns @ self._rows.take(part).T).reshape(k, 2 * k, -1)
            vw = self._roots.times(vw, part)
            wv = np.concatenate((vw[:, k:], vw[:, :k]), axis=1)
            for a in range(k):
                row = _row(a)
                change(p[row], np.einsum("jn,bjn->bn", vw[a, :k], vw[: a + 1, :k]), out=p[row])
                change(r[row], np.einsum("jn,bjn->bn", vw[a], wv[: a + 1]), out=r[row])
            values[part] = self._value(state)
        return values

    def drop(self, candidate: int) -> None:
        """No longer ask about one: its value is 0 from now on, and harmless."""
        self._roots.s[:, candidate] = self._roots.ts[:, candidate] = 0
        block, place = divmod(candidate, self._width)
        self._state[block][:, :, place] = 0

    def _value(self, state: Floats) -> Floats:
        """tr[R (I + sign P)^-1] by eliminating the last row and column of both, over and over."""
        p, r = state
        m = p * self._sign
        r = r.copy()
        value: Floats = np.zeros_like(m[0])
        floor = np.finfo(m.dtype).eps
        for a in reversed(range(self._k)):
            *_, pivot = m[_row(a)]
            pivot += 1
            np.maximum(pivot, floor, out=pivot)
            value += r[_row(a)][-1] / pivot
            if not a:
                break
            column = m[_row(a)][:-1]
            factor = column / pivot
            side = r[_row(a)][:-1] - factor * (r[_row(a)][-1] / 2)
            for b in range(a):
                row = _row(b)
                m[row] -= factor[b] * column[: b + 1]
                r[row] -= factor[b] * side[: b + 1]
                r[row] -= side[b] * factor[: b + 1]
        return value

    def _fill(self, index: int, matrix: Doubles) -> None:
        """L_x (h_x^T Q_ab h_x)_ab L_x^T of every candidate, Q = `matrix`."""
        k, d = self._k, self._rows.n_columns
        blocks = matrix.reshape(k, d, k, d).astype(self._rows.dtype)
        for part, state in zip(self._parts, self._state, strict=True):
            h = self._rows.take(part)
            square = np.empty((k, k, len(h)), h.dtype)
            for a in range(k):
                for b in range(a + 1):
                    square[a, b] = square[b, a] = np.einsum("nd,nd->n", h @ blocks[a, :, b], h)
            square = self._roots.times(square, part)
            square = self._roots.times(np.ascontiguousarray(square.transpose(1, 0, 2)), part)
            for a in range(k):
                state[index, _row(a)] = square[a, : a + 1]


def _row(a: int) -> slice:
    """Where row a of a packed lower triangle is."""
    return slice(a * (a + 1) // 2, (a + 1) * (a + 2) // 2)
