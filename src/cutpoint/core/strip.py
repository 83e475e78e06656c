"""The mathematics of the signature picture: where a class's pool, answers and thresholds lie along its strip.

Everything along a strip is a position in -1..1, ascending in the class's order (section 4.1). A drawing for paper
sorts the labels with the pool; a page that draws after every answer keeps a `Lie` per class and pays for answers alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.thresholds import labelled_ends, margins, order_by_margin
from cutpoint.types import Index, Labels

Floats = NDArray[np.float64]
GOLDEN = 0.6180339887


def positions(probs: NDArray[np.float32], k: int) -> Floats:
    """(N,) where every example lies on class k's strip, in -1..1; ascending in class k's order.

    Right of 0 by the margin; left of it, where the margin is 0 because k is predicted, by p_k, from 1/K (0)
    to 1 (-1). With two classes both halves are one straight scale, 1 - 2 p_k.
    """
    n_classes = probs.shape[1]
    if n_classes == 1:
        return np.full(len(probs), -1.0)
    margin = margins(probs, k).astype(np.float64)
    sure = (probs[:, k].astype(np.float64) - 1 / n_classes) / (1 - 1 / n_classes)
    return np.where(margin > 0, margin, -np.clip(sure, 0, 1))


def between(pool: Floats, threshold: int) -> float:
    """Where a threshold lies: midway between its neighbours, and just outside the pool for 0 and N."""
    if not 0 < threshold < len(pool):
        return ends(pool)[int(threshold > 0)]
    return float((pool[threshold - 1] + pool[threshold]) / 2)


def ends(pool: Floats) -> tuple[float, float]:
    """What a drawing shows: the pool's own range and a little more."""
    room = max(0.05 * float(pool[-1] - pool[0]), 1e-3)
    return float(pool[0]) - room, float(pool[-1]) + room


def density(pool: Floats, bins: int = 240) -> tuple[Floats, Floats]:
    """(bins,) positions and heights in 0..1 of the pool's density, smoothed, on a square-root scale.

    The root keeps the thin middle visible, where the cut is, beside the crowds at both ends.
    """
    counts, edges = np.histogram(pool, bins=bins, range=ends(pool))
    reach = np.arange(-12, 13)
    kernel = np.exp(-0.5 * (reach / 4.0) ** 2)
    padded = np.pad(counts.astype(np.float64), 12, mode="constant")
    smooth = np.sqrt(np.convolve(padded, kernel / kernel.sum(), mode="valid"))
    return (edges[:-1] + edges[1:]) / 2, smooth / max(float(smooth.max()), 1e-12)


def scatter(numbers: Index) -> Floats:
    """(n,) heights in -0.45..0.45 that keep neighbouring dots apart: golden-ratio steps, the same every time."""
    return np.asarray((numbers * GOLDEN % 1.0 - 0.5) * 0.9)


@dataclass(frozen=True)
class Cut:
    """What the answers say of one class's threshold; places as in `core.thresholds`, positions along the strip.

    low, high: first and last threshold possible; space: where they lie; threshold: the best one, and `at`, where it
    lies.  ours: how many of the answers are of the class.
    """

    low: int
    high: int
    space: tuple[float, float]
    threshold: int
    at: float
    ours: int

    @property
    def left(self) -> int:
        """How many thresholds are left."""
        return self.high - self.low + 1


class Lie:
    """How the pool lies on one class's strip, for one version of the scores: sorted once, asked often.

    pool: (N,) positions, ascending; place: (N,) int32, the place of every example, counted from 1; band: the density,
    two arrays as `density` returns them. 12 bytes an example.
    """

    def __init__(self, probs: NDArray[np.float32], k: int) -> None:
        self.k = k
        order = order_by_margin(probs, k)
        self.pool = positions(probs, k)[order]
        self.place = np.empty(len(order), np.int32)
        self.place[order] = np.arange(1, len(order) + 1, dtype=np.int32)
        self.band = density(self.pool)

    def __len__(self) -> int:
        """N, the size of the pool."""
        return len(self.pool)

    def along(self, items: Index) -> Floats:
        """(n,) positions of examples."""
        return np.asarray(self.pool[self.place[items] - 1])

    def cut(self, items: Index, labels: Labels) -> Cut:
        """The version space and best threshold of n labelled examples; items (n,), labels (n,). O(n log n)."""
        order = np.argsort(self.place[items])
        places, y = self.place[items][order].astype(np.int64), labels[order]
        i, j = labelled_ends(y, self.k)
        low = int(places[i]) if i >= 0 else 0
        high = int(places[j]) - 1 if j < len(places) else len(self)
        ours = y == self.k
        threshold = least_loss(places, ours, len(self))
        space = between(self.pool, low), between(self.pool, high)
        return Cut(low, high, space, threshold, between(self.pool, threshold), int(ours.sum()))


def least_loss(places: Index, ours: NDArray[np.bool_], n: int) -> int:
    """`best_threshold` from labelled places alone: the threshold of least loss, ties to the one closest to n/2.

    places: (m,) ascending; ours: (m,) bool, labelled this class. Between two labelled places the loss is constant.
    """
    loss = np.concatenate(([0], np.cumsum(np.where(ours, -1, 1))))
    firsts = np.concatenate(([0], places))
    lasts = np.concatenate((places - 1, [n]))
    best = np.flatnonzero(loss == loss.min())
    near = np.clip(n // 2, firsts[best], lasts[best])  # of two equally near to n/2, the lower
    distance = np.abs(2 * near - n)
    return int(near[np.lexsort((near, distance))[0]])
