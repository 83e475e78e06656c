"""Distances of examples to the boundaries between classes that a linear head draws in the space of the embedding.

All is in double precision and summed row by row, never by a matrix product: there the rounding depends on where a row
stands, and equal examples would be unequally far. The embedding is converted a few rows at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.blocks import for_blocks
from cutpoint.types import Index

Floats = NDArray[np.floating[Any]]
Doubles = NDArray[np.float64]

SAME = 8  # rows of the head nearer than so many roundings of the longer one are equal: no boundary can be told there
NUMBERS = 2**17  # converted at one time: a megabyte, inside a level-two cache
LARGEST = 1000  # a bias is scaled to 2 to this power at most


class Boundaries:
    """The boundaries of a linear head (K, D) or, with the bias last, (K, D + 1); `width` is D, the embedding's.

    The head is scaled as a whole, which moves no boundary: whatever its unit, no logit overflows.
    known: ascending, the classes whose bias is not -inf; no other class has a boundary.
    """

    def __init__(self, head: Floats, width: int) -> None:
        given = head[:, width].astype(np.float64) if head.shape[1] > width else np.zeros(len(head))
        known_K = np.isfinite(given)
        self.known = np.flatnonzero(known_K)
        self._weights_K_D, self._biases_K = _scaled(head[:, :width].astype(np.float64), np.where(known_K, given, 0.0))
        apart_K_K = _rows_apart(self._weights_K_D)
        self._boundary_K_K = (apart_K_K > 0) & known_K & known_K[:, None]
        self._apart_K_K = np.where(self._boundary_K_K, apart_K_K, 1.0)

    def distances(self, embedding: Floats, predicted: Index, items: Index) -> Doubles:
        """(K, m) how far each of these pool indices is from the boundary of each class, in the embedding's unit.

        embedding: (N, D); predicted: (N,) classes; items: (m,) pool indices. From the class it is predicted to be of,
        an example is as far as from the nearest other class; from any other class c, as the boundary between its class
        and c. Infinite where there is no boundary. Equal examples are equally far. O(m K D).
        """
        far_K_m = np.empty((len(self._biases_K), len(items)))

        @np.errstate(over="ignore")  # a boundary beyond the largest float
        def fill(first: int, after: int) -> None:
            some = items[first:after]
            rows = embedding[some].astype(np.float64)
            logits = np.einsum("md,kd->mk", rows, self._weights_K_D) + self._biases_K
            far_K_m[:, first:after] = self._far(logits, predicted[some]).T

        for_blocks(len(items), fill, max(1, NUMBERS // max(1, embedding.shape[1])))
        return far_K_m

    def _far(self, logits_m_K: Doubles, predicted: Index) -> Doubles:
        rows = np.arange(len(logits_m_K))
        far = np.abs(logits_m_K[rows, predicted][:, None] - logits_m_K)
        far /= self._apart_K_K[predicted]
        np.minimum(far, np.finfo(np.float64).max, out=far)  # a boundary that is there is nearer than none
        far[~self._boundary_K_K[predicted]] = np.inf
        far[rows, predicted] = far.min(axis=1)
        return far


def _scaled(weights_K_D: Doubles, biases_K: Doubles) -> tuple[Doubles, Doubles]:
    """Both by one power of two, which rounds nothing: the weights of a row sum to less than 1/4 in size.

    So no sum of products is above a quarter of the embedding's largest number, and no difference of two overflows.
    """
    _, exponent = np.frexp(np.abs(weights_K_D).max(initial=0.0) or 1.0)
    _, of_bias = np.frexp(np.abs(biases_K).max(initial=0.0))
    down = max(int(exponent) + int(weights_K_D.shape[1]).bit_length() + 2, int(of_bias) - LARGEST)
    return np.ldexp(weights_K_D, -down), np.ldexp(biases_K, -down)


def _rows_apart(weights_K_D: Doubles) -> Doubles:
    """(K, K) distances between rows, 0 where they are equal up to rounding; from explicit differences.

    The product of the head with itself would leave equal rows apart by its rounding.
    """
    apart = np.stack([_lengths(weights_K_D - row) for row in weights_K_D])
    length = _lengths(weights_K_D)
    apart[apart <= SAME * np.finfo(np.float64).eps * np.maximum(length[:, None], length)] = 0
    return apart


def _lengths(rows: Doubles) -> Doubles:
    """Of every row the Euclidean length, also where its square is too small for a double."""
    largest = np.abs(rows).max(axis=1, initial=0.0)
    unit = np.where(largest > 0, largest, 1.0)
    return np.asarray(unit * np.linalg.norm(rows / unit[:, None], axis=1), np.float64)
