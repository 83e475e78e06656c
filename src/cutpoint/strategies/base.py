"""BASE: every class gets its share of the budget, spent on the examples nearest to that class's boundary.

Emam et al. (arXiv 2111.12880), section 4. All distances come from one product of the embedding with the last layer and
the K x K distances between that layer's rows; nothing of size N x K x D is ever made. Draws nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.blocks import for_blocks
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


@one_shot
def base(round: Round) -> Index:
    """(<= budget,) for each class in turn its share of the examples nearest to its boundary, nearest first.

    The classes that the head knows (bias not -inf) share the budget equally, the first of them one more where it does
    not divide. An example predicted to be of class c is as far from c's boundary as from the nearest other class; any
    other one is as far as the boundary between its class and c. Where there is no boundary (equal rows of the head, a
    class that the head does not know) the distance is infinite. Ties go to the lower index; an example is taken once.

    With no class known to the head, the lowest indices. O(N K (D + 1)) time, N x K floats of memory.
    """
    embedding, head = embedding_of(round, "base"), head_of(round, "base")
    unlabelled = round.unlabelled()
    budget = min(round.budget, len(unlabelled))
    weights = head[:, : embedding.shape[1]]
    biases = head[:, -1] if head.shape[1] > embedding.shape[1] else np.zeros(len(head), head.dtype)
    known = np.flatnonzero(np.isfinite(biases))
    if not len(known):
        return unlabelled[:budget]
    distances_K_N = boundary_distances(embedding, round.scores.probs, weights, biases)
    free = unlabelled
    chosen = []
    for place, c in enumerate(known.tolist()):
        share = budget // len(known) + (place < budget % len(known))
        if share == 0:
            break
        taken = lowest(distances_K_N[c, free], share)
        chosen.append(free[taken])
        free = np.delete(free, taken)
    return np.concatenate(chosen) if chosen else unlabelled[:0]


def boundary_distances(embedding: Floats, probs: NDArray[np.float32], weights: Floats, biases: Floats) -> Floats:
    """(K, N) how far each example is from each class's boundary, infinite where there is none; equation 1.

    embedding: (N, D); probs: (N, K), of which only the largest of each row counts; weights: (K, D); biases: (K,), -inf
    where a class is unknown. Row c holds the distance to the boundary with c, and for examples predicted to be of class
    c the smallest of their distances to the others. In the embedding's precision, float32 at least.
    """
    dtype = np.result_type(embedding.dtype, np.float32)
    known = np.isfinite(biases)
    apart_K_K, boundary_K_K = _rows_apart(weights.astype(dtype), known)
    weights_D_K = np.ascontiguousarray((weights - weights.mean(axis=0, dtype=np.float64)).astype(dtype).T)
    biases = np.where(known, biases, 0).astype(dtype)
    distances_K_N = np.empty((len(weights), len(embedding)), dtype)

    def fill(first: int, after: int) -> None:
        rows = np.arange(after - first)
        predicted = probs[first:after].argmax(axis=1)
        logits = embedding[first:after].astype(dtype, copy=False) @ weights_D_K + biases
        far = np.abs(logits[rows, predicted][:, None] - logits) / apart_K_K[predicted]
        far[~boundary_K_K[predicted] | np.isnan(far)] = np.inf
        far[rows, predicted] = far.min(axis=1)
        distances_K_N[:, first:after] = far.T

    with np.errstate(over="ignore", invalid="ignore"):  # an embedding near the largest float: no distance can be told
        for_blocks(len(embedding), fill)
    return distances_K_N


def _rows_apart(weights: Floats, known: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """(K, K) distances between the head's rows, 1 where there is no boundary between two; (K, K) where there is one.

    From explicit differences: the product of the head with itself would leave equal rows apart by its rounding.
    """
    exact = weights.astype(np.float64)
    apart = np.stack([np.linalg.norm(exact - row, axis=1) for row in exact])
    length = np.linalg.norm(exact, axis=1)
    least = SAME * np.finfo(weights.dtype).eps * np.maximum(length[:, None], length)
    boundary = (apart > least) & known[:, None] & known
    return np.where(boundary, apart, 1.0).astype(weights.dtype), boundary
