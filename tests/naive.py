"""The naive twins: every definition once more, in the plainest Python there is.

Nothing here imports cutpoint, and nothing here is clever: loops over lists, quadratic where that is the
shortest way to say it. The fast implementation must ask the very same questions (law 8), so the twins also
follow its conventions of drawing: which generator call is made, and in which order. `y` is always a list of
labels in one class's order, `labels` a list in pool order, -1 where unknown; places count from 1, thresholds
from 0, as in the paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1
WIDE = 32  # from a 32nd of the pool on, candidates are hit by drawing from the whole pool
Probs = NDArray[np.float32]
Reply = Callable[[list[int]], Mapping[int, int]]
"""What comes back after a batch: index -> label. Asked and missing: skipped. There and not asked: unasked."""


# --- section 4: thresholds --------------------------------------------------------------------------------


def order_by_margin(probs: Probs, k: int) -> list[int]:
    """Pool indices in class k's order: q ascending, then p_k descending, then index ascending."""
    return sorted(range(len(probs)), key=lambda i: (max(probs[i]) - probs[i][k], -probs[i][k], i))


def losses(y: Sequence[int], k: int) -> list[int]:
    """L(s) for s = 0..N: labelled others among the first s places, and labelled k behind them."""
    answer = []
    for s in range(len(y) + 1):
        left = sum(1 for v in y[:s] if v not in (UNKNOWN, k))
        right = sum(1 for v in y[s:] if v == k)
        answer.append(left + right)
    return answer


def gains(y: Sequence[int], k: int) -> list[int]:
    """Lemma A.1's other side: for s = 0..N, labelled k minus labelled others among the first s places."""
    return [sum(0 if v == UNKNOWN else 1 if v == k else -1 for v in y[:s]) for s in range(len(y) + 1)]


def optimal_threshold(y: Sequence[int], k: int, *, minority: bool) -> int:
    """Definition 4.1 on a full list: the argmax; ties to the largest for a minority, else the lowest."""
    g = gains(y, k)
    best = [s for s in range(len(g)) if g[s] == max(g)]
    return best[-1] if minority else best[0]


def best_threshold(loss: Sequence[int]) -> int:
    """The minimising threshold nearest to N/2, of two equally near ones the lower."""
    n = len(loss) - 1
    best = [s for s in range(n + 1) if loss[s] == min(loss)]
    return min(best, key=lambda s: (abs(2 * s - n), s))


def version_space(y: Sequence[int], k: int) -> tuple[int, int]:
    """Ends lo = I and hi = J - 1 of the thresholds still possible (Algorithm 2, ends labelled)."""
    n = len(y)
    mine = [r for r in range(1, n + 1) if y[r - 1] == k]
    others = [r for r in range(1, n + 1) if y[r - 1] not in (UNKNOWN, k)]
    before = [r for r in mine if not others or r < others[0]]
    after = [r for r in others if not mine or r > mine[-1]]
    return max(before, default=0), min(after, default=n + 1) - 1


def window_cost(loss: Sequence[int], start: int, count: int) -> int:
    """What a window of `count` thresholds costs: the larger loss of its two ends."""
    return max(loss[start], loss[start + count - 1])


def narrow(loss: Sequence[int], lo: int, hi: int, count: int) -> tuple[int, int]:
    """The cheapest `count` thresholds of lo..hi, by looking at all; ties: middle of the first longest run."""
    count = min(count, hi - lo + 1)
    starts = range(lo, hi - count + 2)
    least = min(window_cost(loss, s, count) for s in starts)
    runs: list[list[int]] = []
    for s in starts:
        if window_cost(loss, s, count) > least:
            continue
        if runs and runs[-1][-1] == s - 1:
            runs[-1].append(s)
        else:
            runs.append([s])
    run = max(runs, key=len)  # max keeps the first of equals
    start = (run[0] + run[-1]) // 2
    return start, start + count - 1


def greedy_narrow(loss: Sequence[int], lo: int, hi: int, count: int) -> tuple[int, int]:
    """The walk to compare the exact window with: drop the end with the larger loss until `count` are left."""
    while hi - lo + 1 > count:
        if loss[lo] > loss[hi]:
            lo += 1
        else:
            hi -= 1
    return lo, hi


def thresholds_left(width: int, closed: int, b: int) -> int:
    """w(a): how many of `width` thresholds are left after `closed` of the b questions."""
    left: float = width ** (1 - closed / b)
    return max(1, math.ceil(left - 1e-9))


