"""The version space of one search on a large pool: Algorithm 2's three steps, each at the cost of what is left.

`core.thresholds` holds the definitions (`version_space`, `narrow`); here the same thresholds are found from the
labelled examples' places alone. The ends of a fresh space are labelled examples, and between two of them the loss is
constant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.places import Order, Stretch
from cutpoint.core.sorted_sets import added, nth_free
from cutpoint.core.thresholds import labelled_ends, narrow_steps
from cutpoint.types import UNKNOWN, Index, Labels

WIDE = (
    32  # where one of so many of the pool is a candidate, drawing from the pool until one is hit is cheaper than a list
)


class _Losses:
    """The loss along a space: loss[j] holds from example labelled[j - 1] to before labelled[j]."""

    def __init__(self, labelled: Index, loss: Labels) -> None:
        self.labelled = labelled
        self.loss = loss
        self._falling = -np.minimum.accumulate(loss)
        self._rising = -np.minimum.accumulate(loss[::-1])

    def ends(self, bound: int) -> tuple[int, int]:
        """The first and the last j with loss[j] <= bound, which must not be below the least loss."""
        return int(self._falling.searchsorted(-bound)), len(self.loss) - 1 - int(self._rising.searchsorted(-bound))


class _Hull(NamedTuple):
    """Thresholds lo..hi between the examples at places lo and hi + 1 (None: the order's ends)."""

    a: int  # number of labelled examples of the space up to lo
    b: int  # and up to hi
    left: int | None
    lo: int
    right: int | None
    hi: int


class _Run(NamedTuple):
    """Thresholds lo..hi between two examples, and the larger loss of its two ends."""

    worst: int
    lo: int
    hi: int
    left: int | None
    right: int | None


class VersionSpace:
    """The thresholds lo..hi still possible for class k, and the examples on which they disagree (places lo + 1 .. hi).

    seen: (n,) pool indices that are labelled, asked or held, the only ones whose labels can differ from UNKNOWN.
    labels: (N,) the labels so far. askable: (N,) bool, live: what may still be asked.
    """

    def __init__(self, order: Order, k: int, seen: Index, labels: Labels, askable: NDArray[np.bool_]) -> None:
        self.order = order
        self.k = k
        self._askable = askable
        self._stretch: Stretch | None = None  # places lo + 1 .. hi, once they are few enough to list
        self._marks = np.empty(0, np.intp)  # positions in the stretch of examples seen
        seen = order.sort(seen)
        labelled = np.flatnonzero(labels[seen] != UNKNOWN)
        i, j = labelled_ends(labels[seen[labelled]], k)
        a = int(labelled[i]) if i >= 0 else -1
        b = int(labelled[j]) if j < len(labelled) else len(seen)
        self._left = int(seen[a]) if i >= 0 else None  # the example at place lo
        self._right = int(seen[b]) if j < len(labelled) else None  # the example at place hi + 1
        self.lo = order.place(self._left) if self._left is not None else 0
        self.hi = order.place(self._right) - 1 if self._right is not None else len(order)
        self._inside = seen[a + 1 : b]  # seen, strictly between the ends, in order

    @property
    def width(self) -> int:
        """How many thresholds are left."""
        return self.hi - self.lo + 1

    def draw(self, size: int, rng: np.random.Generator) -> Index:
        """(<= size,) candidates, uniform without replacement among the askable examples at places lo + 1 .. hi.

        Where they are at least a 32nd of the pool, pool indices are drawn until enough candidates are hit; otherwise
        the candidates are listed by place and `rng.choice` picks among them.
        """
        candidates = self.width - 1 - int(np.count_nonzero(~self._askable[self._seen_inside()]))
        size = min(size, candidates)
        if size == 0:
            return np.empty(0, np.intp)
        if WIDE * candidates >= len(self.order):
            return self._draw_from_pool(size, rng)
        stretch = self._listed()
        taken = self._marks[~self._askable[stretch.items[self._marks]]]
        picks = rng.choice(candidates, size, replace=False)
        return stretch.items[nth_free(taken, picks)]

    def see(self, items: Index) -> None:
        """Take note of examples asked, labelled or taken back since the last call."""
        if not len(items):
            return
        if self._stretch is not None:
            self._marks = added(self._marks, self.order.find(self._stretch, items))
        else:
            new = items[self._contains(items)]
            new = new[~np.isin(new, self._inside) if len(new) > 64 else ~(self._inside == new[:, None]).any(axis=1)]
            self._inside = self.order.sort(np.append(self._inside, new))

    def narrow(self, count: int, labels: Labels) -> None:
        """Keep the run of `count` thresholds with the smallest larger loss of its two ends, as `thresholds.narrow`."""
        if count >= self.width:
            return
        if self._stretch is None:
            self._narrow_by_ends(count, labels)
        else:
            stretch = self._stretch
            y = labels[stretch.items[self._marks]]
            starts = np.append(self.lo, stretch.first + self._marks[y != UNKNOWN])
            self._keep(*narrow_steps(starts, self._steps(y[y != UNKNOWN]), self.lo, self.hi, count))

    def foresee(self, counts: list[int], labels: Labels) -> None:
        """Have the order list where the narrowings to `counts` thresholds will probably end; changes no answer.

        Worth it where several classes can be prepared at the same time: the ends of a wide run, all of a small one.
        """
        known = self._known_losses(labels)
        spans = []
        for count in counts:
            reach = min(count, self.width)
            doubt = self.order.doubt(reach)
            lo, hi = self._guess_span(known, self._guess_bound(known, reach + doubt))
            if reach <= len(self.order) // 64:
                margin = self.order.doubt(len(self.order))
                spans.append((lo - margin, hi + margin))
                break
            spans += [(lo - 2 * doubt, lo + 2 * doubt), (hi - 2 * doubt, hi + 2 * doubt)]
        self.order.keep(spans)

    def _known_losses(self, labels: Labels) -> _Losses:
        labelled = self._inside[labels[self._inside] != UNKNOWN]
        return _Losses(labelled, self._steps(labels[labelled]))

    def _guess_span(self, known: _Losses, bound: int) -> tuple[int, int]:
        """About the first and the last threshold with loss <= bound."""
        a, b = known.ends(bound)
        lo = self.order.guess(int(known.labelled[a - 1])) if a else self.lo
        hi = self.order.guess(int(known.labelled[b])) - 1 if b < len(known.labelled) else self.hi
        return lo, hi

    def _guess_bound(self, known: _Losses, count: int) -> int:
        """About the smallest t for which the thresholds with loss <= t reach over `count` places, by bisection."""
        low, high = int(known.loss.min()), int(known.loss.max())
        while low < high:
            t = (low + high) // 2
            lo, hi = self._guess_span(known, t)
            low, high = (low, t) if hi - lo + 1 >= count else (t + 1, high)
        return low

    def _narrow_by_ends(self, count: int, labels: Labels) -> None:
        """Narrow where the space is not listed: the labelled examples' order is known, the places of few are counted.

        No run better than t can end on a threshold whose loss exceeds t. So: guess t, take the hull of the thresholds
        with loss <= t, find the best run in there exactly, and accept it if no threshold as good as its t lies outside.
        """
        known = self._known_losses(labels)
        reach = count + self.order.doubt(count)
        bound = self._guess_bound(known, reach)
        while True:
            hull = self._hull(known, bound, count)
            short = count - (hull.hi - hull.lo + 1)
            if short > 0:  # the guess was too good to be true
                reach += 2 * short + self.order.doubt(count)
                bound = max(bound + 1, self._guess_bound(known, reach))
                continue
            best = self._best_run(hull, known.loss, count, labels)
            a, b = known.ends(best.worst)
            if hull.a <= a and b <= hull.b:
                break
            bound = best.worst
        self.lo, self.hi, self._left, self._right = best.lo, best.hi, best.left, best.right
        self._inside = self._inside[self._contains(self._inside)]

    def _hull(self, known: _Losses, bound: int, count: int) -> _Hull:
        """From the first to the last threshold with loss <= bound."""
        labelled = known.labelled
        a, b = known.ends(bound)
        left, lo, right, hi = self._left, self.lo, self._right, self.hi
        guess = self._guess_span(known, bound)
        spare = max(0, guess[1] - guess[0] + 1 - count) + 2 * self.order.doubt(
            count
        )  # about what either end's list needs
        if a:
            left = int(labelled[a - 1])
            self.order.scout(left, spare)
            lo = self.order.place(left)
        if b < len(labelled):
            right = int(labelled[b])
            self.order.scout(right, -spare)
            hi = self.order.place(right) - 1
        return _Hull(a, b, left, lo, right, hi)

    def _best_run(self, hull: _Hull, loss: Labels, count: int, labels: Labels) -> _Run:
        """The best run of `count` thresholds in the hull; only the places that can begin or end one are listed."""
        _, b, left, lo, right, hi = hull
        spare = hi - lo + 1 - count  # so many places at either end decide; what lies between them does not matter
        whole = 2 * spare >= hi - lo
        head = self.order.beside(left, lo, hi - lo if whole else spare)
        tail = self.order.beside(right, hi + 1, 0 if whole else -spare)
        head_steps = head.first + np.flatnonzero(labels[head.items] != UNKNOWN)
        starts, values = np.append(lo, head_steps), loss[hull.a : hull.a + len(head_steps) + 1]
        if not whole:
            tail_steps = tail.first + np.flatnonzero(labels[tail.items] != UNKNOWN)
            starts = np.concatenate((starts, [hi - spare], tail_steps))
            values = np.append(values, loss[b - len(tail_steps) : b + 1])
        first, last = narrow_steps(starts, values, lo, hi, count)
        worst = int(values[np.searchsorted(starts, (first, last), "right") - 1].max())
        if first > lo:
            left = head.at(first)
        if last < hi:
            right = (head if whole else tail).at(last + 1)
        return _Run(worst, first, last, left, right)

    def _keep(self, lo: int, hi: int) -> None:
        """Keep the thresholds lo..hi of a space that is listed."""
        stretch = self._listed()
        if lo > self.lo:
            self._left = stretch.at(lo)
        if hi < self.hi:
            self._right = stretch.at(hi + 1)
        self._stretch = stretch.part(lo + 1, hi)
        self._marks = self._marks - (lo + 1 - stretch.first)
        self._marks = self._marks[(self._marks >= 0) & (self._marks < len(self._stretch.items))]
        self.lo, self.hi = lo, hi

    def _steps(self, y: Labels) -> Labels:
        """(n + 1,) the loss on lo and after each labelled example, up to a constant."""
        return np.concatenate(([0], np.cumsum(np.where(y == self.k, -1, 1))))

    def _seen_inside(self) -> Index:
        return self._inside if self._stretch is None else self._stretch.items[self._marks]

    def _listed(self) -> Stretch:
        if self._stretch is None:
            self._stretch = self.order.beside(self._left, self.lo, self.hi - self.lo)
            self._marks = np.flatnonzero(~self._askable[self._stretch.items])
        return self._stretch

    def _draw_from_pool(self, size: int, rng: np.random.Generator) -> Index:
        """As if indices were drawn from the pool one by one, every new candidate kept, until there are `size`."""
        n = len(self.order)
        kept: dict[int, None] = {}
        while True:
            state = rng.bit_generator.state
            drawn = rng.integers(n, size=2 * size * n // self.width + 8)
            for turn in np.flatnonzero(self._askable[drawn] & self._contains(drawn)).tolist():
                kept[int(drawn[turn])] = None
                if len(kept) == size:
                    rng.bit_generator.state = state
                    rng.integers(n, size=turn + 1)  # leaves the generator where one draw after the other would
                    return np.fromiter(kept, np.intp, size)

    def _contains(self, items: Index) -> NDArray[np.bool_]:
        """(n,) which of the given examples stand between the ends."""
        rank, key = self.order.rank[items], self.order.key
        low = self.order.rank[self._left] if self._left is not None else -np.inf
        high = self.order.rank[self._right] if self._right is not None else np.inf
        inside: NDArray[np.bool_] = (rank > low) & (rank < high)
        for j in np.flatnonzero((rank == low) | (rank == high)).tolist():
            i = int(items[j])
            after = self._left is None or key(self._left) < key(i)
            inside[j] = after and (self._right is None or key(i) < key(self._right))
        return inside
