"""Batches that leave the least of the pool's Fisher information unexplained: greedy forward, then greedy backward.

Ash, Goel, Krishnamurthy and Kakade (2021), *Gone fishing: neural active learning with Fisher embeddings*, Algorithm 1.
The information of an example about the last layer is (diag p - p p^T) (x) h h^T, of K D rows and columns. The rows of
diag p - p p^T sum to zero, so all classes' weights moving together is a direction that no example says anything about.
Without it, in the coordinates "weights of the first K - 1 classes, less those of the last", the same objective has
(K-1) D columns: the information is the same matrix without its last class, and the identity becomes
(I - 1 1^T / K) (x) I. With two classes an example has a single column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cutpoint.core.fisher_gains import Gains, Roots
from cutpoint.core.rows import BLOCK, Rows, longest, principal, thin
from cutpoint.errors import UsageError

Floats = NDArray[np.floating[Any]]
Doubles = NDArray[np.float64]
Index = NDArray[np.intp]
PENDING = 64  # columns by which the inverse is late: it is written once for so many, not once a step
AFRESH = 8  # gains are computed anew when they have fallen by this factor: their rounding would stay as it was
LARGEST = 1 << 29  # numbers kept of all candidates together: 2 GiB
HARMLESS = {"float32": 1e2, "float64": 1e5}  # lengths of rows up to which the rounding of their squares is small
TIED = {"float32": 1e-5, "float64": 1e-10}  # relative differences of gains that rounding may have made
FAINTEST = 1e-12  # the identity, relative to the longest squared row, is never less: rounding would decide


def choose(embedding: Floats, probs: Floats, labelled: Index, free: Index, budget: int, columns: int) -> Index:
    """(B,) the chosen of `free`, in the order in which they were chosen; B = min(budget, len(free)).

    embedding: (N, D); probs: (N, K), K >= 2; labelled, free: ascending indices into both.
    columns:   (K-1) D is at most this; a wider embedding is reduced to its principal directions.
    Ties, and differences that rounding could have made: the lower index is added, the higher one is left out.
    O(D K (B N K + (K D)^2)) time for the products, O(B N K^3) for the rest; O(N K^2 + (K D)^2) memory.
    """
    n, n_classes = probs.shape
    _check(n, n_classes - 1, columns)
    budget = min(budget, len(free))
    size = longest(embedding)
    if not size or not budget:
        return free[:budget]
    rows, identity = _scaled(embedding, size)
    rows = principal(rows, columns // (n_classes - 1))
    weight = 1 / (len(labelled) + budget)
    known = prior(n_classes, rows.n_columns) * identity + weight * information(rows, probs, labelled)
    search = _Search(rows, probs, known, information(rows, probs) / n, weight * budget)
    chosen = search.forward(free, min(2 * budget, len(free)))
    return search.backward(chosen, budget)


def prior(n_classes: int, n_columns: int) -> Doubles:
    """((K-1) D, (K-1) D) the identity of all K D weights, seen from the differences to the last class."""
    differences: Doubles = np.eye(n_classes - 1) - 1 / n_classes
    return np.kron(differences, np.eye(n_columns)).astype(np.float64)


def information(rows: Rows, probs: Floats, which: Index | None = None) -> Doubles:
    """((K-1) D, (K-1) D) the sum of (diag p - p p^T) (x) h h^T over the examples `which`, or all: no last class."""
    k, d = probs.shape[1] - 1, rows.n_columns
    total = np.zeros((k, d, k, d))
    for first in range(0, len(rows if which is None else which), BLOCK):
        block = slice(first, first + BLOCK)
        part = block if which is None else which[block]
        h, p = rows.take(part), probs[part].astype(rows.dtype)
        rest = 2 - p.sum(axis=1)
        for a in range(k):
            for b in range(a + 1):
                factor = p[:, a] * ((a == b) - rest * p[:, b])
                total[a, :, b] += (h * factor[:, None]).T @ h
    for a in range(k):
        for b in range(a):
            total[b, :, a] = total[a, :, b].T
    return total.reshape(k * d, k * d)


def _check(n_examples: int, k: int, columns: int) -> None:
    """UsageError where the columns do not suffice for K - 1 = k, or the candidates' matrices would be too large."""
    if columns < k:
        raise UsageError(
            f"columns is {columns}; with {k + 1} classes BAIT needs at least {k}: hand in bait_with(columns={k})."
        )
    if n_examples * k * (k + 1) > LARGEST:
        raise UsageError(
            f"BAIT keeps {k * (k + 1)} numbers for each of {n_examples} examples with {k + 1} classes, more than "
            f"{LARGEST} in all; hand in a part of the pool, join classes, or choose badge."
        )


