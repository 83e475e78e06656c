"""DIRECT: for each class, find the optimal separation threshold, then label on both sides of it.

Algorithms 1 and 2 of Nuggehalli, Zhang, Jain and Nowak (arXiv 2312.09196). The formulas are in `core/thresholds.py`,
the way to reach them without sorting a large pool in `core/version_space.py`. Nothing here sees a label that was
not told.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.blocks import for_each
from cutpoint.core.places import Order, class_orders
from cutpoint.core.thresholds import thresholds_left
from cutpoint.core.version_space import VersionSpace
from cutpoint.plans import NOTHING, because, interleave
from cutpoint.types import UNKNOWN, Index, Known, Labels, Plan, Round, Why

PREPARED_FROM = 200_000  # examples; a smaller pool is searched faster than it is prepared

CITE = """@inproceedings{nuggehalli2025direct,
  title = {Improved Algorithm for Deep Active Learning under Imbalance via Optimal Separation},
  author = {Nuggehalli, Shyam and Zhang, Jifan and Jain, Lalit and Nowak, Robert},
  booktitle = {International Conference on Machine Learning},
  series = {PMLR},
  volume = {267},
  year = {2025},
  note = {arXiv:2312.09196, first titled DIRECT: Deep Active Learning under Imbalance and Label Noise},
}"""


def direct(round: Round) -> Plan:
    """Algorithm 1, one round; the searches and, behind them, phase 2 stand side by side (section 6)."""
    state = _State(round)
    if not state.askable.any():
        return
    budgets = search_budgets(round.budget, round.scores.n_classes, state.rng)
    state.reserved = sum(budgets.values())
    state.prepare(budgets)
    searches = [partial(vreduce, state, k, b) for k, b in budgets.items() if b]
    known = Known(round.labels, (), {}, None, round.parallel)
    yield from interleave([*searches, partial(label_near_thresholds, state)], known)


def search_budgets(budget: int, n_classes: int, rng: np.random.Generator) -> dict[int, int]:
    """Phase 1: questions per class, in random order: B_train / 2K each, or one each for B_train / 2 classes."""
    order = rng.permutation(n_classes).tolist()
    b = budget // (2 * n_classes)
    return {k: b or int(turn < budget // 2) for turn, k in enumerate(order)}


def vreduce(state: _State, k: int, budget: int, known: Known) -> Plan:
    """Algorithm 2: narrow the thresholds still possible for class k down to one, with `budget` questions.

    In a blocking session it asks batches of B_parallel; with questions in flight, one at a time, at most
    max(B_parallel, in_flight / K) of them open, narrowing whenever one of them is closed.
    """
    state.update(known)
    space = VersionSpace(state.orders[k], k, state.seen, known.labels, state.askable)
    width, noted = space.width, len(state.events)
    asked: dict[int, None] = {}
    closed = 0
    while len(asked) < budget:
        open_here = sum(i in asked for i in known.open)
        space.see(state.events_since(noted))
        noted = len(state.events)
        if len(asked) - open_here > closed:
            closed = len(asked) - open_here
            space.narrow(thresholds_left(width, closed, budget), known.labels)
        size = min(state.round.parallel, budget - len(asked))
        if known.in_flight is not None:
            size = int(open_here < max(known.parallel, -(-known.in_flight // len(state.orders))))
        batch = space.draw(size, state.rng)
        if size and not len(batch):
            break  # nothing left on which the thresholds disagree: what is unspent goes to phase 2
        asked |= dict.fromkeys(batch.tolist())
        state.reserved -= len(batch)
        why = Why("direct", "search", k, low=space.lo, high=space.hi)
        known = yield because(state.ask(batch), why, state.place(k))
        state.update(known)
    state.reserved -= budget - len(asked)


def label_near_thresholds(state: _State, known: Known) -> Plan:
    """Algorithm 1, second half: label the examples nearest to each class's estimated threshold, on both sides."""
    state.update(known)
    n_classes = len(state.orders)
    order = state.rng.permutation(n_classes).tolist()
    lists: dict[int, _Nearest] = {}
    whys: dict[int, Why] = {}
    asked = dict.fromkeys(order, 0)
    while True:
        total = state.left - state.reserved + sum(asked.values())
        shares = {k: total // n_classes + (turn < total % n_classes) for turn, k in enumerate(order)}
        k = next((k for k in order if asked[k] < shares[k]), None)
        if k is None and not state.reserved:
            return
        questions = NOTHING
        if k is not None:
            left = shares[k] - asked[k]
            if k not in lists:
                threshold = estimate_threshold(state.orders[k], k, state.seen, known.labels)
                lists[k] = _Nearest(state.orders[k], threshold, state.askable, left)
                whys[k] = Why("direct", "threshold", k, threshold)
            questions = lists[k].next(1 if known.in_flight is not None else min(state.round.parallel, left))
            if not len(questions):
                return  # the pool has nothing left to ask
            asked[k] += len(questions)
            questions = because(state.ask(questions), whys[k], state.place(k))
        known = yield questions
        state.update(known)


def estimate_threshold(order: Order, k: int, seen: Index, labels: Labels) -> int:
    """`thresholds.best_threshold` of the labels so far; counts the places of a few labelled examples."""
    labelled = order.sort(seen[labels[seen] != UNKNOWN])
    loss = np.concatenate(([0], np.cumsum(np.where(labels[labelled] == k, -1, 1))))
    n = len(order)
    ties = np.flatnonzero(
        loss == loss.min()
    )  # plateau t: the thresholds from labelled[t - 1]'s place up to before labelled[t]'s

    def start(t: int) -> int:
        return order.place(int(labelled[t - 1])) if t else 0

    low, high = 0, len(ties) - 1  # bisect for the last plateau that starts at or before N/2, or the first of all
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if 2 * start(int(ties[middle])) <= n else (low, middle - 1)
    candidates = []
    for t in ties[low : low + 2].tolist():
        end = order.place(int(labelled[t])) - 1 if t < len(labelled) else n
        candidates.append(min(max(start(t), n // 2), end))
    best: int = min(candidates, key=lambda s: (abs(2 * s - n), s))
    return best


def nearest(order: Order, threshold: int, size: int, askable: NDArray[np.bool_]) -> Index:
    """(<= size,) askable examples nearest to the cut behind place `threshold`, nearest first; left before right."""
    n = len(order)
    reach = 2 * size + 32
    while True:
        first, last = max(1, threshold - reach + 1), min(n, threshold + reach)
        stretch = order.stretch(first, last)
        free = np.flatnonzero(askable[stretch.items])
        if len(free) >= size or (first == 1 and last == n):
            twice = (
                2 * (first + free) - 2 * threshold - 1
            )  # twice the signed distance; the left of two equal ones comes first
            return stretch.items[free[np.argsort(np.abs(twice), kind="stable")[:size]]]
        reach *= 4


class _Nearest:
    """The askable examples in the order of `nearest`, listed as far as they are wanted."""

    def __init__(self, order: Order, threshold: int, askable: NDArray[np.bool_], size: int) -> None:
        self._order, self._threshold, self._askable = order, threshold, askable
        self._items = nearest(order, threshold, size, askable)

    def next(self, size: int) -> Index:
        """(<= size,) the next ones."""
        items = self._items[self._askable[self._items]]
        if len(items) < size:
            items = nearest(self._order, self._threshold, max(2 * size, 64), self._askable)
        self._items = items
        return items[:size]


class _State:
    """What the searches and phase 2 of one round share: the orders, the generator, and what may still be asked."""

    def __init__(self, round: Round) -> None:
        self.round = round
        self.rng = round.rng()
        self.orders = class_orders(round.scores.probs)
        self.askable = round.labels == UNKNOWN
        self.askable[round.held] = False
        self.left = round.budget  # questions of the round not yet asked
        self.reserved = 0  # of these, set aside for searches that have not ended
        self.events: list[int] = []  # examples asked, labelled or taken back in this round, in order
        self._held = frozenset(round.held.tolist())
        self._asked: set[int] = set()
        self._before = np.flatnonzero(~self.askable)  # labelled or held before the round
        self._new: dict[int, None] = {}  # the distinct ones among the events that are not in _before
        self._returned: set[int] = set()  # those in _before whose label was taken back
        self._noted = 0

    def prepare(self, budgets: dict[int, int]) -> None:
        """List what the searches will probably come to, for all classes at once; they ask the same without it."""
        round = self.round
        if len(self.askable) < PREPARED_FROM:
            return

        def foresee(k: int) -> None:
            if b := budgets[k]:
                space = VersionSpace(self.orders[k], k, self._before, round.labels, self.askable)
                turns = [min(turn * round.parallel, b) for turn in (1, 2, 3)]
                space.foresee([thresholds_left(space.width, a, b) for a in turns], round.labels)

        for_each(len(self.orders), foresee, rows=len(self.askable))

    @property
    def seen(self) -> Index:
        """(n,) distinct examples that are labelled, held, or were asked or touched in this round."""
        return np.append(self._before, np.fromiter(self._new, np.intp, len(self._new)))

    def place(self, k: int) -> Callable[[int], int] | None:
        """What finds a question's place in class k's order; None for a large pool, since it takes a pass over it."""
        return self.orders[k].place if len(self.askable) < PREPARED_FROM else None

    def events_since(self, place: int) -> Index:
        """Distinct examples asked, labelled or taken back since `place` in the list of events."""
        new = dict.fromkeys(self.events[place:])
        return np.fromiter(new, np.intp, len(new))

    def ask(self, questions: Index) -> Index:
        """Note that these are about to be asked."""
        self.left -= len(questions)
        self._asked.update(questions.tolist())
        self.events += questions.tolist()
        self._new.update(dict.fromkeys(questions.tolist()))
        self.askable[questions] = False
        return questions

    def update(self, known: Known) -> None:
        """Note what was told since the last time."""
        for i in known.told[self._noted :]:
            self.events.append(i)
            if self.askable[i] and i not in self._returned:
                self._new[i] = None
            self.askable[i] = known.labels[i] == UNKNOWN and i not in self._asked and i not in self._held
            if self.askable[i] and i not in self._new:
                self._returned.add(i)
        self._noted = len(known.told)
