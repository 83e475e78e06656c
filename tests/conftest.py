"""Hypothesis profiles: `fast` (the default) and `ci` (more examples); every run draws the same examples.

The folders in which the tests of `cutpoint select` and of a campaign's commands work, and a PostgreSQL for the store's.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import postgres_server
from select_command import answers, write_scores

_NEEDED = ("fastapi", "uvicorn", "httpx2", "playwright")  # by browse.py, whose fixtures open pages in Chromium
pytest_plugins = ["browse"] if all(find_spec(name) for name in _NEEDED) else []

_CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]  # shared machines stall now and then

settings.register_profile(
    "fast", max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=_CALM
)
settings.register_profile("ci", settings.get_profile("fast"), max_examples=200)
settings.load_profile(os.environ.get("CUTPOINT_HYPOTHESIS", "fast"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job; what it starts would be deaf, too
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with scores.npz and labels.csv, in which commands run."""
    monkeypatch.chdir(tmp_path)
    write_scores(tmp_path / "scores.npz")
    truth = answers()
    lines = ["index,label", *(f"{i},{truth[i]}" for i in range(0, 60, 2))]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a campaign in which two people have answered forty questions; tests get a copy."""
    from campaign_command import begin

    return begin(tmp_path_factory.mktemp("campaign"))


@pytest.fixture
def campaign_folder(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that campaign, in the folder one works in."""
    from campaign_command import copied

    monkeypatch.chdir(tmp_path)
    return copied(kept, tmp_path)


def pytest_configure(config: pytest.Config) -> None:
    """One PostgreSQL for the whole run, if a test needs it: see postgres_server.py."""
    if not hasattr(config, "workerinput"):
        postgres_server.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop it."""
    if not hasattr(config, "workerinput"):
        postgres_server.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say plainly what was left out for want of a PostgreSQL."""
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = [report for report in skipped if postgres_server.LEFT_OUT in str(report.longrepr)]
    if left_out:
        terminalreporter.write_line(f"left out: {len(left_out)} tests on PostgreSQL; {postgres_server.LEFT_OUT}")


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The address of an empty schema in a PostgreSQL database."""
    pytest.importorskip("psycopg")
    pytest.importorskip("sqlalchemy")
    address = postgres_server.address()
    if address is None:
        pytest.skip(postgres_server.LEFT_OUT)
    with postgres_server.schema(address) as url:
        yield url
