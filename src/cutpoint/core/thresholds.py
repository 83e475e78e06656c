"""Thresholds on one class's order: the plain definitions that everything faster is held to.

The pool is sorted for one class k; a threshold s in 0..N calls the first s places k and the rest other. Throughout,
`y` is the (N,) integer labels *in class k's order*, UNKNOWN (-1) where nobody has answered; places count from 1, so
`y[r - 1]` is the label at place r. Sections 3.2 and 4 of the paper, Algorithm 2, Lemma A.1, Definition 4.1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cutpoint.types import UNKNOWN, Index, Labels


def margins(probs: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """(N,) one-vs-rest margins `q = max_k' p_k' - p_k` of class k: 0 exactly where k is predicted (section 4.1)."""
    best: NDArray[np.float32] = probs.max(axis=1)
    return best - probs[:, k]


def order_by_margin(probs: NDArray[np.float32], k: int) -> Index:
    """(N,) pool indices in class k's order: margin ascending, then `p_k` descending, then index ascending.

    probs: (N, K); taken as float32, since precision decides ties.
    """
    probs = np.asarray(probs, np.float32)
    return np.lexsort((-probs[:, k], margins(probs, k)))  # lexsort is stable, so equal keys stay in index order


def losses(y: Labels, k: int) -> Labels:
    """(N + 1,) L^k(s) for every threshold s.

    That is: labelled others at places <= s plus labelled k at places > s (Algorithm 2).
    """
    y = np.asarray(y)
    ours = y == k
    others = (y != UNKNOWN) & ~ours
    loss = np.empty(len(y) + 1, np.int64)
    loss[0] = np.count_nonzero(ours)
    np.cumsum(others.astype(np.int64) - ours, out=loss[1:])
    loss[1:] += loss[0]
    return loss


def version_space(y: Labels, k: int) -> tuple[int, int]:
    """(lo, hi), the lowest and highest threshold that the labels leave possible (Algorithm 2, initialisation).

    lo = I is the place of the last labelled k before the first labelled other (0 if none); hi = J - 1, where J is the
    place of the first labelled other after the last labelled k (N + 1 if none). There are W = hi - lo + 1 thresholds
    left.
    """
    y = np.asarray(y)
    places = np.flatnonzero(y != UNKNOWN) + 1
    i, j = labelled_ends(y[places - 1], k)
    lo = int(places[i]) if i >= 0 else 0
    hi = int(places[j]) - 1 if j < len(places) else len(y)
    return lo, hi


def labelled_ends(y: Labels, k: int) -> tuple[int, int]:
    """(i, j) positions of the version space's ends among the labelled examples, or -1 and n where there is none.

    y: (n,) labels of the labelled examples alone, in class k's order. O(n).
    """
    ours = np.flatnonzero(y == k)
    others = np.flatnonzero(y != k)
    i = int(others[0]) - 1 if len(others) else len(y) - 1
    j = int(ours[-1]) + 1 if len(ours) else 0
    return i, j


def thresholds_left(width: int, closed: int, budget: int) -> int:
    """w(a): how many of `width` thresholds are left once `closed` of a search's `budget` questions are closed.

    Geometric, and exactly one after the last; with full batches this is the paper's shrinking factor (Algorithm 2).
    """
    left: float = width ** (1 - closed / budget)
    return max(1, math.ceil(left - 1e-9))


def narrow(losses: Labels, lo: int, hi: int, count: int) -> tuple[int, int]:
    """(lo', hi'), the run of `count` thresholds inside lo..hi that minimises max(L(lo'), L(hi')) (Algorithm 2).

    losses: (N + 1,). Ties: the first of the longest runs of minimising starts; of its starts,
    number (first + last) // 2.
    """
    losses = np.asarray(losses)
    count = max(1, min(count, hi - lo + 1))
    steps = np.flatnonzero(np.diff(losses[lo : hi + 1])) + lo + 1
    starts = np.concatenate(([lo], steps))
    return narrow_steps(starts, losses[starts], lo, hi, count)


def narrow_steps(starts: Index, values: Labels, lo: int, hi: int, count: int) -> tuple[int, int]:
    """`narrow` for a loss given by its steps, in O(n log n) for n steps whatever the width of the space.

    starts: (n,) ascending thresholds at which a stretch of constant loss begins, starts[0] = lo; values:
    (n,) that loss.
    """
    reach = count - 1
    last = hi - reach  # the highest start of a run
    begins = np.concatenate((starts, starts - reach))
    begins = np.sort(begins[(begins >= lo) & (begins <= last)])  # where either end of the run meets a new loss
    left = values[np.searchsorted(starts, begins, "right") - 1]
    right = values[np.searchsorted(starts, begins + reach, "right") - 1]
    worst = np.maximum(left, right)
    best = worst == worst.min()
    edges = np.diff(np.concatenate(([0], best.view(np.int8), [0])))
    firsts = begins[edges[:-1] == 1]
    ends = np.append(begins[1:], last + 1)[edges[1:] == -1]  # one past the last start of each run of minimisers
    longest = int(np.argmax(ends - firsts))
    start = int(firsts[longest] + ends[longest] - 1) // 2
    return start, start + reach


def best_threshold(losses: Labels) -> int:
    """The threshold of least loss.

    Ties go to the one closest to N/2, of two equally near to the lower (Algorithm 1).
    """
    losses = np.asarray(losses)
    ties = np.flatnonzero(losses == losses.min())
    return int(ties[np.argmin(np.abs(2 * ties - (len(losses) - 1)))])


def optimal_threshold(y: Labels, k: int, *, minority: bool) -> int:
    """j*, the optimal separation threshold of a fully labelled list (Definition 4.1).

    Ties go to the largest j where class k is the minority, to the lowest otherwise. Needs every label, so it serves
    evaluation and drawings, never selection.
    """
    loss = losses(y, k)
    ties = np.flatnonzero(loss == loss.min())
    return int(ties[-1] if minority else ties[0])
