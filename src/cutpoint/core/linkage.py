"""Average-linkage clustering of a few thousand points, in numpy alone.

Murtagh, *A survey of recent advances in hierarchical clustering algorithms* (The Computer Journal 26, 1983): nearest
neighbour chains, with the update of Lance and Williams (1967) for the mean distance between two groups. O(n^2) time and
memory for n points, so callers sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROWS = 256  # of the distances at one time, so that what is computed on the way stays small


def flat_clusters(points: NDArray[np.floating[Any]], n_clusters: int) -> NDArray[np.intp]:
    """(n,) which of at most `n_clusters` clusters each point is in, from 0, in the order of their first points.

    points: (n, D), Euclidean; distances in double precision. The tree is cut at one height: groups that are equally far
    apart are joined together, so there may be fewer clusters than asked for, and equal points are always in one.
    """
    n = len(points)
    if n <= 1:
        return np.zeros(n, np.intp)
    exponent = np.frexp(np.abs(points).max(initial=0))[1]  # a power of two, which changes no digit, against overflow
    pairs, heights = average_linkage(distances(np.ldexp(points.astype(np.float64), -exponent)))
    last = np.sort(heights)[n - 1 - n_clusters] if n_clusters < n else 0.0
    root = np.arange(n)

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = int(root[i])
        return i

    for one, other in pairs[heights <= last].tolist():
        a, b = find(one), find(other)
        root[max(a, b)] = min(a, b)
    roots = np.array([find(i) for i in range(n)])
    return np.unique(roots, return_inverse=True)[1].astype(np.intp)


def distances(points: NDArray[np.floating[Any]]) -> Floats:
    """(n, n) Euclidean distances, symmetric, 0 between points that are equal up to rounding."""
    n, width = points.shape
    shifted = points.astype(np.float64) - points[:1]  # what all have in common would cost digits
    squares = np.einsum("ij,ij->i", shifted, shifted)
    result = np.empty((n, n))
    rounding = (width + 8) * np.finfo(np.float64).eps
    for first in range(0, n, ROWS):  # the lower half; the upper one is its mirror image
        after = min(first + ROWS, n)
        both = squares[first:after, None] + squares[:after]
        square = both - 2 * (shifted[first:after] @ shifted[:after].T)
        square[square <= rounding * both] = 0
        result[first:after, :after] = np.sqrt(square)
        result[:after, first:after] = result[first:after, :after].T
    return result


def average_linkage(distance_n_n: Floats) -> tuple[NDArray[np.intp], Floats]:
    """(n - 1, 2) pairs of points whose groups are joined, and (n - 1,) the mean distance between these groups.

    Not in the order of the heights: sort them (stably) for a dendrogram. A group is named by one of its points.
    distance: (n, n) symmetric; it is used up.
    """
    n = len(distance_n_n)
    np.fill_diagonal(distance_n_n, np.inf)
    gone = np.zeros(n)  # infinity where a point's group goes by another name
    size = np.ones(n)
    pairs, heights = np.empty((n - 1, 2), np.intp), np.empty(n - 1)
    row = np.empty(n)
    chain: list[int] = []
    for joined in range(n - 1):
        if not chain:
            chain = [int(gone.argmin())]
        while True:  # each the nearest of the one before, until two are each other's
            np.add(distance_n_n[chain[-1]], gone, out=row)
            nearest = int(row.argmin())
            if len(chain) > 1 and row[chain[-2]] <= row[nearest]:
                break
            chain.append(nearest)
        a, b = sorted((chain.pop(), chain.pop()))
        pairs[joined], heights[joined] = (a, b), distance_n_n[a, b]
        of_a, of_b = distance_n_n[a], distance_n_n[b]
        mean = (size[a] * of_a + size[b] * of_b) / (size[a] + size[b])
        # between the two in spite of rounding: equal ones stay equal, and what a chain has left is never nearest again
        mean = np.minimum(np.maximum(mean, np.minimum(of_a, of_b)), np.maximum(of_a, of_b))
        mean[b] = gone[a] = np.inf
        distance_n_n[b] = distance_n_n[:, b] = mean
        size[b] += size[a]
    return pairs, heights
