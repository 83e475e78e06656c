"""The default learner: logistic regression on centred features, classes weighted as in section 5.1.

The strength of regularisation C is chosen anew for every fit, by the same rule for every strategy, since C
alone moves the results more than strategies do. Scikit-learn does the fitting.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.pool import Features, Pool
from cutpoint.errors import UsageError
from cutpoint.learners.base import EVERYTHING, PROBS, class_weights, labelled, needed
from cutpoint.learners.scaling import Scaled, scaled
from cutpoint.types import Labels, Scores

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
FEW = 5  # labels in the rarest class; with fewer, some fold would hold none of it
STRENGTH_OF_FEW = 1e-3
FOLDS = 5
TOLERANCE = 1e-3  # of the gradient; 1e-4 takes half as long again and moves no third digit of the loss


@dataclass(frozen=True, eq=False)
class LinearModel:
    """softmax(head . features): `head` (K, d + 1) float32, bias last, -inf for a class without labels."""

    head: NDArray[np.float32]
    scale: Scaled
    notes: Mapping[str, float] = field(default_factory=dict)

    def predict_probs(self, features: Features) -> NDArray[np.float32]:
        """Class probabilities (M, K) float32 of features (M, d)."""
        return self._probs(self.scale.apply(features))

    def predict(self, features: Features) -> Labels:
        """Most probable class, (M,) int64; the lowest of several."""
        return np.asarray(self.predict_probs(features).argmax(axis=1), dtype=np.int64)

    def score(self, pool: Pool, needs: Iterable[str] = PROBS) -> Scores:
        """Probabilities, and, if needed, the scaled features as embedding with the head on them."""
        wanted = needed(needs) - PROBS
        embedding = self.scale.pool if pool.features is self.scale.pool_features else self.scale.apply(pool.features)
        probs = self._probs(embedding)
        return Scores(probs, embedding, self.head) if wanted else Scores(probs)

    def _probs(self, embedding: Features) -> NDArray[np.float32]:
        """Softmax of the logits, in place."""
        logits_M_K: NDArray[np.float32] = embedding @ self.head[:, :-1].T
        logits_M_K += self.head[:, -1]
        logits_M_K -= logits_M_K.max(axis=1, keepdims=True)
        np.exp(logits_M_K, out=logits_M_K)
        logits_M_K /= logits_M_K.sum(axis=1, keepdims=True)
        return logits_M_K


@dataclass(frozen=True)
class LogisticLearner:
    """Logistic regression of `n_classes` classes.

    `C`: a fixed strength instead of the chosen one (for ablations). `by_column`: scale column by column (for
    tables).
    """

    n_classes: int
    C: float | None = None
    by_column: bool = False
    gives: ClassVar[frozenset[str]] = EVERYTHING

    def __post_init__(self) -> None:
        """Check the strength."""
        if self.C is not None and not 0 < self.C < float("inf"):
            raise UsageError(f"C is {self.C}; it must be a number above 0, or None to choose it in every fit.")

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> LinearModel:
        """A model of the labelled rows; `notes["C"]` says which C was used."""
        known, given = labelled(pool, labels, self.n_classes)
        scale = scaled(pool, self.by_column)
        features_n_d = scale.pool[known]
        weights_n = class_weights(given, self.n_classes)[given]
        strength = self.C if self.C is not None else self._choose(features_n_d, given, weights_n, seed)
        head = np.zeros((self.n_classes, features_n_d.shape[1] + 1), dtype=np.float32)
        head[:, -1] = -np.inf
        seen = np.unique(given)
        head[seen] = _head(_fit(_classifier(), strength, features_n_d, given, weights_n)) if seen.size > 1 else 0.0
        return LinearModel(head, scale, {"C": strength})

    def _choose(self, features: Features, given: Labels, weights: NDArray[np.float64], seed: int) -> float:
        """The C of the lowest weighted log loss over stratified folds; of several, the lowest C.

        On digits and drawn pools, balanced error in place of the loss, and the lowest C within one standard error of
        the best, did as well with few labels and worse with many.
        """
        counts_K = np.bincount(given, minlength=self.n_classes)
        if len(counts_K) == 1 or counts_K.min() < FEW:  # one class leaves nothing to choose
            return STRENGTH_OF_FEW
        from sklearn.model_selection import StratifiedKFold

        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
        losses = np.zeros(len(STRENGTHS))
        for train, held_out in folds.split(features, given):
            classifier = _classifier(warm_start=True)
            for j, strength in enumerate(STRENGTHS):  # ascending: each fit starts from the one before
                _fit(classifier, strength, features[train], given[train], weights[train])
                losses[j] += _log_loss(classifier, features[held_out], given[held_out], weights[held_out])
        return STRENGTHS[int(np.argmin(losses))]


def _log_loss(classifier: Any, features: Features, given: Labels, weights: NDArray[np.float64]) -> float:
    """Sum of the weighted log losses of a classifier that has seen all classes."""
    logits = features @ classifier.coef_.T + classifier.intercept_
    if logits.shape[1] == 1:
        logits = np.concatenate((np.zeros_like(logits), logits), axis=1)
    logits = logits - logits.max(axis=1, keepdims=True)
    logs = logits[np.arange(len(given)), given] - np.log(np.exp(logits).sum(axis=1))
    return float(-(weights * logs).sum())


def _classifier(warm_start: bool = False) -> Any:
    """An unfitted classifier; it is fitted with weights, so its own class weights stay unset."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(tol=TOLERANCE, max_iter=200, warm_start=warm_start)


def _fit(classifier: Any, strength: float, features: Features, given: Labels, weights: NDArray[np.float64]) -> Any:
    """The classifier, fitted; one that has not converged after its last iteration is taken as it is."""
    from sklearn import config_context
    from sklearn.exceptions import ConvergenceWarning

    classifier.C = strength
    with warnings.catch_warnings(), config_context(assume_finite=True, skip_parameter_validation=True):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(features, given, sample_weight=weights)


def _head(classifier: Any) -> NDArray[np.float32]:
    """Rows (w, bias) of the classes seen, (k, d + 1); of two classes (-w/2, w/2): the same softmax."""
    rows = np.concatenate((classifier.coef_, classifier.intercept_[:, None]), axis=1)
    return np.asarray(np.concatenate((-rows / 2, rows / 2)) if len(rows) == 1 else rows, dtype=np.float32)
