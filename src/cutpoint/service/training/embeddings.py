"""The features of a pool as they are handed to a campaign: arrays, memory maps, files or chunks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cutpoint.errors import UsageError


def read_features(embeddings: Any, ids: Sequence[str] | None) -> Any:
    """(N, d) float32, finite, of an array, a memory map, a path (.npy, .parquet) or chunks of rows.

    Of a parquet file the rows are found by the ids. DataError or UsageError for what cannot be meant.
    """
    from cutpoint.data.pool import check_features

    if isinstance(embeddings, str | Path):
        from cutpoint.data.pools.vectors import numbered, read_embeddings

        path = Path(embeddings)
        if ids is not None:
            return read_embeddings(path, ids).features
        if path.suffix != ".npy":
            raise UsageError(f"{path} needs ids; give the items' ids, by which its rows are found.")
        return numbered(path).features
    if not hasattr(embeddings, "shape") and isinstance(embeddings, Iterable):
        chunks = [np.asarray(chunk) for chunk in embeddings]
        embeddings = np.concatenate(_chunks(chunks)) if chunks else np.empty((0, 0))
    return check_features(np.asarray(embeddings), "the embeddings")


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