# --- one round, as a loop ---------------------------------------------------------------------------------


class Book:
    """What is known while a round runs, and every batch that was asked."""

    def __init__(self, labels: Iterable[int], reply: Reply, held: Iterable[int] = ()) -> None:
        self.labels = [int(v) for v in labels]
        self.reply = reply
        self.held = {int(i) for i in held}
        self.asked: list[int] = []
        self.batches: list[list[int]] = []

    def askable(self, i: int) -> bool:
        return self.labels[i] == UNKNOWN and i not in self.held and i not in self.asked

    def ask(self, batch: list[int]) -> None:
        self.asked += batch
        self.batches.append(batch)
        for i, label in self.reply(batch).items():
            self.labels[i] = label


def draw_batch(order: list[int], lo: int, hi: int, size: int, *, book: Book, rng: np.random.Generator) -> list[int]:
    """`size` of the askable items at places lo + 1 .. hi, without replacement, in the order drawn."""
    n = len(order)
    candidates = [order[place - 1] for place in range(lo + 1, hi + 1) if book.askable(order[place - 1])]
    size = min(size, len(candidates))
    if WIDE * len(candidates) < n:
        return [candidates[j] for j in rng.choice(len(candidates), size, replace=False)] if size else []
    batch: list[int] = []
    while len(batch) < size:
        i = int(rng.integers(n))
        if i in candidates and i not in batch:
            batch.append(i)
    return batch


def vreduce(order: list[int], k: int, *, b: int, parallel: int, book: Book, rng: np.random.Generator) -> None:
    """Algorithm 2."""
    lo, hi = version_space([book.labels[i] for i in order], k)
    width, closed = hi - lo + 1, 0
    while closed < b:
        batch = draw_batch(order, lo, hi, min(parallel, b - closed), book=book, rng=rng)
        if not batch:
            break
        book.ask(batch)
        closed += len(batch)
        loss = losses([book.labels[i] for i in order], k)
        lo, hi = narrow(loss, lo, hi, thresholds_left(width, closed, b))


