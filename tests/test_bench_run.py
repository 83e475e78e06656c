"""`cutpoint bench run`: what it writes."""

from __future__ import annotations

import json
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench_command import SIZES, TINY, rows_without_times
from cutpoint import cli_run
from cutpoint.cli import run_cli
from cutpoint.data import Pool, load_benchmark
from cutpoint.data.side_by_side import Job, this_job
from cutpoint.experiment import runner
from cutpoint.experiment.campaign import Schedule, first_batch, run_campaign
from cutpoint.experiment.config import BenchConfig, make_config
from cutpoint.experiment.observed import observed_labels
from cutpoint.experiment.progress import Forecast, Progress
from cutpoint.experiment.results import read_results
from cutpoint.experiment.runner import run_benchmark
from cutpoint.learners import make_learner
from cutpoint.learners.base import Model
from cutpoint.types import Labels


@pytest.fixture
def tiny() -> BenchConfig:
    return make_config(TINY)


def test_results_are_tidy_whole_and_the_same_with_any_number_of_jobs(tmp_path: Path, tiny: BenchConfig) -> None:
    assert run_benchmark(tiny, tmp_path / "one", jobs=1) == 12
    assert run_benchmark(tiny, tmp_path / "two", jobs=2) == 12
    rows = rows_without_times(tmp_path / "one")
    assert rows == rows_without_times(tmp_path / "two")
    assert {row.dataset for row in rows} == {"drawn:n=200:test=40:d=4"}
    assert {(row.strategy, row.parallel) for row in rows} == {("direct", 1), ("direct", 5), ("random", 1)}
    assert {(row.round, row.n_labels) for row in rows} == {(0, 10), (1, 20), (2, 30)}
    metrics = {row.metric for row in rows}
    assert metrics >= {"balanced_accuracy", "pool_balanced_accuracy", "recall_1", "found_0", "observed_0", "C"}
    assert metrics >= {"minority_found", "label_noise"}
    _, timed = read_results(tmp_path / "one")
    phases = [row.round for row in timed if row.metric == "seconds_measure"]
    assert phases == [0, 1, 2] * 12
    stored = json.loads((tmp_path / "one" / "config.json").read_text())
    assert stored["format"] == "cutpoint-bench/1"
    assert stored["options"]["seeds"] == 2
    assert stored["data"]["drawn:n=200:test=40:d=4"]["pool"] == [18, 182]
    assert {"numpy", "scikit-learn", "cutpoint"} <= set(stored["versions"])


def begin_and_tell(folder: Path, *worker: Any) -> None:
    """In a worker: begin it, and leave a file that says which one it is."""
    runner._start_worker(*worker)
    number, jobs = this_job()
    (folder / f"{number} of {jobs}").touch(exist_ok=False)


def test_each_worker_knows_which_one_it_is(tmp_path: Path, tiny: BenchConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    (told := tmp_path / "told").mkdir()
    monkeypatch.setattr(runner, "_start_worker", partial(begin_and_tell, told))
    run_benchmark(tiny, tmp_path / "out", jobs=3)
    assert sorted(file.name for file in told.iterdir()) == ["0 of 3", "1 of 3", "2 of 3"]
    assert this_job() == Job()  # the parent stays alone


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_counts_rounds_within_runs(tmp_path: Path, tiny: BenchConfig, jobs: int) -> None:
    seen: list[Progress] = []
    run_benchmark(tiny, tmp_path, jobs=jobs, progress=seen.append)
    assert seen[0] == Progress(0, 12, 0, 3)
    assert seen[-1] == Progress(12, 12, 0, 3, fresh=36)
    assert [now.rounds for now in seen] == sorted(now.rounds for now in seen)
    assert all(now.rounds >= 3 * now.done for now in seen)
    if jobs == 1:
        assert {now.rounds for now in seen} == set(range(37))
    next(iter((tmp_path / "runs").iterdir())).unlink()
    seen.clear()
    run_benchmark(tiny, tmp_path, jobs=jobs, progress=seen.append)
    assert (seen[0], seen[0].rounds) == (Progress(11, 12, 11, 3), 33)
    assert (seen[-1], seen[-1].rounds) == (Progress(12, 12, 11, 3, fresh=3), 36)


def test_progress_is_said_in_lines_where_there_is_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_run, "EVERY", -1.0)
    options = ["--strategies", "random", "--seeds", "2", "--first", "10", "--budget", "10", "--rounds", "1"]
    run = ["bench", "run", "--dataset", "drawn:n=200:test=40:d=4", *options, "--jobs", "1", "-o", str(tmp_path)]
    assert run_cli(run) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "0 of 2 runs, 0 of 4 rounds"
    assert lines[1] == "0 of 2 runs, 1 of 4 rounds", "one round alone says nothing of the pace"
    assert lines[2].startswith("0 of 2 runs, 2 of 4 rounds, 0:00:")
    assert lines[-1] == "2 of 2 runs, 4 of 4 rounds, 0:00:00 left"


def test_what_comes_before_the_first_round_makes_the_rest_no_longer() -> None:
    forecast, none = Forecast(), Progress(2, 22, 2, 10)
    assert forecast.left(none, at=0.0) is None
    assert forecast.left(none._replace(fresh=2), at=60.0) is None, "a minute of which nobody knows what it was for"
    assert forecast.left(none._replace(fresh=3), at=61.0) is None, "a single round of two hundred"
    assert forecast.left(none._replace(fresh=12), at=70.0) == 188.0
    assert forecast.left(none._replace(begun=88, fresh=12), at=70.0) == 100.0, "an earlier command's are done"
    assert forecast.left(none._replace(fresh=200), at=260.0) == 0.0


