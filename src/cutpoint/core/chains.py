"""Cuts and bisection on one class's sorted list: the mathematics of GALAXY (Zhang, Katz-Samuels, Nowak 2022).

A cut lies between two consecutive labelled places of which one is of the class and the other is not. Places count
from 1.
"""

from __future__ import annotations

import numpy as np

from cutpoint.types import UNKNOWN, Index, Labels


def next_place(taken: Index, y: Labels, k: int, n: int) -> int | None:
    """The place to ask on class k's list.

    The middle of the shortest open cut, else the free place nearest to any cut, else None.

    taken: (m,) ascending places that cannot be asked (labelled, held, skipped); y: (m,) their labels, UNKNOWN where
    there is none; n: length of the list. None where there is no cut, or no free place. Ties go to the lower place.
    O(m).
    """
    labelled = np.flatnonzero(y != UNKNOWN)
    ours = y[labelled] == k
    cuts = np.flatnonzero(ours[1:] != ours[:-1])
    if not len(cuts) or len(taken) == n:
        return None
    a, b = labelled[cuts], labelled[cuts + 1]  # positions in `taken` of the places on either side of each cut
    between = taken[b] - taken[a] - 1
    free = between - (b - a - 1)
    if free.any():
        shortest = int(np.argmin(np.where(free > 0, between, n)))
        return _nearest_to_middle(taken, int(a[shortest]), int(b[shortest]))
    return _nearest_to_cuts(taken, a, b, n)


def _nearest_to_middle(taken: Index, a: int, b: int) -> int:
    middle = int(taken[a] + taken[b]) // 2
    blocked = taken[a + 1 : b]
    if not len(blocked) or middle not in blocked:
        return middle
    run = np.setdiff1d(np.arange(taken[a] + 1, taken[b]), blocked)
    return int(run[np.argmin(np.abs(run - middle))])


def _nearest_to_cuts(taken: Index, a: Index, b: Index, n: int) -> int:
    """The free place nearest to the middle of any cut.

    Free places begin where a run of consecutive taken places ends.
    """
    position = np.arange(len(taken))
    breaks = np.flatnonzero(np.diff(taken) > 1)
    run = np.searchsorted(breaks, position)  # which run of consecutive places each taken place belongs to
    starts = taken[np.concatenate(([0], breaks + 1))]
    ends = taken[np.concatenate((breaks, [len(taken) - 1]))]
    sides = np.concatenate((starts[run[a]] - 1, ends[run[b]] + 1))
    twice = np.abs(2 * sides - np.tile(taken[a] + taken[b], 2))
    twice[(sides < 1) | (sides > n)] = 4 * n
    return int(sides[np.lexsort((sides, twice))[0]])
