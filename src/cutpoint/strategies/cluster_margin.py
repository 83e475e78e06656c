"""Cluster-Margin: the unsurest examples, the clusters of the embedding taking turns, the smallest first.

Citovsky et al. (arXiv 2107.14263). Within a cluster the smallest margin goes first, where the paper draws:
with ten times the budget as candidates, clusters differ more than their members, and nothing is left to chance.
"""

from __future__ import annotations

import numpy as np

from cutpoint.core.checks import integers
from cutpoint.core.lowest import lowest
from cutpoint.errors import UsageError
from cutpoint.plans import one_shot
from cutpoint.strategies.clusters import cluster_sample
from cutpoint.strategies.reads import embedding_of
from cutpoint.strategies.uncertainty import gaps
from cutpoint.types import Index, Labels, Round, Strategy

CITE = """@inproceedings{citovsky2021batch,
  title = {Batch Active Learning at Scale},
  author = {Citovsky, Gui and DeSalvo, Giulia and Gentile, Claudio and Karydas, Lazaros and Rajagopalan, Anand and
    Rostamizadeh, Afshin and Kumar, Sanjiv},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {34},
  year = {2021},
  note = {arXiv:2107.14263},
}"""

CANDIDATES = 10  # for each question of the budget, as in the paper


@one_shot
def cluster_margin(round: Round) -> Index:
    """(<= budget,) as `clustered_by` with the clusters of the round's own embedding; only candidates are assigned.

    A deviation: the paper clusters once, by the first embedding. A strategy keeps no state, so this one clusters the
    round's embedding in every round, which takes 0.2 s with 512 columns. `clustered_by(clusters_of(embedding))` does it
    once, as the paper does. UsageError where the scores have no embedding.
    """
    embedding = embedding_of(round, "cluster_margin")
    items = _candidates(round, CANDIDATES)
    if not len(items):
        return items
    return items[take_turns(cluster_sample(embedding).assign(embedding, items), round.budget)]


def clustered_by(clusters: Labels, *, candidates: float = CANDIDATES) -> Strategy:
    """Cluster-Margin on a clustering that was made once.

    clusters:   (N,) whole numbers from 0, the cluster of every example of the pool, whatever made it.
    candidates: how many of the smallest margins are looked at for each question, 1 or more; some public runs take 1.25.
    UsageError where they are not that, or `clusters` has another length than the pool.
    """
    given = integers(clusters, "clusters")
    if given.ndim != 1:
        raise UsageError(f"clusters has shape {given.shape}; it must be (N,): one cluster per example of the pool.")
    if given.size and given.min() < 0:
        row = int(np.flatnonzero(given < 0)[0])
        raise UsageError(
            f"clusters[{row}] is {given[row]}; it must be 0 or more; give an example without a cluster one of its own."
        )
    if not 1 <= candidates < np.inf:
        raise UsageError(f"candidates is {candidates}; it must be 1 or more: margins looked at for each question.")
    given = given.astype(np.intp)  # a copy: the caller's array may move

    @one_shot
    def chosen(round: Round) -> Index:
        if len(given) != round.scores.n_examples:
            raise UsageError(
                f"clusters has {len(given)} entries and the pool {round.scores.n_examples} examples; "
                "it must have one per example, in the pool's order."
            )
        items = _candidates(round, candidates)
        return items[take_turns(given[items], round.budget)]

    return chosen


def take_turns(clusters: Index, size: int) -> Index:
    """(min(size, m),) places in `clusters` (m,): the clusters take turns, the one with the fewest members first.

    Each gives its first place that is left. Of equally small clusters the one whose first place is lower goes first.
    """
    _, first, member_of, sizes = np.unique(clusters, return_index=True, return_inverse=True, return_counts=True)
    by_cluster = np.argsort(member_of, kind="stable")
    starts = np.cumsum(sizes) - sizes
    turn = np.empty(len(clusters), np.intp)
    turn[by_cluster] = np.arange(len(clusters)) - np.repeat(starts, sizes)
    return np.lexsort((first[member_of], sizes[member_of], turn))[:size]


def _candidates(round: Round, each: float) -> Index:
    """(min(each * budget, M),) unlabelled examples of smallest margin, smallest first, ties to the lower index."""
    unlabelled = round.unlabelled()
    return unlabelled[lowest(gaps(round.scores.probs[unlabelled]), int(min(each * round.budget, len(unlabelled))))]
