"""The rounds on which the laws of a strategy are tried: small, ordinary and odd, the same every time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cutpoint.types import UNKNOWN, Labels, Round, Scores

Odd = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Trial:
    """A round to try a strategy on: what is odd about it, and (N,) the truth that answers come from."""

    what: str
    round: Round
    truth: Labels


TRIALS: tuple[tuple[str, int, int, Odd], ...] = (
    ("two classes", 60, 2, {}),
    ("three classes, one question at a time", 50, 3, {"parallel": 1, "budget": 20}),
    ("five classes", 60, 5, {"budget": 31}),
    ("two classes, nothing labelled", 40, 2, {"labelled": 0.0, "budget": 12}),
    ("many exact ties", 60, 3, {"scores": {"step": 0.25}, "budget": 20}),
    ("probabilities of exactly 0 and 1", 40, 2, {"scores": {"step": 1.0}, "budget": 16}),
    ("all scores equal", 30, 3, {"scores": {"sharp": 0.0}, "budget": 12}),
    ("a class that never occurs", 40, 3, {"present": 2, "budget": 13}),
    ("a single class", 20, 1, {"budget": 7}),
    ("only the pool's last examples unlabelled", 60, 2, {"first": 45, "budget": 8}),
    ("half of the pool held back", 50, 3, {"held": 0.5, "budget": 10}),
    ("everything held back", 12, 2, {"held": 1.1}),
    ("everything labelled", 12, 3, {"labelled": 1.1}),
    ("more budget than is left", 25, 2, {"budget": 60}),
    ("a budget of one", 30, 3, {"budget": 1}),
    ("one example", 1, 2, {"labelled": 0.0, "budget": 3}),
    ("no example", 0, 2, {"budget": 3}),
    ("one class labelled", 40, 3, {"labelled": 0.4, "seen": 1, "budget": 11}),
    ("an embedding of zeros", 20, 3, {"scores": {"points": 0}, "budget": 8}),
    ("one point for all", 20, 2, {"scores": {"points": 1}, "budget": 8}),
    ("three points for all", 30, 3, {"scores": {"points": 3}, "budget": 12}),
    ("an embedding of one column", 30, 3, {"scores": {"width": 1}, "budget": 11}),
    ("an embedding in half precision", 30, 3, {"scores": {"dtype": np.float16}, "budget": 9}),
    ("a head with two equal rows", 30, 3, {"scores": {"equal_rows": True}, "budget": 10}),
    ("a class that the head does not know", 30, 3, {"scores": {"unknown": True}, "budget": 10}),
    ("a head without biases", 30, 3, {"scores": {"biased": False}, "budget": 10}),
    ("nothing to spend", 30, 3, {"budget": 0}),
)
"""What is odd about each, N, K, and how it is odd, as `trial` reads it."""


def trials(seed: int = 0) -> Iterator[Trial]:
    """Small rounds, ordinary and odd: ties, saturated scores, absent or single classes, all labelled, odd embeddings.

    Scores come with an embedding and a head, so strategies that need them can be tried too.
    """
    for what, n, n_classes, odd in TRIALS:
        yield trial(what, n, n_classes, seed, **odd)


def trial(what: str, n: int, n_classes: int, seed: int = 0, **odd: Any) -> Trial:
    """A round of n examples; `what` is part of its seed.

    odd: scores, options of `linear_scores`; labelled and held, the shares of examples that are; first, only the first
    ones are labelled; present and seen, how many classes there are, and have labels; budget; parallel.
    """
    rng = np.random.default_rng([seed, *what.encode()])
    scores = linear_scores(rng, n, n_classes, **odd.get("scores", {}))
    truth = np.where(rng.random(n) < 0.8, scores.probs.argmax(axis=1), rng.integers(n_classes, size=n))
    truth = truth % odd.get("present", n_classes)
    known = rng.random(n) < odd.get("labelled", 0.2) if "first" not in odd else np.arange(n) < odd["first"]
    known &= truth < odd.get("seen", n_classes)
    held = np.flatnonzero(rng.random(n) < odd.get("held", 0.0))
    labels = np.where(known, truth, UNKNOWN)
    return Trial(what, Round(scores, labels, odd.get("budget", 9), odd.get("parallel", 4), seed, held), truth)


def linear_scores(
    rng: np.random.Generator, n: int, n_classes: int, *, sharp: float = 3.0, step: float = 0.0, **odd: Any
) -> Scores:
    """A linear model on drawn embeddings.

    sharp: how large its weights are. step: probabilities are rounded to multiples of it. odd: width, the embedding's
    columns; points, how many different rows it has; dtype; equal_rows and unknown, two classes with one row of the
    head and a class with a bias of -inf; biased, False for a head without biases.
    """
    width = odd.get("width", 4)
    embedding = rng.normal(size=(n, width))
    if "points" in odd:
        embedding = embedding[rng.integers(odd["points"], size=n)] if odd["points"] else np.zeros((n, width))
    embedding = embedding.astype(odd.get("dtype", np.float32))
    head = rng.normal(size=(n_classes, width + 1)).astype(np.float32) * np.float32(sharp)
    if odd.get("equal_rows"):
        head[1] = head[0]
    if odd.get("unknown"):
        head[0, -1] = -np.inf
    if not odd.get("biased", True):
        head[:, -1] = 0
    logits = embedding.astype(np.float32) @ head[:, :width].T + head[:, width]
    probs = np.exp(logits - logits.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    if step:
        rounded = np.round(probs / step) * step
        top = np.arange(n), probs.argmax(axis=1)
        rounded[top] = 0
        rounded[top] = np.maximum(1 - rounded.sum(axis=1), 0)
        probs = rounded / rounded.sum(axis=1, keepdims=True)
    return Scores(probs.astype(np.float32), embedding, head if odd.get("biased", True) else head[:, :width])
