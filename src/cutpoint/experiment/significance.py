"""Whether a difference between strategies is more than luck: paired tests over seeds.

Every seed gives all arms the same first batch and the same observed labels, so arms are compared seed by
seed. Pure functions of arrays; p values are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cutpoint.experiment.statistics import Arm, Curves, Floats, Runs, area, standard_error


@dataclass(frozen=True)
class Paired:
    """Two arms compared seed by seed on one number each.

    difference: mean of ours - other; error: its standard error (NaN for one seed); wins, losses: seeds in
    which ours is higher, lower; p: Wilcoxon's signed-rank test, two-sided; adjusted: p after Holm's
    correction within its family.
    """

    difference: float
    error: float
    wins: int
    losses: int
    n: int
    p: float
    adjusted: float

    @property
    def significant(self) -> bool:
        """True where the corrected p is below 5 %."""
        return self.adjusted < 0.05


def paired(ours: Runs, others: Mapping[Arm, Runs], number: Callable[[Runs], Floats] = area) -> dict[Arm, Paired]:
    """Ours against every other arm, over the seeds both have; Holm's correction over all of `others`."""
    mine = dict(zip(ours.seeds.tolist(), number(ours).tolist(), strict=True))
    differences = {}
    for arm, runs in others.items():
        theirs = zip(runs.seeds.tolist(), number(runs).tolist(), strict=True)
        shared = [mine[seed] - value for seed, value in theirs if seed in mine]
        if shared:
            differences[arm] = np.array(shared)
    return compare(differences)


def compare(differences: Mapping[Arm, Floats]) -> dict[Arm, Paired]:
    """`Paired` of every arm's (n,) paired differences, n >= 1; together they are one family of tests."""
    raw = [wilcoxon(values) for values in differences.values()]
    return {
        arm: Paired(
            float(values.mean()),
            float(standard_error(values)),
            int((values > 0).sum()),
            int((values < 0).sum()),
            len(values),
            p,
            q,
        )
        for (arm, values), p, q in zip(differences.items(), raw, holm(raw), strict=True)
    }


def wilcoxon(differences: Floats) -> float:
    """Two-sided p of Wilcoxon's signed-rank test on (n,) paired differences; 1 where all are zero.

    Zeros are dropped, ties get their mean rank, and p is exact for every n, ties included: the usual normal
    approximation for ties would call five seeds out of five significant, which no test can. n pairs cannot
    give less than 2 / 2**n.
    """
    values = differences[differences != 0]
    _, place, counts = np.unique(np.abs(values), return_inverse=True, return_counts=True)
    twice_ranks = (2 * np.cumsum(counts) - counts + 1)[place]  # mean ranks of ties are halves: doubled, they are whole
    chance = np.ones(1)  # of every possible sum of positive ranks, when signs are fair coins
    for rank in twice_ranks.tolist():
        chance = (np.pad(chance, (0, rank)) + np.pad(chance, (rank, 0))) / 2
    seen = int(twice_ranks[values > 0].sum())
    return float(min(1.0, 2 * min(chance[: seen + 1].sum(), chance[seen:].sum())))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment of (m,) p values, in the given order.

    The i-th smallest is multiplied by m - i + 1, made monotone, and at most 1.
    """
    order = np.argsort(np.asarray(p_values, np.float64), kind="stable")
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for step, place in enumerate(order.tolist()):
        highest = max(highest, min(1.0, (len(p_values) - step) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def mean_difference(curves: Curves, ours: Arm, other: Arm, number: Callable[[Runs], Floats] = area) -> Floats:
    """(n,) ours - other per seed, averaged over all settings that have both arms.

    Only seeds that both arms finished on each of these settings count, so every seed averages the same
    settings.
    """
    settings = [arms for arms in curves.values() if ours in arms and other in arms]
    tables = [
        [dict(zip(arms[arm].seeds.tolist(), number(arms[arm]).tolist(), strict=True)) for arm in (ours, other)]
        for arms in settings
    ]
    if not tables:
        return np.empty(0)
    seeds = sorted(set.intersection(*(set(table) for pair in tables for table in pair)))
    return np.array([np.mean([mine[seed] - theirs[seed] for mine, theirs in tables]) for seed in seeds])
