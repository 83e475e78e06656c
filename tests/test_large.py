"""Pools large enough for every short cut of the fast path: same places and questions as the definitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import naive
from cutpoint import STRATEGIES, UNKNOWN, Index, Labels, Round, Scores, run
from cutpoint.core.places import class_orders
from cutpoint.core.thresholds import (
    best_threshold,
    losses,
    narrow,
    order_by_margin,
    thresholds_left,
    version_space,
)

N = 150_001  # more than twice the sample that guesses places, and not a multiple of any block

Probs = NDArray[np.float32]


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def smooth(rng: np.random.Generator, n_classes: int) -> Probs:
    return np.asarray(_softmax(rng.normal(size=(N, n_classes)) * 3), np.float32)


def rounded(rng: np.random.Generator, n_classes: int) -> Probs:
    """A few hundred distinct rows: tied by the thousand."""
    counts = np.floor(_softmax(rng.normal(size=(N, n_classes)) * 2) * 16)
    counts[:, 0] += 16 - counts.sum(axis=1)
    return np.asarray(counts / 16, np.float32)


def pairs(rng: np.random.Generator, n_classes: int) -> Probs:
    """Every row twice, far apart: more groups of ties than 16 bits can count."""
    half = smooth(rng, n_classes)[: N // 2]
    return np.concatenate([half, half, half[:1]])


def saturated(rng: np.random.Generator, n_classes: int) -> Probs:
    """Mostly exact zeros and ones, as a confident network gives."""
    return np.asarray(_softmax(rng.normal(size=(N, n_classes)) * 60), np.float32)


def uneven(rng: np.random.Generator, n_classes: int) -> Probs:
    """Rows that sum to one only within the tolerance: equal margins of unequal probabilities."""
    return np.asarray(rounded(rng, n_classes) * rng.choice([0.9995, 1, 1.0005], (N, 1)), np.float32)


KINDS = [smooth, rounded, pairs, saturated, uneven]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_whole_order_is_the_definitions(kind: Callable[..., Probs], n_classes: int) -> None:
    probs = kind(np.random.default_rng(0), n_classes)
    for k, order in enumerate(class_orders(Scores(probs).probs)):
        assert np.array_equal(order.sort(np.arange(N)), order_by_margin(probs, k))


@pytest.mark.parametrize("kind", KINDS)
def test_places_and_stretches_are_the_orders(kind: Callable[..., Probs]) -> None:
    rng = np.random.default_rng(1)
    probs = kind(rng, 3)
    order, plain = class_orders(Scores(probs).probs)[1], order_by_margin(probs, 1)
    for first, last in [(1, 1), (N, N), (1, 500), (N - 500, N), (N // 2, N // 2 + 700), (N // 3, N // 3)]:
        assert np.array_equal(order.stretch(first, last).items, plain[first - 1 : last])
    for place in rng.integers(1, N + 1, 20).tolist():
        assert order.place(int(plain[place - 1])) == place


class PlainDirect:
    """Algorithm 1 in the plain definitions of core.thresholds, which are held to the naive twins."""

    def __init__(self, round: Round, truth: Labels) -> None:
        self.round, self.truth, self.rng = round, truth, round.rng()
        self.labels = round.labels.copy()
        self.askable = self.labels == UNKNOWN
        self.askable[round.held] = False
        self.asked: list[int] = []
        probs = round.scores.probs
        self.orders = [order_by_margin(probs, k) for k in range(probs.shape[1])]

    def questions(self) -> list[int]:
        n_classes, budget = len(self.orders), self.round.budget
        for k, b in naive.search_budgets(budget, self.rng.permutation(n_classes).tolist()).items():
            self.vreduce(k, b)
        order = self.rng.permutation(n_classes).tolist()
        for k, share in naive.shares(budget - len(self.asked), order).items():
            s = best_threshold(losses(self.labels[self.orders[k]], k))
            places = np.flatnonzero(self.askable[self.orders[k]]) + 1
            near = places[np.argsort(np.abs(places - s - 0.5), kind="stable")[:share]]
            self.ask(self.orders[k][near - 1])
        return self.asked

    def vreduce(self, k: int, b: int) -> None:
        order = self.orders[k]
        lo, hi = version_space(self.labels[order], k)
        width, closed = hi - lo + 1, 0
        while closed < b:
            candidates = order[lo:hi][self.askable[order[lo:hi]]]
            batch = self.draw(candidates, min(self.round.parallel, b - closed, len(candidates)))
            if not len(batch):
                return
            self.ask(batch)
            closed += len(batch)
            loss = losses(self.labels[order], k)
            lo, hi = narrow(loss, lo, hi, min(hi - lo + 1, thresholds_left(width, closed, b)))

    def draw(self, candidates: Index, size: int) -> Index:
        if naive.WIDE * len(candidates) < N:
            return candidates[self.rng.choice(len(candidates), size, replace=False)] if size else candidates
        allowed = np.zeros(N, np.bool_)
        allowed[candidates] = True
        batch: dict[int, None] = {}
        while len(batch) < size:
            i = int(self.rng.integers(N))
            if allowed[i]:
                batch[i] = None
        return np.array(list(batch), np.intp)

    def ask(self, batch: Index) -> None:
        self.asked += batch.tolist()
        self.askable[batch] = False
        self.labels[batch] = self.truth[batch]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_classes", "noise", "n_labels"), [(2, 0.2, 400), (3, 0.0, 60), (3, 0.1, 0), (1, 0.0, 9)])
def test_direct_asks_the_plain_questions(
    kind: Callable[..., Probs], n_classes: int, noise: float, n_labels: int
) -> None:
    rng = np.random.default_rng([2, n_classes])
    probs = kind(rng, n_classes) if n_classes > 1 else np.ones((N, 1), np.float32)
    truth = np.where(rng.random(N) < noise, rng.integers(n_classes, size=N), probs.argmax(axis=1))
    truth[rng.random(N) < 0.7] = n_classes - 1  # imbalance
    labels = np.full(N, UNKNOWN, np.int64)
    first, held = np.split(rng.permutation(N)[: n_labels + 300], [n_labels])
    labels[first] = truth[first]
    round = Round(Scores(probs), labels, budget=61, parallel=5, seed=n_labels, held=held)
    asked: list[int] = []

    def oracle(indices: Index) -> Labels:
        asked.extend(indices.tolist())
        return truth[indices]

    run(STRATEGIES["direct"].strategy, round, oracle)
    assert asked == PlainDirect(round, truth).questions()
