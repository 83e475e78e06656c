"""What a results folder says, computed once: the numbers behind the headline, the tables and the page.

Pure functions of `Curves`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cutpoint.errors import DataError, UsageError, no_such
from cutpoint.experiment.significance import Paired, compare, mean_difference, paired
from cutpoint.experiment.statistics import (
    Arm,
    Curves,
    Measured,
    Reach,
    Setting,
    gather,
    main_arm,
    reach,
    saving_between,
    target_value,
)

TARGETS = ("random", "galaxy", "best:0.9", "best:0.95")
CURVE = "balanced_accuracy"


@dataclass(frozen=True, eq=False)
class Findings:
    """Everything the report shows.

    curves:   metric -> setting -> arm -> runs; main: the arm that the report is about.
    reaches:  target -> setting -> arm -> labels to it; only targets that mean something on that setting.
    versus:   setting -> other arm -> main against it, by area under the curve; one Holm family per setting.
    overall:  the same of every seed's mean over all settings; one family.
    """

    curves: Mapping[str, Curves]
    main: Arm
    reaches: Mapping[str, Mapping[Setting, Mapping[Arm, Reach]]]
    versus: Mapping[Setting, Mapping[Arm, Paired]]
    overall: Mapping[Arm, Paired]

    @property
    def accuracy(self) -> Curves:
        """Balanced accuracy on the test split: the curve that everything is judged by."""
        return self.curves[CURVE]

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All arms, in reading order."""
        return tuple(dict.fromkeys(arm for arms in self.accuracy.values() for arm in arms))

    @property
    def datasets(self) -> tuple[str, ...]:
        """All data sets, in reading order."""
        return tuple(dict.fromkeys(setting.dataset for setting in self.accuracy))

    @property
    def seeds(self) -> int:
        """The largest number of seeds that an arm has on a setting."""
        return max(len(runs.seeds) for arms in self.accuracy.values() for runs in arms.values())

    @property
    def horizon(self) -> int:
        """The largest number of labels of any run."""
        return max(int(runs.n_labels[-1]) for arms in self.accuracy.values() for runs in arms.values())

    def named(self, strategy: str) -> Arm | None:
        """The main arm of a strategy, or None if it has no runs."""
        found = [arm for arm in self.arms if arm.strategy == strategy]
        return main_arm(found) if found else None


def find(rows: Iterable[Measured], targets: Sequence[str] = TARGETS, main: str | None = None) -> Findings:
    """All findings of the given tidy rows; DataError if they hold no curve.

    main: the arm that the report is about, as `direct` or `direct:20` (`main_arm` if not given); UsageError if it has
    no runs.
    """
    curves = gather(rows)
    accuracy = curves.get(CURVE)
    if not accuracy:
        raise DataError(
            f"the results hold no {CURVE} yet, so there is nothing to report; let `cutpoint bench run`"
            " finish a run first."
        )
    arms = dict.fromkeys(arm for found in accuracy.values() for arm in found)
    shown = main_arm(arms) if main is None else _arm_named(main, arms)
    versus = {
        setting: paired(arms[shown], {arm: runs for arm, runs in arms.items() if arm != shown})
        for setting, arms in accuracy.items()
        if shown in arms
    }
    others = dict.fromkeys(arm for arms in versus.values() for arm in arms)
    differences = {arm: mean_difference(accuracy, shown, arm) for arm in others}
    overall = compare({arm: values for arm, values in differences.items() if len(values)})
    reaches = {target: _reaches(accuracy, target) for target in targets}
    return Findings(curves, shown, {t: found for t, found in reaches.items() if found}, versus, overall)


def _arm_named(name: str, arms: Iterable[Arm]) -> Arm:
    """The arm `STRATEGY` or `STRATEGY:PARALLEL` among those that have runs; of several `parallel` the middle one."""
    known = {f"{arm.strategy}:{arm.parallel}": arm for arm in arms}
    strategies = dict.fromkeys(arm.strategy for arm in known.values())
    if name in strategies:
        return main_arm(arm for arm in known.values() if arm.strategy == name)
    if name not in known:
        raise no_such("strategy with runs", name, [*strategies, *(key for key in known if key.startswith("direct:"))])
    return known[name]


def _reaches(accuracy: Curves, target: str) -> dict[Setting, dict[Arm, Reach]]:
    values = {setting: target_value(target, arms) for setting, arms in accuracy.items()}
    return {
        setting: {arm: reach(runs, value) for arm, runs in accuracy[setting].items()}
        for setting, value in values.items()
        if value is not None
    }


def check_targets(targets: Sequence[str]) -> tuple[str, ...]:
    """The targets if all can be meant: random, galaxy, best:SHARE or a balanced accuracy between 0 and 1."""
    for target in targets:
        share = target.removeprefix("best:")
        try:
            fine = target in ("random", "galaxy") or 0 < float(share) <= 1
        except ValueError:
            fine = False
        if not fine:
            raise UsageError(
                f"--target is {target!r}; it must be random, galaxy, best:SHARE such as best:0.9, or a"
                " balanced accuracy"
                " between 0 and 1 such as 0.8."
            )
    return tuple(dict.fromkeys(targets))


def target_label(target: str) -> str:
    """A target as people read it."""
    if target.startswith("best:"):
        return f"{100 * float(target.partition(':')[2]):g} % of the best final value"
    return f"{target}'s final value" if target in ("random", "galaxy") else f"balanced accuracy {target}"


def savings(findings: Findings, target: str, other: str) -> dict[Setting, float | None]:
    """Saving of the main arm against a strategy at a target, on all settings with both; None: not reached.

    Labels of both are counted to where their mean curves first get there.
    """
    return {
        setting: saving_between(arms[findings.main], arms[rival])
        for setting, arms, rival in _both(findings, target, other)
    }


def shares(findings: Findings, target: str, other: str) -> dict[Setting, float | None]:
    """Labels of the main arm to a target, as a share of *all* labels of a strategy; None: not reached.

    With the other's own final value as target: with which share of its labels the main arm does what it did
    with all.
    """
    found = {}
    for setting, arms, rival in _both(findings, target, other):
        ours = arms[findings.main].of_mean
        all_labels = int(findings.accuracy[setting][rival].n_labels[-1])
        found[setting] = None if ours is None else ours / all_labels
    return found


def _both(findings: Findings, target: str, other: str) -> Iterator[tuple[Setting, Mapping[Arm, Reach], Arm]]:
    rival = findings.named(other)
    for setting, arms in findings.reaches.get(target, {}).items():
        if rival is not None and findings.main in arms and rival in arms:
            yield setting, arms, rival


def median(values: Iterable[float | None], worst: float) -> float | None:
    """The median, where "not reached" counts as the worst; None if that comes out, or there is nothing."""
    numbers = [worst if value is None else value for value in values]
    middle = float(np.median(numbers)) if numbers else worst
    return middle if np.isfinite(middle) else None


def losses_of(findings: Findings) -> list[tuple[Setting, Arm, Paired]]:
    """Where another arm's area under the curve is larger than the main one's, the largest loss first."""
    found = [
        (setting, arm, result)
        for setting, arms in findings.versus.items()
        for arm, result in arms.items()
        if result.difference < 0 and arm.strategy != findings.main.strategy
    ]
    return sorted(found, key=lambda loss: loss[2].difference)


def recalls_of(findings: Findings, dataset: str) -> Sequence[Curves]:
    """The recall curves of class 0, 1, .. on one data set."""
    found: list[Curves] = []
    while any(s.dataset == dataset for s in findings.curves.get(f"recall_{len(found)}", {})):
        found.append(findings.curves[f"recall_{len(found)}"])
    return found
