"""Pictures as numbers without a trained network: shapes by gradients, colours by place and by share; then PCA.

Simple on purpose: it needs no download and no GPU, and makes the first rounds better than chance. An encoder
(encoder.py) or features of one's own (vectors.py) see more. Directions of gradients are counted in cells and made
comparable block by block (Dalal and Triggs, 2005, "Histograms of oriented gradients for human detection").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.pictures import PictureArray
from cutpoint.data.pool import Features
from cutpoint.data.pools.brought import Brought, Embedded, Progress, ignored
from cutpoint.data.pools.decoding import in_batches
from cutpoint.errors import DataError
from cutpoint.words import count

DIMENSIONS = 128
SIDE = 64  # pixels; every picture is brought to SIDE x SIDE
SAMPLE = 3_000  # pictures from which the directions are learnt
_CELL, _TURNS, _SHADES = 8, 9, 4

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Directions:
    """What is taken off the described pictures (D,), what they are divided by (D,), and d directions (D, d)."""

    centre: Floats
    scale: Floats
    axes: Floats

    def apply(self, described: Floats) -> Features:
        """(m, d) features of described pictures (m, D)."""
        return np.asarray(((described - self.centre) / self.scale) @ self.axes, np.float32)


def embed_pictures(pool: Brought, seed: int = 0, progress: Progress = ignored) -> Embedded:
    """(N, d) float32 features of the pictures, d at most 128; an unreadable picture stands in the middle of all.

    The same seed gives the same. DataError if no picture can be read.
    """
    assert pool.folder is not None
    names = picture_names(pool)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(names))[:SAMPLE])
    sampled, broken = stacked(pool, [names[i] for i in chosen], (SIDE, SIDE), describe, "learning shapes", progress)
    readable = np.delete(sampled, broken, axis=0)
    if not len(readable):
        raise DataError(f"{pool.source}: none of {len(chosen):,} can be read as a picture; is this the right folder?")
    directions = learn(readable, seed)
    if len(chosen) == len(names):
        features, unreadable = directions.apply(sampled), broken
    else:

        def work(pictures: PictureArray) -> Features:
            return directions.apply(describe(pictures))

        features, unreadable = stacked(pool, names, (SIDE, SIDE), work, "embedding pictures", progress)
    features[unreadable] = 0.0
    words = (
        f"gradients in {SIDE // _CELL} x {SIDE // _CELL} cells and colours of the pictures at {SIDE} x {SIDE} pixels, "
        f"reduced to {count(features.shape[1], 'dimension')}"
    )
    return Embedded(features, words, tuple(unreadable))


def picture_names(pool: Brought) -> list[str]:
    """Paths of the pictures below the pool's folder, in order."""
    return [content["picture"] for content in pool.contents()]


def stacked(
    pool: Brought,
    names: list[str],
    size: tuple[int, int],
    work: Callable[[PictureArray], Features],
    what: str,
    progress: Progress,
) -> tuple[Any, list[int]]:
    """(n, d) of `work` on all named pictures, and the places of the unreadable ones."""
    assert pool.folder is not None
    parts, unreadable = [], []
    for first, part, broken in in_batches(pool.folder, names, size, work):
        parts.append(part)
        unreadable += broken
        progress(what, first + len(part), len(names))
    return np.concatenate(parts), unreadable


def describe(pictures: PictureArray) -> Floats:
    """(m, D) float32 of pictures (m, SIDE, SIDE, 3): gradients by block, colours by cell, shares of colours."""
    scaled_m_h_w_3 = pictures.astype(np.float32) / 255.0
    return np.concatenate((_gradients(scaled_m_h_w_3.mean(axis=3)), _cells(scaled_m_h_w_3), _shares(pictures)), axis=1)


def _gradients(grey: Floats) -> Floats:
    """Nine directions counted by length in 8 x 8 cells, each 2 x 2 of them brought to length 1."""
    down_m_h_w, right_m_h_w = np.gradient(grey, axis=(1, 2))
    lengths = np.hypot(down_m_h_w, right_m_h_w)
    turns = np.mod(np.arctan2(down_m_h_w, right_m_h_w), np.pi) * (_TURNS / np.pi)
    counted = np.empty((len(grey), SIDE // _CELL, SIDE // _CELL, _TURNS), np.float32)
    for turn in range(_TURNS):  # each gradient counts for the two nearest directions
        apart = np.abs(turns - turn)
        near = np.maximum(0.0, 1.0 - np.minimum(apart, _TURNS - apart))
        counted[..., turn] = _cells((near * lengths)[..., None]).reshape(counted.shape[:3])
    blocks = np.concatenate(
        [counted[:, i : i - 1 or None, j : j - 1 or None] for i in (0, 1) for j in (0, 1)],
        axis=3,
    )
    lengths_of_blocks = np.sqrt((blocks**2).sum(axis=3, keepdims=True) + 1e-4)
    return np.asarray(blocks / lengths_of_blocks, np.float32).reshape(len(grey), -1)


def _cells(values: Floats) -> Floats:
    """(m, cells * c) means of (m, SIDE, SIDE, c) in cells of 8 x 8 pixels."""
    m, side, _, channels = values.shape
    n = side // _CELL
    return np.asarray(values.reshape(m, n, _CELL, n, _CELL, channels).mean(axis=(2, 4))).reshape(m, -1)


def _shares(pictures: PictureArray) -> Floats:
    """(m, 64) roots of the shares of 4 x 4 x 4 colours."""
    shade = (pictures.astype(np.int64) * _SHADES) >> 8
    colour = (shade[..., 0] * _SHADES + shade[..., 1]) * _SHADES + shade[..., 2]
    n = _SHADES**3
    cells = colour.reshape(len(pictures), -1) + n * np.arange(len(pictures))[:, None]
    counts = np.bincount(cells.ravel(), minlength=n * len(pictures)).reshape(-1, n)
    return np.sqrt(counts / (SIDE * SIDE)).astype(np.float32)


def learn(described: Floats, seed: int) -> Directions:
    """The directions in which the described pictures (n, D) differ most, the three kinds weighted alike."""
    from sklearn.decomposition import PCA

    centre = described.mean(axis=0)
    scale = np.ones_like(centre)
    colours, shares = 3 * (SIDE // _CELL) ** 2, _SHADES**3
    ends = np.cumsum([0, len(centre) - colours - shares, colours, shares])
    for first, last in pairwise(ends.tolist()):
        scale[first:last] = max(float(np.sqrt(described[:, first:last].var(axis=0).sum())), 1e-6)
    dimensions = max(1, min(DIMENSIONS, len(described) - 1))
    with np.errstate(invalid="ignore", divide="ignore"):  # shares of variance, of pictures that are all alike
        pca = PCA(dimensions, svd_solver="randomized", random_state=seed).fit((described - centre) / scale)
    return Directions(centre, scale, np.ascontiguousarray(pca.components_.T, np.float32))
