"""BADGE: examples whose gradients are large and point in different directions.

Ash, Zhang, Krishnamurthy, Langford and Agarwal 2020 (arXiv 1906.03671), Algorithm 1; the drawing is in
`core/seeding.py`.
"""

from __future__ import annotations

import numpy as np

from cutpoint.core.points import Points
from cutpoint.core.seeding import GradientSpace, k_means_plus_plus
from cutpoint.plans import one_shot
from cutpoint.strategies.reads import embedding_of
from cutpoint.types import Index, Round

CITE = """@inproceedings{ash2020deep,
  title = {Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds},
  author = {Ash, Jordan T. and Zhang, Chicheng and Krishnamurthy, Akshay and Langford, John and Agarwal, Alekh},
  booktitle = {International Conference on Learning Representations},
  year = {2020},
  note = {arXiv:1906.03671},
}"""


@one_shot
def badge(round: Round) -> Index:
    """(<= budget,) examples drawn by k-means++ on the gradients that their most likely labels would give.

    The gradient of the last layer is g = (p - e_yhat) (x) h with yhat the most probable class (of equals the first):
    the probabilities as given, and the embedding h as given, without a bias and not normalised. The first example is
    uniform, each of the rest is drawn in proportion to the squared distance of its g to the nearest one drawn. Where
    that is 0 for all that is left, the draw is uniform; so it is with one class whose probability is exactly 1
    everywhere, since then all gradients are 0.
    UsageError where there is no embedding.

    Cost: O(B N (D + K)) time, one product with the embedding for each of B = budget questions. The gradients, N x K x D
    numbers, are never formed. Memory beyond the scores: one N x K array and a few of N.
    Public code differs: the authors' takes the largest gradient for the first example and writes all gradients out.
    """
    embedding = Points(embedding_of(round, "badge"))
    unlabelled = round.unlabelled()
    a = round.scores.probs.astype(embedding.dtype)
    a[np.arange(len(a)), a.argmax(axis=1)] -= 1
    size = min(round.budget, len(unlabelled))
    return k_means_plus_plus(GradientSpace(a, embedding), unlabelled, size, round.rng())
