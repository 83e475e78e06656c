"""What finished runs say: mean curves, labels to a target, savings.

Pure functions of tidy rows and arrays: no files, no plots, no prints, and nothing is extrapolated: a target
that a curve does not reach stays None. Curves are raw, never smoothed. Metrics are defined in
`core.measures`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.measures import area_under_curve, labels_to_target, saving

Floats = NDArray[np.float64]

LAST = 3
"""How many of a curve's last points make its final value; one alone is too noisy to compare."""


class Measured(Protocol):
    """One tidy row of a results folder, read by attribute."""

    @property
    def dataset(self) -> str: ...
    @property
    def strategy(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def noise(self) -> str: ...
    @property
    def parallel(self) -> int: ...
    @property
    def n_labels(self) -> int: ...
    @property
    def metric(self) -> str: ...
    @property
    def value(self) -> float: ...


class Setting(NamedTuple):
    """What strategies are compared on: a data set and the noise of its labels."""

    dataset: str
    noise: str

    @property
    def label(self) -> str:
        """The setting as people read it."""
        return f"{self.dataset}, {noise_label(self.noise)}"


class Arm(NamedTuple):
    """What is compared: a strategy and how many questions it keeps open at one time."""

    strategy: str
    parallel: int

    @property
    def label(self) -> str:
        """The arm as people read it; `parallel` matters to direct alone."""
        return f"{self.strategy} ({self.parallel})" if self.strategy == "direct" else self.strategy


@dataclass(frozen=True, eq=False)
class Runs:
    """One arm's curves of one metric on one setting.

    seeds: (S,) ascending; n_labels: (T,) ascending, the label counts that all seeds share; values: (S, T),
    NaN where undefined.
    """

    seeds: NDArray[np.int64]
    n_labels: NDArray[np.int64]
    values: Floats

    @property
    def mean(self) -> Floats:
        """(T,) mean over seeds."""
        return np.asarray(self.values.mean(axis=0))


Curves = Mapping[Setting, Mapping[Arm, Runs]]


def noise_label(noise: str) -> str:
    """Label noise as people read it: "0.1" is "10 % noise", "human:worse" is "human: worse"."""
    kind, _, column = noise.partition(":")
    if column:
        return f"{kind}: {column}"
    try:
        rate = 100 * float(noise)
    except ValueError:
        return f"{noise} noise"
    return f"{rate:g} % noise" if rate else "no noise"


def gather(rows: Iterable[Measured]) -> dict[str, dict[Setting, dict[Arm, Runs]]]:
    """Every metric's curves: metric -> setting -> arm -> `Runs`, settings and arms in reading order.

    Seeds of one arm are cut to the label counts they share.
    """
    points: dict[str, dict[Setting, dict[Arm, dict[int, dict[int, float]]]]] = {}
    for row in rows:
        seeds = (
            points.setdefault(row.metric, {})
            .setdefault(Setting(row.dataset, row.noise), {})
            .setdefault(Arm(row.strategy, row.parallel), {})
        )
        seeds.setdefault(row.seed, {})[row.n_labels] = row.value
    return {
        metric: {
            setting: {arm: _runs(settings[setting][arm]) for arm in sorted(settings[setting], key=_arm_order)}
            for setting in sorted(settings, key=_setting_order)
        }
        for metric, settings in points.items()
    }


def _runs(seeds: Mapping[int, Mapping[int, float]]) -> Runs:
    shared = sorted(set.intersection(*(set(curve) for curve in seeds.values())))
    order = sorted(seeds)
    values = np.array([[seeds[seed][n] for n in shared] for seed in order], np.float64)
    return Runs(np.array(order, np.int64), np.array(shared, np.int64), values.reshape(len(order), len(shared)))


def _arm_order(arm: Arm) -> tuple[int, str, int]:
    first = {"direct": 0, "galaxy": 1, "random": 3}
    return first.get(arm.strategy, 2), arm.strategy, arm.parallel


def _setting_order(setting: Setting) -> tuple[str, int, float, str]:
    try:
        return setting.dataset, 0, float(setting.noise), ""
    except ValueError:
        return setting.dataset, 1, 0.0, setting.noise


def main_arm(arms: Iterable[Arm]) -> Arm:
    """The arm that a report is about: direct, or the first in reading order; with parallel 5, or its middle one."""
    known = sorted(set(arms), key=_arm_order)
    first = [arm for arm in known if arm.strategy == known[0].strategy]
    return next((arm for arm in first if arm.parallel == 5), first[(len(first) - 1) // 2])


def standard_error(values: Floats) -> Floats:
    """One standard error of the mean over axis 0, (S, ...) -> (...); NaN for a single seed."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.std(axis=0, ddof=1) / math.sqrt(len(values)))


def final(runs: Runs) -> Floats:
    """(S,) final value of every seed: the mean of its last three points (`LAST`), or of all it has."""
    return np.asarray(runs.values[:, -LAST:].mean(axis=1))


def area(runs: Runs) -> Floats:
    """(S,) mean height of every seed's curve (area under it, divided by its span)."""
    return np.array([area_under_curve(runs.n_labels, curve) for curve in runs.values])


@dataclass(frozen=True)
class Reach:
    """With how many labels an arm reaches a target.

    of_mean:  labels at which the mean curve first crosses it, linearly interpolated; None = not reached.
    per_seed: the same for every seed. Their mean leaves out the seeds that do not reach it and so flatters
    the arm; savings are computed from `of_mean`, and `reached` of `len(per_seed)` is always shown beside.
    """

    target: float
    of_mean: float | None
    per_seed: tuple[float | None, ...]

    @property
    def reached(self) -> int:
        """How many seeds reach the target."""
        return sum(labels is not None for labels in self.per_seed)

    @property
    def mean(self) -> float | None:
        """Mean labels over the seeds that reach it; None if none does."""
        found = [labels for labels in self.per_seed if labels is not None]
        return float(np.mean(found)) if found else None


def reach(runs: Runs, target: float) -> Reach:
    """Labels that `runs` need for `target`, of the mean curve and of every seed."""
    per_seed = tuple(labels_to_target(runs.n_labels, curve, target) for curve in runs.values)
    return Reach(target, labels_to_target(runs.n_labels, runs.mean, target), per_seed)


def saving_between(ours: Reach, other: Reach) -> float | None:
    """1 - n_ours / n_other at equal value, of the mean curves; None where one does not reach it."""
    if ours.of_mean is None or other.of_mean is None:
        return None
    return saving(ours.of_mean, other.of_mean)


def target_value(name: str, arms: Mapping[Arm, Runs]) -> float | None:
    """What a target stands for on one setting; None if it names an arm without runs here.

    "random" or "galaxy" is that arm's mean final value, "best:0.9" that share of the best mean final value of
    all arms; a plain number is itself.
    """
    if name.startswith("best:"):
        return float(name.partition(":")[2]) * max(float(final(runs).mean()) for runs in arms.values())
    try:
        return float(name)
    except ValueError:
        named = [float(final(runs).mean()) for arm, runs in arms.items() if arm.strategy == name]
        return max(named) if named else None
