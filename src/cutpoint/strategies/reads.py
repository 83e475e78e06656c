"""What a strategy reads of `Scores` beyond the probabilities, or a clear error before its first question."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.errors import UsageError
from cutpoint.types import Round

Floats = NDArray[np.floating[Any]]


def embedding_of(round: Round, strategy: str) -> Floats:
    """(N, D) the embedding as it was given; UsageError where there is none."""
    return _given(round.scores.embedding, "embedding", strategy)


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