def search_budgets(budget: int, order: Sequence[int]) -> dict[int, int]:
    """Phase 1's b for every class: floor(B / 2K); if that is 0, one for each of the first floor(B / 2)."""
    n_classes = len(order)
    if budget // (2 * n_classes):
        return {int(k): budget // (2 * n_classes) for k in order}
    return {int(k): int(place < budget // 2) for place, k in enumerate(order)}


def shares(rest: int, order: Sequence[int]) -> dict[int, int]:
    """Phase 2's share for every class: they sum to `rest` and differ by at most one, the first get more."""
    n_classes = len(order)
    return {int(k): rest // n_classes + int(place < rest % n_classes) for place, k in enumerate(order)}


def nearest_to_cut(order: list[int], k: int, book: Book) -> list[int]:
    """All askable items, nearest to class k's best threshold first; of two equally near ones the left."""
    s = best_threshold(losses([book.labels[i] for i in order], k))
    places = [r for r in range(1, len(order) + 1) if book.askable(order[r - 1])]
    return [order[r - 1] for r in sorted(places, key=lambda r: (abs(r - s - 0.5), r))]


def direct_round(probs: Probs, book: Book, budget: int, parallel: int, rng: np.random.Generator) -> None:
    """Algorithm 1, one blocking round; what it asks is in `book`."""
    n_classes = probs.shape[1]
    orders = [order_by_margin(probs, k) for k in range(n_classes)]
    for k, b in search_budgets(budget, [int(k) for k in rng.permutation(n_classes)]).items():
        vreduce(orders[k], k, b=b, parallel=parallel, book=book, rng=rng)
    second = [int(k) for k in rng.permutation(n_classes)]
    for k, share in shares(budget - len(book.asked), second).items():
        ranked, spent = nearest_to_cut(orders[k], k, book) if share else [], 0
        while spent < share:
            chunk = [i for i in ranked if book.askable(i)][: min(parallel, share - spent)]
            if not chunk:
                break
            book.ask(chunk)
            spent += len(chunk)


# --- the other strategies ---------------------------------------------------------------------------------


def galaxy_choice(order: list[int], k: int, book: Book, rng: np.random.Generator) -> int:
    """One question of GALAXY on class k's list."""
    y = [book.labels[i] for i in order]
    free = [r for r in range(1, len(order) + 1) if book.askable(order[r - 1])]
    labelled = [r for r in range(1, len(order) + 1) if y[r - 1] != UNKNOWN]
    cuts = [(a, b) for a, b in pairwise(labelled) if (y[a - 1] == k) != (y[b - 1] == k)]
    if not cuts:
        indices = sorted(order[r - 1] for r in free)
        return indices[int(rng.integers(len(indices)))]
    runs = [(a, b) for a, b in cuts if any(a < r < b for r in free)]
    if runs:
        a, b = min(runs, key=lambda run: (run[1] - run[0], run[0]))
        middle = (a + b) // 2
        return order[min((r for r in free if a < r < b), key=lambda r: (abs(r - middle), r)) - 1]
    distance = {r: min(abs(r - (a + b) / 2) for a, b in cuts) for r in free}
    return order[min(free, key=lambda r: (distance[r], r)) - 1]


def galaxy_round(probs: Probs, book: Book, budget: int, rng: np.random.Generator) -> None:
    """GALAXY: one question at a time, the classes in turn (one list is enough for two classes)."""
    n_classes = probs.shape[1]
    lists = 1 if n_classes == 2 else n_classes
    orders = [order_by_margin(probs, k) for k in range(lists)]
    for turn in range(budget):
        if not any(book.askable(i) for i in range(len(probs))):
            break
        k = turn % lists
        book.ask([galaxy_choice(orders[k], k, book, rng)])


def random_round(probs: Probs, book: Book, budget: int, rng: np.random.Generator) -> None:
    """Uniform without replacement."""
    free = [i for i in range(len(probs)) if book.askable(i)]
    book.ask([int(i) for i in rng.choice(free, min(budget, len(free)), replace=False)] if free else [])


def ranked_round(values: Sequence[float], book: Book, budget: int) -> None:
    """The askable items with the smallest values; ties to the lower index."""
    free = [i for i in range(len(values)) if book.askable(i)]
    book.ask(sorted(free, key=lambda i: (values[i], i))[:budget])


def confidence_values(probs: Probs) -> list[float]:
    return [float(max(row)) for row in probs]


def margin_values(probs: Probs) -> list[float]:
    """Largest minus second largest probability, in float32; with one class all are equal."""
    if probs.shape[1] == 1:
        return [0.0] * len(probs)
    answer = []
    for row in probs:
        top = sorted((np.float32(p) for p in row), reverse=True)
        answer.append(float(top[0] - top[1]))
    return answer


def entropy_values(probs: Probs) -> list[float]:
    """Minus the entropy, so that small comes first."""
    return [math.fsum(float(p) * math.log(float(p)) for p in row if p > 0) for row in probs]


def majority_class(labels: Iterable[int], n_classes: int) -> int:
    """The class most often seen, ties to the lowest; class 0 without labels."""
    seen = [v for v in labels if v != UNKNOWN]
    return max(range(n_classes), key=lambda k: (seen.count(k), -k))


def positive_values(probs: Probs, labels: Iterable[int]) -> list[float]:
    """The probability of the majority class: the largest 1 - p is the smallest p."""
    k = majority_class(labels, probs.shape[1])
    return [float(row[k]) for row in probs]


# --- bounds of a number -----------------------------------------------------------------------------------


def chance_of_hits(hits: int, drawn: int, number: int, pool: int) -> Fraction:
    """That `hits` of `drawn` items are of a class of which the pool has `number`: the hypergeometric distribution."""
    return Fraction(math.comb(number, hits) * math.comb(pool - number, drawn - hits), math.comb(pool, drawn))


def count_bounds(found: int, drawn: int, pool: int) -> tuple[int, int]:
    """The least and the largest number in the pool for which neither tail from `found` on is below 2.5 %."""
    fit = []
    for number in range(pool + 1):
        chances = [chance_of_hits(hits, drawn, number, pool) for hits in range(drawn + 1)]
        if min(sum(chances[: found + 1]), sum(chances[found:])) >= Fraction(1, 40):
            fit.append(number)
    return min(fit), max(fit)


def chance_of_draws(hits: int, drawn: int, share: Fraction) -> Fraction:
    """That `hits` of `drawn` independent draws are of a class of this share: the binomial distribution."""
    return math.comb(drawn, hits) * share**hits * (1 - share) ** (drawn - hits)


def share_fits(found: int, drawn: int, share: Fraction) -> bool:
    """Whether neither tail from `found` on is below 2.5 % at this share."""
    chances = [chance_of_draws(hits, drawn, share) for hits in range(drawn + 1)]
    return min(sum(chances[: found + 1]), sum(chances[found:])) >= Fraction(1, 40)
