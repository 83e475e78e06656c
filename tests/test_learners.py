"""Learners: absent classes, the scale, the choice of C, and scores that say what the model says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutpoint.data import Pool, load_benchmark
from cutpoint.errors import UsageError
from cutpoint.learners import Learner, make_learner, registry, wrap
from cutpoint.learners.base import class_weights
from cutpoint.learners.linear import FEW, STRENGTH_OF_FEW, STRENGTHS, LogisticLearner
from cutpoint.learners.scaling import scaled
from learner_kinds import HERE

ALL = frozenset({"probs", "embedding", "head"})
K = 4


def forest(n_classes: int) -> Learner:
    from sklearn.ensemble import RandomForestClassifier

    return wrap(RandomForestClassifier(5), n_classes)


MAKERS: dict[str, Callable[[int], Learner]] = {name: partial(make_learner, name) for name in HERE}
MAKERS["forest"] = forest


def drawn_pool(seed: int = 0) -> tuple[Pool, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    y = np.arange(80) % K
    return Pool((rng.standard_normal((80, 3)) + 3 * np.eye(K, 3)[y]).astype(np.float32)), y


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("present", [{0}, {3}, {1, 3}, {0, 2}, {0, 1, 2, 3}])
def test_absent_classes_have_probability_zero_in_their_own_column(name: str, present: set[int]) -> None:
    pool, y = drawn_pool()
    labels = np.where(np.isin(y, list(present)), y, -1)
    model = MAKERS[name](K).fit(pool, labels, seed=0)
    probs = model.predict_probs(pool.features)
    scores = model.score(pool, ALL)
    assert probs.shape == (80, K)
    assert np.array_equal(scores.probs, probs)
    for k in range(K):
        assert (probs[:, k].max() > 0) == (k in present)
    known = labels >= 0
    assert np.mean(model.predict(pool.features)[known] == labels[known]) > 0.6
    if scores.embedding is not None:
        assert scores.head is not None
        logits = scores.embedding @ scores.head[:, :-1].T + scores.head[:, -1]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        assert np.allclose(odds / odds.sum(axis=1, keepdims=True), probs, atol=1e-5)
        assert set(np.flatnonzero(np.isfinite(scores.head[:, -1]))) == present


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(("n_classes", "only"), [(1, 0), (2, 0), (2, 1), (3, 1)])
def test_labels_of_one_class_alone_teach_that_class_however_many_they_are(name: str, n_classes: int, only: int) -> None:
    pool, _ = drawn_pool()
    certain = np.eye(n_classes, dtype=np.float32)[np.full(80, only)]
    for n in range(1, 13):
        model = MAKERS[name](n_classes).fit(pool, np.where(np.arange(80) < n, only, -1), seed=0)
        assert np.array_equal(model.score(pool, ALL).probs, certain)
        assert np.array_equal(model.predict_probs(pool.features), certain)
        assert set(model.predict(pool.features)) == {only}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("labelled", [(1, 2, 3), (1,)])
def test_what_is_needed_may_be_any_iterable_of_names(name: str, labelled: tuple[int, ...]) -> None:
    pool, y = drawn_pool()
    model: Any = MAKERS[name](K).fit(pool, np.where(np.isin(y, labelled), y, -1), seed=0)
    expected = model.score(pool, ALL)
    for needs in (["embedding"], ("head", "probs"), {"embedding": 1}, iter(["head"])):
        scores = model.score(pool, needs)
        for array in ("probs", "embedding", "head"):
            assert np.array_equal(getattr(scores, array), getattr(expected, array))
    assert model.score(pool, ["probs"]).embedding is None
    assert model.score(pool, []).embedding is None


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("labelled", [(1, 2, 3), (1,)])
def test_a_need_that_scores_do_not_have_is_refused(name: str, labelled: tuple[int, ...]) -> None:
    pool, y = drawn_pool()
    model: Any = MAKERS[name](K).fit(pool, np.where(np.isin(y, labelled), y, -1), seed=0)
    with pytest.raises(UsageError, match="needs names 'embeddings'; scores have probs, embedding and head"):
        model.score(pool, ["probs", "embeddings"])
    for alone in ("embedding", None):
        with pytest.raises(UsageError, match="it must be some of probs, embedding and head"):
            model.score(pool, alone)


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_seed_gives_the_same_model_and_labels_are_left_alone(name: str) -> None:
    pool, y = drawn_pool()
    labels = np.where(np.arange(80) < 60, y, -1)
    before = labels.copy()
    one, two = (MAKERS[name](K).fit(pool, labels, seed=7).score(pool) for _ in range(2))
    assert np.array_equal(one.probs, two.probs)
    assert one.embedding is None
    assert np.array_equal(labels, before)


def test_two_classes_have_opposite_head_rows() -> None:
    pool, y = drawn_pool()
    head = make_learner("logistic", 2).fit(pool, y % 2, seed=0).score(pool, ALL).head
    assert head is not None
    assert np.array_equal(head[0], -head[1])


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full(80, -1), "no example is labelled"),
        (np.full(80, K), r"must lie in 0\.\.3"),
        (np.full(80, -2), r"must lie in 0\.\.3"),
        (np.zeros(79, int), r"must be \(80,\)"),
    ],
)
def test_bad_labels_are_refused(name: str, labels: NDArray[np.int64], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        MAKERS[name](K).fit(drawn_pool()[0], labels, seed=0)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_class_weights_are_inverse_to_the_counts(y: list[int]) -> None:
    weights = class_weights(np.array(y), 5)
    totals = [weights[k] * y.count(k) for k in set(y)]
    assert totals == pytest.approx([len(y) / len(set(y))] * len(totals))
    assert all(weights[k] == 0 for k in set(range(5)) - set(y))


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 30), st.integers(1, 5), st.floats(-100, 100), st.integers(0, 99))
def test_scaling_divides_by_one_number(n: int, d: int, shift: float, seed: int) -> None:
    features = (np.random.default_rng(seed).standard_normal((n, d)) * np.arange(1, d + 1) + shift).astype(np.float32)
    pool = Pool(features)
    deviations = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    number = np.sqrt(np.mean(deviations**2)) or 1.0
    assert np.allclose(scaled(pool).pool, deviations / number, atol=1e-3)
    columns = np.sqrt(np.mean(deviations**2, axis=0))
    assert np.allclose(scaled(pool, by_column=True).pool, deviations / np.where(columns == 0, 1, columns), atol=1e-3)
    assert scaled(pool) is scaled(pool)


def test_the_choice_of_strength() -> None:
    digits = load_benchmark("digits-3")
    labels = np.full(digits.pool.n_examples, -1)
    rarest = np.flatnonzero(digits.labels == 0)
    labels[:200] = digits.labels[:200]
    labels[rarest] = -1
    learner = LogisticLearner(3)
    labels[rarest[: FEW - 1]] = 0
    assert learner.fit(digits.pool, labels, seed=0).notes == {"C": STRENGTH_OF_FEW}
    labels[rarest[:30]] = 0
    chosen = learner.fit(digits.pool, labels, seed=0).notes["C"]
    assert chosen in STRENGTHS
    flipped = np.where(labels >= 0, np.random.default_rng(0).integers(0, 3, labels.size), -1)
    assert learner.fit(digits.pool, flipped, seed=0).notes["C"] < chosen
    assert make_learner("logistic:C=0.5", 3).fit(digits.pool, labels, seed=0).notes == {"C": 0.5}


def test_learners_by_name() -> None:
    assert make_learner("logistic:by_column=yes:C=2", 3) == LogisticLearner(3, C=2.0, by_column=True)
    for name, message in (
        ("tree", "no learner 'tree'; choose from logistic, mlp"),
        ("logistic:D=1", "no option 'D'"),
        ("logistic:C=-1", "C is '-1'"),
        ("logistic:C=", "C is ''"),
        ("mlp:hidden=0", "hidden is '0'"),
        ("logistic:by_column=maybe", "by_column is 'maybe'"),
    ):
        with pytest.raises(UsageError, match=message):
            make_learner(name, 2)
    with pytest.raises(UsageError, match="no fit and predict_proba"):
        wrap(object(), 2)


@pytest.mark.parametrize("name", ["torch-linear", "torch-mlp:hidden=9", "resnet18:epochs=500"])
def test_a_learner_without_its_extra_is_one_sentence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_is_installed", lambda distribution: distribution not in ("torch", "timm"))
    wanted = "torch and timm" if name.startswith("resnet") else "torch"
    with pytest.raises(UsageError) as caught:
        make_learner(name, 2)
    assert f"learner {name.partition(':')[0]} needs {wanted}, which is not installed" in str(caught.value)
    assert "`pip install 'cutpoint[deep]'`" in str(caught.value)


@pytest.mark.parametrize("strength", [-1.0, 0.0, float("nan"), float("inf")])
def test_a_strength_that_is_none_is_refused(strength: float) -> None:
    with pytest.raises(UsageError, match=r"C is .*; it must be a number above 0"):
        LogisticLearner(2, C=strength)


def test_wrapped_learners_take_any_seed() -> None:
    from sklearn.ensemble import RandomForestClassifier

    pool = Pool(np.random.default_rng(0).standard_normal((20, 2)).astype(np.float32))
    learner = wrap(RandomForestClassifier(n_estimators=2), 2)
    one, other = (learner.fit(pool, np.arange(20) % 2, seed=seed) for seed in (2**32 + 3, 3))
    assert np.array_equal(one.predict_probs(pool.features), other.predict_probs(pool.features))


def test_digits_are_learnt() -> None:
    digits = load_benchmark("digits")
    for name, least in (("logistic", 0.93), ("mlp", 0.93)):
        model = make_learner(name, 10).fit(digits.pool, digits.labels, seed=0)
        assert np.mean(model.predict(digits.test_features) == digits.test_labels) > least
