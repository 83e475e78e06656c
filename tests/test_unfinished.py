"""A run that is killed between two rounds goes on from there, to the results of one that was not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench_command import TINY, rows_without_times
from cutpoint.errors import DataError
from cutpoint.experiment import unfinished
from cutpoint.experiment.campaign import Measure, Snapshot, State
from cutpoint.experiment.config import make_config
from cutpoint.experiment.progress import Progress
from cutpoint.experiment.results import read_results
from cutpoint.experiment.runner import run_benchmark
from cutpoint.experiment.unfinished import Diary
from cutpoint.learners.linear import LogisticLearner

SUITE = [{"datasets": ["drawn:n=200:test=40:d=4"], "noise": ["0.1"]}]
CONFIG = make_config({**TINY, "suites": SUITE, "strategies": ["direct"], "parallel": [5], "seeds": 1, "rounds": 4})


class Killed(BaseException):
    """Stands for a kill."""


def fits(monkeypatch: pytest.MonkeyPatch, kill: int | None = None) -> list[int]:
    """How many labels each fit was handed, from now on; the fit of that number never ends."""
    seen: list[int] = []
    real = LogisticLearner.fit

    def fit(self: LogisticLearner, pool: Any, labels: Any, *, seed: int) -> Any:
        if len(seen) == kill:
            raise Killed
        seen.append(int((labels >= 0).sum()))
        return real(self, pool, labels, seed=seed)

    monkeypatch.setattr(LogisticLearner, "fit", fit)
    return seen


def killed_in(folder: Path, fit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark that is killed in the fit of that number."""
    with monkeypatch.context() as patch:
        fits(patch, kill=fit)
        with pytest.raises(Killed):
            run_benchmark(CONFIG, folder)


@pytest.mark.parametrize("done", [0, 1, 2, 4])
def test_a_run_goes_on_after_its_last_round(done: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "SECONDS", 0.0)
    run_benchmark(CONFIG, tmp_path / "straight")
    assert not (tmp_path / "straight" / "unfinished").exists()
    killed_in(tmp_path / "killed", done, monkeypatch)
    assert len(list((tmp_path / "killed").glob("unfinished/*/rounds.npz"))) == (done > 0)
    with monkeypatch.context() as patch:
        again = fits(patch)
        seen: list[Progress] = []
        assert run_benchmark(CONFIG, tmp_path / "killed", progress=seen.append) == 1
    assert (seen[-1].begun, seen[-1].fresh, seen[-1].rounds) == (done, 5 - done, 5)
    assert again == [10 * (r + 1) for r in range(done, 5)]
    assert rows_without_times(tmp_path / "killed") == rows_without_times(tmp_path / "straight")
    assert not (tmp_path / "killed" / "unfinished").exists()
    (one,), (two,) = ((tmp_path / name / "snapshots").iterdir() for name in ("straight", "killed"))
    with np.load(one) as straight, np.load(two) as killed:
        assert straight.files == killed.files
        assert all(np.array_equal(straight[name], killed[name]) for name in straight.files)


def test_a_run_that_an_older_version_began_is_whole(tmp_path: Path) -> None:
    """It did not say how long measuring took."""
    run_benchmark(CONFIG, tmp_path)
    (path,) = (tmp_path / "runs").iterdir()
    lines = path.read_text().splitlines(keepends=True)
    for older in (["0", "1"], ["0", "1", "2", "3", "4"]):
        kept = [line for line in lines if ",seconds_measure," not in line or line.split(",")[5] not in older]
        assert len(kept) == len(lines) - len(older)
        path.write_text("".join(kept))
        assert len(read_results(tmp_path)[1]) == len(kept) - 1


def test_quick_rounds_are_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_in(tmp_path, 3, monkeypatch)
    assert not (tmp_path / "unfinished").exists()


LABELS = np.array([-1, 2, 0, -1])
OBSERVED = np.array([1, 2, 0, 2])
MEASURES = [Measure(0, 2, "balanced_accuracy", 1 / 3), Measure(0, 2, "recall_1", float("nan"))]


def written(folder: Path, snapshot: Snapshot | None, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(unfinished, "SECONDS", 0.0)
    Diary(folder).write(State(MEASURES, LABELS, snapshot))
    return folder / "rounds.npz"


def test_a_round_whose_fit_was_worth_keeping_is_kept_at_once_and_the_fit_goes(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    diary.write(State(MEASURES, LABELS, None))
    assert not (tmp_path / "run").exists()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "fit.pt").write_bytes(b"a network")
    diary.write(State(MEASURES, LABELS, None))
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["rounds.npz"]


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Diary(tmp_path / "none").read(OBSERVED) is None
    snapshot = Snapshot(np.full((4, 3), 1 / 3, np.float32), LABELS, OBSERVED, np.array([0, 3]))
    for kept in (None, snapshot):
        written(tmp_path, kept, monkeypatch)
        state = Diary(tmp_path).read(OBSERVED)
        assert state is not None
        assert repr(state.measures) == repr(MEASURES)
        assert np.array_equal(state.labels, LABELS)
        assert (state.snapshot is None) == (kept is None)
        if state.snapshot is not None:
            assert all(np.array_equal(value, vars(snapshot)[name]) for name, value in vars(state.snapshot).items())


def test_what_was_kept_of_another_run_or_is_damaged_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, None, monkeypatch)
    for observed in (np.array([1, 1, 0, 2]), OBSERVED[:3]):
        with pytest.raises(DataError, match="holds no rounds of this run; delete it, and the run begins anew"):
            Diary(tmp_path).read(observed)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"cannot be read as \.npz"):
        Diary(tmp_path).read(OBSERVED)
    np.savez(path, labels=LABELS)
    with pytest.raises(DataError, match="holds no rounds of this run"):
        Diary(tmp_path).read(OBSERVED)
