"""A class's order on a large pool, without sorting the pool.

`core.thresholds.order_by_margin` is the definition; here the same order is counted and selected from: the place of one
example is a count, a stretch of places is a selection that is sorted only within itself. Ties fall exactly as the
definition says. Section 4.1; the cost is a few passes along one column of N float32 per class.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.blocks import BLOCK, for_blocks, for_each
from cutpoint.types import Index

SAMPLE = 32_768  # at least this many examples guess where in the column a place lies; larger pools are sampled evenly
FAR = np.float32(2**100)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_CHUNK = 1 << 18  # examples compared at one time: the temporaries stay small and in cache
KEPT = 16  # a prepared stretch holds at most this part of the pool, for the sake of memory
SLACK = 4.0  # standard deviations of such a guess; a guess that fails is widened, so this is speed, not correctness


@dataclass(frozen=True, eq=False)
class Stretch:
    """Consecutive places of one class's order, counted from 1: items[j] stands at place first + j and has rank[j]."""

    first: int
    items: Index
    rank: NDArray[np.float32]

    @property
    def last(self) -> int:
        """The place of the last item."""
        return self.first + len(self.items) - 1

    def at(self, place: int) -> int:
        """The example at a place."""
        return int(self.items[place - self.first])

    def part(self, first: int, last: int) -> Stretch:
        """The places first..last of this stretch."""
        part = slice(first - self.first, last - self.first + 1)
        return Stretch(first, self.items[part], self.rank[part])


