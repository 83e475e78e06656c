"""The figures of the report's page, as <figure> elements with their headings and their legend."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from cutpoint.experiment import plots, strips
from cutpoint.experiment.findings import Findings, recalls_of, target_label
from cutpoint.experiment.looks import CROWD, Look, banded, class_name, reading_order
from cutpoint.experiment.pictures import page_svg
from cutpoint.experiment.statistics import Arm, Curves, noise_label

if TYPE_CHECKING:
    from cutpoint.experiment.report import Report


def section(name: str, title: str, lead: str, body: str) -> str:
    """A titled part of the page; nothing if it would be empty."""
    return (
        f'<section id="{name}"><h2>{escape(title)}</h2><p class=soft>{escape(lead)}</p>{body}</section>' if body else ""
    )


def _figure(svg: str, caption: str, kind: str = "") -> str:
    head = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure{f' class={kind}' if kind else ''}>{head}{svg}</figure>"


def pictures(report: Report) -> str:
    """The strips of one round, before and after, for every snapshot."""
    body = ""
    for setting, snapshot in report.snapshots.items():
        svgs = [
            _figure(
                page_svg(strips.moment_figure(snapshot, labels), f"{setting}-{place}", f"{setting.label}, {title}"),
                title,
            )
            for place, (labels, title) in enumerate(strips.moments(snapshot))
        ]
        body += f"<h3>{escape(setting.label)}</h3><div class='grid pair'>{''.join(svgs)}</div>"
    lead = (
        "The pool in each class's order, from surely this class at the left to surely another at the right."
        " Filled dots are"
        " answers that say this class, hollow ones another; large dots are this round's. The bracket holds"
        " every threshold"
        " that the answers leave possible, the line is the best one now, the triangle the true cut that no"
        " strategy sees."
        " A single wrong answer far from the cut keeps the bracket wide: that is why the search narrows by"
        " loss."
    )
    return section("pictures", "One round of DIRECT", lead, body)


def reach(findings: Findings, styles: Mapping[Arm, Look]) -> str:
    """Labels needed for the first target on every setting."""
    if not findings.reaches:
        return ""
    target, found = next(iter(findings.reaches.items()))
    svg = page_svg(
        plots.reach_figure(found, styles, findings.horizon, alone=False),
        "reach",
        "labels needed for the target on every setting",
    )
    lead = (
        f"Labels until the mean curve first reaches {target_label(target)}, on every setting. Left is better; what is"
        " hollow, right of the dotted line, never got there."
    )
    return section("reach", "Labels needed", lead, _figure(svg, "", "wide"))


def legend(styles: Mapping[Arm, Look]) -> str:
    """The legend that all figures share: a click hides a strategy's lines, pointing at it pales the others."""
    chips = ""
    for arm in reading_order(styles):
        name = class_name(arm)
        svg = page_svg(plots.sample(styles[arm]), f"sample-{name}", "")
        svg = svg.replace('role="img" aria-label=""', 'aria-hidden="true"')
        shown = f'<input type="checkbox" id="show-{name}" checked>{svg}{escape(arm.label)}'
        chips += f'<label class="of-{name}">{shown}</label>'
    return f'<div class=legend role=group aria-label="strategies shown">{chips}</div>'


def legend_rules(styles: Mapping[Arm, Look]) -> str:
    """What the legend does to the lines of each strategy, as CSS: nothing here needs a script."""
    return "".join(
        f"body:has(#show-{name}:not(:checked)) svg .{name}{{display:none}}"
        f"body:has(.of-{name}:hover) svg [class^=arm-]:not(.{name}){{opacity:.12}}"
        for name in map(class_name, styles)
    )


def _panels(curves: Curves, styles: Mapping[Arm, Look], ylabel: str, name: str) -> str:
    body = ""
    for dataset in dict.fromkeys(setting.dataset for setting in curves):
        settings = [setting for setting in curves if setting.dataset == dataset]
        span = plots.span_of(curves[setting] for setting in settings)
        figures = []
        for setting in settings:
            drawn = plots.panel(curves[setting], styles, ylabel, span)
            said = f"{ylabel} against labels, {setting.label}"
            svg = page_svg(drawn, f"{name}-{dataset}-{setting.noise}", said)
            figures.append(_figure(svg, noise_label(setting.noise)))
        body += f"<h3>{escape(dataset)}</h3><div class='grid{_roomy(styles)}'>{''.join(figures)}</div>"
    return body


def _roomy(styles: Mapping[Arm, Look]) -> str:
    """The class that gives many lines larger panels."""
    return " pair" if len(styles) > CROWD else ""


def curves(findings: Findings, styles: Mapping[Arm, Look]) -> str:
    """Balanced accuracy, a panel per setting."""
    lead = "Balanced accuracy on the test split against labels: mean over seeds, band of one standard error."
    if len(styles) > CROWD:
        who = ", ".join(arm.label for arm in banded(styles))
        lead = f"Balanced accuracy on the test split, mean over seeds. With a band of one standard error: {who}."
    return section("curves", "Learning curves", lead, _panels(findings.accuracy, styles, "balanced accuracy", "ba"))


def found(findings: Findings, styles: Mapping[Arm, Look]) -> str:
    """Minority labels found, a panel per setting."""
    curves = findings.curves.get("minority_found", {})
    lead = "Labelled examples whose clean class is not the largest. More is not always better: see the curves."
    return section("found", "Rare examples found", lead, _panels(curves, styles, "minority labels", "found"))


def recalls(report: Report, styles: Mapping[Arm, Look]) -> str:
    """Recall of every class, folded away per setting."""
    findings, body = report.findings, ""
    for setting in findings.accuracy:
        recalls = recalls_of(findings, setting.dataset)
        here = [(k, curves) for k, curves in enumerate(recalls) if setting in curves]
        span = plots.span_of(curves[setting] for _, curves in here)
        names = report.class_names(setting.dataset, len(recalls))
        figures = [
            _figure(
                page_svg(
                    plots.panel(curves[setting], styles, "recall", span),
                    f"recall-{k}-{setting}",
                    f"recall, {names[k]}",
                ),
                names[k],
            )
            for k, curves in here
        ]
        if figures:
            grid = f"<div class='grid{_roomy(styles)}'>{''.join(figures)}</div>"
            body += f"<details><summary>{escape(setting.label)}</summary>{grid}</details>"
    return section("recall", "Recall of every class", "Test split. Open a setting to see its classes.", body)