def test_all_strategies_share_the_first_batch_and_its_measures(tmp_path: Path, tiny: BenchConfig) -> None:
    run_benchmark(tiny, tmp_path)
    start: dict[tuple[int, str, str], set[float]] = {}
    for row in rows_without_times(tmp_path):
        if row.round == 0:
            start.setdefault((row.seed, row.noise, row.metric), set()).add(row.value)
    assert all(len(values) == 1 for values in start.values())


def test_counts_in_the_rows_agree_with_each_other(tmp_path: Path, tiny: BenchConfig) -> None:
    run_benchmark(tiny, tmp_path)
    at: dict[tuple[object, ...], dict[str, float]] = {}
    for row in rows_without_times(tmp_path):
        at.setdefault(row[:7], {})[row.metric] = row.value
    for key, values in at.items():
        assert values["found_0"] + values["found_1"] == key[6]
        assert values["observed_0"] + values["observed_1"] == key[6]
        assert values["minority_found"] == values["found_0"]
        assert values["balanced_accuracy"] == pytest.approx((values["recall_0"] + values["recall_1"]) / 2)
        assert key[3] != "0" or values["label_noise"] == 0


def test_the_snapshot_holds_the_first_round_of_a_direct_run(tmp_path: Path, tiny: BenchConfig) -> None:
    run_benchmark(tiny, tmp_path)
    (path,) = (tmp_path / "snapshots").glob("*.npz")
    assert "direct" in path.name
    assert "noise-0__" in path.name
    with np.load(path, allow_pickle=False) as snapshot:
        assert set(snapshot.files) == {"probs", "labels_before", "labels_after", "asked", "clean", "classes"}
        new = np.flatnonzero(snapshot["labels_before"] != snapshot["labels_after"])
        assert sorted(snapshot["asked"]) == new.tolist()
        assert np.count_nonzero(snapshot["labels_before"] >= 0) == 10
        assert snapshot["probs"].shape == (200, 2)


def test_one_model_is_let_go_before_the_next_is_fitted() -> None:
    """A network lies on its device, where the next one has to be trained."""

    class Lonely:
        last: weakref.ref[Model] | None = None
        fits = 0

        def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
            assert self.last is None or self.last() is None
            model = make_learner("logistic:C=1", 2).fit(pool, labels, seed=seed)
            self.last, self.fits = weakref.ref(model), self.fits + 1
            return model

    drawn, learner = load_benchmark("drawn:n=200:test=40:d=4"), Lonely()
    run_campaign(drawn, drawn.labels, "direct", learner, Schedule(10, 10, 2), seed=0)
    assert learner.fits == 3


def test_noise_is_exact_and_drawn_anew_for_each_seed(tiny: BenchConfig) -> None:
    from cutpoint.data import load_benchmark

    drawn = load_benchmark(tiny.datasets[0])
    one, again, other = (observed_labels(drawn, "0.1", seed) for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.count_nonzero(one != drawn.labels) == np.count_nonzero(other != drawn.labels) == 20
    assert np.array_equal(first_batch(one, 2, 10, 3) >= 0, first_batch(other, 2, 10, 3) >= 0)


def test_rows_that_are_left_out_are_said_and_a_missing_split_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    y = np.arange(90) % 2
    part = np.array(["train"] * 50 + ["val"] * 10 + ["test"] * 30)
    path = tmp_path / "toy.npz"
    np.savez(path, features=np.random.default_rng(0).standard_normal((90, 2)), label=y, part=part)
    given = ["bench", "run", "--dataset", str(path), "--seeds", "1", *SIZES[2:], "--strategies", "random"]
    for number, column in enumerate(("parts", "split")):
        out = ["--out", str(tmp_path / str(number))]
        assert run_cli([*given, *out, "--split-column", column]) == 2
        assert (
            f"toy.npz has no column '{column}' for the split; it has features, label, part: " in capsys.readouterr().err
        )
    assert run_cli([*given, "--split-column", "part", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    assert said == f"warning: {path}: 10 of 90 rows left out, whose split is 'val'.\n"


def test_files_with_human_labels_and_a_noise_matrix(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    people = np.where(rng.random(120) < 0.2, rng.integers(0, 3, 120), y)
    np.savez(tmp_path / "toy.npz", features=rng.standard_normal((120, 4)) + y[:, None], kind=y, people=people)
    (tmp_path / "matrix.csv").write_text("0.5,0.5\n0,1\n")
    np.save(tmp_path / "people.npy", np.array([np.eye(2), [[0.5, 0.5], [0, 1]]]))
    noise = f"human:people,matrix:{tmp_path / 'matrix.csv'},annotators:{tmp_path / 'people.npy'}"
    given = ["bench", "run", "--dataset", str(tmp_path / "toy.npz"), "--label-column", "kind"]
    given += ["--group", "2", "--noise", noise, "--seeds", "1"]
    given += ["--strategies", "margin", *SIZES[2:], "--out", str(tmp_path / "out"), "--quiet"]
    assert run_cli(given) == 0
    stored, rows = read_results(tmp_path / "out")
    assert {row.dataset for row in rows} == {"toy-2"}
    rates = stored["data"]["toy-2"]["noise"]["human:people"]
    assert 0 < rates["overall"] < 0.3
    assert len(rates["per_class"]) == 2