class Order:
    """The order of one class k: margin ascending, then `p_k` descending, then index ascending.

    rank: (N,) float32; 2^100 times the margin where that is above 0, and -p_k where the class is predicted, so that one
    number gives the order up to ties. p: (N,) float32, the class's probabilities.
    """

    def __init__(self, rank: NDArray[np.float32], p: NDArray[np.float32], sample: NDArray[np.float32]) -> None:
        self.rank = rank
        self.p = p
        self._sample = sample  # sorted; the rank of every step-th example, step = ceil(N / len)
        self._near: Stretch | None = None  # kept, since most of what is asked lies in it
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.rank)

    def key(self, i: int) -> tuple[float, float, int]:
        """What example i is sorted by."""
        return float(self.rank[i]), -float(self.p[i]), i

    def sort(self, items: Index) -> Index:
        """The given distinct pool indices in this order."""
        keys = _ascending(self.rank[items])
        keys <<= _HALF
        keys |= items.view(np.uint64)  # indices below 2^32
        keys.sort()
        items = (keys & _LOW).view(np.intp)
        rank = np.right_shift(keys, _HALF, out=keys)
        same = rank[1:] == rank[:-1]
        if same.any():
            tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
            items[tied] = self._sort_tied(items[tied], rank[tied])
        return items

    def _sort_tied(self, items: Index, rank: NDArray[np.uint64]) -> Index:
        """Sorted by rank and index; to be sorted by rank, p descending, index."""
        group = np.append(0, np.cumsum(rank[1:] != rank[:-1]))
        if group[-1] < 1 << 16:
            group = group.astype(np.uint16)  # numpy sorts these stably in linear time
        keys = ((_LOW - _ascending(self.p[items])) << _HALF) | items.astype(np.uint64)
        by_p = np.argsort(keys)
        return items[by_p[np.argsort(group[by_p], kind="stable")]]

    def _within(self, low: np.floating[Any], high: np.floating[Any]) -> Index:
        """All examples of rank low..high, so that no tied ones are torn apart, in this order."""
        found = []
        for first in range(0, len(self.rank), _CHUNK):
            rank = self.rank[first : first + _CHUNK]
            inside = rank >= low
            inside &= rank <= high
            found.append(np.flatnonzero(inside) + first)
        return self.sort(np.concatenate(found))

    def place(self, i: int) -> int:
        """The place of example i, from 1: one more than the number of examples before it."""
        if i not in self._places:
            near, value = self._near, self.rank[i]
            if near is not None and len(near.items) and near.rank[0] <= value <= near.rank[-1]:
                self._places[i] = near.first + int(self.find(near, np.array([i]))[0])
            else:
                self._places[i] = self._count(i)
        return self._places[i]

    def _count(self, i: int) -> int:
        value = self.rank[i]
        before = up_to = 0
        for first in range(0, len(self.rank), _CHUNK):
            rank = self.rank[first : first + _CHUNK]
            before += int(np.count_nonzero(rank < value))
            up_to += int(np.count_nonzero(rank <= value))
        if up_to == before + 1:
            return up_to
        tied = np.flatnonzero(self.rank == value)
        p = self.p[tied]
        ahead = (p > self.p[i]) | ((p == self.p[i]) & (tied < i))
        return before + 1 + int(np.count_nonzero(ahead))

    def guess(self, items: Index) -> Index:
        """(n,) about where the given examples stand, from 1; never relied on."""
        step = max(1, round(len(self.rank) / max(1, len(self._sample))))
        return np.searchsorted(self._sample, self.rank[items]) * step + 1

    def doubt(self, count: int) -> int:
        """About how far off a guess at the width of `count` places is (one standard deviation)."""
        n, m = len(self.rank), len(self._sample)
        return int((count * n / m) ** 0.5) if m < n else 0

    def stretch(self, first: int, last: int) -> Stretch:
        """The places first..last, 1 <= first <= last <= N."""
        if self._near is not None and self._near.first <= first and last <= self._near.last:
            return self._near.part(first, last)
        n, m = len(self.rank), len(self._sample)
        slack = int(SLACK * m**0.5 / 2) + 1 if m < n else 1
        while True:
            listed = self._list(int((first - 1) * m / n) - slack, int(last * m / n) + slack)
            if listed.first <= first and last <= listed.last:
                return listed.part(first, last)
            slack *= 8

    def keep(self, first: int, last: int) -> None:
        """List about the places first..last now: most of what will be asked lies in there. Changes no answer."""
        n, m = len(self.rank), len(self._sample)
        slack = int(SLACK * m**0.5 / 2) * 3 // 4 + 1
        listed = self._list(int((first - 1) * m / n) - slack, int(last * m / n) + slack)
        if len(listed.items) <= n // KEPT:
            self._near = listed

    def _list(self, a: int, b: int) -> Stretch:
        """All places from the a-th to the b-th value of the sample; outside of it: from or to the end of the order."""
        low = self._sample[a] if a > 0 else np.float32(-np.inf)
        high = self._sample[b] if b < len(self._sample) else np.float32(np.inf)
        before = int(np.count_nonzero(self.rank < low)) if a > 0 else 0
        items = self._within(low, high)
        return Stretch(before + 1, items, self.rank[items])

    def beside(self, anchor: int | None, place: int, size: int) -> Stretch:
        """The next `size` places after `place`, or, for a negative size, the places before it.

        Fewer where the order ends. anchor: the example at `place`, or None where that is one of the ends, 0 or N + 1.
        """
        n, m = len(self.rank), len(self._sample)
        after = size > 0
        size = min(abs(size), n - place if after else place - 1)
        first, last = (place + 1, place + size) if after else (place - size, place - 1)
        if size <= 0:
            return Stretch(first, np.empty(0, np.intp), np.empty(0, np.float32))
        if self._near is not None and self._near.first <= first and last <= self._near.last:
            return self._near.part(first, last)
        end = np.float32(-np.inf if after else np.inf)
        rank = self.rank[anchor] if anchor is not None else end
        at = int(np.searchsorted(self._sample, rank))
        expected = size * m / n
        slack = SLACK * expected**0.5 + 2
        while True:
            j = at + (1 if after else -1) * int(expected + slack)
            other = self._sample[j] if 0 <= j < m else -end
            items = self._within(rank, other) if after else self._within(other, rank)
            here = self._position(items, anchor, 0, len(items)) if anchor is not None else -1 if after else len(items)
            listed = Stretch(place - here, items, self.rank[items])
            if listed.first <= first and last <= listed.last:
                if len(items) > 4 * size + len(self._sample):  # a large group of tied examples: not to be sorted again
                    self._near = listed
                return listed.part(first, last)
            slack *= 8

    def find(self, stretch: Stretch, items: Index) -> Index:
        """(<= n,) ascending positions in `stretch` of those of the given examples that stand in it."""
        low = np.searchsorted(stretch.rank, self.rank[items], "left")
        high = np.searchsorted(stretch.rank, self.rank[items], "right")
        found = [
            self._position(stretch.items, i, a, b)
            for i, a, b in zip(items.tolist(), low.tolist(), high.tolist(), strict=True)
            if b > a
        ]
        return np.sort(np.array([j for j in found if j >= 0], np.intp))

    def _position(self, items: Index, i: int, first: int, after: int) -> int:
        """Where in items[first:after], which are in this order, example i stands; -1 if it does not."""
        j = first if after == first + 1 else bisect_left(items, self.key(i), first, after, key=self.key)
        return j if j < after and items[j] == i else -1


def class_orders(probs: NDArray[np.float32]) -> list[Order]:
    """The K orders of (N, K) float32 probabilities.

    One pass along memory, N x K float32 of memory, nothing sorted whole.
    """
    n, n_classes = probs.shape
    step = 1
    while n // (2 * step) >= SAMPLE and 2 * step <= BLOCK:
        step *= 2  # a power of two, so that every block begins with a sampled row
    ranks = np.empty((n_classes, n), np.float32)
    samples = np.empty((n_classes, -(-n // step)), np.float32)

    def fill(first: int, after: int) -> None:
        p = np.array(probs[first:after].T, order="C")
        out = ranks[:, first:after]
        np.subtract(p.max(axis=0), p, out=out)
        out *= FAR  # leaves 0 where the class is predicted; elsewhere p is too small beside it to change anything
        out -= p
        samples[:, first // step : -(-after // step)] = out[:, ::step]

    for_blocks(n, fill)
    for_each(n_classes, lambda k: samples[k].sort(), rows=n)
    return [Order(ranks[k], probs[:, k], samples[k]) for k in range(n_classes)]


def _ascending(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Numbers below 2^32 that sort as the floats do."""
    bits = (values + np.float32(0)).view(np.uint32)  # + 0 turns -0 into 0
    return np.where(bits >> np.uint32(31), ~bits, bits | np.uint32(1 << 31)).astype(np.uint64)
