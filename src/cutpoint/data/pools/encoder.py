"""Pictures through an encoder in an ONNX file: any that reads (n, 3, h, w), RGB, pixel / 127.5 - 1 (onnxruntime).

Its first output, whatever its shape, is one row for each picture. The file is data for onnxruntime: no pickle.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cutpoint.data.pictures import PictureArray
from cutpoint.data.pool import Features
from cutpoint.data.pools.brought import Brought, Embedded, Progress, ignored
from cutpoint.data.pools.embed_pictures import picture_names, stacked
from cutpoint.errors import DataError, UsageError

SIDE = 128  # pixels, where the encoder takes any size
FORMULA = "pixel / 127.5 - 1"


def encode_pictures(pool: Brought, path: Path, progress: Progress = ignored) -> Embedded:
    """(N, d) float32 features of the pictures; an unreadable picture is the mean of the others."""
    session, size = load_encoder(path)
    name = session.get_inputs()[0].name

    def work(pictures: PictureArray) -> Features:
        given = {name: scaled_for_encoder(pictures)}
        return np.asarray(session.run(None, given)[0], np.float32).reshape(len(pictures), -1)

    features, unreadable = stacked(pool, picture_names(pool), size, work, "encoding pictures", progress)
    if len(unreadable) == len(features):
        raise DataError(f"{pool.source}: none of {len(features):,} can be read as a picture; is this the right folder?")
    features[unreadable] = np.delete(features, unreadable, axis=0).mean(axis=0)
    if not np.isfinite(features).all():
        raise DataError(f"{path} gives NaN or infinity; it must take {FORMULA} of RGB pictures.")
    words = f"the {features.shape[1]} outputs of {path.name} on pictures of {size[0]} x {size[1]} pixels, {FORMULA}"
    return Embedded(features, words, tuple(unreadable))


def scaled_for_encoder(pictures: PictureArray) -> Features:
    """What an encoder reads of pictures (n, h, w, 3) uint8: (n, 3, h, w) in [-1, 1]."""
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32) / np.float32(127.5) - np.float32(1)


def load_encoder(path: Path) -> tuple[Any, tuple[int, int]]:
    """A session of onnxruntime, and the height and width that its input has; DataError if it is no encoder."""
    if not path.is_file():
        raise DataError(f"there is no file {path}; give the path of an encoder that ends in .onnx.")
    try:
        import onnxruntime
    except ImportError:
        raise UsageError(f"{path} needs onnxruntime; install it with: pip install onnxruntime.") from None
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no base of their own
        raise DataError(f"{path} is no encoder that onnxruntime can load ({str(error)[:120]}).") from None
    shape = session.get_inputs()[0].shape
    if len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 3):
        raise DataError(f"{path} reads an input of shape {shape}; it must be (n, 3, height, width).")
    height, width = (side if isinstance(side, int) else SIDE for side in shape[2:])
    return session, (height, width)
