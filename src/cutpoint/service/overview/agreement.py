"""How people agree: with one another, and, by the model of Dawid and Skene, with what was there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.votes import dawid_skene
from cutpoint.service.log.state import State
from cutpoint.service.log.votes import IMPORTED, majority

CLEAR = 0.5  # by so much likelier another class than the label must be to stand instead
"""Of two people who differ nothing says who errs but how frequent the classes are: then it is about .1, or none."""
AGREEMENT = "Agreement: of the answers that others gave to the same items, the share that is the same."
"""What `log.votes.Agreed` counts, as it stands below a table."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """What the items say that several people answered.

    people: their names.  agreed: see `log.votes.Agreed`.
    confusion: (m, K, K) how often a person says l of class k, by the consensus of all answers, at [person, k, l].
    seen: (m, K) how many of the items that are of class k, by `weighed` or else their label, the person answered.
    weighed: items of which that consensus clearly says another class than their label, by `CLEAR` of its probability,
    and which; decided ones left out.
    """

    people: tuple[str, ...]
    agreed: dict[str, tuple[int, int]]
    confusion: NDArray[np.float64]
    seen: NDArray[np.int64]
    weighed: dict[int, int]


@dataclass(frozen=True)
class Opinions:
    """What agreement follows from, as it is at one moment.

    votes, decided: see `log.votes.Ballots`.  agreed: see `log.votes.Agreed`.
    """

    n_classes: int
    votes: Mapping[int, Mapping[str, int]]
    decided: Mapping[int, tuple[int, int]]
    agreed: dict[str, tuple[int, int]]

    def shared(self) -> dict[int, Mapping[str, int]]:
        """The votes on items that several people answered."""
        return {item: cast for item, cast in self.votes.items() if len(cast) - (IMPORTED in cast) > 1}

    def label(self, item: int) -> int:
        """The label of an item that people answered."""
        return self.decided[item][0] if item in self.decided else majority(self.votes[item])


def opinions(state: State) -> Opinions:
    """The state's, which the caller keeps still meanwhile: two shallow copies, one of all items answered."""
    ballots = state.ballots
    return Opinions(len(state.made.classes), ballots.votes.copy(), ballots.decided.copy(), ballots.agreed.shares())


def agreement(state: State) -> Agreement:
    """The agreement so far; O(answers) and a few passes over the shared ones."""
    return weigh(opinions(state))


def weigh(said: Opinions) -> Agreement:
    """The agreement of what people said, imported labels being nobody's; O(answers) and a few passes over these."""
    shared, n_classes = said.shared(), said.n_classes
    votes = [(item, who, label) for item, cast in shared.items() for who, label in cast.items() if who != IMPORTED]
    items = list(shared)
    people = list(dict.fromkeys(who for _, who, _ in votes))
    row = {item: i for i, item in enumerate(items)}
    column = {who: a for a, who in enumerate(people)}
    votes_v_3 = np.array([(row[i], column[who], label) for i, who, label in votes], np.int64).reshape(-1, 3)
    labels = np.array([said.label(item) for item in items], np.int64)
    consensus = dawid_skene(votes_v_3, (len(items), len(people), n_classes))
    rows = np.arange(len(items))
    lead = consensus.posterior[rows, consensus.labels] - consensus.posterior[rows, labels]
    decided = np.array([item in said.decided for item in items], bool)
    other = (lead > CLEAR) & ~decided
    best = np.where(other, consensus.labels, labels)
    cells = votes_v_3[:, 1] * n_classes + best[votes_v_3[:, 0]]
    return Agreement(
        tuple(people),
        said.agreed,
        consensus.confusion,
        np.bincount(cells, minlength=len(people) * n_classes).reshape(len(people), n_classes),
        {items[i]: int(best[i]) for i in np.flatnonzero(other)},
    )
