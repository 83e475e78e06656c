"""Batches by greedy maximisation of a submodular function: lazy greedy, and how much a batch says about a query set.

The function is the facility location mutual information FLQMI (Kothawade et al. 2021, table 1; Kaushal et al.). With
the similarity s of a query q and a candidate x, and a batch A,

    f(A) = sum over q of max over x in A of s(q, x)  +  eta * sum over x in A of max over q of s(q, x),

and the gain of x given A is `sum over q of max(0, s(q, x) - best_q) + eta * max over q of s(q, x)`, where best_q is the
similarity of q to the nearest in A, 0 for none. No similarity is below 0. f is monotone and submodular, so greedy
reaches at least 1 - 1/e of the best f of the same size (Nemhauser, Wolsey and Fisher 1978).

Similarities are cosines of gradients `a (x) h` and are never stored: cos(g_q, g_x) = cos(a_q, a_x) cos(h_q, h_x).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats = NDArray[np.floating[Any]]
Places = NDArray[np.intp]

BATCH = 32  # candidates evaluated at first when a step of lazy greedy begins; doubled until the step is decided
ROWS = 512  # candidates in one matrix product
QUERIES = 1024  # queries in one matrix product: the similarities of a block are 2 MB in single precision


class Gradients(NamedTuple):
    """n gradients of a last layer's weights: gradient i is `outputs[i] (x) hidden[i]`, (K, d), and is never built.

    outputs: (n, K) by the class's score.
    hidden:  (n, d) what the last layer is fed.
    """

    outputs: Floats
    hidden: Floats


def flqmi_greedy(
    queries: Gradients, candidates: Callable[[Places], Gradients], n_candidates: int, size: int, eta: float = 1.0
) -> Places:
    """(min(size, n_candidates),) places of the candidates that greedy takes for FLQMI, in this order.

    candidates: gives the gradients of a block of candidates, by place 0..n_candidates - 1.
    eta: the weight of the second sum, at least 0.

    Gains are decided in double precision. Where rounding alone may explain a difference, the lower place is taken.
    Costs one pass of matrix products over all candidates in single precision, whose results are upper bounds, and
    after it those candidates only whose bound reaches the best gain. Memory is that of the queries, in both precisions,
    and of a block.
    """
    n_queries = len(queries.hidden)
    single, double = _unit(queries, np.float32), _unit(queries, np.float64)
    width = queries.hidden.shape[1] + queries.outputs.shape[1]
    best = np.zeros(n_queries)

    slack = _rounding(width, np.float32)  # of one similarity, and below, relative, of a sum over one block
    bounds = _gains(single, candidates, np.arange(n_candidates), best - slack, eta, np.float32)
    bounds = (bounds + eta * slack) * (1 + QUERIES * np.finfo(np.float32).eps)

    def gains(places: Places) -> NDArray[np.float64]:
        return _gains(double, candidates, places, best, eta, np.float64)

    def take(place: int) -> None:
        block = _unit(candidates(np.array([place])), np.float64)
        for first in range(0, n_queries, QUERIES):
            part = best[first : first + QUERIES]
            np.maximum(part, _similarities(_part(double, first), block)[0], out=part)

    tolerance = (n_queries + eta) * (_rounding(width, np.float64) + n_queries * np.finfo(np.float64).eps)
    return lazy_greedy(bounds, gains, take, size, tolerance)


def lazy_greedy(
    bounds: NDArray[np.float64],
    gains: Callable[[Places], NDArray[np.float64]],
    take: Callable[[int], None],
    size: int,
    tolerance: float,
) -> Places:
    """(min(size, M),) places that greedy takes, with as few gains as needed (Minoux 1978).

    bounds: (M,) at least the gain of each candidate at the start; may be infinite.
    gains: gives the gains of some candidates, ascending, given what has been taken. They never grow, but for rounding.
    take: is called with each place as it is taken.
    tolerance: what rounding may change a gain by. Gains within it of the largest are equal to it, and of those the
    lowest place is taken. So the outcome does not depend on which candidates were evaluated together.
    """
    bounds = bounds.copy()
    taken = np.zeros(len(bounds), np.bool_)
    chosen = np.empty(min(size, len(bounds)), np.intp)
    for step in range(len(chosen)):
        fresh, largest, batch = taken.copy(), -np.inf, BATCH
        while True:
            open = np.flatnonzero(~fresh & (bounds >= largest - tolerance))
            if not len(open):
                break
            if len(open) > batch:
                open = np.sort(open[np.argpartition(-bounds[open], batch - 1)[:batch]])
            now = gains(open)
            largest = max(largest, float(now.max()))
            bounds[open] = now + tolerance
            fresh[open] = True
            batch *= 2
        place = int(np.flatnonzero(fresh & ~taken & (bounds >= largest))[0])
        take(place)
        taken[place] = True
        chosen[step] = place
    return chosen


def _gains(
    queries: Gradients,
    candidates: Callable[[Places], Gradients],
    places: Places,
    best: NDArray[np.float64],
    eta: float,
    dtype: DTypeLike,
) -> NDArray[np.float64]:
    """(n,) gains of the candidates at `places`, the similarities in `dtype`."""
    best = best.astype(dtype)
    total, nearest = np.zeros(len(places)), np.zeros(len(places))
    for row in range(0, len(places), ROWS):
        rows = slice(row, row + ROWS)
        block = _unit(candidates(places[rows]), dtype)
        for first in range(0, len(best), QUERIES):
            similar = _similarities(_part(queries, first), block)
            np.maximum(nearest[rows], similar.max(axis=1), out=nearest[rows])
            similar -= best[first : first + QUERIES]
            total[rows] += np.maximum(similar, 0, out=similar).sum(axis=1)
    return total + eta * nearest


def _similarities(queries: Gradients, block: Gradients) -> Floats:
    """(n, |Q|) cosines of a block of candidates and some queries, both of unit rows; below 0 too."""
    similar = block.hidden @ queries.hidden.T
    similar *= block.outputs @ queries.outputs.T
    return similar


def _part(queries: Gradients, first: int) -> Gradients:
    return Gradients(queries.outputs[first : first + QUERIES], queries.hidden[first : first + QUERIES])


def _unit(gradients: Gradients, dtype: DTypeLike) -> Gradients:
    """Both factors as new arrays with rows of length 1, or 0 where they are 0."""
    return Gradients(*(_unit_rows(rows, dtype) for rows in gradients))


def _unit_rows(rows: Floats, dtype: DTypeLike) -> Floats:
    rows = rows.astype(np.result_type(rows, dtype))
    if rows.shape[1]:
        largest = np.maximum(rows.max(axis=1), -rows.min(axis=1))[:, None]
        rows /= np.where(largest > 0, largest, 1)  # first: no square overflows, nor is lost where all are small
    rows = rows.astype(dtype, copy=False)
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    rows /= np.where(length > 0, length, 1)
    return rows


def _rounding(width: int, dtype: DTypeLike) -> float:
    """What a similarity may be wrong by: sums of K and of d products, twice for the lengths; some for the scaling."""
    return float((width + 10) * np.finfo(dtype).eps)
