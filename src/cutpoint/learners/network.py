"""A small network: scikit-learn's MLP on scaled features, weighted by inverse labelled counts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.pool import Features, Pool
from cutpoint.learners.base import (
    EVERYTHING,
    PROBS,
    ConstantModel,
    Model,
    WrappedModel,
    class_weights,
    labelled,
    needed,
)
from cutpoint.learners.scaling import Scaled, scaled
from cutpoint.types import Labels, Scores


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """A fitted MLP with ReLU layers; its last hidden layer is the embedding."""

    wrapped: WrappedModel
    scale: Scaled
    notes: Mapping[str, float] = field(default_factory=dict)

    def predict_probs(self, features: Features) -> NDArray[np.float32]:
        """Class probabilities (M, K) float32 of features (M, d)."""
        return self.wrapped.predict_probs(self.scale.apply(features))

    def predict(self, features: Features) -> Labels:
        """Most probable class, (M,) int64; the lowest of several."""
        return np.asarray(self.predict_probs(features).argmax(axis=1), dtype=np.int64)

    def score(self, pool: Pool, needs: Iterable[str] = PROBS) -> Scores:
        """Probabilities, and, if needed, the last hidden layer (N, width) with the output layer as head."""
        wanted, probs_N_K = needed(needs) - PROBS, self.predict_probs(pool.features)
        if not wanted:
            return Scores(probs_N_K)
        network = self.wrapped.classifier
        hidden: Features = self.scale.apply(pool.features)
        for weights, biases in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
            hidden = np.maximum(hidden @ weights + biases, 0).astype(np.float32)
        rows = np.concatenate((network.coefs_[-1].T, network.intercepts_[-1][:, None]), axis=1)
        if len(rows) == 1:
            rows = np.concatenate((-rows / 2, rows / 2))
        head = np.zeros((self.wrapped.n_classes, rows.shape[1]), dtype=np.float32)
        head[:, -1] = -np.inf
        head[np.asarray(network.classes_, dtype=np.intp)] = rows
        return Scores(probs_N_K, hidden, head)


@dataclass(frozen=True)
class NetworkLearner:
    """An MLP of `n_classes` classes with the given hidden layers; `alpha` is its L2 penalty."""

    n_classes: int
    hidden: tuple[int, ...] = (64,)
    alpha: float = 1e-2
    epochs: int = 200
    gives: ClassVar[frozenset[str]] = EVERYTHING

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
        """A network trained anew on the labelled rows."""
        known, given = labelled(pool, labels, self.n_classes)
        scale = scaled(pool)
        if (given == given[0]).all():
            return ConstantModel(self.n_classes, int(given[0]), scale)
        weights = class_weights(given, self.n_classes)[given]
        network = _train(self._network(seed), scale.pool[known], given, weights)
        return NetworkModel(WrappedModel(self.n_classes, network), scale)

    def _network(self, seed: int) -> Any:
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier(self.hidden, alpha=self.alpha, max_iter=self.epochs, random_state=seed % 2**32)


def _train(network: Any, features: Features, given: Labels, weights: NDArray[np.float64]) -> Any:
    """The network, trained; one that still improves after its last epoch is taken as it is."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(features, given, sample_weight=weights)
