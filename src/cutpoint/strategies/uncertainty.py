"""The uncertainty family: one number per example from its probabilities, the best of the unlabelled are asked at once.

All of them on probabilities (sorting raw logits is another order). Ties go to the lower pool index.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.blocks import for_blocks
from cutpoint.core.lowest import lowest
from cutpoint.plans import one_shot
from cutpoint.types import UNKNOWN, Index, Round

CITE_SURVEY = """@techreport{settles2009active,
  title = {Active Learning Literature Survey},
  author = {Settles, Burr},
  institution = {University of Wisconsin-Madison},
  number = {1648},
  year = {2009},
}"""

CITE_MARGIN = """@inproceedings{balcan2006agnostic,
  title = {Agnostic Active Learning},
  author = {Balcan, Maria-Florina and Beygelzimer, Alina and Langford, John},
  booktitle = {International Conference on Machine Learning},
  pages = {65--72},
  year = {2006},
}"""

CITE_POSITIVE = """@inproceedings{warmuth2001active,
  title = {Active Learning in the Drug Discovery Process},
  author = {Warmuth, Manfred K. and R{\\"a}tsch, Gunnar and Mathieson, Michael and Liao, Jun and Lemmen, Christian},
  booktitle = {Advances in Neural Information Processing Systems},
  pages = {1449--1456},
  year = {2001},
}"""


@one_shot
def confidence(round: Round) -> Index:
    """(<= budget,) the examples whose largest probability is smallest."""
    return _smallest(round, lambda p: p.max(axis=1))


@one_shot
def margin(round: Round) -> Index:
    """(<= budget,) the examples whose two largest probabilities differ least; with one class all tie."""
    return _smallest(round, gaps)


def gaps(p: NDArray[np.float32]) -> NDArray[np.float32]:
    """(M,) the largest less the second largest of every row of `p` (M, K); 0 where there is one class."""
    if p.shape[1] == 1:
        return np.zeros(len(p), np.float32)
    top = np.partition(p, -2, axis=1)
    return top[:, -1] - top[:, -2]


@one_shot
def entropy(round: Round) -> Index:
    """(<= budget,) the examples of largest entropy `-sum p log p`, where 0 log 0 = 0."""

    def negative(p: NDArray[np.float32]) -> NDArray[np.float64]:
        total = np.empty(len(p))

        def fill(first: int, after: int) -> None:
            q = np.sort(p[first:after], axis=1).astype(
                np.float64
            )  # sorted: the sum must not depend on the classes' names
            total[first:after] = (q * np.log(q, where=q > 0, out=np.zeros_like(q))).sum(axis=1)

        for_blocks(len(p), fill)
        return total

    return _smallest(round, negative)


@one_shot
def most_likely_positive(round: Round) -> Index:
    """(<= budget,) the examples least likely to be of the majority class.

    The majority class is estimated from the labels seen so far.
    """
    return least_of_majority(round)


def least_of_majority(round: Round) -> Index:
    """What most_likely_positive asks, for strategies that fall back on it."""
    majority = majority_class(round)
    return _smallest(round, lambda p: p[:, majority])


def majority_class(round: Round) -> int:
    """The class of most of the labels seen so far; of equals, and where nothing is labelled, the lowest."""
    labels = round.labels[round.labels != UNKNOWN]
    return int(np.argmax(np.bincount(labels, minlength=round.scores.n_classes)))


def _smallest(round: Round, value: Callable[[NDArray[np.float32]], NDArray[np.floating[Any]]]) -> Index:
    """The unlabelled examples with the smallest value, smallest first, ties to the lower index; O(N), no full sort."""
    unlabelled = round.unlabelled()
    return unlabelled[lowest(value(round.scores.probs[unlabelled]), round.budget)]
