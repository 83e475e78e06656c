"""How people agree: with the label that came of it, and, by the model of Dawid and Skene, with what was there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.votes import dawid_skene
from cutpoint.service.log.state import State
from cutpoint.service.log.votes import IMPORTED


@dataclass(frozen=True, eq=False)
class Agreement:
    """What the items say that several people answered.

    people: their names; same, shared: (m,) on how many of them a person said what is the label, and how many there are.
    confusion: (m, K, K) how often a person says l of class k, by the consensus of all answers, at [person, k, l].
    weighed: items on which that consensus is another label than the majority's, and what it is; decided ones left out.
    """

    people: tuple[str, ...]
    same: NDArray[np.int64]
    shared: NDArray[np.int64]
    confusion: NDArray[np.float64]
    weighed: dict[int, int]


def agreement(state: State) -> Agreement:
    """The agreement so far; O(answers) and a few passes over the shared ones. Imported labels are nobody's."""
    votes = [
        (item, who, said)
        for item, cast in state.ballots.votes.items()
        if len(cast.keys() - {IMPORTED}) > 1
        for who, said in cast.items()
        if who != IMPORTED
    ]
    items = list(dict.fromkeys(item for item, _, _ in votes))
    people = list(dict.fromkeys(who for _, who, _ in votes))
    row = {item: i for i, item in enumerate(items)}
    column = {who: a for a, who in enumerate(people)}
    n_classes = len(state.made.classes)
    votes_v_3 = np.array([(row[i], column[who], said) for i, who, said in votes], np.int64).reshape(-1, 3)
    labels = np.array([state.ballots.label(item) for item in items], np.int64)
    right = votes_v_3[:, 2] == labels[votes_v_3[:, 0]] if len(votes) else np.zeros(0, bool)
    consensus = dawid_skene(votes_v_3, (len(items), len(people), n_classes))
    other = np.flatnonzero(consensus.labels != labels)
    return Agreement(
        tuple(people),
        np.bincount(votes_v_3[right, 1], minlength=len(people)),
        np.bincount(votes_v_3[:, 1], minlength=len(people)),
        consensus.confusion,
        {items[i]: int(consensus.labels[i]) for i in other if items[i] not in state.ballots.decided},
    )
