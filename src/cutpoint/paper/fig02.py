"""Figure 2, a demonstration: one sorted list, and what uncertainty sampling, GALAXY and DIRECT ask of it.

The list is made up; what is asked is asked by the strategies themselves, and cuts and thresholds are those of the
core. The drawing is in `fig02_drawn.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cutpoint.core.thresholds import best_threshold, losses, optimal_threshold
from cutpoint.paper.figure import Figure
from cutpoint.session import run
from cutpoint.strategies import STRATEGIES
from cutpoint.types import UNKNOWN, Index, Labels, Round, Scores

FIGURE = Figure("many cuts, one threshold", ())

# The classes from the lowest score to the highest: the rare class 1 at the left, with outliers of both on either side.
CLASSES = "111121111111211122221222222222222212222222222222222222122222222222221222"
KNOWN = (2, 5, 14, 28, 36, 47, 55, 66)
"""Places, from 1, whose labels are known before the round; three of them are outliers."""
BUDGET = 24
SEED = 0


@dataclass(frozen=True, eq=False)
class Answered:
    """What one strategy asked of the list, and where that leads. Places count from 1.

    labels: (N,) in the list's order, -1 unknown; asked: (n,) places asked in this round, in order; cuts: (m,) places,
    each the last before a cut, midway between labelled neighbours of different classes; threshold: the one of least
    loss, as a number of places to its left.
    """

    strategy: str
    labels: Labels
    asked: Index
    cuts: tuple[float, ...]
    threshold: int

    @property
    def found(self) -> int:
        """How many of the examples asked are of class 1."""
        return int(np.count_nonzero(self.labels[self.asked - 1] == 0))


def truth() -> Labels:
    """(N,) the classes in the list's order: 0 is the rare class 1, 1 is class 2."""
    return np.array([int(c) - 1 for c in CLASSES], np.int64)


def sigmoid_scores() -> np.ndarray:
    """(N,) ascending scores, float32, of class 2; as imbalance will have it, one half lies deep in the majority."""
    places = np.arange(1, len(CLASSES) + 1)
    return np.asarray(1 / (1 + np.exp(-(places - 44) / 9)), np.float32)


def known_before() -> Labels:
    """(N,) labels before the round, -1 unknown."""
    labels = np.full(len(CLASSES), UNKNOWN, np.int64)
    places = np.array(KNOWN) - 1
    labels[places] = truth()[places]
    return labels


def true_threshold() -> int:
    """j*, the optimal separation threshold, with ties as the paper breaks them (Definition 4.1)."""
    return optimal_threshold(truth(), 0, minority=True)


def answered(strategy: str) -> Answered:
    """The round of a strategy on the list; the pool's order is the list's, so index i stands at place i + 1."""
    p = sigmoid_scores()
    scores = Scores(np.stack([1 - p, p], axis=1))
    clean, asked = truth(), list[Index]()

    def oracle(questions: Index) -> Labels:
        asked.append(questions)
        return clean[questions]

    labels = run(STRATEGIES[strategy].strategy, Round(scores, known_before(), BUDGET, 1, SEED), oracle)
    places = np.flatnonzero(labels != UNKNOWN) + 1
    changes = np.flatnonzero(np.diff(labels[places - 1]))
    cuts = tuple(((places[changes] + places[changes + 1]) / 2).tolist())
    return Answered(strategy, labels, np.concatenate(asked) + 1, cuts, best_threshold(losses(labels, 0)))
