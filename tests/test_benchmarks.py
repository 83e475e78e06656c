"""The scripts that time choices and serving run at a small size, with and without scikit-activeml; none is judged."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cutpoint import STRATEGIES

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "selection.py"
HIDDEN = """
import runpy, sys
sys.modules["skactiveml"] = None
sys.argv[1:] = ["--quick"]
runpy.run_path({!r}, run_name="__main__")
"""


def printed(*words: str) -> str:
    """What a fresh interpreter prints, which must end with 0 and print no error."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_strategy_has_its_line_where_scikit_activeml_is_missing() -> None:
    out = printed("-c", HIDDEN.format(str(SCRIPT)))
    lines = [line.split()[0] for line in out.splitlines() if " of the processors)" in line]
    assert set(STRATEGIES) <= set(lines)
    assert "pip install scikit-activeml==" in out
    assert "times faster" not in out


@pytest.mark.skipif(importlib.util.find_spec("skactiveml") is None, reason="scikit-activeml is not installed")
def test_each_bar_says_whether_it_is_reached() -> None:
    bars = [line for line in printed(str(SCRIPT), "--quick", "--n", "1000").splitlines() if "bar: " in line]
    assert len(bars) == 8
    assert all(line.endswith((": reached", ": MISSED")) for line in bars)


@pytest.mark.slow
def test_a_served_campaign_is_measured() -> None:
    for name in ("fastapi", "uvicorn", "sqlalchemy"):
        pytest.importorskip(name)
    script = SCRIPT.with_name("serving.py")
    out = printed(str(script), "--n", "2000", "--people", "3", "--seconds", "1", "--pauses", "0.1")
    bars = [line for line in out.splitlines() if "bar: " in line]
    assert len(bars) == 4
    assert all(line.endswith((": reached", ": MISSED")) for line in bars)
    assert "disk: arrays 0.00 GiB, database 0.00 GiB" in out
    if sys.platform == "linux":
        assert re.search(r"memory: server 0\.[01]\d GiB, trainer 0\.\d+ GiB", out)


def test_a_pool_that_is_too_small_is_refused() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--n", "10"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "--n is 10; it must be at least 1000" in done.stderr


def test_the_throughput_of_a_resnet_is_said_by_phase_and_beside_a_bare_loop() -> None:
    pytest.importorskip("torch")
    script = SCRIPT.with_name("throughput.py")
    sizes = ["--device", "cpu", "--pool", "150", "--labels", "30", "--epochs", "1", "--repeats", "1", "--jobs", "2"]
    lines = printed(str(script), *sizes).splitlines()
    assert "on cpu" in lines[0]
    assert all(phase in lines[1] for phase in ("fit ", "score ", "data handling "))
    shares = [line for line in lines if line.startswith("selection, ")]
    assert {line.split()[1].rstrip(":") for line in shares} == set(STRATEGIES)
    loops = [line for line in lines if line.startswith("scoring, bare loop, batches of ")]
    assert len(loops) == 4  # a sixteenth, a quarter and a half of ours, and all
    assert max(line.rpartition(", ")[2] for line in loops) == "1.00"  # the best of them is what ours is set beside
    assert [line.split(":")[0] for line in lines[-4:-2]] == [
        f"scoring, {what}, batches of 150" for what in ("probabilities", "with embedding")
    ]
    assert lines[-2].startswith("training, fits at a time: 1: ")
    assert lines[-2].endswith(", 1.00")
    assert lines[-1].startswith("training, fits at a time: 2: ")


def test_many_annotators_are_simulated_and_nobody_is_idle() -> None:
    script = SCRIPT.parent / "asynchronous.py"
    out = printed(str(script), "--seeds", "1", "--labels", "100", "--annotators", "1,8")
    rows = [line.split() for line in out.splitlines() if line.split()[0] in ("1", "8")]
    assert [row[0] for row in rows] == ["1", "8"]
    assert all(60 < float(row[1]) <= 100 for row in rows)  # balanced accuracy of two classes
    assert "MISSED" not in out
