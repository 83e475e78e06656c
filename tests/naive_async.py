"""The naive twin of asynchronous DIRECT: classes side by side, several questions in flight, no barrier.

Everything is worked out again at every step from what was asked and told. One step yields one question (the
first of a round: as many as a search may have at once), nothing (wait for an answer), or None (all is over).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

import naive


@dataclass
class Search:
    """Algorithm 2 for one class, one question at a time."""

    k: int
    b: int
    asked: list[int] = field(default_factory=list)
    closed: int = 0
    lo: int = -1
    hi: int = -1
    width: int = 0  # 0: not started
    over: bool = False


class AsyncDirect:
    """One round; `book` holds labels and what was asked, `open` the questions that nobody has closed."""

    def __init__(
        self,
        probs: naive.Probs,
        book: naive.Book,
        *,
        budget: int,
        parallel: int,
        in_flight: int,
        rng: np.random.Generator,
    ) -> None:
        self.n_classes = probs.shape[1]
        self.orders = [naive.order_by_margin(probs, k) for k in range(self.n_classes)]
        self.book, self.rng = book, rng
        self.budget, self.parallel, self.in_flight = budget, parallel, in_flight
        budgets = naive.search_budgets(budget, [int(k) for k in rng.permutation(self.n_classes)])
        self.searches = [Search(k, b) for k, b in budgets.items() if b]
        self.open: list[int] = []
        self.first = True
        self.second: list[int] = []  # phase 2's order of the classes, once it has begun
        self.ranked: dict[int, list[int]] = {}
        self.spent = dict.fromkeys(range(self.n_classes), 0)

    def step(self) -> list[int] | None:
        most = min(self.parallel, self.in_flight) if self.first else 1
        self.first = False
        for search in self.searches:
            batch = self.step_of(search, most)
            if batch:
                return self.ask(batch)
        return self.step_of_phase_2(most)

    def ask(self, batch: list[int]) -> list[int]:
        self.book.asked += batch
        self.open += batch
        return batch

    def y(self, k: int) -> list[int]:
        return [self.book.labels[i] for i in self.orders[k]]

    def step_of(self, search: Search, most: int) -> list[int]:
        if search.over:
            return []
        if search.width == 0:
            search.lo, search.hi = naive.version_space(self.y(search.k), search.k)
            search.width = search.hi - search.lo + 1
        still_open = sum(i in self.open for i in search.asked)
        if len(search.asked) - still_open > search.closed:
            search.closed = len(search.asked) - still_open
            left = naive.thresholds_left(search.width, search.closed, search.b)
            search.lo, search.hi = naive.narrow(naive.losses(self.y(search.k), search.k), search.lo, search.hi, left)
        limit = max(self.parallel, -(-self.in_flight // self.n_classes))
        if len(search.asked) < search.b and still_open >= limit:
            return []
        size = min(most, search.b - len(search.asked))
        batch = naive.draw_batch(self.orders[search.k], search.lo, search.hi, size, book=self.book, rng=self.rng)
        search.over = not batch
        search.asked += batch
        return batch

    def step_of_phase_2(self, most: int) -> list[int] | None:
        if not self.second:
            self.second = [int(k) for k in self.rng.permutation(self.n_classes)]
        reserved = sum(search.b - len(search.asked) for search in self.searches if not search.over)
        asked_in_phase_1 = sum(len(search.asked) for search in self.searches)
        shares = naive.shares(self.budget - reserved - asked_in_phase_1, self.second)
        for k in self.second:
            if self.spent[k] < shares[k]:
                if k not in self.ranked:
                    self.ranked[k] = naive.nearest_to_cut(self.orders[k], k, self.book)
                free = [i for i in self.ranked[k] if self.book.askable(i)]
                batch = free[: min(most, shares[k] - self.spent[k])]
                self.spent[k] += len(batch)
                return self.ask(batch) if batch else None
        return [] if reserved else None
