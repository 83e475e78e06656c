"""Tables with one row for each number of the report, for scripts; and what the runs cost."""

from __future__ import annotations

import numpy as np

from cutpoint.experiment.findings import Findings
from cutpoint.experiment.statistics import Arm, Reach, Setting, area, final, saving_between, standard_error
from cutpoint.experiment.tables import Column, Table, Value

HOW_REACHED = (
    "Labels at which the mean curve first reaches the target, linearly interpolated, never extrapolated;"
    " seeds: how many"
    " single curves reach it. Share: of all labels that random was given. vs: 1 - ours / theirs."
)
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


def cost_table(findings: Findings) -> Table:
    """Seconds of a round's parts and the chosen regularisation, a row per arm, over all settings."""
    parts = {"seconds_fit": "fit", "seconds_score": "score", "seconds_select": "select", "C": "C (median)"}
    present = [name for name in parts if name in findings.curves]
    rows: list[tuple[Value, ...]] = []
    for arm in findings.arms:
        cells: list[Value] = []
        for name in present:
            values = [arms[arm].values.ravel() for arms in findings.curves[name].values() if arm in arms]
            pooled = np.concatenate(values) if values else np.empty(0)
            pooled = pooled[np.isfinite(pooled)]
            summary = np.median if name == "C" else np.mean
            cells.append(float(summary(pooled)) if pooled.size else None)
        rows.append((arm.label, *cells))
    columns = (Column("strategy"), *(Column(parts[name], "seconds") for name in present))
    return Table(
        "cost",
        "Seconds per round",
        columns,
        tuple(rows),
        "Means over all settings, rounds and seeds.",
        findings.main.label,
    )
