"""`bench report`: from a results folder to a report folder with a page, figures and tables.

The results folder is read and never written, but for the report's own folder; what is written there appears
whole or not at all. An unfinished folder gives a report that says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutpoint.data.whole import write_atomically
from cutpoint.errors import UsageError
from cutpoint.experiment.findings import TARGETS, Findings, check_targets, find, losses_of
from cutpoint.experiment.headline import claim, headline
from cutpoint.experiment.report_tables import all_tables
from cutpoint.experiment.results import read_results, stored_options, write_json
from cutpoint.experiment.snapshots import Snapshot, read_snapshot
from cutpoint.experiment.statistics import Arm, Setting
from cutpoint.experiment.tables import Value
from cutpoint.words import count


@dataclass(frozen=True, eq=False)
class Report:
    """A results folder, read and understood.

    title: the folder's name; config: config.json; finished, planned: runs; snapshots: the rounds
    kept for their pictures.
    """

    title: str
    config: Mapping[str, Any]
    findings: Findings
    finished: int
    planned: int
    snapshots: Mapping[Setting, Snapshot]

    @property
    def complete(self) -> bool:
        """True unless runs are missing."""
        return self.finished >= self.planned

    @property
    def progress(self) -> str:
        """How many runs the report rests on, in words."""
        are = "is" if self.finished == 1 else "are"
        if self.complete:
            return f"{'the' if self.finished == 1 else 'all'} {count(self.finished, 'run')} {are} in"
        return f"{self.finished} of {count(self.planned, 'run')} {are} in"

    def class_names(self, dataset: str, n_classes: int) -> Sequence[str]:
        """Names of a data set's classes, or plain numbers where the folder does not say."""
        data = self.config.get("data")
        described = data.get(dataset) if isinstance(data, dict) else None
        names = described.get("classes") if isinstance(described, dict) else None
        known = isinstance(names, list) and len(names) == n_classes
        return [str(name) for name in names] if known and names else [f"class {k}" for k in range(n_classes)]


def read_report(folder: Path, targets: Sequence[str] = (), main: str | None = None) -> Report:
    """Everything a results folder says; DataError, in one sentence, if it is damaged or something else.

    main: the strategy that it is about, as `direct` or `direct:20`; see `findings.find`.
    """
    wanted = check_targets(targets) or TARGETS
    config, rows = read_results(folder)
    planned = len(stored_options(folder, config).runs())
    findings = find(rows, wanted, main)
    finished = len({(row.dataset, row.strategy, row.seed, row.noise, row.parallel) for row in rows})
    snapshots = {}
    for path in sorted((folder / "snapshots").glob("*.npz")):
        setting = _setting_of(path.stem, findings)
        if setting is not None:
            snapshots[setting] = read_snapshot(path)
    return Report(folder.resolve().name, config, findings, finished, planned, snapshots)


def _setting_of(stem: str, findings: Findings) -> Setting | None:
    """The setting whose run has this file name; None for a run that is not among the results."""
    parts = stem.split("__")
    for setting in findings.accuracy:
        wanted = [file_name(part) for part in (setting.dataset, f"noise-{setting.noise}")]
        if parts[:2] == wanted:
            return setting
    return None


def summary(report: Report) -> dict[str, Any]:
    """The report in one JSON value: for scripts."""
    findings = report.findings
    return {
        "title": report.title,
        "runs_finished": report.finished,
        "runs_planned": report.planned,
        "main": _arm(findings.main),
        "claim": claim(findings),
        "headline": headline(findings),
        "losses": [
            {**setting._asdict(), "to": _arm(arm), "difference": p.difference, "p_holm": p.adjusted}
            for setting, arm, p in losses_of(findings)
        ],
        "tables": {table.name: _records(table.columns, table.rows) for table in all_tables(findings)},
    }


def _arm(arm: Arm) -> dict[str, Any]:
    return dict(arm._asdict())


def _records(columns: Sequence[Any], rows: Sequence[Sequence[Value]]) -> list[dict[str, Value]]:
    return [{c.title: None if v != v else v for c, v in zip(columns, row, strict=True)} for row in rows]


def write_report(report: Report, folder: Path) -> Path:
    """Write page, figures and tables into `folder`; the page's path."""
    from cutpoint.experiment import figures, page

    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; give a folder for the report with --output.")
    try:
        for table in all_tables(report.findings):
            name = file_name(table.name)
            _write(folder / "tables" / f"{name}.csv", table.csv().encode())
            _write(folder / "tables" / f"{name}.md", table.markdown().encode())
        for name, form, content in figures.all_figures(report):
            _write(folder / "figures" / f"{file_name(name)}.{form}", content)
        write_json(folder / "summary.json", summary(report))
        _write(folder / "index.html", page.page(report).encode())
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}); give another with --output.") from None
    return folder / "index.html"


def file_name(text: str) -> str:
    """The text as a name for a file, which can never lead to another folder."""
    return re.sub(r"[^A-Za-z0-9.=_-]", "-", text)


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda file: file.write(content))
