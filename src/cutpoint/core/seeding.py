"""Centres chosen one by one, each far from those before: k-means++ seeding (BADGE) and k-center greedy (CORESET).

Both keep, for every example, the squared distance to its nearest centre (`core/points.py`). Distances, never gradients:
for gradients g = a (x) h (Ash et al. 2020, section 3) that distance is a function of `|a_x - a_y|`, `|h_x - h_y|` and
four norms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from cutpoint.core.points import AHEAD, CENTRES, FIRST, ROWS, Doubles, Floats, Points, rounding
from cutpoint.types import Index


class Space(Protocol):
    """Examples 0..N-1 with a distance."""

    def __len__(self) -> int:
        """N."""

    def lower_bounds(self, first: int, after: int, rows: Index, centre: int) -> Doubles:
        """(len(rows),) no more than the squared distance of `rows`, all within first..after - 1, to `centre`."""

    def squared(self, rows: Index, centre: int) -> Doubles:
        """(len(rows),) squared distance to `centre`; 0 for its duplicates."""


class EmbeddingSpace:
    """Examples as points of an embedding (N, D), at their Euclidean distance."""

    def __init__(self, embedding: Floats) -> None:
        self._points = Points(embedding, shifted=True)
        self._part, self._least = rounding(self._points.width, self._points.dtype)
        self._foreseen: dict[int, Floats] = {}

    def __len__(self) -> int:
        """N."""
        return len(self._points)

    def lower_bounds(self, first: int, after: int, rows: Index, centre: int) -> Doubles:
        """(len(rows),) from one matrix-vector product, or from those foreseen."""
        points = self._points
        if centre in self._foreseen:
            product = self._foreseen[centre][rows].astype(np.float64)
        else:
            product = points.products(first, after, rows, points.working(np.array([centre]))[0]).astype(np.float64)
        whole: Doubles = points.norms[rows] + points.norms[centre]
        return (1 - self._part) * whole - self._least - 2 * product

    def squared(self, rows: Index, centre: int) -> Doubles:
        """(len(rows),) by subtraction."""
        return self._points.differences(rows, np.array([centre]))

    def foresee(self, distances: Doubles, centre: int, n_more: int) -> None:
        """Form the products for `centre`, and for what is farthest by now: these are probably centres soon.

        Reading a large embedding takes longer than multiplying it, so it is read once for all of them. This changes no
        choice. Nothing is done where the products for `centre` are there already.
        """
        n_more = min(n_more, AHEAD - 1)
        if centre in self._foreseen or not n_more or np.isinf(distances).any():
            return
        centres = np.append(np.argpartition(distances, -n_more)[-n_more:], centre)
        against = np.ascontiguousarray(self._points.working(centres).T)
        self._foreseen = {}  # before there are new ones
        products = np.zeros((len(centres), len(self)), self._points.dtype)
        for first, after, rows in _open_rows(distances):
            products[:, rows] = self._points.products(first, after, rows, against).T
        self._foreseen = dict(zip(centres.tolist(), products, strict=True))

    def lower_to_all(self, distances: Doubles, centres: Index) -> None:
        """As `lower` with each of `centres` in turn, by matrix products of some rows with some centres."""
        for at in range(0, len(centres), CENTRES):
            some = centres[at : at + CENTRES]
            against = self._points.working(some)
            for first in range(0, len(self), FIRST):
                rows = first + np.flatnonzero(distances[first : first + FIRST] > 0)
                if len(rows):
                    self._lower_block(distances, rows, some, against)

    def _lower_block(self, distances: Doubles, rows: Index, centres: Index, against: Floats) -> None:
        """The centre that seems nearest first; then those few that might be nearer still."""
        points, dtype = self._points, self._points.dtype
        bounds = points.working(rows) @ against.T
        bounds *= -2
        bounds += ((1 - self._part) * points.norms[centres]).astype(dtype)
        own = (1 - self._part) * points.norms[rows] - self._least
        nearest = bounds.argmin(axis=1)
        hopeful = np.flatnonzero(own + bounds[np.arange(len(rows)), nearest] < distances[rows])
        _take_lower(distances, rows[hopeful], points.differences(rows[hopeful], centres[nearest[hopeful]]))
        bounds[hopeful, nearest[hopeful]] = np.inf
        limit = np.where(distances[rows] > 0, distances[rows] - own, -np.inf)
        row, centre = np.nonzero(bounds < limit.astype(dtype)[:, None])
        np.minimum.at(distances, rows[row], points.differences(rows[row], centres[centre]))


class GradientSpace:
    """Examples as g = a (x) h, with a (N, K) and h (N, D), at the Euclidean distance of g.

    a: (N, K) of the precision of `Points(embedding)`.
    """

    def __init__(self, a: Floats, embedding: Points) -> None:
        self._a, self._h = a, embedding
        self._a_norms = np.einsum("ij,ij->i", a, a, dtype=np.float64)
        self._norms = self._a_norms * embedding.norms
        self._part, least = rounding(a.shape[1] + embedding.width, embedding.dtype)
        self._least = least * (1 + float(embedding.norms.max(initial=0)))

    def __len__(self) -> int:
        """N."""
        return len(self._a)

    def lower_bounds(self, first: int, after: int, rows: Index, centre: int) -> Doubles:
        """(len(rows),) from one product with a and one with h: g_x . g_y = (a_x . a_y) (h_x . h_y)."""
        product = self._h.products(first, after, rows, self._h.working(np.array([centre]))[0]).astype(np.float64)
        product *= (self._a[first:after] @ self._a[centre])[rows - first]
        whole: Doubles = self._norms[rows] + self._norms[centre]
        return (1 - self._part) * whole - self._least - 2 * product

    def squared(self, rows: Index, centre: int) -> Doubles:
        """(len(rows),) from P = |a_x - a_y|^2, Q = |h_x - h_y|^2 and the norms.

        2 |g_x - g_y|^2 = P (|h_x|^2 + |h_y|^2) + Q (|a_x|^2 + |a_y|^2) - P Q + (|a_x|^2 - |a_y|^2) (|h_x|^2 - |h_y|^2).
        Only the last two terms may be below 0; what is within their rounding is 0.
        """
        p = np.empty(len(rows))
        for at in range(0, len(rows), ROWS):
            part = self._a[rows[at : at + ROWS]].astype(np.float64) - self._a[centre]
            p[at : at + ROWS] = np.einsum("ij,ij->i", part, part)
        q = self._h.differences(rows, np.array([centre]))
        a, h = self._a_norms, self._h.norms
        above = p * (h[rows] + h[centre]) + q * (a[rows] + a[centre])
        twice = above - p * q + (a[rows] - a[centre]) * (h[rows] - h[centre])
        return np.where(twice > 8 * np.finfo(np.float64).eps * above, twice / 2, 0.0)


def lower(space: Space, distances: Doubles, centre: int) -> None:
    """Lower `distances` (N,), squared, to those to `centre` where these are smaller; what is not above 0 stays.

    O(N (D + K)) for the product, and a difference for each example that the centre may be nearer to.
    """
    for first, after, rows in _open_rows(distances):
        rows = rows[space.lower_bounds(first, after, rows, centre) < distances[rows]]
        _take_lower(distances, rows, space.squared(rows, centre))


def k_means_plus_plus(space: Space, candidates: Index, size: int, rng: np.random.Generator) -> Index:
    """(size,) distinct candidates in the order drawn (k-means++, Arthur and Vassilvitskii 2007, section 2.2).

    The first is uniform, each of the rest is drawn in proportion to the squared distance to the nearest one before.
    Where all that is left coincides with one of these, uniform among what is left.

    candidates: (M,) ascending, at least `size` of them.
    """
    distances = np.zeros(len(space))
    distances[candidates] = np.inf
    sums = np.zeros(1)  # running sums of the distances, once there is a centre
    left, chosen = candidates, np.empty(size, np.intp)
    for turn in range(size):
        if sums[-1] > 0:
            place = int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))
            place = min(place, int(np.searchsorted(sums, sums[-1])))  # the product may round up to the last sum
        else:
            place = int(left[rng.integers(len(left))])
        chosen[turn] = place
        left = left[left != place]
        if turn + 1 < size and (turn == 0 or sums[-1] > 0):
            lower(space, distances, place)
            sums = np.cumsum(distances)
    return chosen


def k_center_greedy(
    space: EmbeddingSpace, candidates: Index, centres: Index, size: int, rng: np.random.Generator
) -> Index:
    """(size,) distinct candidates in the order chosen, each farthest from `centres` and those before (k-center greedy).

    Where there are no centres the first is uniform. Ties go to the lower index, so where all that is left coincides
    with a centre, the lowest. Sener and Savarese 2018, Algorithm 1; at most twice the optimal radius.

    candidates: (M,) ascending, at least `size` of them; centres: indices, not among the candidates.
    """
    distances = np.full(len(space), -1.0)  # so marked: never lowered, never farthest
    distances[candidates] = np.inf
    space.lower_to_all(distances, centres)
    chosen = np.empty(size, np.intp)
    for turn in range(size):
        uniform = turn == 0 and not len(centres)
        place = int(candidates[rng.integers(len(candidates))]) if uniform else int(distances.argmax())
        chosen[turn] = place
        distances[place] = -1.0
        if turn + 1 < size:
            space.foresee(distances, place, size - turn - 2)
            lower(space, distances, place)
    return chosen


def _open_rows(distances: Doubles) -> Iterator[tuple[int, int, Index]]:
    """(first, after, the rows among them with a distance above 0), block by block, where there are such rows."""
    for first in range(0, len(distances), ROWS):
        after = min(first + ROWS, len(distances))
        rows = first + np.flatnonzero(distances[first:after] > 0)
        if len(rows):
            yield first, after, rows


def _take_lower(distances: Doubles, rows: Index, squared: Doubles) -> None:
    distances[rows] = np.minimum(distances[rows], squared)
