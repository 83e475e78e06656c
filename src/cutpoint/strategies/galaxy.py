"""GALAXY: bisect every cut of every class's sorted list, then label around the cuts; one question at a time.

Zhang, Katz-Samuels and Nowak (arXiv 2202.01402), which DIRECT improves on. Classes take turns, one question each;
with two classes both lists are the same list reversed, so one is enough.
"""

from __future__ import annotations

import numpy as np

from cutpoint.core.chains import next_place
from cutpoint.core.places import class_orders
from cutpoint.core.sorted_sets import added, nth_free, removed
from cutpoint.plans import NOTHING, because
from cutpoint.types import UNKNOWN, Index, Known, Labels, Plan, Round, Why

CITE = """@inproceedings{zhang2022galaxy,
  title = {{GALAXY}: Graph-based Active Learning at the Extreme},
  author = {Zhang, Jifan and Katz-Samuels, Julian and Nowak, Robert},
  booktitle = {International Conference on Machine Learning},
  year = {2022},
  note = {arXiv:2202.01402},
}"""


def galaxy(round: Round) -> Plan:
    """One round of GALAXY; strictly sequential, so it keeps one question open whatever the session allows."""
    n, n_classes = round.scores.probs.shape
    rng = round.rng()
    everybody = np.arange(n)
    chains = [
        _Chain(order.sort(everybody))
        for order in class_orders(round.scores.probs)[: 1 if n_classes == 2 else n_classes]
    ]
    askable = round.labels == UNKNOWN
    askable[round.held] = False
    taken = np.flatnonzero(~askable)
    for chain in chains:
        chain.update(taken, taken[:0])
    labels, asked, noted = round.labels, set[int](), 0
    held = frozenset(round.held.tolist())
    while len(asked) < min(round.budget, n):
        if len(taken) == n:
            return
        k = len(asked) % len(chains)
        i = chains[k].next(labels, k)
        why = Why("galaxy", "random") if i is None else Why("galaxy", "cut", k, place=chains[k].place(i))
        if i is None:
            i = int(nth_free(taken, int(rng.integers(n - len(taken)))))
        asked.add(i)
        known: Known = yield because(np.array([i], np.intp), why)
        while len(known.open):
            known = yield NOTHING
        labels = known.labels
        changed = {i, *known.told[noted:]}
        noted = len(known.told)
        gone = np.array([j for j in changed if labels[j] != UNKNOWN or j in asked or j in held], np.intp)
        back = np.array([j for j in changed if labels[j] == UNKNOWN and j not in asked and j not in held], np.intp)
        taken = removed(added(taken, gone), back)
        for chain in chains:
            chain.update(gone, back)


class _Chain:
    """One class's list: who stands where, and which places are taken."""

    def __init__(self, order: Index) -> None:
        self._order = order
        self._place = np.empty(len(order), np.int32)
        self._place[order] = np.arange(1, len(order) + 1, dtype=np.int32)
        self._taken: Index = np.empty(0, np.intp)

    def update(self, gone: Index, back: Index) -> None:
        """These can no longer be asked; those can be asked again."""
        self._taken = removed(added(self._taken, self._place[gone].astype(np.intp)), self._place[back].astype(np.intp))

    def place(self, i: int) -> int:
        """Where example i stands, from 1."""
        return int(self._place[i])

    def next(self, labels: Labels, k: int) -> int | None:
        """The pool index to ask, or None where the list has no cut."""
        place = next_place(self._taken, labels[self._order[self._taken - 1]], k, len(self._order))
        return None if place is None else int(self._order[place - 1])
