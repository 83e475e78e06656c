"""A class's order on a large pool, without sorting the pool.

`core.thresholds.order_by_margin` is the definition; here the same order is counted and selected from: the place of one
example is a count, a stretch of places is a selection that is sorted only within itself. Ties fall exactly as the
definition says. Section 4.1; the cost is a few passes along one column of N float32 per class.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.blocks import BLOCK, for_blocks, for_each
from cutpoint.types import Index

SAMPLE = 32_768  # at least this many examples guess where in the column a place lies; larger pools are sampled evenly
FAR = np.float32(2**100)
_INFINITY = np.float32(np.inf)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_CHUNK = 1 << 18  # examples compared at one time, so that the temporaries stay small
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
        self._kept: list[Stretch] = []  # listed ahead; most of what is asked lies in one of them
        self._recent: list[Stretch] = []  # listed last
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

    def place(self, i: int) -> int:
        """The place of example i, from 1: one more than the number of examples before it."""
        if i not in self._places:
            near = self._keeping(self.rank[i])
            self._places[i] = self._count(i) if near is None else near.first + int(self.find(near, np.array([i]))[0])
        return self._places[i]

    def _keeping(self, rank: np.float32) -> Stretch | None:
        """A kept stretch with all examples of this rank, if there is one."""
        return next((s for s in (*self._kept, *self._recent) if len(s.items) and s.rank[0] <= rank <= s.rank[-1]), None)

    def _count(self, i: int) -> int:
        before = int(np.count_nonzero(self.rank < self.rank[i]))
        alone = int(np.count_nonzero(self.rank <= self.rank[i])) == before + 1
        return before + 1 if alone else before + 1 + self._ahead(i)

    def _ahead(self, i: int) -> int:
        """How many of the examples tied in rank with i stand before it."""
        tied = np.flatnonzero(self.rank == self.rank[i])
        p = self.p[tied]
        return int(np.count_nonzero((p > self.p[i]) | ((p == self.p[i]) & (tied < i))))

    def guess(self, i: int) -> int:
        """About where example i stands, from 1; never relied on."""
        return bisect_left(self._sample, self.rank[i]) * max(1, round(len(self.rank) / len(self._sample))) + 1

    def doubt(self, count: int) -> int:
        """About how far off a guess at the width of `count` places is (one standard deviation)."""
        n, m = len(self.rank), len(self._sample)
        return int((count * n / m) ** 0.5) if m < n else 0

    def stretch(self, first: int, last: int) -> Stretch:
        """The places first..last, 1 <= first <= last <= N."""
        slack = self._sample_slack
        while True:
            for listed in (*self._kept, *self._recent):
                if listed.first <= first and last <= listed.last:
                    return listed.part(first, last)
            (listed,) = self._list([self._about(first, last, slack)])
            if listed.first <= first and last <= listed.last:
                return listed.part(first, last)
            slack *= 8

    def keep(self, spans: list[tuple[int, int]]) -> None:
        """List about the places first..last of each span, in one pass, and keep them. Changes no answer."""
        listed = self._list([self._about(first, last, 0) for first, last in spans])
        self._kept += [some for some in listed if len(some.items) <= len(self.rank) // KEPT]

    @property
    def _sample_slack(self) -> int:
        """How many values of the sample a guess at a place may be off."""
        m = len(self._sample)
        return int(SLACK * m**0.5 / 2) + 1 if m < len(self.rank) else 1

    def _about(self, first: int, last: int, slack: int) -> tuple[np.float32, np.float32]:
        """The ranks between which the places first..last probably are, and `slack` more values of the sample."""
        n, m = len(self.rank), len(self._sample)
        a, b = (first - 1) * m // n - slack, last * m // n + slack
        return self._sample[a] if a > 0 else -_INFINITY, self._sample[b] if b < m else _INFINITY

    def _list(self, bounds: list[tuple[np.float32, np.float32]]) -> list[Stretch]:
        """For each (low, high) all examples of rank low..high, so that no tied ones are torn apart; in one pass."""
        after = [0] * len(bounds)
        found = []
        for first in range(0, len(self.rank), _CHUNK):
            rank = self.rank[first : first + _CHUNK]
            wanted = np.zeros(len(rank), np.bool_)
            for j, (low, high) in enumerate(bounds):
                inside = rank >= low
                after[j] += int(np.count_nonzero(inside))
                inside &= rank <= high
                wanted |= inside
            found.append(np.flatnonzero(wanted) + first)
        items = self.sort(np.concatenate(found))
        rank = self.rank[items]
        parts = [slice(np.searchsorted(rank, low), np.searchsorted(rank, high, "right")) for low, high in bounds]
        n = len(self.rank)
        return [Stretch(n - m + 1, items[part], rank[part]) for m, part in zip(after, parts, strict=True)]

    def scout(self, anchor: int, size: int) -> None:
        """List and keep about `size` places after the anchor (before it, where negative). Changes no answer."""
        if self._keeping(self.rank[anchor]) is None:
            self._recent = [*self._recent[-1:], self._list_beside(anchor, size, 2.0)]

    def _list_beside(self, anchor: int | None, size: int, slack: float) -> Stretch:
        """About `size` places after the anchor, or before it, or from one of the ends where it is None."""
        m, after = len(self._sample), size > 0
        end = -_INFINITY if after else _INFINITY
        rank = self.rank[anchor] if anchor is not None else end
        expected = abs(size) * m / len(self.rank)
        reach = int(expected + slack * expected**0.5 + slack) + 1
        j = int(np.searchsorted(self._sample, rank)) + (reach if after else -reach)
        other = self._sample[j] if 0 <= j < m else -end
        return self._list([(rank, other) if after else (other, rank)])[0]

    def beside(self, anchor: int | None, place: int, size: int) -> Stretch:
        """The next `size` places after `place`, or, for a negative size, the places before it.

        Fewer where the order ends. anchor: the example at `place`, or None where that is one of the ends, 0 or N + 1.
        """
        after = size > 0
        size = min(abs(size), len(self.rank) - place if after else place - 1)
        first, last = (place + 1, place + size) if after else (place - size, place - 1)
        if size <= 0:
            return Stretch(first, np.empty(0, np.intp), np.empty(0, np.float32))
        slack = SLACK
        while True:
            for listed in (*self._kept, *self._recent):
                if listed.first <= first and last <= listed.last:
                    return listed.part(first, last)
            listed = self._list_beside(anchor, size if after else -size, slack)
            if listed.first <= first and last <= listed.last:
                if len(listed.items) > 4 * size + len(self._sample):  # many tied examples: not to be sorted again
                    self._recent = [listed]
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
