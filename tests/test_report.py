"""`cutpoint bench report`: from a results folder to tables, figures and a page; honest, self-contained, harmless."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from bench_folder import write_folder, write_run
from cutpoint.cli import run_cli
from cutpoint.experiment.findings import find, headline, median
from cutpoint.experiment.report_tables import all_tables, saving_table, terminal_tables
from cutpoint.experiment.results import Row
from cutpoint.experiment.tables import Column, Table

ARMS = [("direct", 5), ("galaxy", 1), ("random", 1)]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished campaign."""
    return write_folder(tmp_path_factory.mktemp("bench") / "out", datasets=["digits-2"], arms=ARMS, seeds=6)


@pytest.fixture(scope="module")
def page(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of that campaign."""
    folder = tmp_path_factory.mktemp("report")
    assert run_cli(["bench", "report", str(results), "-o", str(folder), "--quiet"]) == 0
    return folder / "index.html"


def rows(curves: dict[str, list[list[float]]], noise: str = "0") -> list[Row]:
    """Tidy rows of balanced accuracy: strategy -> a curve per seed."""
    return [
        Row("drawn", strategy, seed, noise, 5 if strategy == "direct" else 1, t, 100 * (t + 1), "balanced_accuracy", v)
        for strategy, seeds in curves.items()
        for seed, curve in enumerate(seeds)
        for t, v in enumerate(curve)
    ]


def test_the_report_folder_holds_page_tables_figures_and_summary(page: Path) -> None:
    names = {path.relative_to(page.parent).as_posix() for path in page.parent.rglob("*") if path.is_file()}
    for stem in ("balanced-accuracy", "minority-found", "recall-digits-2", "round-digits-2", "labels-to-random"):
        assert {f"figures/{stem}.png", f"figures/{stem}.svg"} <= names
    for stem in ("labels-to-random", "labels-to-galaxy", "overall", "final-digits-2", "paired", "targets", "levels"):
        assert {f"tables/{stem}.csv", f"tables/{stem}.md"} <= names
    assert {"index.html", "summary.json"} <= names
    assert not [name for name in names if "partial" in name]


class Links(HTMLParser):
    """Collects what a page would fetch, its ids, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "input", "br", "path", "use", "line", "rect"}:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "srcset", "data", "action", "xlink:href", "href"} and value:
                (self.anchors if value.startswith("#") else self.fetched).append(value)
            if name == "id" and value:
                self.ids.append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def test_the_page_fetches_nothing_runs_nothing_and_its_links_hold(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parser = Links()
    parser.feed(text)
    assert parser.fetched == []
    assert "script" not in parser.tags
    assert "url(http" not in text
    assert "@import" not in text
    assert parser.open == []
    assert {anchor[1:] for anchor in parser.anchors} <= set(parser.ids)
    assert len(set(parser.ids)) == len(parser.ids)
    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text


def test_the_page_says_what_the_summary_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    summary = json.loads((page.parent / "summary.json").read_text(encoding="utf-8"))
    assert summary["main"] == {"strategy": "direct", "parallel": 5}
    assert summary["runs_finished"] == summary["runs_planned"] == 36
    for line in summary["headline"]:
        assert line.replace("'", "&#x27;") in text
    assert "all 36 runs are in" in text
    assert "Not complete" not in text


def test_the_same_results_give_the_same_report(results: Path, page: Path, tmp_path: Path) -> None:
    assert run_cli(["bench", "report", str(results), "-o", str(tmp_path), "--quiet"]) == 0
    for path in page.parent.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / path.relative_to(page.parent)).read_bytes(), path.name


def test_the_terminal_gets_tables_of_at_most_100_columns(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["bench", "report", str(results), "-o", str(tmp_path / "r")]) == 0
    lines = capsys.readouterr().out.splitlines()
    tables = lines[: next(i for i, line in enumerate(lines) if line.startswith("Page,"))]
    assert max(map(len, tables)) <= 100
    assert not any("\x1b" in line for line in lines)
    assert any("Labels to reach random's final value" in line for line in lines)


