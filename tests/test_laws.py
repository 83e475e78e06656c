"""The shipped law suite over all that is registered, and over strategies that break one law each."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cutpoint import STRATEGIES, UNKNOWN, Index, Plan, Round, Scores, Session, Strategy, UsageError, one_shot
from cutpoint.learners import make_learner, wrap
from cutpoint.plans import NOTHING
from cutpoint.testing import STRATEGY_LAWS, check_equivariance, check_learner, check_strategy, trials
from learner_kinds import OF_FEATURES, marked


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_obeys_the_laws(name: str) -> None:
    check_strategy(STRATEGIES[name].strategy)


@pytest.mark.parametrize("name", ["confidence", "margin", "entropy", "most_likely_positive"])
def test_strategies_that_draw_nothing_are_equivariant(name: str) -> None:
    check_equivariance(STRATEGIES[name].strategy)


@pytest.mark.parametrize("name", ["coreset", "bait", "cluster_margin", "similar"])
def test_strategies_of_the_embedding_that_draw_nothing_are_equivariant(name: str) -> None:
    check_equivariance(STRATEGIES[name].strategy)


def test_base_follows_permutations_and_takes_the_classes_by_number() -> None:
    check_equivariance(STRATEGIES["base"].strategy, renamed=False)
    with pytest.raises(AssertionError, match="renaming the classes"):
        check_equivariance(STRATEGIES["base"].strategy)


@pytest.mark.parametrize(
    ("name", "missing"),
    [(name, missing) for name, entry in STRATEGIES.items() for missing in sorted(entry.needs - {"probs"})],
)
def test_a_strategy_says_what_is_missing_before_its_first_question(name: str, missing: str) -> None:
    round = next(trials()).round
    absent: Any = {missing: None}
    scores = replace(round.scores, **absent)
    with pytest.raises(UsageError, match=f"{name} reads the {missing}"):
        Session(STRATEGIES[name].strategy, replace(round, scores=scores))


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_reads_no_more_than_it_says(name: str) -> None:
    """The same questions without what is not among its needs."""
    entry = STRATEGIES[name]
    for trial in trials():
        round, scores = trial.round, trial.round.scores
        n, k = scores.probs.shape
        bare = Scores(
            scores.probs if "probs" in entry.needs else np.full((n, k), 1 / k, np.float32),
            scores.embedding if "embedding" in entry.needs else None,
            scores.head if "head" in entry.needs else None,
        )
        asked = Session(entry.strategy, replace(round, scores=bare)).wanted
        assert np.array_equal(asked, Session(entry.strategy, round).wanted), trial.what


def test_a_strategy_that_draws_is_not_equivariant() -> None:
    with pytest.raises(AssertionError, match="permuting the pool"):
        check_equivariance(STRATEGIES["random"].strategy)


@pytest.mark.parametrize("name", marked(OF_FEATURES))
def test_every_learner_obeys_the_laws(name: str) -> None:
    check_learner(make_learner(name, 4), 4)


def test_a_wrapped_classifier_obeys_the_laws() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    check_learner(wrap(KNeighborsClassifier(1), 3), 3)


def test_the_trials_are_the_same_every_time() -> None:
    for one, other in zip(trials(3), trials(3), strict=True):
        assert one.what == other.what
        assert np.array_equal(one.round.scores.probs, other.round.scores.probs)
        assert np.array_equal(one.round.labels, other.round.labels)
        assert np.array_equal(one.truth, other.truth)


def test_the_trials_are_as_odd_as_they_say() -> None:
    rounds = {trial.what: trial.round for trial in trials()}
    assert rounds["nothing to spend"].budget == 0
    assert rounds["a single class"].scores.n_classes == 1
    assert rounds["one example"].scores.n_examples == 1
    assert set(np.unique(rounds["probabilities of exactly 0 and 1"].scores.probs)) == {0, 1}
    assert len(np.unique(rounds["many exact ties"].scores.probs, axis=0)) < 16
    assert len(np.unique(rounds["all scores equal"].scores.probs)) == 1
    assert len(rounds["everything held back"].unlabelled()) == len(rounds["everything labelled"].unlabelled()) == 0
    assert rounds["everything labelled"].labels.min() >= 0
    assert 2 not in rounds["a class that never occurs"].labels
    assert len(rounds["more budget than is left"].unlabelled()) < rounds["more budget than is left"].budget
    assert len(rounds["half of the pool held back"].held) > 10
    assert set(np.unique(rounds["one class labelled"].labels)) == {UNKNOWN, 0}


def test_the_embeddings_and_heads_are_as_odd_as_they_say() -> None:
    scores = {trial.what: trial.round.scores for trial in trials()}

    def points(what: str) -> int:
        embedding = scores[what].embedding
        assert embedding is not None
        return len(np.unique(embedding, axis=0))

    assert [points(f"{many} for all") for many in ("one point", "three points")] == [1, 3]
    odd: dict[str, Callable[[Any, Any], bool]] = {
        "an embedding of zeros": lambda h, _: not h.any(),
        "an embedding of one column": lambda h, _: h.shape[1] == 1,
        "an embedding in half precision": lambda h, _: h.dtype == np.float16,
        "a head with two equal rows": lambda _, w: (w[0] == w[1]).all(),
        "a class that the head does not know": lambda _, w: w[0, -1] == -np.inf,
        "a head without biases": lambda h, w: h.shape[1] == w.shape[1],
    }
    for what, check in odd.items():
        assert check(scores[what].embedding, scores[what].head), what
    assert not scores["a class that the head does not know"].probs[:, 0].any()


# --- strategies that break one law each -------------------------------------------------------------------


def lazy(round: Round) -> Index:
    return round.unlabelled()[: round.budget - 1]


def local(round: Round) -> Index:
    """Indices into the unlabelled rest."""
    return np.arange(min(round.budget, len(round.unlabelled())))


def spendthrift(round: Round) -> Index:
    return round.unlabelled()


def twice(round: Round) -> Index:
    return np.repeat(round.unlabelled(), 2)[: round.budget]


def blind_to_held(round: Round) -> Index:
    return np.flatnonzero(round.labels == UNKNOWN)[: round.budget]


def globally_random(round: Round) -> Index:
    return np.random.permutation(round.unlabelled())[: round.budget]  # noqa: NPY002


def plainly_random(round: Round) -> Index:
    free = round.unlabelled().tolist()
    return np.array(random.sample(free, min(round.budget, len(free))), np.intp)


def forgetful() -> Callable[[Round], Index]:
    calls = [0]

    def strategy(round: Round) -> Index:
        calls[0] += 1
        return np.roll(round.unlabelled(), calls[0])[: round.budget]

    return strategy


@pytest.mark.parametrize(
    ("choose", "law"),
    [
        (lazy, "asks exactly the budget"),
        (local, "asks exactly the budget"),
        (spendthrift, "asks exactly the budget"),
        (twice, "asks exactly the budget"),
        (blind_to_held, "asks exactly the budget"),
        (globally_random, "draws from the round's seed alone.*global random state"),
        (plainly_random, "draws from the round's seed alone.*global random state"),
        (forgetful(), "draws from the round's seed alone.*other questions"),
    ],
)
def test_a_broken_choice_is_found(choose: Callable[[Round], Index], law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_strategy(one_shot(choose))


def one_by_one(round: Round, *, last_told: bool = False, needs_answer: bool = False, drops: bool = False) -> Plan:
    """Asks one example or a small batch at a time, right but for what the switches break."""
    tried: set[int] = set(round.held.tolist())
    labels, left, last = round.labels, round.budget, 0
    while left:
        free = [i for i in range(len(labels)) if labels[i] == UNKNOWN and i not in tried]
        if not free:
            return
        batch = sorted(free, reverse=last % 2 == 1)[: min(left, round.parallel)]
        tried.update(batch)
        left -= len(batch)
        known = yield np.array(batch, np.intp)
        labels = known.labels
        if needs_answer:
            while labels[batch[0]] == UNKNOWN:
                known = yield NOTHING
        if last_told and len(known.told):
            last = known.told[-1]
        if drops and any(i in known.told for i in range(len(labels)) if i not in tried):
            return


def always_asks_all(round: Round) -> Plan:
    """Fixes a list, and does not look whether somebody has answered meanwhile."""
    for i in round.unlabelled()[: round.budget].tolist():
        yield np.array([i], np.intp)


def restless() -> Strategy:
    """Remembers earlier rounds, but only where answers come from elsewhere."""
    seen: list[int] = []

    def strategy(round: Round) -> Plan:
        tried = set(round.held.tolist())
        labels = round.labels
        for _ in range(round.budget):
            free = [i for i in range(len(labels)) if labels[i] == UNKNOWN and i not in tried]
            if not free:
                return
            i = free[len(seen) % len(free)]
            tried.add(i)
            known = yield np.array([i], np.intp)
            labels = known.labels
            if len(known.open):
                seen.append(i)

    return strategy


@pytest.mark.parametrize(
    ("strategy", "law"),
    [
        (lambda round: one_by_one(round, last_told=True), "takes a batch in any order"),
        (lambda round: one_by_one(round, needs_answer=True), "bears skipped questions.*waits for an answer"),
        (lambda round: one_by_one(round, drops=True), "welcomes answers that nobody asked for"),
        (always_asks_all, "welcomes answers that nobody asked for.*labelled"),
        (restless(), "is rebuilt from its log"),
    ],
)
def test_a_broken_plan_is_found(strategy: Strategy, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_strategy(strategy)


def test_a_right_plan_is_let_through() -> None:
    check_strategy(one_by_one, seeds=1)


def test_every_law_says_what_it_wants() -> None:
    for law, holds in STRATEGY_LAWS.items():
        assert holds.__doc__, law
