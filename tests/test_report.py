"""`cutpoint bench report`: from a results folder to tables, figures and a page; honest, self-contained, harmless."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench_folder import fingerprint, write_folder
from cutpoint.cli import run_cli
from cutpoint.experiment.report import read_report

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


def test_the_report_folder_holds_page_tables_figures_and_summary(page: Path) -> None:
    names = {path.relative_to(page.parent).as_posix() for path in page.parent.rglob("*") if path.is_file()}
    for stem in ("balanced-accuracy", "minority-found", "recall-digits-2", "round-digits-2", "labels-to-random"):
        assert {f"figures/{stem}.png", f"figures/{stem}.svg"} <= names
    for stem in ("seconds", "cost-digits-2"):
        assert {f"tables/{stem}.csv", f"tables/{stem}.md"} <= names
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
    claim = html.unescape(text.partition("<h1>")[2].partition("</h1>")[0])
    assert claim == summary["claim"]
    assert re.search(r"needs \d+\s% \w+ to \d+\s% \w+ labels than random to first get where random ends", claim)
    assert re.search(r"over 2 settings; area under the curve \S+, (not )?significant \(p = ", claim)
    first, second = re.findall(r"<div class=card><b>(.*?)</b><span>(.*?)</span>", text)[:2]
    assert "like for like" in first[1]  # the fair number comes first, in the same size
    assert re.search(r"median of 2 settings \(\d+\s% .* \d+\s% .*; reached in 2 of 2 settings\), like", first[1])
    assert "of all of random&#x27;s labels" in second[1]
    assert re.fullmatch(r"\d+\s%", second[0])
    assert "2 settings · 3 strategies · 6 seeds" in text
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


def test_an_unfinished_folder_is_reported_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = write_folder(tmp_path / "out", datasets=["digits-2"], noises=["0"], arms=ARMS, seeds=4)
    for path in sorted((out / "runs").iterdir())[:5]:
        path.unlink()
    assert run_cli(["bench", "report", str(out)]) == 0
    assert "7 of 12 runs are in" in capsys.readouterr().out
    text = (out / "report" / "index.html").read_text(encoding="utf-8")
    assert "Not complete: 7 of 12 runs are in" in text


def test_one_run_is_said_in_the_singular(tmp_path: Path) -> None:
    out = write_folder(tmp_path / "out", datasets=["digits-2"], noises=["0"], arms=ARMS[1:], seeds=1)
    assert read_report(out).progress == "all 2 runs are in"
    next((out / "runs").iterdir()).unlink()
    assert read_report(out).progress == "1 of 2 runs is in"
    out = write_folder(tmp_path / "single", datasets=["digits-2"], noises=["0"], arms=ARMS[1:2], seeds=1)
    assert read_report(out).progress == "the 1 run is in"


def test_the_legend_reaches_all_figures_and_a_click_hides_a_strategy(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in ("arm-direct-5", "arm-galaxy-1", "arm-random-1"):
        assert text.count(f'id="show-{name}"') == 1
        assert f"body:has(#show-{name}:not(:checked)) svg .{name}{{display:none}}" in text
    place = text.index("<div class=legend")
    assert place < min(text.index(f'<section id="{name}"') for name in ("reach", "curves", "found", "recall"))
    between = text[place : text.index('<section id="recall"')]
    assert between.count("<div") - between.count("</div>") == 0  # the parent is not closed before the last figures


def test_names_from_the_folder_are_shown_as_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>-2"
    out = write_folder(tmp_path / "out", datasets=[hostile], noises=["0"], arms=ARMS, seeds=2)
    config = json.loads((out / "config.json").read_text())
    config["preset"] = hostile
    config["data"][hostile]["classes"] = [hostile, "other"]
    (out / "config.json").write_text(json.dumps(config))
    assert run_cli(["bench", "report", str(out), "--quiet"]) == 0
    assert hostile not in (out / "report" / "index.html").read_text(encoding="utf-8")
    assert {path.name for path in (out / "report").iterdir()} == {"figures", "tables", "index.html", "summary.json"}
    assert all(path.is_file() for part in ("figures", "tables") for path in (out / "report" / part).iterdir())