def test_json_goes_to_the_standard_output_and_nothing_is_written(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = fingerprint(results)
    assert run_cli(["bench", "report", str(results), "--json", "--target", "0.7,best:0.5", "--target", "random"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert {row["target"] for row in summary["tables"]["targets"]} == {"0.7", "best:0.5", "random"}
    assert fingerprint(results) == before


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_unfinished_folder_is_reported_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = write_folder(tmp_path / "out", datasets=["digits-2"], noises=["0"], arms=ARMS, seeds=4)
    for path in sorted((out / "runs").iterdir())[:5]:
        path.unlink()
    assert run_cli(["bench", "report", str(out)]) == 0
    assert "7 of 12 runs are in" in capsys.readouterr().out
    text = (out / "report" / "index.html").read_text(encoding="utf-8")
    assert "Not complete: 7 of 12 runs are in" in text


def test_names_from_the_folder_are_shown_as_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    out = write_folder(tmp_path / "out", datasets=["digits-2"], noises=["0"], arms=ARMS, seeds=2)
    config = json.loads((out / "config.json").read_text())
    config["preset"] = hostile
    config["data"]["digits-2"]["classes"] = [hostile, "other"]
    (out / "config.json").write_text(json.dumps(config))
    for path in (out / "runs").iterdir():
        path.write_text(path.read_text().replace("digits-2,", f"{hostile},"))
    assert run_cli(["bench", "report", str(out), "--quiet"]) == 0
    assert hostile not in (out / "report" / "index.html").read_text(encoding="utf-8")
    assert {path.name for path in (out / "report").iterdir()} == {"figures", "tables", "index.html", "summary.json"}
    assert all(path.is_file() for part in ("figures", "tables") for path in (out / "report" / part).iterdir())


def damage_config(out: Path) -> None:
    (out / "config.json").write_text('{"format": "cutpoint-b')


def another_format(out: Path) -> None:
    (out / "config.json").write_text('{"format": "other/9"}')


def no_config(out: Path) -> None:
    (out / "config.json").unlink()


def truncated_run(out: Path) -> None:
    path = next((out / "runs").iterdir())
    path.write_text(path.read_text()[:-30])


def foreign_run(out: Path) -> None:
    (out / "runs" / "list.csv").write_text("name,price\nbread,3\n")


def binary_run(out: Path) -> None:
    next((out / "runs").iterdir()).write_bytes(b"\xff\xfe\x00\x01")


def no_runs(out: Path) -> None:
    shutil.rmtree(out / "runs")


def damaged_snapshot(out: Path) -> None:
    path = next((out / "snapshots").iterdir())
    path.write_bytes(path.read_bytes()[:200])


def misfit_snapshot(out: Path) -> None:
    path = next((out / "snapshots").iterdir())
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | {"clean": arrays["clean"][:5]}))


DAMAGE = {
    damage_config: "config.json",
    another_format: "other/9",
    no_config: "no config.json",
    truncated_run: "truncated",
    foreign_run: "list.csv",
    binary_run: "truncated or not",
    no_runs: "no finished run",
    damaged_snapshot: "no snapshot",
    misfit_snapshot: "no snapshot",
}


@pytest.mark.parametrize("harm", DAMAGE, ids=lambda harm: harm.__name__)
def test_a_damaged_or_foreign_folder_is_one_sentence_and_stays_as_it_is(
    harm: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write_folder(tmp_path / "out", datasets=["digits-2"], noises=["0"], arms=ARMS, seeds=2)
    assert callable(harm)
    harm(out)
    refused(out, DAMAGE[harm], capsys)


def test_a_folder_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("birds")
    refused(tmp_path, "no config.json", capsys)
    assert run_cli(["bench", "report", str(tmp_path / "gone")]) == 2
    assert run_cli(["bench", "report", str(tmp_path / "thesis.txt")]) == 2


@pytest.mark.parametrize("target", ["fast", "best:", "best:2", "1.5", "-0.1", "nan"])
def test_a_target_that_cannot_be_meant(results: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(results, "--target", capsys, "--target", target)


def test_an_output_that_is_a_file_is_left_alone(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "thesis.txt"
    file.write_text("birds")
    refused(results, "is a file", capsys, "-o", str(file))
    assert file.read_text() == "birds"


def refused(folder: Path, said: str, capsys: pytest.CaptureFixture[str], *options: str) -> None:
    before = fingerprint(folder)
    assert run_cli(["bench", "report", str(folder), *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert fingerprint(folder) == before


def test_the_headline_counts_what_is_not_reached_as_the_worst() -> None:
    curves = {"direct": [[0.5, 0.6, 0.6, 0.6]], "random": [[0.5, 0.7, 0.7, 0.7]], "galaxy": [[0.5, 0.55, 0.6, 0.6]]}
    findings = find(rows(curves))
    said = headline(findings)
    assert said[0] == "direct (5) never reached the balanced accuracy that random ends with, in 1 settings."
    assert "galaxy ends with after 46\N{NO-BREAK SPACE}%" in said[1]
    assert any(line.startswith("Where it loses: to random on drawn, no noise") for line in said)
    assert any("cannot fall below" in line for line in said)
    assert median([0.2, None, None], np.inf) is None
    assert median([0.2, 0.3, None], np.inf) == 0.3
    assert median([], 0.0) == 0.0


def test_not_reached_is_printed_and_never_a_number() -> None:
    curves = {"direct": [[0.5, 0.6, 0.6, 0.6]], "random": [[0.5, 0.7, 0.7, 0.7]]}
    table = saving_table(find(rows(curves)), "random")
    shown = dict(zip([column.title for column in table.columns], table.shown()[0], strict=True))
    assert shown["direct (5)"] == "not reached"
    assert shown["random"] == "200"
    assert shown["share"] == shown["vs random"] == "–"
    assert shown["seeds"] == "0/1"


def test_a_campaign_without_direct_or_random_is_reported_too() -> None:
    findings = find(rows({"margin": [[0.5, 0.6]], "entropy": [[0.5, 0.7]]}))
    assert findings.main.strategy == "entropy"
    assert list(findings.reaches) == ["best:0.9", "best:0.95"]
    assert all(table.rows for table in all_tables(findings))
    assert terminal_tables(findings)
    assert headline(findings)


def test_a_single_run_is_reported_without_spread_or_tests() -> None:
    findings = find(rows({"direct": [[0.5, 0.6]]}))
    assert headline(findings) == []
    assert all_tables(findings)[0].name == "labels-to-best-09"


def test_one_table_says_the_same_everywhere() -> None:
    columns = (Column("who"), Column("labels", "labels"), Column("change", "difference"), Column("p", "p"))
    table = Table(
        "t", "A | B", columns, (("a|b", 1234.4, -0.01234, 0.0001), ("c", None, float("nan"), 0.5)), "note", "c"
    )
    assert list(csv.reader(table.csv().splitlines()))[1:] == [
        ["a|b", "1234.4", "-0.01234", "0.0001"],
        ["c", "", "", "0.5"],
    ]
    assert "| a\\|b | 1,234 | −0.012 | < .0005 |" in table.markdown()
    assert "| **c** | **not reached** | **–** | **0.500** |" in table.markdown()
    assert "<td class=n>" in table.html().replace('"', "")
    assert "a|b" in table.html()


def test_runs_of_another_length_are_cut_to_what_they_share(tmp_path: Path) -> None:
    out = write_folder(tmp_path / "out", datasets=["digits-2"], noises=["0"], arms=ARMS, seeds=2)
    write_run(out, "digits-2", "direct", 1, "0", 5, rounds=4)
    assert run_cli(["bench", "report", str(out), "--quiet"]) == 0
