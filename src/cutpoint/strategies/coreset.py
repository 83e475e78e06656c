"""CORESET: examples that lie far from everything labelled.

Sener and Savarese 2018 (arXiv 1708.00489), Algorithm 1, k-center greedy; it is in `core/seeding.py`.
"""

from __future__ import annotations

import numpy as np

from cutpoint.core.seeding import EmbeddingSpace, k_center_greedy
from cutpoint.plans import one_shot
from cutpoint.strategies.reads import embedding_of
from cutpoint.types import UNKNOWN, Index, Round

CITE = """@inproceedings{sener2018active,
  title = {Active Learning for Convolutional Neural Networks: A Core-Set Approach},
  author = {Sener, Ozan and Savarese, Silvio},
  booktitle = {International Conference on Learning Representations},
  year = {2018},
  note = {arXiv:1708.00489},
}"""


@one_shot
def coreset(round: Round) -> Index:
    """(<= budget,) examples, each the farthest from the labelled ones and those chosen before it.

    Euclidean distance of the embedding as given, not normalised. Of the labels it reads only which examples have one;
    examples held back are no centres. Where nothing is labelled the first example is uniform. Ties go to the lower
    index. UsageError where there is no embedding.

    Cost: O(N L D) time for the distances to L labelled examples, in matrix products, and O(N D) for each of B = budget
    questions; K does not matter. Memory: some twenty numbers for each example.
    Public code differs: the common version holds all N x L distances at once. The paper's robust variant, which solves
    integer programs to leave outliers out, is not here.
    """
    space = EmbeddingSpace(embedding_of(round, "coreset"))
    unlabelled = round.unlabelled()
    size = min(round.budget, len(unlabelled))
    return k_center_greedy(space, unlabelled, np.flatnonzero(round.labels != UNKNOWN), size, round.rng())
