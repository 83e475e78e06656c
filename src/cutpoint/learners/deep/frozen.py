"""Selection by proxy: pictures embedded once by CLIP's image encoder as it is, and a learner of features on that.

Coleman et al. (2020) found that what a small model chooses serves a large one nearly as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from cutpoint.data.pool import Pool
from cutpoint.learners.base import PROBS, Learner, Model
from cutpoint.learners.deep.checkpoint import identity
from cutpoint.learners.deep.clip_network import picture_encoder
from cutpoint.learners.deep.embeddings import embedded
from cutpoint.learners.deep.model import DeepModel, head_of_one
from cutpoint.types import Labels, Scores

Floats = NDArray[np.float32]

_POOLS: WeakKeyDictionary[Pool, dict[str, Pool]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Encoder:
    """Embeds pictures, each pool once; key: of its weights and precision; folder: of embeddings on disk, or None."""

    key: str
    model: DeepModel
    folder: Path | None

    def __call__(self, pictures: Any) -> Floats:
        """The embedding (M, D) of pictures (M, H, W, 3)."""
        return embedded(pictures, self.key, self.model.embed, self.folder)

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

    def score(self, pool: Pool, needs: frozenset[str] = PROBS) -> Scores:
        """As of the model of features."""
        return self.inner.score(self.encoder.pool(pool), needs)


def proxy(encoder: Encoder, learner: Learner, pool: Pool, labels: Labels, seed: int) -> ProxyModel:
    """The learner's model of the embedded pool."""
    return ProxyModel(encoder, learner.fit(encoder.pool(pool), labels, seed=seed))


def frozen_encoder(model: str, file: Path | None, device: torch.device, folder: Path | None) -> Encoder:
    """CLIP's image encoder with the weights of that file, on the device."""
    return Encoder(*_on_device(model, file, device), folder)


@lru_cache(maxsize=1)
def _on_device(model: str, file: Path | None, device: torch.device) -> tuple[str, DeepModel]:
    """The key and the network; the device is in the key, since its precision is in the embedding."""
    body = picture_encoder(model, file)
    key = identity(model, device.type, body)
    return key, DeepModel(body.to(device).eval(), head_of_one(0, 1, body.width), device)
