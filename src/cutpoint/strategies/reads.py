"""What a strategy reads of `Scores` beyond the probabilities, or a clear error before its first question."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.errors import UsageError
from cutpoint.types import Round

Floats = NDArray[np.floating[Any]]

_log = logging.getLogger("cutpoint")


def embedding_of(round: Round, strategy: str) -> Floats:
    """(N, D) the embedding as it was given; UsageError where there is none, a warning where all rows are equal."""
    embedding = _given(round.scores.embedding, "embedding", strategy)
    few = embedding[:16]
    if len(embedding) > 1 and (few == few[0]).all() and (embedding.min(axis=0) == embedding.max(axis=0)).all():
        _log.warning("%s: all rows of the embedding are equal, so it tells no two examples apart.", strategy)
    return embedding


def head_of(round: Round, strategy: str) -> Floats:
    """(K, D) or, with the bias last, (K, D + 1) the last layer as it was given; UsageError where there is none."""
    return _given(round.scores.head, "head", strategy)


def _given(array: Floats | None, name: str, strategy: str) -> Floats:
    if array is None:
        raise UsageError(
            f"{strategy} reads the {name} of the scores, and there is none; hand it in with what else is needed, "
            f"Scores(probs, embedding, head), or choose a strategy that needs no {name} (STRATEGIES[name].needs)."
        )
    return array
