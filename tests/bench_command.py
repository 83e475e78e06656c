"""A small benchmark as a command line and as options, for the tests of `cutpoint bench run`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cutpoint.cli import run_cli
from cutpoint.experiment.results import Row, read_results

TINY = {
    "suites": [{"datasets": ["drawn:n=200:test=40:d=4"], "noise": ["0", "0.1"]}],
    "strategies": ["direct", "random"],
    "parallel": [1, 5],
    "seeds": 2,
    "first": 10,
    "budget": 10,
    "rounds": 2,
    "learner": "logistic:C=0.01",
}
COMMAND = [sys.executable, "-c", "from cutpoint.cli import main; main()"]
ARGUMENTS = [
    *("bench", "run", "--dataset", "drawn:n=200:test=40:d=4", "--noise", "0,0.1"),
    *("--strategies", "direct,random", "--parallel", "1,5", "--learner", "logistic:C=0.01"),
]
SIZES = ["--seeds", "2", "--first", "10", "--budget", "10", "--rounds", "2", "--jobs", "1"]


def rows_without_times(folder: Path) -> list[Row]:
    return [row for row in read_results(folder)[1] if not row.metric.startswith("seconds")]


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The one sentence with which a command line is refused."""
    assert run_cli(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err
