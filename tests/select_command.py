"""`cutpoint select` as a command line, with small scores and answers, for its tests."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint.cli import run_cli

N, K = 400, 3


def probabilities() -> Any:
    probs = np.random.default_rng(0).dirichlet([0.4, 0.6, 2.0], N).astype(np.float32)
    return probs / probs.sum(axis=1, keepdims=True)


def answers() -> list[int]:
    rng = np.random.default_rng(1)
    return [int(rng.choice(K, p=row / row.sum())) for row in probabilities().astype(np.float64)]


def write_scores(path: Path, **more: Any) -> None:
    np.savez(path, **({"probs": probabilities()} | more))


def sheet(path: Path | str = "ask.csv") -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fill(path: Path | str, by_row: Any) -> int:
    """Answer every open question of a sheet by `by_row`; how many there were."""
    rows = sheet(path)
    still = [row for row in rows if not row["label"]]
    for row in still:
        row["label"] = by_row(row)
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return len(still)


def truth_of(row: dict[str, str]) -> str:
    return str(answers()[int(row["index"])])


def select(*words: str) -> int:
    return run_cli(["select", "scores.npz", *words])


def refused(capsys: pytest.CaptureFixture[str], said: list[str], *words: str) -> None:
    capsys.readouterr()
    assert select(*words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    for part in said:
        assert part in error


def rewrite(rows: list[dict[str, str]], columns: list[str] | None = None) -> None:
    """Save ask.csv as a spreadsheet would."""
    with Path("ask.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
