"""One simulated campaign: label, train, score, measure, ask; round after round.

The strategy sees scores and the labels that were given; clean labels are touched by the measures alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.measures import recall_per_class
from cutpoint.data.pool import Benchmark
from cutpoint.experiment.seeds import ASK, FIT, number
from cutpoint.learners.base import Learner, Model, check_gives, check_reads
from cutpoint.session import run
from cutpoint.strategies import STRATEGIES
from cutpoint.types import UNKNOWN, Index, Labels, Round, Scores

_log = logging.getLogger("cutpoint")


class Measure(NamedTuple):
    """One measured value; round 0 is the one after the first random batch."""

    round: int
    n_labels: int
    metric: str
    value: float


@dataclass(frozen=True)
class Snapshot:
    """The first round with a model, for the picture of it: what was known, asked and learnt."""

    probs: NDArray[np.float32]
    labels_before: Labels
    labels_after: Labels
    asked: Index


class State(NamedTuple):
    """A campaign between two rounds: what was measured, the labels (N,) that are there, the first round's picture."""

    measures: list[Measure]
    labels: Labels
    snapshot: Snapshot | None


@dataclass(frozen=True)
class Schedule:
    """How many labels: `first` at random, then `rounds` times `budget`, of which `parallel` at a time."""

    first: int
    budget: int
    rounds: int
    parallel: int = 1


class Oracle:
    """Answers from the observed labels, and remembers what it was asked, in order."""

    def __init__(self, observed: Labels) -> None:
        self._observed = observed
        self.asked: list[Index] = []

    def __call__(self, questions: Index) -> Labels:
        """Observed labels (m,) of the questions (m,)."""
        self.asked.append(questions)
        return self._observed[questions]


def run_campaign(
    benchmark: Benchmark,
    observed: Labels,
    strategy: str,
    learner: Learner,
    schedule: Schedule,
    *,
    seed: int,
    begun: State | None = None,
    keep: Callable[[State], object] = lambda _: None,
) -> tuple[list[Measure], Snapshot | None]:
    """All measures of a campaign, and its first round with a model (None if it has none).

    `keep` is called after each round, and a campaign goes on from such a state if it is handed in as `begun`.
    UsageError, before anything is asked, if the learner says that it does not give what the strategy reads.
    """
    check_gives(strategy, learner, type(learner).__name__)
    check_reads(benchmark.pool, learner, type(learner).__name__)
    state = begun or State([], first_batch(observed, benchmark.n_classes, schedule.first, seed), None)
    measures, labels, snapshot = list(state.measures), state.labels, state.snapshot
    for r in range(measures[-1].round + 1 if measures else 0, schedule.rounds + 1):
        start = perf_counter()
        model = learner.fit(benchmark.pool, labels, seed=number(seed, FIT, r))
        fitted = perf_counter()
        scores = model.score(benchmark.pool, STRATEGIES[strategy].needs | {"probs"})
        scored = perf_counter()
        values = measure(benchmark, observed, labels, model, scores) | dict(model.notes)
        values |= {"seconds_measure": perf_counter() - scored}
        values |= {"seconds_fit": fitted - start, "seconds_score": scored - fitted}
        if r == schedule.rounds:
            _say_if_lost(labels, scores)
        n_labels = int(np.count_nonzero(labels != UNKNOWN))
        if r < schedule.rounds:
            start = perf_counter()
            now = Round(scores, labels, schedule.budget, schedule.parallel, number(seed, ASK, r + 1))
            oracle = Oracle(observed)
            labels = run(STRATEGIES[strategy].strategy, now, oracle)
            values["seconds_select"] = perf_counter() - start
            snapshot = snapshot or Snapshot(scores.probs, now.labels, labels, np.concatenate(oracle.asked))
        measures += [Measure(r, n_labels, metric, float(value)) for metric, value in values.items()]
        keep(State(measures, labels, snapshot))
        del model  # a network lies on its device, where the next one is trained
    return measures, snapshot


def _say_if_lost(labels: Labels, scores: Scores) -> None:
    """Log it if a model that was given labels of several classes calls the whole pool one."""
    given, called = np.unique(labels[labels != UNKNOWN]), np.unique(scores.probs.argmax(axis=1))
    if len(given) > 1 and len(called) == 1:
        _log.warning(
            "the last model calls the whole pool one class, though it was given labels of %d, so it has learnt "
            "nothing; of a network, look at its weights and its learning rate.",
            len(given),
        )


def first_batch(observed: Labels, n_classes: int, size: int, seed: int) -> Labels:
    """Labels (N,) after `size` random questions; the same for every strategy, since there is no model yet."""
    probs = np.full((observed.size, n_classes), 1 / n_classes, dtype=np.float32)
    unknown = np.full(observed.size, UNKNOWN, dtype=np.int64)
    start = Round(Scores(probs), unknown, size, seed=number(seed, ASK))
    return run(STRATEGIES["random"].strategy, start, Oracle(observed))


def measure(benchmark: Benchmark, observed: Labels, labels: Labels, model: Model, scores: Scores) -> dict[str, float]:
    """What is known about a model and its labels: metric -> value."""
    k = benchmark.n_classes
    values: dict[str, float] = {}
    test = recall_per_class(benchmark.test_labels, model.predict(benchmark.test_features), k)
    pool = recall_per_class(benchmark.labels, scores.probs.argmax(axis=1), k)
    values["balanced_accuracy"] = float(np.nanmean(test))  # without the classes that a published test part lacks
    values["pool_balanced_accuracy"] = float(pool.mean())
    known = np.flatnonzero(labels != UNKNOWN)
    found = np.bincount(benchmark.labels[known], minlength=k)
    seen = np.bincount(observed[known], minlength=k)
    for c in range(k):
        if np.isfinite(test[c]):
            values[f"recall_{c}"] = float(test[c])
        values |= {
            f"found_{c}": float(found[c]),
            f"observed_{c}": float(seen[c]),
        }
    majority = int(np.argmax(np.bincount(benchmark.labels, minlength=k)))
    values["minority_found"] = float(known.size - found[majority])
    values["label_noise"] = float(np.mean(observed[known] != benchmark.labels[known]))
    return values
