"""A trained network as a model: a body that gives the embedding, and a head on it in single precision.

Mixed precision ends with the body, so that the head on the embedding gives the probabilities, and saturated ones are
not tied by rounding to 16 bits.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cutpoint.data.pool import Pool
from cutpoint.errors import CutpointError
from cutpoint.learners.base import PROBS, needed
from cutpoint.learners.deep.devices import half, is_full, memory_for
from cutpoint.learners.deep.examples import Examples, bytes_of_one, every_example
from cutpoint.types import Labels, Scores

Floats = NDArray[np.float32]
_BATCH_BYTES = {"cuda": 1 << 26, "cpu": 1 << 20, "mps": 1 << 22}  # of a batch that is scored; measured on the CPU alone
_MOST = 8192  # examples; more are no faster

_log = logging.getLogger("cutpoint.learners")


class Classifier(nn.Module):
    """A body, and a linear head on what it gives."""

    def __init__(self, body: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.body = body
        self.head = head

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits (b, k), in single precision."""
        embedding = self.body(inputs).float()
        with torch.autocast(embedding.device.type, enabled=False):
            logits: torch.Tensor = self.head(embedding)
        return logits


@dataclass(frozen=True, eq=False)
class DeepModel:
    """softmax(head . body(features)): `head` (K, D + 1) float32, bias last, -inf for a class without labels.

    body: a network in evaluation mode on its device, from raw inputs (features (b, d) or pictures (b, H, W, 3) uint8)
    to an embedding (b, D).
    """

    body: nn.Module
    head: Floats
    device: torch.device
    notes: Mapping[str, float] = field(default_factory=dict)

    def predict_probs(self, features: Any) -> Floats:
        """Class probabilities (M, K) float32 of features (M, d) or pictures (M, H, W, 3)."""
        return self._scored(features, with_embedding=False)[0]

    def predict(self, features: Any) -> Labels:
        """Most probable class, (M,) int64; the lowest of several."""
        return np.asarray(self.predict_probs(features).argmax(axis=1), dtype=np.int64)

    def score(self, pool: Pool, needs: Iterable[str] = PROBS) -> Scores:
        """Probabilities, and, if needed, what the body gives (N, D) float32 with the head on it."""
        probs, embedding = self._scored(pool.features, with_embedding=bool(needed(needs) - PROBS))
        return Scores(probs) if embedding is None else Scores(probs, embedding, self.head)

    def embed(self, features: Any) -> Floats:
        """What the body gives (M, D) float32 of features (M, d) or pictures (M, H, W, 3)."""
        embedding = self._scored(features, with_embedding=True)[1]
        assert embedding is not None
        return embedding

    def _scored(self, features: Any, *, with_embedding: bool) -> tuple[Floats, Floats | None]:
        """Probabilities, and the embedding if it is wanted, in batches that the memory of the device can take."""
        given = every_example(features, self.device)
        size = min(batch_size(features, self.device), len(given))
        while size > 1:
            try:
                return self._in_batches(given, size, with_embedding)
            except (RuntimeError, MemoryError) as error:
                if not is_full(error):
                    raise
            size //= 2
            _log.info("the memory of %s is too small to score more than %d at a time", self.device, size)
        with memory_for(self.device, "score one example at a time"):
            return self._in_batches(given, size, with_embedding)

    def _in_batches(self, given: Examples, size: int, with_embedding: bool) -> tuple[Floats, Floats | None]:
        """The same in batches of that size; what they give stays on the device until all are done."""
        weights = torch.from_numpy(self.head).to(self.device)
        probs, embeddings = [], []
        with torch.inference_mode():
            for inputs in given.in_order(size):
                with half(self.device):
                    embedding = self.body(inputs)
                embedding = embedding.float()
                probs.append(torch.softmax(embedding @ weights[:, :-1].T + weights[:, -1], dim=1))
                if with_embedding:
                    embeddings.append(embedding)
        told = _joined(probs)
        if not np.isfinite(told).all():
            raise CutpointError(
                "the trained network gives nan in place of probabilities: its weights are out of all proportion; lower "
                "the learning rate, or look for examples that are."
            )
        return told, _joined(embeddings) if with_embedding else None


def batch_size(features: Any, device: torch.device) -> int:
    """How many examples are scored at a time, where the memory allows."""
    return min(_MOST, max(16, _BATCH_BYTES[device.type] // bytes_of_one(features)))


def head_rows(head: nn.Linear, seen: NDArray[np.integer[Any]], n_classes: int) -> Floats:
    """The head (K, D + 1) of a layer over the classes seen: zeros with a bias of -inf in the rows of the others."""
    rows = torch.cat((head.weight, head.bias[:, None]), dim=1).detach().float().cpu().numpy()
    head_K_D = np.zeros((n_classes, rows.shape[1]), dtype=np.float32)
    head_K_D[:, -1] = -np.inf
    head_K_D[seen] = rows
    return head_K_D


def head_of_one(only: int, n_classes: int, width: int) -> Floats:
    """The head (K, width + 1) that says the one class it has seen, with certainty."""
    head_K_D = np.zeros((n_classes, width + 1), dtype=np.float32)
    head_K_D[:, -1] = np.where(np.arange(n_classes) == only, 0.0, -np.inf)
    return head_K_D


def _joined(parts: list[torch.Tensor]) -> Floats:
    """All rows on the CPU, without a second copy of them on the device."""
    rows = np.empty((sum(map(len, parts)), parts[0].shape[1]), np.float32)
    start = 0
    for part in parts:
        rows[start : start + len(part)] = part.cpu().numpy()
        start += len(part)
    return rows
