"""Batches by greedy maximisation of a submodular function: lazy greedy, and how much a batch says about a query set.

The function is the facility location mutual information, FLQMI (Kothawade et al. 2021). With the similarity
s of a query q and a candidate x, in -1..1, and a batch A,

    f(A) = sum over q of max over x in A of s(q, x)  +  eta * sum over x in A of max over q of s(q, x),

and the gain of x given A is `sum over q of max(0, s(q, x) - best_q) + eta * max over q of s(q, x)`, best_q the largest
similarity of q to any of A; before the first it is -1, which adds the same to all gains. f is submodular. Where no
similarity is negative it is monotone, too, so that greedy reaches at least 1 - 1/e of the best f of the same size
(Nemhauser, Wolsey and Fisher 1978).

Similarities are cosines of gradients `a (x) h` and are never kept: cos(g_q, g_x) = cos(a_q, a_x) cos(h_q, h_x).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats = NDArray[np.floating[Any]]
Doubles = NDArray[np.float64]
Places = NDArray[np.intp]

LEAST_BATCH = 32  # candidates whose bounds are renewed first in a step of lazy greedy; then twice as many each time
MOST_BATCH = 512  # as many as a matrix product needs to be fast; more would be renewed in vain
ROWS, QUERIES = 512, 1024  # similarities of one block: 2 MB in single precision


class Submodular(Protocol):
    """A submodular function of a growing set of candidates, as lazy greedy sees it.

    tolerance: what rounding may change a gain by.
    """

    tolerance: float

    def bounds(self, places: Places) -> Doubles:
        """(n,) at least the gains of the candidates at `places`, quickly."""

    def gains(self, places: Places) -> Doubles:
        """(n,) what f grows by when a candidate joins the set; it never grows, but for rounding."""

    def take(self, place: int) -> None:
        """Let a candidate join the set."""


class Gradients(NamedTuple):
    """n gradients of a last layer's weights: gradient i is `outputs[i] (x) hidden[i]`, K x d, and is never built.

    outputs: (n, K) the gradient by the scores of the classes.
    hidden:  (n, d) what the last layer is fed.
    """

    outputs: Floats
    hidden: Floats


def flqmi_greedy(
    queries: Gradients, candidates: Callable[[Places], Gradients], n_candidates: int, size: int, eta: float = 1.0
) -> Places:
    """(min(size, n_candidates),) the places of the candidates that greedy takes for FLQMI, in this order.

    candidates: gives the gradients of a block of candidates by place, 0..n_candidates - 1; called for every candidate
    once, and again for those that may be the best of a step. Any floating type.
    eta: the weight of the second sum, at least 0.

    Memory: the queries in single and in double precision, and one block.
    """
    return lazy_greedy(MutualInformation(queries, candidates, eta), n_candidates, size)


def lazy_greedy(function: Submodular, n_candidates: int, size: int) -> Places:
    """(min(size, n_candidates),) the places that greedy takes, in this order; few gains are computed (Minoux 1978).

    A gain that was computed for a smaller set bounds the gain now, so a candidate is looked at again only when its
    bound reaches the largest gain. Gains that differ by no more than the tolerance are equal, and of equal ones the
    lowest place is taken: the choice depends neither on who was looked at nor on how products were grouped.
    """
    bounds = function.bounds(np.arange(n_candidates))
    taken = np.zeros(n_candidates, np.bool_)
    chosen = np.empty(min(size, n_candidates), np.intp)
    for step in range(len(chosen)):
        chosen[step] = place = _next(function, bounds, taken)
        function.take(place)
        taken[place] = True
    return chosen


def _next(function: Submodular, bounds: Doubles, taken: NDArray[np.bool_]) -> int:
    """The place to take now; `bounds` are lowered where they were looked at.

    Places above the best one matter only if they may gain more; those below it also if they may gain the same. Where
    thousands are tied, all but a few are therefore left alone.
    """
    renewed, known = taken.copy(), taken.copy()
    largest, best, batch, tolerance = -np.inf, len(bounds), LEAST_BATCH, function.tolerance
    while True:
        rivals = np.flatnonzero(~known & (bounds > largest + 2 * tolerance))
        if not len(rivals):
            rivals = np.flatnonzero(~known[:best] & (bounds[:best] >= largest - tolerance))[:batch]
        if not len(rivals):
            return best
        stale = rivals[~renewed[rivals]]
        if len(stale):
            stale = _highest(bounds, stale, batch)
            bounds[stale] = np.minimum(bounds[stale], function.bounds(stale))
            renewed[stale] = True
            batch = min(2 * batch, MOST_BATCH)
            first = stale[[bounds[stale].argmax()]]  # its gain tells which others must be looked at
            rivals = first[bounds[first] > largest]
        if len(rivals):
            gains = function.gains(rivals)
            bounds[rivals] = gains + tolerance
            known[rivals] = True
            largest = max(largest, float(gains.max()))
            best = int(np.argmax(known & ~taken & (bounds >= largest)))


def _highest(bounds: Doubles, places: Places, size: int) -> Places:
    """The `size` of some places with the highest bounds, ascending."""
    if len(places) <= size:
        return places
    return np.sort(places[np.argpartition(-bounds[places], size - 1)[:size]])


class MutualInformation:
    """FLQMI between a query set and a growing batch of candidates, similarities being cosines of gradients.

    Arguments as in `flqmi_greedy`.

    Bounds come from products in single precision, made safe by what rounding may do at most; gains from products in
    double precision. Keeps the queries in both. O(n |Q| (K + d)) time for n candidates.
    """

    def __init__(self, queries: Gradients, candidates: Callable[[Places], Gradients], eta: float = 1.0) -> None:
        self._single, self._double = _unit(queries, np.float32), _unit(queries, np.float64)
        self._candidates, self._eta = candidates, eta
        self._best = np.full(len(queries.hidden), -1.0)
        width = queries.outputs.shape[1] + queries.hidden.shape[1]
        self._slack = _rounding(width, np.float32)
        one = _rounding(width, np.float64) + len(self._best) * float(np.finfo(np.float64).eps)
        self.tolerance = (len(self._best) + eta) * one

    def bounds(self, places: Places) -> Doubles:
        """(n,) at least the gains: no similarity is wrong by more than the slack, a sum of m terms by m roundings."""
        rough = self._gains(places, self._single, self._best - self._slack, np.float32)
        part = QUERIES * float(np.finfo(np.float32).eps)  # of the sum, which is at most rough + eta
        return rough * (1 + part) + self._eta * (self._slack + part)

    def gains(self, places: Places) -> Doubles:
        """(n,) what the batch would say more of the queries."""
        return self._gains(places, self._double, self._best, np.float64)

    def take(self, place: int) -> None:
        """Let a candidate join the batch."""
        block = _unit(self._candidates(np.array([place])), np.float64)
        np.maximum(self._best, _similarities(self._double, block)[0], out=self._best)

    def _gains(self, places: Places, queries: Gradients, best: Doubles, dtype: DTypeLike) -> Doubles:
        """(n,) gains over `best`, the similarities in `dtype`."""
        best = best.astype(dtype)
        total, nearest = np.zeros(len(places)), np.full(len(places), -1.0)
        for row in range(0, len(places), ROWS):
            rows = slice(row, row + ROWS)
            block = _unit(self._candidates(places[rows]), dtype)
            for first in range(0, len(best), QUERIES):
                part = slice(first, first + QUERIES)
                similar = _similarities(Gradients(queries.outputs[part], queries.hidden[part]), block)
                np.maximum(nearest[rows], similar.max(axis=1), out=nearest[rows])
                similar -= best[part]
                total[rows] += np.maximum(similar, 0, out=similar).sum(axis=1)
        return total + self._eta * nearest


def _similarities(queries: Gradients, block: Gradients) -> Floats:
    """(n, |Q|) cosines of a block of candidates and the queries, both of unit rows."""
    similar: Floats = block.hidden @ queries.hidden.T
    similar *= block.outputs @ queries.outputs.T
    return similar


def _unit(gradients: Gradients, dtype: DTypeLike) -> Gradients:
    """Both factors as new arrays in `dtype` with rows of length 1; rows of 0 stay 0, and so do their cosines."""
    return Gradients(_unit_rows(gradients.outputs, dtype), _unit_rows(gradients.hidden, dtype))


def _unit_rows(rows: Floats, dtype: DTypeLike) -> Floats:
    rows = rows.astype(np.result_type(rows, dtype))
    largest = np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0))[:, None]
    rows /= np.where(largest > 0, largest, 1)  # first: no square is too large, nor lost where all are small
    rows = rows.astype(dtype, copy=False)
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    rows /= np.where(length > 0, length, 1)
    return rows


def _rounding(width: int, dtype: DTypeLike) -> float:
    """What a similarity may be wrong by: sums of K and of d products, those of the lengths, and some scaling."""
    return float((width + 20) * np.finfo(dtype).eps)
