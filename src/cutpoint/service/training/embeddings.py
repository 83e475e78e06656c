"""The features of a pool as they are handed to a campaign: arrays, memory maps, files or chunks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cutpoint.errors import UsageError

if TYPE_CHECKING:
    from cutpoint.data.pool import Features


def read_features(embeddings: Any, ids: list[str] | None) -> tuple[Features, list[str] | None]:
    """(N, d) float32, finite, of an array, a memory map, a path (.npy, .parquet) or chunks of rows; and the ids.

    Of a parquet file the rows are found by the ids, which it may bring along. Without a row, the features are empty.
    DataError or UsageError for what cannot be meant.
    """
    from cutpoint.data.pool import check_features

    if isinstance(embeddings, str | Path):
        from cutpoint.data.pools.vectors import own_ids, read_embeddings

        names = own_ids(Path(embeddings)) if ids is None else ids
        return read_embeddings(Path(embeddings), names).features, names
    if not hasattr(embeddings, "shape") and isinstance(embeddings, Iterable):
        chunks = [np.asarray(chunk) for chunk in embeddings]
        embeddings = np.concatenate(_chunks(chunks)) if chunks else np.empty((0, 0))
    array = np.asarray(embeddings)
    if array.ndim == 2 and not len(array):
        return np.empty(array.shape, np.float32), ids
    return check_features(array, "the embeddings"), ids


def _chunks(chunks: list[Any]) -> list[Any]:
    """The chunks, if they are of one width; rows that came one by one are chunks of one."""
    whole = [chunk[None] if chunk.ndim == 1 else chunk for chunk in chunks]
    for place, chunk in enumerate(whole):
        if chunk.ndim != 2 or chunk.shape[1] != whole[0].shape[1]:
            raise UsageError(
                f"chunk {place} of the embeddings has shape {chunk.shape} and the first {whole[0].shape}; all must "
                "have as many columns."
            )
    return whole