def _scaled(embedding: Floats, size: float) -> tuple[Rows, float]:
    """The rows in the type to compute in, and what stands for the identity."""
    dtype: DTypeLike = np.promote_types(embedding.dtype, np.float32)
    if 1e-3 < size <= HARMLESS.get(str(dtype), 0.0):
        return Rows(embedding, dtype), 1.0
    scale = 1 / max(size, 1e-300)
    return Rows(embedding, np.float64, scale), min(max(scale * scale, FAINTEST), 1 / FAINTEST)


class _Search:
    """The inverse G of what is known with what is chosen so far, and F, the information of the pool."""

    def __init__(self, rows: Rows, probs: Floats, known: Doubles, pool: Doubles, weight: float) -> None:
        self._rows, self._probs, self._weight = rows, probs, weight
        self._pool, self._whole = pool, slice(0, len(pool))
        self._inverse: Doubles = np.linalg.inv(known).astype(np.float64, copy=False)
        self._inverse += self._inverse.T.copy()
        self._inverse /= 2
        self._late: Doubles = np.empty((len(pool), PENDING + probs.shape[1] - 1))
        self._n_late = 0

    def forward(self, free: Index, n_steps: int) -> Index:
        """(n_steps,) of `free`: each the one that lowers tr(M^-1 F) most."""
        gains = Gains(self._rows, self._probs, self._weight)
        values = gains.start(*self._matrices())
        best = top = values[free].max()
        left = np.ones(len(free), bool)
        chosen: list[int] = []
        while True:
            if best * AFRESH < top:
                values = gains.start(*self._matrices())
                top = best
            place = _first_largest(np.where(left, values[free], -np.inf))
            left[place] = False
            chosen.append(int(free[place]))
            outer, middle = self._change(chosen[-1], 1)
            if len(chosen) == n_steps:
                return np.array(chosen, np.intp)
            values = gains.changed(outer, middle)
            best = values[free[left]].max()

    def backward(self, chosen: Index, size: int) -> Index:
        """(size,) of `chosen`: one after the other, that without which tr(M^-1 F) rises least is left out."""
        if size >= len(chosen):
            return chosen
        order = np.argsort(-chosen)  # of equal ones the first, so the highest index, goes
        rows = Rows(self._rows.take(chosen[order]).astype(np.float64), np.float64)
        gains = Gains(rows, self._probs[chosen[order]], self._weight, -1)
        left = np.ones(len(chosen), bool)
        values = gains.start(*self._matrices())
        while True:
            place = _first_largest(np.where(left, -values, -np.inf))
            left[place] = False
            if np.count_nonzero(left) == size:
                return chosen[np.sort(order[left])]
            gains.drop(place)
            values = gains.changed(*self._change(int(chosen[order[place]]), -1))

    def _matrices(self) -> tuple[Doubles, Doubles]:
        """G and G F G, with no change pending."""
        self._write(1)
        return self._inverse, self._inverse @ self._pool @ self._inverse

    def _change(self, example: int, sign: int) -> tuple[Doubles, Doubles]:
        """U and W of the change of G when the example is added (sign 1) or left out (sign -1): see Gains.changed.

        Woodbury: U = G V^T S^(-1/2) with S = I + sign V G V^T, and W = G F U - sign U U^T F U / 2 with G as it was.
        """
        root = Roots(self._probs[example : example + 1]).matrix()[:, :, 0]
        row = self._rows.take(slice(example, example + 1))[0].astype(np.float64)
        columns = np.kron(root.T, row[:, None]) * np.sqrt(self._weight)
        image = self._times(columns, sign)
        lengths, axes = np.linalg.eigh(np.eye(len(root)) + sign * (columns.T @ image))
        outer = np.asarray(image @ (axes / np.sqrt(np.maximum(lengths, 1e-14))), np.float64)
        through = thin(self._pool, outer, self._whole).T.astype(np.float64, copy=False)
        middle = self._times(through, sign) - outer @ (sign / 2 * (outer.T @ through))
        self._late[:, self._n_late : self._n_late + len(root)] = outer
        self._n_late += len(root)
        if self._n_late >= PENDING:
            self._write(sign)
        return outer, middle

    def _times(self, columns: Doubles, sign: int) -> Doubles:
        """G times columns, what is pending included."""
        late = self._late[:, : self._n_late]
        result = thin(self._inverse, columns, self._whole).T - late @ (sign * (late.T @ columns))
        return result.astype(np.float64, copy=False)

    def _write(self, sign: int) -> None:
        """Bring G up to date."""
        late = self._late[:, : self._n_late]
        self._inverse -= (sign * late) @ late.T
        self._n_late = 0


def _first_largest(values: Floats) -> int:
    """The first place whose value is the largest, up to what rounding may have done to it."""
    top = values.max()
    return int(np.argmax(values >= top - TIED[str(values.dtype)] * abs(top)))
