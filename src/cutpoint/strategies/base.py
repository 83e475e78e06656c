"""BASE: every class gets its share of the budget, spent on the examples nearest to that class's boundary.

Emam et al. (arXiv 2111.12880). The distances come from the logits and the K x K distances between the rows of the last
layer; nothing of size N x K x D is ever made. Draws nothing.
"""

from __future__ import annotations

import numpy as np

from cutpoint.core.boundaries import Boundaries
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


@one_shot
def base(round: Round) -> Index:
    """(<= budget,) for each class in turn its share of the examples nearest to its boundary, nearest first.

    The classes that the head knows (bias not -inf) share the budget equally, the first of them one more where it does
    not divide. A class that it does not know gets no share: a deviation, the paper divides by all K. An example
    predicted to be of class c is as far from c's boundary as from the nearest other class; any other one is as far as
    the boundary between its class and c. Where there is no boundary (equal rows of the head, a class that the head does
    not know) the distance is infinite. Ties go to the lower index; an example is taken once.

    With no class known to the head, the lowest indices. UsageError where the scores have no embedding or no head.
    O(N K D) time, N x K doubles of memory.
    """
    embedding, head = embedding_of(round, "base"), head_of(round, "base")
    free = round.unlabelled()
    budget = min(round.budget, len(free))
    boundaries = Boundaries(head, embedding.shape[1])
    classes = boundaries.known[:budget].tolist()
    if not classes:
        return free[:budget]
    far_K_M = boundaries.distances(embedding, round.scores.probs.argmax(axis=1), free)
    each, more = divmod(budget, len(boundaries.known))
    left, chosen = np.arange(len(free)), []
    for place, c in enumerate(classes):
        nearest = lowest(far_K_M[c, left], each + (place < more))
        chosen.append(free[left[nearest]])
        left = np.delete(left, nearest)
    return np.concatenate(chosen)
