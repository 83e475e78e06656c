"""What Hypothesis draws for the strategies that read the embedding: rounds without ties, and full of exact ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutpoint.types import UNKNOWN, Round, Scores

Floats = NDArray[np.floating[Any]]
KINDS = ("generic", "copies", "grid")


@dataclass(frozen=True)
class Choice:
    """A drawn round with an embedding and a head."""

    kind: str
    probs: NDArray[np.float32]
    embedding: Floats
    head: Floats
    labels: list[int]
    held: list[int]
    budget: int
    seed: int

    @property
    def n_classes(self) -> int:
        return int(self.probs.shape[1])

    @property
    def free(self) -> list[int]:
        return [i for i, label in enumerate(self.labels) if label == UNKNOWN and i not in self.held]

    def round(self) -> Round:
        scores = Scores(self.probs.copy(), self.embedding.copy(), self.head.copy())
        held = np.array(self.held, np.intp)
        return Round(scores, np.array(self.labels, np.int64), self.budget, seed=self.seed, held=held)

    def same(self, i: int, j: int) -> bool:
        """Two examples that no strategy but by their index can tell apart."""
        return bool((self.probs[i] == self.probs[j]).all() and (self.embedding[i] == self.embedding[j]).all())


def _rows(rng: np.random.Generator, kind: str, n: int, n_classes: int, d: int) -> tuple[Floats, Floats]:
    """Probabilities that sum to exactly one, in float32 too, and an embedding."""
    if kind == "grid":  # quarters and whole numbers: products and sums are exact
        probs = rng.multinomial(4, np.full(n_classes, 1 / n_classes), n) / 4
        return probs, rng.integers(-1, 2, (n, d)).astype(float)
    probs = (1 + rng.multinomial(2**12 - n_classes, rng.dirichlet(np.ones(n_classes), n))) / 2**12
    return probs, rng.normal(size=(n, d))


@st.composite
def choices(
    draw: st.DrawFn,
    kinds: str | tuple[str, ...] = KINDS,
    *,
    max_n: int = 25,
    least_classes: int = 1,
    least_d: int = 1,
    widest: float = 2**6,
) -> Choice:
    """A round on a pool of 1..max_n examples, 1..4 classes and embeddings of 1..4 numbers, labelled in any way.

    "generic": no two examples are alike. "copies": generic rows, most of them several times. "grid": coarse numbers
    on which the arithmetic of distances is exact, some of them 0, and heads with equal rows and unknown classes.
    widest: the largest factor by which an embedding is made wider or narrower.

    All follows from one drawn seed: left to itself, Hypothesis would draw a single example more often than not.
    """
    kind = draw(st.sampled_from([kinds] if isinstance(kinds, str) else kinds))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_classes, d = rng.integers([1, least_classes, least_d], [max_n + 1, 5, 5]).tolist()
    probs, embedding = _rows(rng, kind, n, n_classes, d)
    if kind == "copies":
        source = rng.integers(rng.integers(1, n + 1), size=n)
        probs, embedding = probs[source], embedding[source]
    biased = int(rng.integers(2))
    head = rng.normal(size=(n_classes, d + biased))
    if kind == "grid":
        head = np.round(head)
        head[rng.random(n_classes) < 0.2, d:] = -np.inf
    else:
        embedding = embedding * rng.choice([1, 1, widest, 1 / widest])
    labelled = rng.random(n) < rng.choice([0.0, 0.1, 0.3, 0.6, 1.0], p=[0.2, 0.3, 0.3, 0.1, 0.1])
    return Choice(
        kind=kind,
        probs=np.asarray(probs, np.float32),
        embedding=embedding,
        head=head,
        labels=np.where(labelled, rng.integers(n_classes, size=n), UNKNOWN).tolist(),
        held=np.flatnonzero(rng.random(n) < rng.choice([0.0, 0.0, 0.2])).tolist(),
        budget=int(rng.integers(1, rng.choice([4, n + 4]))),
        seed=int(rng.integers(10**6)),
    )
