"""Selection by proxy: pictures embedded once by an encoder as it is, and a learner of features on that.

Coleman et al. (2020) found that what a small model chooses serves a large one nearly as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.pool import Pool
from cutpoint.learners.base import PROBS, Learner, Model, needed
from cutpoint.learners.deep.heads import HeadLearner, NetworkHeadLearner
from cutpoint.learners.embeddings import check_folder, default_folder, embedded
from cutpoint.learners.linear import LogisticLearner
from cutpoint.types import Labels, Scores

Floats = NDArray[np.float32]
LIGHT = "logistic"  # the head behind an encoder, if no other is asked for
HEADS: Mapping[str, Callable[..., Learner]] = {
    LIGHT: LogisticLearner,
    "torch-linear": HeadLearner,
    "torch-mlp": NetworkHeadLearner,
}

_POOLS: WeakKeyDictionary[Pool, dict[str, Pool]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Encoder:
    """Embeds pictures, each pool once.

    key: of its weights and precision. embed: pictures (M, H, W, 3) to (M, D) float32. folder: of embeddings on disk,
    or None.
    """

    key: str
    embed: Callable[[Any], Floats]
    folder: Path | None

    def __call__(self, pictures: Any) -> Floats:
        """The embedding (M, D) of pictures (M, H, W, 3)."""
        return embedded(pictures, self.key, self.embed, self.folder)

    def pool(self, pool: Pool) -> Pool:
        """The pool as features: the same object each time, so that what depends on it is kept, too."""
        kept = _POOLS.setdefault(pool, {})
        if self.key not in kept:
            kept[self.key] = Pool(self(pool.features))
        return kept[self.key]


@dataclass(frozen=True, eq=False)
class ProxyModel:
    """A model of features behind an encoder of pictures."""

    encoder: Encoder
    inner: Model

    @property
    def notes(self) -> Mapping[str, float]:
        """Those of the model of features."""
        return self.inner.notes

    def predict_probs(self, features: Any) -> Floats:
        """Class probabilities (M, K) float32 of pictures (M, H, W, 3)."""
        return self.inner.predict_probs(self.encoder(features))

    def predict(self, features: Any) -> Labels:
        """Most probable class, (M,) int64; the lowest of several."""
        return self.inner.predict(self.encoder(features))

    def score(self, pool: Pool, needs: Iterable[str] = PROBS) -> Scores:
        """As of the model of features."""
        return self.inner.score(self.encoder.pool(pool), needed(needs))


def proxy(encoder: Encoder, learner: Learner, pool: Pool, labels: Labels, seed: int) -> ProxyModel:
    """The learner's model of the embedded pool."""
    return ProxyModel(encoder, learner.fit(encoder.pool(pool), labels, seed=seed))


def check_cache(wanted: str) -> None:
    """DataError if embeddings cannot be kept in the folder that an option means."""
    folder = cache_folder(wanted)
    if folder is not None:
        check_folder(folder)


def cache_folder(wanted: str) -> Path | None:
    """The folder of embeddings that an option means: "auto", "none", or a path."""
    return {"auto": default_folder(), "none": None}.get(wanted, Path(wanted))
