"""Hypothesis profiles: `fast` (the default) and `ci` (more examples); every run draws the same examples.

And the folder in which the tests of `cutpoint select` work.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from select_command import answers, write_scores

_CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]  # shared machines stall now and then

settings.register_profile(
    "fast", max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=_CALM
)
settings.register_profile("ci", settings.get_profile("fast"), max_examples=200)
settings.load_profile(os.environ.get("CUTPOINT_HYPOTHESIS", "fast"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with scores.npz and labels.csv, in which commands run."""
    monkeypatch.chdir(tmp_path)
    write_scores(tmp_path / "scores.npz")
    truth = answers()
    lines = ["index,label", *(f"{i},{truth[i]}" for i in range(0, 60, 2))]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    return tmp_path
