"""The report's figures as files: each as PNG and as SVG. Import it late: matplotlib is slow to load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from cutpoint.experiment import plots, strips
from cutpoint.experiment.findings import recalls_of
from cutpoint.experiment.looks import looks
from cutpoint.experiment.pictures import png, svg

if TYPE_CHECKING:
    from cutpoint.experiment.report import Report


def all_figures(report: Report) -> Iterator[tuple[str, str, bytes]]:
    """(name, "png" or "svg", content) of every figure."""
    for name, figure in _figures(report):
        yield name, "png", png(figure)
        yield name, "svg", svg(figure, name).encode()


def _figures(report: Report) -> Iterator[tuple[str, Figure]]:
    findings = report.findings
    for setting, snapshot in report.snapshots.items():
        yield f"round-{setting.dataset}", strips.snapshot_figure(snapshot)
    styles = looks(findings.arms)
    for target, found in findings.reaches.items():
        name = f"labels-to-{target.replace(':', '-').replace('.', '')}"
        yield name, plots.reach_figure(found, styles, findings.horizon)
    yield "balanced-accuracy", plots.curves_figure(findings.accuracy, "balanced accuracy")
    if "minority_found" in findings.curves:
        yield "minority-found", plots.curves_figure(findings.curves["minority_found"], "minority labels")
    for dataset in findings.datasets:
        recalls = recalls_of(findings, dataset)
        if recalls:
            names = report.class_names(dataset, len(recalls))
            yield f"recall-{dataset}", plots.classes_figure(recalls, names, dataset, "recall")
