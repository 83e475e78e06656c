"""Rounds and strategies small enough to be followed by hand."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cutpoint.plans import NOTHING
from cutpoint.types import UNKNOWN, Known, Plan, Round, Scores, Strategy

N = 12


def a_round(
    budget: int = N, parallel: int = 1, labels: dict[int, int] | None = None, held: Iterable[int] = ()
) -> Round:
    """Twelve examples of three classes, equally probable, on a line."""
    given_labels = np.full(N, UNKNOWN, np.int64)
    for i, label in (labels or {}).items():
        given_labels[i] = label
    line = np.arange(N, dtype=np.float32)[:, None]
    scores = Scores(np.full((N, 3), 1 / 3, np.float32), line, np.eye(3, 1, dtype=np.float32))
    return Round(scores, given_labels, budget, parallel, held=np.array(list(held), np.intp))


def batches(*lists: list[int]) -> Strategy:
    """A strategy that asks for these lists one after the other, less what has been labelled meanwhile."""

    def strategy(round: Round) -> Plan:
        labels = round.labels
        for questions in lists:
            free = [i for i in questions if labels[i] == UNKNOWN]
            if free:
                known = yield np.array(free, np.intp)
                labels = known.labels

    return strategy


def climber(round: Round) -> Plan:
    """Asks one question at a time, three places on for class 0, one on for any other: answers matter."""
    place, asked = 0, 0
    known: Known | None = None
    tried: set[int] = set()
    while asked < round.budget:
        labels = round.labels if known is None else known.labels
        free = [i for i in range(N) if labels[i] == UNKNOWN and i not in tried and i not in set(round.held.tolist())]
        if not free:
            return
        i = min(free, key=lambda j: ((j - place) % N, j))
        tried.add(i)
        known = yield np.array([i], np.intp)
        while i in known.open:
            known = yield NOTHING
        asked += 1
        place = i + (3 if known.labels[i] == 0 else 1)


def singles(round: Round) -> Plan:
    """Asks for one example after the other and never waits."""
    for i in range(round.budget):
        yield np.array([i], np.intp)
