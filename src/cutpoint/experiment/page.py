"""The report as one HTML page: nothing is fetched, no script runs; for phone, dark room and paper alike.

The page takes its colours from the reader's system; the figures take theirs from the page. Everything that
comes from a results folder is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from cutpoint.experiment import page_figures
from cutpoint.experiment.findings import Findings, median, savings, shares
from cutpoint.experiment.headline import claim, headline, more_or_fewer, range_of
from cutpoint.experiment.looks import looks
from cutpoint.experiment.report_tables import all_tables
from cutpoint.experiment.statistics import noise_label
from cutpoint.experiment.tables import Column, Table
from cutpoint.words import count, percent

if TYPE_CHECKING:
    from cutpoint.experiment.report import Report


SHOWN = ("labels-to-galaxy", "overall", "seconds")
"""Tables that stand open on the page, after the first one; the others are folded away."""


def page(report: Report) -> str:
    """The whole page as text."""
    findings = report.findings
    styles = looks(findings.arms)
    parts = [
        _top(report),
        "<main>",
        _settings(report),
        page_figures.pictures(report),
        "<div>",  # the legend stays in sight as far as its parent reaches
        page_figures.legend(styles),
        page_figures.reach(findings, styles),
        page_figures.curves(findings, styles),
        page_figures.found(findings, styles),
        page_figures.recalls(report, styles),
        "</div>",
        _tables(findings),
        "</main>",
        "<footer>Raw curves, never smoothed; bands are one standard error over seeds. What is not reached is"
        " never"
        " extrapolated. Selection sees no label that was not asked for.</footer>",
    ]
    css = files("cutpoint.experiment").joinpath("report.css").read_text(encoding="utf-8")
    css += page_figures.legend_rules(styles)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Cutpoint benchmark: {escape(report.title)}</title><style>{css}</style></head><body>"
        + "\n".join(parts)
        + "</body></html>\n"
    )


def _top(report: Report) -> str:
    findings, preset = report.findings, report.config.get("preset")
    what = ", ".join(findings.datasets)
    sizes = {"setting": len(findings.accuracy), "strategy": len(findings.arms), "seed": findings.seeds}
    counts = " · ".join(count(n, what) for what, n in sizes.items())
    facts = f"{what} · {counts}"
    warning = (
        ""
        if report.complete
        else (f"<p class=warn>Not complete: {escape(report.progress)}. Numbers will change when the rest is in.</p>")
    )
    said = "".join(f"<li>{escape(line)}</li>" for line in headline(findings))
    links = {"settings": "settings", "pictures": "one round", "reach": "labels needed", "curves": "curves"}
    links |= {"found": "rare examples", "recall": "recall", "tables": "tables"}
    nav = "".join(f'<a href="#{name}">{text}</a>' for name, text in links.items())
    return (
        "<header class=top><p class=kicker>Cutpoint"
        f" benchmark{f' · {escape(str(preset))}' if preset else ''}</p>"
        f"<h1>{escape(claim(findings))}</h1><p class=soft>{escape(facts)} ·"
        f" {escape(report.progress)}</p>{warning}"
        f"<div class=cards>{_cards(findings)}</div><ul class=said>{said}</ul><nav>{nav}</nav></header>"
    )


def _cards(findings: Findings) -> str:
    cards = []
    for other in ("random", "galaxy"):
        found = shares(findings, other, other)
        if findings.main.strategy == other or not found:
            continue
        share = median(found.values(), np.inf)
        saved = list(savings(findings, other, other).values())
        amount = median(saved, -np.inf)
        number, _, than = ("–  fewer" if amount is None else more_or_fewer(amount)).rpartition(" ")
        words = (
            f"{than} labels than {other} needs, {_of_which(saved)}like for like: both counted to where their curves"
            f" first reach {other}'s final balanced accuracy"
        )
        cards.append((number.strip(), words))
        words = (
            f"of all of {other}'s labels give that accuracy{' (median)' if len(found) > 1 else ''}; {other}'s last ones"
            " may have added little"
        )
        cards.append(("–" if share is None else percent(share), words))
        rival = findings.named(other)
        results = [arms[rival] for arms in findings.versus.values() if rival is not None and rival in arms]
        won = sum(result.difference > 0 for result in results)
        cards.append((f"{won} of {len(results)}", f"settings in which its area under the curve is above {other}'s"))
    return "".join(f"<div class=card><b>{escape(b)}</b><span>{escape(text)}</span></div>" for b, text in cards)


def _of_which(saved: Sequence[float | None]) -> str:
    """That it is a median, of what, and where it is reached; nothing for one setting that gets there."""
    reached = [value for value in saved if value is not None]
    where = f"reached in {len(reached)} of {count(len(saved), 'setting')}"
    if len(saved) == 1:
        return "" if reached else f"{where}, "
    return f"median of {len(saved)} settings ({'; '.join([*([range_of(reached)] if reached else []), where])}), "


def _tables(findings: Findings) -> str:
    tables = [table for table in all_tables(findings) if len(table.rows) <= 60]
    shown = [table for table in tables if table.name in SHOWN or table is tables[0]]
    first = "".join(table.html() for table in shown)
    rest = "".join(table.html() for table in tables if table not in shown)
    return page_figures.section(
        "tables",
        "Tables",
        "The same numbers lie beside this page as CSV and Markdown.",
        first + (f"<details><summary>All tables</summary>{rest}</details>" if rest else ""),
    )


def _settings(report: Report) -> str:
    config = {name: value for name, value in report.config.items() if name != "data"}
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _flat(config))
    data = report.config.get("data")
    tables = "".join(_sizes(name, about) for name, about in data.items()) if isinstance(data, dict) else ""
    return (
        f"<section id=settings><details><summary>Settings and data: {escape(_schedule(config))}</summary>"
        f"{tables}<dl>{items}</dl></details></section>"
    )


def _schedule(config: Mapping[str, Any]) -> str:
    options = config.get("options")
    if not isinstance(options, dict) or not {"first", "rounds", "budget", "learner"} <= options.keys():
        return "as config.json has them"
    first, rounds, budget = options["first"], options["rounds"], options["budget"]
    return f"{count(first, 'label')} at random, then {count(rounds, 'round')} of {budget}; learner {options['learner']}"


def _sizes(name: str, about: Any) -> str:
    """A data set's classes: examples in pool and test, and the share of the pool's labels that people got wrong."""
    try:
        noises = about.get("noise", {})
        rates = [[float(rate) for rate in noise["per_class"]] for noise in noises.values()]
        rows = tuple(zip(map(str, about["classes"]), about["pool"], about["test"], *rates, strict=True))
        overall = [(noise_label(column), 100 * float(noise["overall"])) for column, noise in noises.items()]
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""
    wrong = (Column(f"wrong, {column}", "rate") for column, _ in overall)
    columns = (Column("class"), Column("pool", "labels"), Column("test", "labels"), *wrong)
    note = "; ".join(f"{column}: {rate:.1f} % of the pool's labels are wrong" for column, rate in overall)
    return Table("data", name, columns, rows, note).html()


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            yield from _flat({str(place): item for place, item in enumerate(value)}, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
