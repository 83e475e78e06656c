"""A class's order on a large pool, without sorting the pool.

`core.thresholds.order_by_margin` is the definition; here the same order is counted and selected from: the place of one
example is a count, a stretch of places is a selection that is sorted only within itself. Ties fall exactly as the
definition says. Section 4.1; the cost is a few passes along one column of N float32 per class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.blocks import for_blocks, for_each
from cutpoint.types import Index

SAMPLE = 65_536  # about this many examples guess where in the column a place lies; larger pools are sampled evenly
SLACK = 4.0  # standard deviations of such a guess; a guess that fails is widened, so this is speed, not correctness


@dataclass(frozen=True, eq=False)
class Stretch:
    """Consecutive places of one class's order: items[j] stands at place first + j (places count from 1)."""

    first: int
    items: Index

    @property
    def last(self) -> int:
        """The place of the last item."""
        return self.first + len(self.items) - 1

    def part(self, first: int, last: int) -> Stretch:
        """The places first..last of this stretch."""
        return Stretch(first, self.items[first - self.first : last - self.first + 1])


class Order:
    """The order of one class k: margin ascending, then `p_k` descending, then index ascending.

    rank: (N,) float32; the margin where it is above 0, and -p_k where the class is predicted, so that one number
    gives the order up to ties. p: (N,) float32, the class's probabilities.
    """

    def __init__(self, rank: NDArray[np.float32], p: NDArray[np.float32], sample: NDArray[np.float32]) -> None:
        self.rank = rank
        self.p = p
        self._sample = sample  # sorted, every step-th value of rank

    def __len__(self) -> int:
        return len(self.rank)

    def key(self, i: int) -> tuple[float, float, int]:
        """What example i is sorted by."""
        return float(self.rank[i]), -float(self.p[i]), i

    def sort(self, items: Index) -> Index:
        """The given pool indices in this order."""
        rank = self.rank[items]
        order = np.argsort(rank)
        rank = rank[order]
        if not (rank[1:] == rank[:-1]).any():
            return items[order]
        key = _key(self.rank[items], self.p[items])
        order = np.argsort(key)
        ordered = key[order]
        if (ordered[1:] == ordered[:-1]).any():
            order = np.lexsort((items, key))
        return items[order]

    def place(self, i: int) -> int:
        """The place of example i, from 1: one more than the number of examples before it."""
        value = self.rank[i]
        before = int(np.count_nonzero(self.rank < value))
        if int(np.count_nonzero(self.rank <= value)) == before + 1:
            return before + 1
        tied = np.flatnonzero(self.rank == value)
        p = self.p[tied]
        ahead = (p > self.p[i]) | ((p == self.p[i]) & (tied < i))
        return before + 1 + int(np.count_nonzero(ahead))

    def guess(self, items: Index) -> Index:
        """(n,) about where the given examples stand, from 1; never relied on."""
        step = max(1, len(self.rank) // max(1, len(self._sample)))
        return np.searchsorted(self._sample, self.rank[items]) * step + 1

    def between(self, a: int | None, b: int | None, first: int) -> Stretch:
        """The places strictly between examples a and b (None: the ends of the order); `first` is the first such place."""
        low = self.rank[a] if a is not None else np.float32(-np.inf)
        high = self.rank[b] if b is not None else np.float32(np.inf)
        items = self.sort(np.flatnonzero((self.rank >= low) & (self.rank <= high)))
        start = int(np.flatnonzero(items == a)[0]) + 1 if a is not None else 0
        stop = int(np.flatnonzero(items == b)[0]) if b is not None else len(items)
        return Stretch(first, items[start:stop])

    def stretch(self, first: int, last: int) -> Stretch:
        """The places first..last, 1 <= first <= last <= N."""
        n, m = len(self.rank), len(self._sample)
        share = m / n
        slack = int(SLACK * m**0.5 / 2) + 1 if m < n else 1
        while True:
            a, b = int((first - 1) * share) - slack, int(last * share) + slack
            low = self._sample[a] if a >= 0 else np.float32(-np.inf)
            high = self._sample[b] if b < m else np.float32(np.inf)
            before = int(np.count_nonzero(self.rank < low)) if a >= 0 else 0
            items = np.flatnonzero((self.rank >= low) & (self.rank <= high))
            if before < first and before + len(items) >= last:
                return Stretch(before + 1, self.sort(items)).part(first, last)
            slack *= 8

    def find(self, stretch: Stretch, items: Index) -> Index:
        """(<= n,) ascending positions in `stretch` of those of the given examples that stand in it."""
        rank = self.rank[stretch.items]
        low = np.searchsorted(rank, self.rank[items], "left")
        high = np.searchsorted(rank, self.rank[items], "right")
        found = [
            a + np.flatnonzero(stretch.items[a:b] == i)
            for i, a, b in zip(items.tolist(), low.tolist(), high.tolist(), strict=True)
            if b > a
        ]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.intp)


def class_orders(probs: NDArray[np.float32]) -> list[Order]:
    """The K orders of (N, K) float32 probabilities: one pass along memory, N x K float32 of memory, nothing sorted whole."""
    n, n_classes = probs.shape
    ranks = np.empty((n_classes, n), np.float32)

    def fill(first: int, after: int) -> None:
        p = np.ascontiguousarray(probs[first:after].T)
        out = ranks[:, first:after]
        np.subtract(p.max(axis=0), p, out=out)
        np.copyto(out, -p, where=out == 0)

    for_blocks(n, fill)
    step = max(1, n // SAMPLE)
    samples: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * n_classes

    def draw(k: int) -> None:
        samples[k] = np.sort(ranks[k, ::step])

    for_each(n_classes, draw, rows=n)
    return [Order(ranks[k], probs[:, k], samples[k]) for k in range(n_classes)]


def _key(rank: NDArray[np.float32], p: NDArray[np.float32]) -> NDArray[np.uint64]:
    """One sortable number per example: rank ascending in the upper half, p descending in the lower (a float's bits sort like it)."""
    bits = rank.view(np.uint32)
    upper = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)).astype(np.uint64)
    lower = np.uint32(0xFFFFFFFF) - (p + np.float32(0)).view(np.uint32)  # + 0 turns -0 into 0
    return (upper << np.uint64(32)) | lower
