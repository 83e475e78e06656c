"""Cross-checks against scikit-activeml, an independent implementation of some of the strategies.

Skipped where it is not installed; the extra `dev` has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cutpoint import STRATEGIES, UNKNOWN, Index, Round, Scores, Session

pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is not installed")
Classifier: Any = pytest.importorskip("skactiveml.base").SkactivemlClassifier

Doubles = NDArray[np.float64]


def given(probs: NDArray[Any], embedding: NDArray[Any] | None = None) -> Any:
    """A classifier whose answer for the sample [i] is row i: its probabilities, and its embedding if there is one."""

    class Given(Classifier):  # type: ignore[misc]
        def fit(self, X: Doubles, y: Doubles, sample_weight: Doubles | None = None) -> Any:
            return self

        def predict_proba(self, X: Doubles) -> Any:
            rows = X[:, 0].astype(int)
            p = probs[rows].astype(float)
            return p if embedding is None else (p, embedding[rows])

    return Given(classes=range(probs.shape[1]))


def theirs(query: Any, round: Round, samples: Doubles, **more: Any) -> Any:
    """What scikit-activeml asks of the round's unlabelled examples, `samples` (N, d) being what it is told of them."""
    labels = np.where(round.labels == UNKNOWN, np.nan, round.labels)
    return query.query(samples, labels, candidates=round.unlabelled(), batch_size=round.budget, **more)


def ours(name: str, round: Round) -> list[int]:
    return [int(i) for i in Session(STRATEGIES[name].strategy, round).wanted]


def rows(n: int) -> Doubles:
    return np.arange(n, dtype=float)[:, None]


def drawn(seed: int) -> Round:
    """A pool of 60 without ties, some of it labelled and some held."""
    rng = np.random.default_rng([7, seed])
    n, n_classes = 60, 2 + seed % 4
    labels = np.where(rng.random(n) < 0.3, rng.integers(n_classes, size=n), UNKNOWN)
    labels[0] = 0
    probs = rng.dirichlet(np.ones(n_classes), n).astype(np.float32)
    scores = Scores(probs, rng.normal(size=(n, 5)) * (1 + 9 * rng.random(5)))
    held: Index = np.flatnonzero(rng.random(n) < 0.1)
    return Round(scores, labels, budget=12, seed=seed, held=held)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("name", "method"), [("confidence", "least_confident"), ("margin", "margin_sampling"), ("entropy", "entropy")]
)
def test_the_uncertainty_family_asks_the_same(name: str, method: str, seed: int) -> None:
    round = drawn(seed)
    query = pool.UncertaintySampling(method=method, random_state=0)
    asked = theirs(query, round, rows(60), clf=given(round.scores.probs), fit_clf=False)
    assert ours(name, round) == [int(i) for i in asked]


@pytest.mark.parametrize("seed", range(5))
def test_coreset_asks_the_same(seed: int) -> None:
    round = drawn(seed)
    assert round.scores.embedding is not None
    asked = theirs(pool.CoreSet(random_state=0), round, round.scores.embedding.astype(float))
    assert ours("coreset", round) == [int(i) for i in asked]


def with_an_origin(seed: int) -> Round:
    """A pool of 9 of which nothing is labelled and example 4 has no gradient: its probabilities are 1 and 0."""
    rng = np.random.default_rng([8, seed])
    probs = rng.dirichlet(np.full(3, 2.0), 9)
    probs[4] = [0, 1, 0]
    return Round(Scores(probs.astype(np.float32), rng.normal(size=(9, 4))), np.full(9, UNKNOWN), budget=3)


@pytest.mark.parametrize("seed", range(4))
def test_badge_draws_from_the_same_distributions(seed: int) -> None:
    """Given the same centres, the chances of the next one are the same.

    Their first centre is the longest gradient, and after it they still count the origin as a centre. So ours must begin
    with the example that lies in the origin: then its second draw follows their first distribution, and where that
    draw is the one that they took, its third follows their second.
    """
    round = with_an_origin(seed)
    clf = given(round.scores.probs, round.scores.embedding)
    asked, chances = theirs(pool.Badge(random_state=0), round, rows(9), clf=clf, fit_clf=False, return_utilities=True)
    sums = np.cumsum(np.nan_to_num(chances), axis=1)
    compared = [0, 0]
    for again in range(400):
        same = Round(round.scores, round.labels, round.budget, seed=again)
        chosen, rng = ours("badge", same), same.rng()
        rng.integers(9)  # the first centre
        for place, beginning in enumerate([[4], [4, int(asked[0])]]):
            draw = rng.random() * sums[place, -1]
            if chosen[: place + 1] == beginning:
                compared[place] += 1
                assert chosen[place + 1] == np.searchsorted(sums[place], draw, side="right")
    assert min(compared) >= 5
