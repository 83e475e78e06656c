"""What Hypothesis draws: small pools full of exact ties, saturated rows, odd labels and held examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutpoint.types import UNKNOWN, Round, Scores

KINDS = ("grid", "smooth", "saturated", "equal", "uneven")


@dataclass(frozen=True)
class Case:
    """A drawn pool and round, with the truth that only the test knows."""

    probs: NDArray[np.float32]
    truth: list[int]
    labels: list[int]
    held: list[int]
    budget: int
    parallel: int
    seed: int

    @property
    def n_classes(self) -> int:
        return int(self.probs.shape[1])

    @property
    def askable(self) -> set[int]:
        return {i for i, label in enumerate(self.labels) if label == UNKNOWN} - set(self.held)

    def round(self) -> Round:
        scores, labels = Scores(self.probs.copy(), *self._read_by_some()), np.array(self.labels, np.int64)
        return Round(scores, labels, self.budget, self.parallel, self.seed, np.array(self.held, np.intp))

    def _read_by_some(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """An embedding on a grid, so with duplicates, and a head: what some strategies read beside probabilities."""
        rng = np.random.default_rng(self.seed)
        embedding, head = rng.integers(-2, 3, (len(self.probs), 2)), rng.normal(size=(self.n_classes, 3))
        return embedding.astype(np.float32), head.astype(np.float32)


@st.composite
def probabilities(draw: st.DrawFn, n: int, n_classes: int, kind: str) -> NDArray[np.float32]:
    """(n, n_classes) float32; every kind but "smooth" is rich in exact ties."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if kind == "smooth":
        return np.asarray(rng.dirichlet(np.full(n_classes, 0.5), n), np.float32)
    if kind == "saturated":
        hot = rng.integers(n_classes, size=(n, 1))
        return np.asarray(hot == np.arange(n_classes), np.float32)
    if kind == "equal":
        return np.full((n, n_classes), 1 / n_classes, np.float32)
    weights = rng.integers(0, 4, (n, n_classes)) + 1e-12
    rows = weights / weights.sum(axis=1, keepdims=True)
    rows[rows < 1e-6] = 0
    if kind == "uneven":  # rows that sum to one only within the tolerance
        rows *= 1 + rng.integers(-1, 2, (n, 1)) * 5e-4
    return np.asarray(rows, np.float32)


@st.composite
def label_lists(draw: st.DrawFn, truth: list[int], n_classes: int) -> list[int]:
    """Observed labels: none, few, many or all of the truth, some of them wrong."""
    share = draw(st.sampled_from([0.0, 0.1, 0.3, 0.6, 1.0]))
    wrong = draw(st.sampled_from([0.0, 0.0, 0.2]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = []
    for t in truth:
        label = int(rng.integers(n_classes)) if rng.random() < wrong else t
        labels.append(label if rng.random() < share else UNKNOWN)
    return labels


@st.composite
def cases(draw: st.DrawFn, *, max_n: int = 40, max_classes: int = 5, kinds: tuple[str, ...] = KINDS) -> Case:
    """Pools of 1..max_n examples and 1..max_classes classes, labelled in any way, and a round on them."""
    n = draw(st.integers(1, max_n))
    n_classes = draw(st.integers(1, max_classes))
    probs = draw(probabilities(n, n_classes, draw(st.sampled_from(kinds))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sure = draw(st.sampled_from([0.0, 0.8, 1.0]))  # how far the truth follows the scores
    truth = [int(np.argmax(row)) if rng.random() < sure else int(rng.integers(n_classes)) for row in probs]
    labels = draw(label_lists(truth, n_classes))
    kept_back = draw(st.sampled_from([0.0, 0.0, 0.2]))
    held = [i for i in range(n) if rng.random() < kept_back]
    return Case(
        probs=probs,
        truth=truth,
        labels=labels,
        held=held,
        budget=draw(st.integers(0, 2 * n + 4)),
        parallel=draw(st.sampled_from([1, 2, 3, 5, 20])),
        seed=draw(st.integers(0, 10**6)),
    )


@st.composite
def class_lists(draw: st.DrawFn, *, max_n: int = 30, max_classes: int = 4) -> tuple[list[int], int]:
    """Labels in one class's order (-1 unknown), and that class."""
    n_classes = draw(st.integers(1, max_classes))
    values = st.sampled_from([UNKNOWN, *range(n_classes)])
    return draw(st.lists(values, max_size=max_n)), draw(st.integers(0, n_classes - 1))
