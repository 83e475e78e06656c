"""Learner `onnx`: any encoder of pictures in an ONNX file, as it is, below a light head (selection by proxy).

The encoder reads pictures as those of campaigns do, and its first output, whatever its shape, is one row for each.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.pictures import resized
from cutpoint.data.pool import Pool
from cutpoint.data.pools.encoder import load_encoder, scaled_for_encoder
from cutpoint.errors import DataError, UsageError
from cutpoint.learners.base import EVERYTHING, Model
from cutpoint.learners.proxy import HEADS, LIGHT, Encoder, cache_folder, check_cache, proxy
from cutpoint.types import Labels

Floats = NDArray[np.float32]
_TOGETHER = 64  # pictures that are encoded at a time


@dataclass(frozen=True)
class OnnxLearner:
    """A light head of `n_classes` classes behind an encoder; `encoder`: the path of its file.

    `head`: a learner of features, by name. `cache`: a folder for embeddings, "auto" or "none". `scratch`: a folder for
    unfinished fits of the head, which are then gone on with.
    """

    n_classes: int
    encoder: str = ""
    head: str = LIGHT
    cache: str = "auto"
    scratch: Path | None = field(default=None, repr=False, compare=False)
    gives: ClassVar[frozenset[str]] = EVERYTHING
    reads: ClassVar[str] = "pictures"

    def __post_init__(self) -> None:
        """Refuse to be without an encoder."""
        if not self.encoder:
            raise UsageError("learner onnx needs an encoder; write onnx:encoder=PATH, the path of an .onnx file.")

    def check(self) -> None:
        """DataError, at once, if the file is not there or no encoder, or its embeddings cannot be kept."""
        load_encoder(Path(self.encoder))
        check_cache(self.cache)

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
        """A head trained anew on the embedding of the pool, which is made once."""
        _ = pool.pictures  # refuses features
        path = Path(self.encoder)
        key, embed = _encoder(path, path.stat().st_mtime_ns if path.is_file() else 0)
        options = {} if self.head == LIGHT else {"scratch": self.scratch}
        head = HEADS[self.head](self.n_classes, **options)
        return proxy(Encoder(key, embed, cache_folder(self.cache)), head, pool, labels, seed)


@lru_cache(maxsize=1)
def _encoder(path: Path, _changed: int) -> tuple[str, Any]:
    """The key of a file, which is a checksum of its bytes, and what embeds pictures with it."""
    session, (height, width) = load_encoder(path)
    name = session.get_inputs()[0].name

    def encoded(pictures: NDArray[np.uint8]) -> Floats:
        from PIL import Image

        fitted = np.stack([resized(Image.fromarray(picture), height, width) for picture in pictures])
        return np.asarray(session.run(None, {name: scaled_for_encoder(fitted)})[0], np.float32).reshape(len(fitted), -1)

    def embed(pictures: Any) -> Floats:
        parts = [encoded(pictures[first : first + _TOGETHER]) for first in range(0, len(pictures), _TOGETHER)]
        embedding = np.concatenate(parts)
        if not np.isfinite(embedding).all():
            raise DataError(f"{path} gives NaN or infinity; give an encoder that reads RGB pictures.")
        return embedding

    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest(), embed
