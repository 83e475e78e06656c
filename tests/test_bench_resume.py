"""`cutpoint bench run`: how it goes on where it was stopped, and which folders it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench_command import ARGUMENTS, COMMAND, SIZES, TINY, refused, rows_without_times
from cutpoint.cli import run_cli
from cutpoint.errors import RunError
from cutpoint.experiment.config import BenchConfig, make_config
from cutpoint.experiment.folder import scratch_path
from cutpoint.experiment.progress import Progress
from cutpoint.experiment.results import locked, read_run
from cutpoint.experiment.runner import run_benchmark


@pytest.fixture
def tiny() -> BenchConfig:
    return make_config(TINY)


def test_finished_runs_are_kept_and_missing_ones_made_again(tmp_path: Path, tiny: BenchConfig) -> None:
    run_benchmark(tiny, tmp_path)
    before = rows_without_times(tmp_path)
    paths = sorted((tmp_path / "runs").glob("*.csv"))
    times = {path: path.stat().st_mtime_ns for path in paths}
    paths[3].unlink()
    (tmp_path / "runs" / ".half.csv.partial").write_text("dataset,str")
    assert run_benchmark(tiny, tmp_path) == 1
    assert rows_without_times(tmp_path) == before
    assert [p for p in paths if p.stat().st_mtime_ns != times[p]] == [paths[3]]
    assert not list((tmp_path / "runs").glob(".*"))
    assert run_benchmark(tiny, tmp_path) == 0


def start(folder: Path, jobs: int, seeds: int = 300) -> subprocess.Popen[str]:
    """A real process with work for a while, in a group of its own, once it has its first results."""
    arguments = [*ARGUMENTS, "--seeds", str(seeds), *SIZES[2:-1], str(jobs), "--out", str(folder)]
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background may ignore it
    )
    deadline = time.monotonic() + 300
    while len(list((folder / "runs").glob("*.csv"))) < 5:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def wait_for_the_end_of(group: int) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("jobs", [1, 2])
def test_kill_9_harms_nothing_that_is_finished(tmp_path: Path, jobs: int) -> None:
    process = start(tmp_path, jobs, seeds=30)
    process.kill()
    process.communicate()
    for path in (tmp_path / "runs").glob("*.csv"):
        assert read_run(path)[-1].round == 2
    wait_for_the_end_of(process.pid)  # the workers notice that their parent is gone
    found = len(list((tmp_path / "runs").glob("*.csv")))
    with locked(tmp_path):
        pass
    assert run_cli([*ARGUMENTS, "--seeds", "30", *SIZES[2:], "--out", str(tmp_path), "--quiet"]) == 0
    assert len(list((tmp_path / "runs").glob("*.csv"))) == 180 > found


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("sent", "to_all", "code"),
    [
        (signal.SIGINT, True, 130),  # as a terminal does: to the whole group
        (signal.SIGTERM, True, 143),  # as a batch scheduler does
        (signal.SIGTERM, False, 143),  # as `kill` does
    ],
)
def test_ctrl_c_and_sigterm_say_how_far_it_got(
    tmp_path: Path, jobs: int, sent: signal.Signals, to_all: bool, code: int
) -> None:
    process = start(tmp_path, jobs)
    (os.killpg if to_all else os.kill)(process.pid, sent)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == code
    assert stderr.startswith("interrupted: ")
    assert stderr.endswith(" of 1,800 runs finished and kept; the same command goes on from there.\n")
    assert stderr.count("\n") == 1
    for path in (tmp_path / "runs").glob("*.csv"):
        assert read_run(path)[-1].round == 2
    wait_for_the_end_of(process.pid)


def test_a_worker_that_is_killed_ends_the_others(tmp_path: Path) -> None:
    process = start(tmp_path, 2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        process.communicate()
        pytest.skip("the children of a process cannot be listed here")
    worker = [
        int(child)
        for child in children.read_text().split()
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    os.kill(worker[0], signal.SIGKILL)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "a worker process ended unexpectedly" in stderr
    wait_for_the_end_of(process.pid)


def test_a_second_run_into_the_same_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").mkdir()
    with locked(tmp_path):
        assert run_cli([*ARGUMENTS, *SIZES, "--out", str(tmp_path)]) == 2
    assert "another `bench run` is writing into" in capsys.readouterr().err


def break_config(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(path.read_text()[:50])


def change_format(folder: Path) -> None:
    (folder / "config.json").write_text('{"format": "other/3"}')


def break_run(folder: Path) -> None:
    path = sorted((folder / "runs").glob("*.csv"))[2]
    path.write_text(path.read_text()[:-20])


def drop_rows(folder: Path) -> None:
    path = sorted((folder / "runs").glob("*.csv"))[2]
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:10]))


def drop_a_line(folder: Path) -> None:
    path = sorted((folder / "runs").glob("*.csv"))[2]
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-3] + lines[-2:]))


def add_a_foreign_run(folder: Path) -> None:
    path = sorted((folder / "runs").glob("*.csv"))[2]
    path.with_name("mine.csv").write_text(path.read_text())


def lose_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def change_data(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(path.read_text().replace("182", "183"))


def lose_data(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"data": None}))


def exchange_runs(folder: Path) -> None:
    first, second = sorted((folder / "runs").glob("*.csv"))[:2]
    first.write_text(second.read_text())


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (break_config, "config.json is truncated or damaged"),
        (change_format, "has the format 'other/3'"),
        (break_run, "is truncated or not a results file; delete it"),
        (drop_rows, "is not whole"),
        (drop_a_line, "is not whole"),
        (add_a_foreign_run, "mine.csv is no run of the configuration"),
        (lose_config, "restore config.json, or give another folder"),
        (change_data, "was begun with other data: drawn:n=200:test=40:d=4 was"),
        (lose_data, "config.json has no data"),
        (exchange_runs, "not the run of its name"),
    ],
)
def test_a_damaged_folder_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], None], message: str
) -> None:
    given = [*ARGUMENTS, *SIZES, "--out", str(tmp_path)]
    assert run_cli([*given, "--quiet"]) == 0
    harm(tmp_path)
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    assert message in refused(capsys, given)
    assert {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()} == before


def test_a_foreign_folder_and_other_options_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    foreign, ours = tmp_path / "foreign", tmp_path / "ours"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine")
    given = [*ARGUMENTS, *SIZES, "--out"]
    assert "it holds thesis.txt and no config.json" in refused(capsys, [*given, str(foreign)])
    assert [path.name for path in foreign.iterdir()] == ["thesis.txt"]
    assert "is a file" in refused(capsys, [*given, str(foreign / "thesis.txt")])
    assert "thesis.txt is a file" in refused(capsys, [*given, str(foreign / "thesis.txt" / "a" / "b")])
    assert "/dev/null is a file; give a folder with --out" in refused(capsys, [*given, "/dev/null/x"])
    assert "cannot be written" in refused(capsys, [*given, str(tmp_path / ("x" * 300))])
    assert run_cli([*given, str(ours), "--quiet"]) == 0
    before = rows_without_times(ours)
    sentence = refused(capsys, [*given, str(ours), "--seeds", "1"])
    assert "was begun with seeds = 2 and not 1" in sentence
    assert rows_without_times(ours) == before


def test_seeds_can_be_added_and_what_was_done_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [*ARGUMENTS, *SIZES, "--quiet", "--out"]
    assert run_cli([*given, str(tmp_path / "added")]) == 0
    done = {path: path.read_bytes() for path in (tmp_path / "added" / "runs").iterdir()}
    more = ["--seeds", "3"]
    assert run_cli([*given, str(tmp_path / "added"), *more]) == 0
    assert run_cli([*given, str(tmp_path / "at once"), *more]) == 0
    assert {path: path.read_bytes() for path in done} == done
    assert rows_without_times(tmp_path / "added") == rows_without_times(tmp_path / "at once")
    assert json.loads((tmp_path / "added" / "config.json").read_text())["options"]["seeds"] == 3
    assert "seeds = 3 and not 2" in refused(capsys, [*given, str(tmp_path / "added")])


def test_a_folder_without_a_single_round_binds_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    given = [*ARGUMENTS, *SIZES, "--jobs", "1", "--quiet", "--out", str(tmp_path)]
    assert run_cli([*given, "--learner", "torch-linear:lr=1e20"]) == 1  # the loss is nan in its first fit
    assert "the training loss is nan" in capsys.readouterr().err
    assert run_cli(given) == 0
    assert json.loads((tmp_path / "config.json").read_text())["options"]["learner"] == "logistic:C=0.01"
    assert "was begun with learner = logistic:C=0.01" in refused(capsys, [*given, "--learner", "mlp"])
    for path in (tmp_path / "runs").iterdir():
        path.unlink()
    kept = tmp_path / "unfinished" / "a run" / "rounds.npz"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert "was begun with learner = logistic" in refused(capsys, [*given, "--learner", "mlp"])


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_fails_is_told_after_all_others_are_done(jobs: int, tmp_path: Path, tiny: BenchConfig) -> None:
    for spec in tiny.runs()[3:5]:
        damaged = scratch_path(tmp_path, tiny, spec) / "rounds.npz"
        damaged.parent.mkdir(parents=True)
        damaged.write_bytes(b"no rounds")
    seen: list[Progress] = []
    first = "the first of them: drawn.*: .*rounds.npz cannot be read"
    with pytest.raises(RunError, match=rf"^10 of 12 runs done; 2 failed, {first}"):
        run_benchmark(tiny, tmp_path, jobs=jobs, progress=seen.append)
    assert (seen[-1].done, len(list((tmp_path / "runs").glob("*.csv")))) == (10, 10)
    damaged.unlink()
    with pytest.raises(RunError, match=r"^11 of 12 runs done; 1 failed: drawn.*: .*rounds.npz cannot be read"):
        run_benchmark(tiny, tmp_path, jobs=jobs)
    (scratch_path(tmp_path, tiny, tiny.runs()[3]) / "rounds.npz").unlink()
    assert run_benchmark(tiny, tmp_path) == 1


def test_other_versions_are_warned_of_and_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [*ARGUMENTS, *SIZES, "--out", str(tmp_path)]
    assert run_cli([*given, "--quiet"]) == 0
    path = tmp_path / "config.json"
    stored = json.loads(path.read_text())
    now = stored["versions"]
    path.write_text(json.dumps(stored | {"versions": now | {"numpy": "1.0"}}))
    assert run_cli(given) == 0
    assert "warning" not in capsys.readouterr().err  # nothing was left to run
    assert "later_versions" not in json.loads(path.read_text())
    for _ in range(2):
        min((tmp_path / "runs").glob("*.csv")).unlink()
        assert run_cli(given) == 0
        warning = capsys.readouterr().err
        assert warning.startswith(f"warning: {tmp_path} was begun with numpy 1.0 (now {now['numpy']}); runs may differ")
        assert warning.count("\n") == 1
        assert json.loads(path.read_text())["later_versions"] == [now]
        assert json.loads(path.read_text())["versions"]["numpy"] == "1.0"
    assert run_cli(["bench", "report", str(tmp_path), "--quiet"]) == 0
    assert "later_versions" in (tmp_path / "report" / "index.html").read_text()
