"""The report's tables, made of findings: what is shown, in which order, and how to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from cutpoint.experiment.findings import Findings, median, savings, shares, target_label
from cutpoint.experiment.long_tables import (
    EACH_REACHED,
    HOW_REACHED,
    cost_table,
    levels_long,
    paired_long,
    selection_table,
    targets_long,
)
from cutpoint.experiment.significance import Paired
from cutpoint.experiment.statistics import (
    Arm,
    Floats,
    Runs,
    area,
    final,
    noise_label,
    saving_between,
    standard_error,
)
from cutpoint.experiment.tables import Column, Table, Value


def saving_table(findings: Findings, target: str) -> Table:
    """Labels to a target on every setting: the main arm, random, GALAXY, and the savings."""
    main = findings.main
    named = (findings.named("random"), findings.named("galaxy"))
    rivals = [arm for arm in named if arm is not None and arm != main]
    found = findings.reaches.get(target, {})
    rows: list[tuple[Value, ...]] = []
    for setting, reaches in found.items():
        ours = reaches.get(main)
        labels = [reaches[arm].of_mean if arm in reaches else "–" for arm in (main, *rivals)]
        against = [saving_between(ours, reaches[arm]) if ours and arm in reaches else None for arm in rivals]
        value = next(iter(reaches.values())).target
        seeds = f"{ours.reached}/{len(ours.per_seed)}" if ours else "–"
        share = shares(findings, target, "random").get(setting)
        rows.append((setting.label, value, *labels, share, *against, seeds))
    if len(rows) > 1:
        share = median(shares(findings, target, "random").values(), np.inf)
        blank = [""] * (2 + len(rivals))
        rows.append(("median", *blank, share, *(_median(findings, target, arm) for arm in rivals), ""))
    columns = [Column("setting"), Column("target", "accuracy"), Column(main.label, "labels")]
    columns += [Column(arm.label, "labels") for arm in rivals]
    columns += [Column("share", "share"), *(Column(f"vs {arm.label}", "share") for arm in rivals)]
    return Table(
        f"labels-to-{_slug(target)}",
        f"Labels to reach {target_label(target)}",
        (*columns, Column("seeds")),
        tuple(rows),
        HOW_REACHED,
    )


def _median(findings: Findings, target: str, rival: Arm | None) -> float | None:
    found = savings(findings, target, rival.strategy) if rival else {}
    reached = findings.reaches[target]
    counted = {s: v for s, v in found.items() if v is not None or reached[s][findings.main].of_mean is None}
    return median(counted.values(), -np.inf)


def _slug(target: str) -> str:
    return target.replace(":", "-").replace(".", "")


def reach_table(findings: Findings, target: str, dataset: str) -> Table:
    """Labels to a target on one data set: a row per arm, a column per label noise."""
    found = {s: arms for s, arms in findings.reaches[target].items() if s.dataset == dataset}
    rows: list[tuple[Value, ...]] = []
    for arm in findings.arms:
        cells = [arms[arm].of_mean if arm in arms else "–" for arms in found.values()]
        if any(cell != "–" for cell in cells):
            rows.append((arm.label, *cells))
    return Table(
        f"labels-to-{_slug(target)}-{dataset}",
        f"{dataset}: labels to reach {target_label(target)}",
        (Column("strategy"), *(Column(noise_label(setting.noise), "labels") for setting in found)),
        tuple(rows),
        EACH_REACHED,
        findings.main.label,
    )


def overall_table(findings: Findings) -> Table:
    """The main arm against every other over all settings, seed by seed."""
    rows = tuple(
        (arm.label, p.difference, p.error, f"{p.wins}/{p.n}", p.p, p.adjusted, *_settings_won(findings, arm))
        for arm, p in findings.overall.items()
    )
    return Table(
        "overall",
        f"{findings.main.label} against each, area under the curve, mean over all settings",
        (
            Column("against"),
            Column("difference", "difference"),
            Column("error", "error"),
            Column("seeds won"),
            Column("p", "p"),
            Column("p, Holm", "p"),
            Column("settings won", "count"),
            Column("lost", "count"),
        ),
        rows,
        "Mean over settings of every seed's difference; exact two-sided Wilcoxon test, Holm's correction over rows.",
    )


def _settings_won(findings: Findings, arm: Arm) -> tuple[int, int]:
    found = [arms[arm].difference for arms in findings.versus.values() if arm in arms]
    return sum(d > 0 for d in found), sum(d < 0 for d in found)


def matrix(findings: Findings, dataset: str, what: str, *, short: bool = False) -> Table:
    """One data set: a row per arm, a column per label noise. `what`: a key of `MATRICES`.

    short: without errors and seeds, for many columns in a terminal.
    """
    settings = [setting for setting in findings.accuracy if setting.dataset == dataset]
    title, metric = MATRICES[what]
    curves = findings.curves.get(metric, {})
    rows: list[tuple[Value, ...]] = []
    for arm in findings.arms:
        if what == "versus":
            cells = [_versus(findings.versus.get(setting, {}).get(arm), short) for setting in settings]
        else:
            cells = [_level(curves.get(setting, {}).get(arm), what, short) for setting in settings]
        if any(cell != "–" for cell in cells):
            rows.append((arm.label, *cells))
    return Table(
        f"{what}-{dataset}",
        f"{dataset}: {title.format(main=findings.main.label)}",
        (Column("strategy"), *(Column(noise_label(setting.noise)) for setting in settings)),
        tuple(rows),
        (SHORT_NOTES if short else NOTES)[what],
        findings.main.label,
    )


MATRICES: Mapping[str, tuple[str, str]] = {
    "final": ("final balanced accuracy", "balanced_accuracy"),
    "area": ("area under the curve", "balanced_accuracy"),
    "minority": ("minority examples among the labels at the end", "minority_found"),
    "versus": ("{main} minus each, area under the curve", "balanced_accuracy"),
    "pool": ("final balanced accuracy on the whole pool", "pool_balanced_accuracy"),
    "noise": ("share of wrong labels among those given, at the end", "label_noise"),
}
LEVELS: Mapping[str, Callable[[Runs], Floats]] = {
    "final": final,
    "area": area,
    "minority": lambda runs: runs.values[:, -1],
    "pool": final,
    "noise": lambda runs: runs.values[:, -1],
}
NOTES: Mapping[str, str] = {
    "final": "Test split, mean of the last three points, ± one standard error over seeds.",
    "area": "Test split, mean height of the curve, ± one standard error over seeds.",
    "minority": "By their clean labels, ± one standard error over seeds.",
    "pool": "Clean labels, mean of the last three points, ± one standard error over seeds.",
    "noise": "Mean ± one standard error over seeds.",
    "versus": "In brackets: seeds won. *: p < .05, exact Wilcoxon test, Holm's correction per setting.",
}


SHORT_NOTES: Mapping[str, str] = {
    "final": "Test split, mean of the last three points and of all seeds.",
    "area": "Test split, mean height of the curve, mean over seeds.",
    "minority": "By their clean labels, mean over seeds.",
    "versus": "*: p < .05, exact Wilcoxon test, Holm's correction per setting.",
}


def _level(runs: Runs | None, what: str, short: bool) -> str:
    if runs is None:
        return "–"
    values = LEVELS[what](runs)
    error = float(standard_error(values))
    digits = 1 if what == "minority" else 3
    return f"{values.mean():.{digits}f}" + (f" ± {error:.{digits}f}" if np.isfinite(error) and not short else "")


def _versus(result: Paired | None, short: bool) -> str:
    if result is None:
        return "–"
    won = "" if short else f" ({result.wins}/{result.n})"
    star = " *" if result.significant else ""
    return f"{result.difference:+.3f}".replace("-", "−") + won + star


def all_tables(findings: Findings) -> list[Table]:
    """Every table of the report, in its order; tables without rows are left out."""
    tables = [saving_table(findings, target) for target in findings.reaches]
    tables += [reach_table(findings, target, data) for target in findings.reaches for data in findings.datasets]
    tables += [overall_table(findings), selection_table(findings)]
    tables += [matrix(findings, dataset, what) for what in MATRICES for dataset in findings.datasets]
    tables += [cost_table(findings, dataset) for dataset in findings.datasets]
    tables += [levels_long(findings), targets_long(findings), paired_long(findings)]
    return [table for table in tables if table.rows and len(table.columns) > 1]


def terminal_tables(findings: Findings) -> list[Table]:
    """The few tables that a terminal of 100 columns shows; the others are in the report's folder."""
    tables = [saving_table(findings, target) for target in list(findings.reaches)[:1]]
    for dataset in findings.datasets:
        short = sum(setting.dataset == dataset for setting in findings.accuracy) > 3
        tables += [matrix(findings, dataset, what, short=short) for what in ("final", "versus")]
    return [table for table in [*tables, overall_table(findings), selection_table(findings)] if table.rows]
