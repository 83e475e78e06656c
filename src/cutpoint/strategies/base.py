"""BASE: every class gets its share of the budget, spent on the examples nearest to that class's boundary.

Emam et al. (arXiv 2111.12880). One product of the embedding with the last layer, and the K x K distances between that
layer's rows, bound all distances from below; the few that decide are computed again in double precision. Nothing of
size N x K x D is ever made. Draws nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.blocks import BLOCK, for_blocks
from cutpoint.core.lowest import lowest
from cutpoint.plans import one_shot
from cutpoint.strategies.reads import embedding_of, head_of
from cutpoint.types import Index, Round

CITE = """@article{emam2021active,
  title = {Active Learning at the {ImageNet} Scale},
  author = {Emam, Zeyad Ali Sami and Chu, Hong-Min and Chiang, Ping-Yeh and Czaja, Wojciech and Leapman, Richard and
    Goldblum, Micah and Goldstein, Tom},
  journal = {arXiv preprint arXiv:2111.12880},
  year = {2021},
}"""

Floats = NDArray[np.floating[Any]]
SAME = 8  # rows of the head nearer than so many roundings of the longer one are equal: no boundary can be told there
_SILENT = np.errstate(over="ignore", invalid="ignore")  # embeddings near the largest float


@one_shot
def base(round: Round) -> Index:
    """(<= budget,) for each class in turn its share of the examples nearest to its boundary, nearest first.

    The classes that the head knows (bias not -inf) share the budget equally, the first of them one more where it does
    not divide. An example predicted to be of class c is as far from c's boundary as from the nearest other class; any
    other one is as far as the boundary between its class and c. Where there is no boundary (equal rows of the head, a
    class that the head does not know) the distance is infinite. Ties go to the lower index; an example is taken once.

    With no class known to the head, the lowest indices. O(N K (D + 1)) time, N x K floats of memory.
    """
    unlabelled = round.unlabelled()
    boundaries = Boundaries(embedding_of(round, "base"), round.scores.probs, head_of(round, "base"))
    budget = min(round.budget, len(unlabelled))
    classes = boundaries.known[:budget].tolist()
    if not classes:
        return unlabelled[:budget]
    least_K_N = boundaries.lower_bounds()
    each, more = divmod(budget, len(boundaries.known))
    free, chosen = unlabelled, []
    for place, c in enumerate(classes):
        share, least = each + (place < more), least_K_N[c, free]
        # so many lie within `reach`, so whoever is certainly further away need not be looked at
        reach = boundaries.distances(free[lowest(least, share)], c).max()
        near = np.flatnonzero(least <= reach)
        distances = np.full(len(near), np.inf)
        finite = np.isfinite(least[near])
        distances[finite] = boundaries.distances(free[near[finite]], c)
        nearest = near[lowest(distances, share)]
        chosen.append(free[nearest])
        free = np.delete(free, nearest)
    return np.concatenate(chosen)


class Boundaries:
    """How far examples are from the boundaries between classes, from a pool and a linear head.

    embedding: (N, D); probs: (N, K), of which the largest in each row counts; head: (K, D) or (K, D + 1).
    known: ascending, the classes whose bias is not -inf.
    """

    def __init__(self, embedding: Floats, probs: NDArray[np.float32], head: Floats) -> None:
        width = embedding.shape[1]
        self._embedding, self._probs = embedding, probs
        self._weights_K_D = head[:, :width].astype(np.float64)
        biases = head[:, width].astype(np.float64) if head.shape[1] > width else np.zeros(len(head))
        self.known = np.flatnonzero(np.isfinite(biases))
        self._biases_K = np.where(np.isfinite(biases), biases, 0.0)
        apart_K_K, known_K = _rows_apart(self._weights_K_D), np.isfinite(biases)
        self._boundary_K_K = (apart_K_K > 0) & known_K & known_K[:, None]
        self._apart_K_K = np.where(self._boundary_K_K, apart_K_K, 1.0)

    @_SILENT
    def distances(self, items: Index, c: int) -> NDArray[np.float64]:
        """(m,) distances of these pool indices to the boundary with c, for those of c to the nearest; infinite if none.

        In double precision, row by row: equal examples are equally far, whatever else is in the list.
        """
        far = np.empty(len(items))
        for first in range(0, len(items), BLOCK):
            some = items[first : first + BLOCK]
            rows = self._embedding[some].astype(np.float64)
            logits = np.einsum("md,kd->mk", rows, self._weights_K_D) + self._biases_K
            far[first : first + BLOCK] = self._far(logits, self._probs[some].argmax(axis=1), 0.0)[:, c]
        return far

    def lower_bounds(self) -> Floats:
        """(K, N) at most `distances` for every class and example, by one product in the embedding's precision.

        A product's rounding depends on where in it a row stands; it is bounded by (D + 4) roundings of the lengths. So
        is that of `distances`, which has the rows as they are: where these are nearly equal it is the larger one.
        """
        dtype = np.result_type(self._embedding.dtype, np.float32)
        centred_K_D = self._weights_K_D - self._weights_K_D.mean(axis=0)  # differences stay, and rounding is less
        weights_D_K, biases_K = centred_K_D.T.astype(dtype), self._biases_K.astype(dtype)
        many = 2 * (len(weights_D_K) + 4)
        here, there = many * np.finfo(dtype).eps, many * np.finfo(np.float64).eps
        error = here * _longest(centred_K_D) + there * _longest(self._weights_K_D)
        constant = (here + there) * np.abs(self._biases_K).max()
        least_K_N = np.empty((len(biases_K), len(self._embedding)), dtype)

        @_SILENT
        def fill(first: int, after: int) -> None:
            rows = self._embedding[first:after].astype(dtype, copy=False)
            length = np.sqrt(np.einsum("nd,nd->n", rows, rows))
            off = (length * error + constant).astype(dtype)
            predicted = self._probs[first:after].argmax(axis=1)
            least_K_N[:, first:after] = self._far(rows @ weights_D_K + biases_K, predicted, off[:, None]).T

        for_blocks(len(self._embedding), fill)
        return least_K_N

    def _far(self, logits_n_K: Floats, predicted: Index, off: NDArray[np.floating[Any]] | float) -> Floats:
        """(n, K) distances when every difference of two logits may be too large by `off`."""
        rows = np.arange(len(logits_n_K))
        far = np.abs(logits_n_K[rows, predicted][:, None] - logits_n_K) - off
        np.fmax(far, 0, out=far)  # also where the product was too large for its precision
        far /= self._apart_K_K[predicted]
        np.minimum(far, np.finfo(far.dtype).max, out=far)
        far[~self._boundary_K_K[predicted]] = np.inf
        far[rows, predicted] = far.min(axis=1)
        return far


def _longest(weights_K_D: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(weights_K_D, axis=1).max(initial=0))


def _rows_apart(weights_K_D: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K, K) distances between rows, 0 where they are equal up to rounding; from explicit differences.

    The product of the head with itself would leave equal rows apart by its rounding.
    """
    apart = np.stack([np.linalg.norm(weights_K_D - row, axis=1) for row in weights_K_D])
    length = np.linalg.norm(weights_K_D, axis=1)
    apart[apart <= SAME * np.finfo(np.float64).eps * np.maximum(length[:, None], length)] = 0
    return apart
