"""Tables with one row for each number of the report, for scripts; and what a round costs."""

from __future__ import annotations

import numpy as np

from cutpoint.experiment.findings import Findings
from cutpoint.experiment.results import LAST, MEASURE, SELECT
from cutpoint.experiment.statistics import Arm, Reach, Setting, area, final, saving_between, standard_error
from cutpoint.experiment.tables import Column, Table, Value

HOW_REACHED = (
    "Labels at which the mean curve first reaches the target, linearly interpolated, never extrapolated;"
    " seeds: how many"
    " single curves reach it. Share: of all labels that random was given. vs: 1 - ours / theirs."
)
EACH_REACHED = "Labels at which the mean curve first reaches the target, linearly interpolated, never extrapolated."
PARTS = {SELECT: "select", "seconds_fit": "fit", LAST: "score", MEASURE: "measure", "C": "C"}
PHASES = {"(a fit takes)": "seconds_fit", "(scoring takes)": LAST, "(measuring takes)": MEASURE}
HOW_PAIRED = (
    "Main strategy minus the other, per seed, then averaged; Wilcoxon's signed-rank test, two-sided and"
    " exact; Holm's"
    " correction over the comparisons of one setting."
)


def targets_long(findings: Findings) -> Table:
    """Every setting, target and arm in one row: for scripts."""
    rows = [
        _target_row(findings, target, setting, arm, found)
        for target, settings in findings.reaches.items()
        for setting, arms in settings.items()
        for arm, found in arms.items()
    ]
    names = ("dataset", "noise", "target", "strategy", "parallel")
    numbers = (
        Column("value", "accuracy"),
        Column("labels", "labels"),
        Column("labels_mean_of_seeds", "labels"),
        Column("seeds_reached", "count"),
        Column("seeds", "count"),
        Column("saving_vs_random", "share"),
        Column("saving_vs_galaxy", "share"),
    )
    return Table("targets", "Labels to every target", (*map(Column, names), *numbers), tuple(rows), HOW_REACHED)


def _target_row(findings: Findings, target: str, setting: Setting, arm: Arm, found: Reach) -> tuple[Value, ...]:
    arms = findings.reaches[target][setting]
    rivals = [findings.named(name) for name in ("random", "galaxy")]
    against = [saving_between(found, arms[rival]) if rival is not None and rival in arms else None for rival in rivals]
    counts = (found.of_mean, found.mean, found.reached, len(found.per_seed))
    return (*setting, target, arm.strategy, arm.parallel, found.target, *counts, *against)


def levels_long(findings: Findings) -> Table:
    """Final value and area of every setting and arm in one row: for scripts."""
    rows: list[tuple[Value, ...]] = []
    for setting, arms in findings.accuracy.items():
        for arm, runs in arms.items():
            numbers = [f(values) for values in (final(runs), area(runs)) for f in (np.mean, standard_error)]
            rows.append(
                (
                    *setting,
                    arm.strategy,
                    arm.parallel,
                    len(runs.seeds),
                    int(runs.n_labels[-1]),
                    *map(float, numbers),
                )
            )
    names = ("dataset", "noise", "strategy", "parallel")
    numbers_shown = (
        Column("seeds", "count"),
        Column("labels", "labels"),
        Column("final", "accuracy"),
        Column("final_error", "accuracy"),
        Column("area", "accuracy"),
        Column("area_error", "accuracy"),
    )
    return Table(
        "levels",
        "Final balanced accuracy and area under the curve",
        (*map(Column, names), *numbers_shown),
        tuple(rows),
    )


def paired_long(findings: Findings) -> Table:
    """Every paired test in one row: for scripts."""
    rows = [
        (*setting, arm.strategy, arm.parallel, p.difference, p.error, p.wins, p.losses, p.n, p.p, p.adjusted)
        for setting, arms in findings.versus.items()
        for arm, p in arms.items()
    ]
    names = ("dataset", "noise", "against", "parallel")
    numbers = (
        Column("difference", "difference"),
        Column("error", "accuracy"),
        Column("seeds_won", "count"),
        Column("seeds_lost", "count"),
        Column("seeds", "count"),
        Column("p", "p"),
        Column("p_holm", "p"),
    )
    title = f"{findings.main.label} against each, area under the curve, per setting"
    return Table("paired", title, (*map(Column, names), *numbers), tuple(rows), HOW_PAIRED)


def selection_table(findings: Findings) -> Table:
    """Median seconds that an arm takes to choose a round's questions, a column per data set; then the other parts."""
    columns = (Column("strategy"), *(Column(dataset, "seconds") for dataset in findings.datasets))
    rows: list[tuple[Value, ...]] = [
        (arm.label, *(_median_of(findings, SELECT, dataset, arm) for dataset in findings.datasets))
        for arm in findings.arms
    ]
    if any(value is not None for _, *values in rows for value in values):
        rows += [
            (what, *(_median_of(findings, metric, dataset) for dataset in findings.datasets))
            for what, metric in PHASES.items()
            if metric != MEASURE or MEASURE in findings.curves
        ]
    else:
        rows = []
    return Table(
        "seconds",
        "Seconds per selection",
        columns,
        tuple(rows),
        "Median over noises, rounds and seeds; for comparison, the learner's fit, its scoring of the pool, and the"
        " measuring, which scores the test part.",
        findings.main.label,
    )


def cost_table(findings: Findings, dataset: str) -> Table:
    """Seconds of a round's parts and the chosen regularisation on one data set, a row per arm."""
    present = {name: part for name, part in PARTS.items() if name in findings.curves}
    rows = tuple(
        (arm.label, *(_median_of(findings, name, dataset, arm) for name in present))
        for arm in findings.arms
        if any(setting.dataset == dataset and arm in arms for setting, arms in findings.accuracy.items())
    )
    return Table(
        f"cost-{dataset}",
        f"{dataset}: seconds of a round's parts",
        (Column("strategy"), *(Column(part, "number" if part == "C" else "seconds") for part in present.values())),
        rows,
        "Medians over noises, rounds and seeds; C is the regularisation that the learner chose.",
        findings.main.label,
    )


def _median_of(findings: Findings, metric: str, dataset: str, only: Arm | None = None) -> float | None:
    """Median of one metric over a data set's noises, rounds and seeds, of one arm or of all; None: not measured."""
    found = [
        runs.values.ravel()
        for setting, arms in findings.curves.get(metric, {}).items()
        for arm, runs in arms.items()
        if setting.dataset == dataset and only in (None, arm)
    ]
    values = np.concatenate(found) if found else np.empty(0)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else None
