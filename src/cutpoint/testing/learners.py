"""The laws of a learner: what a strategy may take for granted of the scores that it is handed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cutpoint.errors import UsageError
from cutpoint.types import UNKNOWN, Labels

if TYPE_CHECKING:
    from cutpoint.data import Pool
    from cutpoint.learners import Learner, Model

TOLERANCE = 1e-3  # between probabilities and those that the head gives on the embedding, which are float32 both


def check_learner(learner: Learner, n_classes: int, *, n_features: int = 5, side: int = 8) -> None:
    """Raise AssertionError at the first law that a learner of `n_classes` >= 3 classes breaks.

    It is fitted to a small drawn pool: with all classes labelled, with one class absent, with a single class,
    with one label and with none. A learner that reads pictures has such of `side` x `side`, each class of one colour.
    """
    from cutpoint.learners.base import reads

    rng = np.random.default_rng(0)
    truth = np.arange(30 * n_classes) % n_classes
    features = rng.normal(size=(len(truth), n_features)) + np.eye(n_classes, n_features)[truth] * 3
    pool = _coloured(truth, n_classes, side) if reads(learner) == "pictures" else _pool(features)
    some = np.where(rng.random(len(truth)) < 0.5, truth, UNKNOWN)
    for what, labels in {
        "all classes labelled": some,
        "a class without labels": np.where(some == 1, UNKNOWN, some),
        "labels of a single class": np.where(some == 1, some, UNKNOWN),
        "one label": np.where(np.arange(len(some)) == 3, truth, UNKNOWN),
    }.items():
        try:
            _check_fit(learner, pool, labels, n_classes)
        except Exception as error:
            reason = str(error) if isinstance(error, AssertionError) else repr(error)
            raise AssertionError(f"with {what}: {reason}") from error
    model = learner.fit(pool, some, seed=0)
    right = float(np.mean(model.predict(pool.features) == truth))
    assert right > 1.5 / n_classes, f"it recognises {right:.0%} of {n_classes} well separated classes."
    for what, labels in {
        "no label at all": np.full(len(truth), UNKNOWN),
        "labels of another pool": some[1:],
        "a label that is no class": np.where(np.arange(len(some)) == 3, n_classes, some),
    }.items():
        try:
            learner.fit(pool, labels, seed=0)
        except UsageError:
            continue
        raise AssertionError(f"{what} must be a UsageError.")


def _check_fit(learner: Learner, pool: Pool, labels: Labels, n_classes: int) -> None:
    from cutpoint.learners.base import knows_classes

    before = pool.features.copy(), labels.copy()
    theirs = repr(np.random.get_state())  # noqa: NPY002
    model = learner.fit(pool, labels, seed=7)
    probs = model.score(pool, frozenset({"probs"})).probs
    assert theirs == repr(np.random.get_state()), "a global random state was used."  # noqa: NPY002
    unchanged = np.array_equal(before[0], pool.features) and np.array_equal(before[1], labels)
    assert unchanged, "the pool or the labels were changed."
    expected = pool.n_examples, n_classes
    assert probs.shape == expected, f"probs has shape {probs.shape}; it must be {expected}."
    again = learner.fit(pool, labels, seed=7).score(pool, frozenset({"probs"})).probs
    assert np.array_equal(probs, again), "the same labels and seed gave another model."
    absent = np.setdiff1d(np.arange(n_classes), labels)
    if not knows_classes(learner):
        assert not probs[:, absent].any(), f"classes {absent.tolist()} have no label: probability 0 is due."
    assert np.allclose(model.predict_probs(pool.features), probs, atol=1e-6), "predict_probs and score differ."
    predicted = model.predict(pool.features)
    assert np.array_equal(predicted, probs.argmax(axis=1)), "predict is not the most probable class."
    _check_gives(learner, model, pool)
    _check_head(model, pool)


def _check_gives(learner: Learner, model: Model, pool: Pool) -> None:
    """What the learner says that it gives is in the scores when it is needed."""
    from cutpoint.learners.base import gives

    said = gives(learner) or frozenset()
    scores = model.score(pool, said)
    missing = sorted(name for name in said if getattr(scores, name, None) is None)
    assert not missing, f"it says that it gives {', '.join(missing)}, and its scores have none."


def _check_head(model: Model, pool: Pool) -> None:
    """A head, where there is one, gives the probabilities on the embedding."""
    scores = model.score(pool, frozenset({"probs", "embedding", "head"}))
    if scores.embedding is None or scores.head is None:
        return
    width = scores.embedding.shape[1]
    logits = scores.embedding @ scores.head[:, :width].T + scores.head[:, width:].sum(axis=1)
    logits = np.exp(logits - logits.max(axis=1, keepdims=True))
    off = np.abs(logits / logits.sum(axis=1, keepdims=True) - scores.probs).max()
    assert off <= TOLERANCE, f"the head on the embedding misses the probabilities by {off:.2g}."


def _pool(features: np.ndarray) -> Pool:
    from cutpoint.data import Pool

    return Pool(features.astype(np.float32))


def _coloured(truth: Labels, n_classes: int, side: int) -> Pool:
    from cutpoint.data import Pool

    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (n_classes, 3))
    noise = rng.normal(0, 20, (len(truth), side, side, 3))
    return Pool(np.clip(colours[truth][:, None, None] + noise, 0, 255).astype(np.uint8))
