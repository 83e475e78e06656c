"""SIMILAR for rare classes: the batch that says most about the labelled examples of the minority classes.

Kothawade et al. (arXiv 2107.00717), the setting of rare classes, with FLQMI and the cosines of last-layer gradients.
Draws nothing.
"""

from __future__ import annotations

import logging

import numpy as np

from cutpoint.core.submodular import Gradients, flqmi_greedy
from cutpoint.plans import one_shot
from cutpoint.strategies.reads import Floats, embedding_of
from cutpoint.strategies.uncertainty import least_of_majority, majority_class
from cutpoint.types import UNKNOWN, Index, Labels, Round

CITE = """@inproceedings{kothawade2021similar,
  title = {{SIMILAR}: Submodular Information Measures Based Active Learning In Realistic Scenarios},
  author = {Kothawade, Suraj and Beck, Nathan and Killamsetty, Krishnateja and Iyer, Rishabh},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2021},
  note = {arXiv:2107.00717},
}"""

_log = logging.getLogger("cutpoint")


@one_shot
def similar(round: Round) -> Index:
    """(<= budget,) the examples that greedy takes for FLQMI, eta = 1.

    The query set is every labelled example of every class but the most frequent one, with its observed label. Where
    there is none, the choice is that of most_likely_positive, and a warning is logged.

    With Q queries: O(N Q (K + d)) time, and memory for 12 Q (K + d) bytes and a block of the pool.
    """
    embedding, probs, unlabelled = embedding_of(round, "similar"), round.scores.probs, round.unlabelled()
    minority = np.flatnonzero((round.labels != UNKNOWN) & (round.labels != majority_class(round)))
    if not len(minority):
        _log.warning("similar: no example of a minority class is labelled yet, so most_likely_positive chooses.")
        return least_of_majority(round)

    def candidates(places: Index) -> Gradients:
        rows = unlabelled[places]
        return Gradients(_outputs(probs[rows], probs[rows].argmax(axis=1)), embedding[rows])

    queries = Gradients(_outputs(probs[minority], round.labels[minority]), embedding[minority])
    return unlabelled[flqmi_greedy(queries, candidates, len(unlabelled), round.budget)]


def _outputs(probs: Floats, labels: Labels) -> Floats:
    """(n, K) double `p - e_label`: the gradient of the cross-entropy by the class scores."""
    outputs = probs.astype(np.float64)
    outputs[np.arange(len(outputs)), labels] -= 1
    return outputs
