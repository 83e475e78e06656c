"""What `cutpoint bench report` refuses: one sentence, exit code 2, and the folder stays as it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from bench_folder import fingerprint, write_folder, write_run
from cutpoint.cli import run_cli
from cutpoint.errors import DataError
from cutpoint.experiment.results import read_results

ARMS = [("direct", 5), ("random", 1)]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with which nothing is wrong."""
    out = tmp_path_factory.mktemp("bench") / "out"
    return write_folder(out, datasets=["digits-2"], noises=["0"], arms=ARMS, seeds=2)


def damage_config(out: Path) -> None:
    (out / "config.json").write_text('{"format": "cutpoint-b')


def another_format(out: Path) -> None:
    (out / "config.json").write_text('{"format": "other/9"}')


def no_config(out: Path) -> None:
    (out / "config.json").unlink()


def truncated_run(out: Path) -> None:
    path = next((out / "runs").iterdir())
    path.write_text(path.read_text()[:-30])


def cut_run(out: Path, keep: slice) -> None:
    """A first run of which whole lines are lost."""
    path = min((out / "runs").iterdir())
    header, *lines = path.read_text().splitlines(keepends=True)
    path.write_text(header + "".join(lines[keep]))


def run_without_its_last_line(out: Path) -> None:
    cut_run(out, slice(-1))


def run_without_its_last_round(out: Path) -> None:
    cut_run(out, slice(-10))


def run_without_its_first_round(out: Path) -> None:
    cut_run(out, slice(11, None))


def run_without_a_line_between(out: Path) -> None:
    path = min((out / "runs").iterdir())
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:40] + lines[41:]))


def run_twice_in_a_file(out: Path) -> None:
    path = min((out / "runs").iterdir())
    text = path.read_text()
    path.write_text(text + text.split("\n", 1)[1])


def longer_run(out: Path) -> None:
    write_run(out, "digits-2", ("direct", 5), seed=1, noise="0", rounds=12)


def infinite_run(out: Path) -> None:
    path = min((out / "runs").iterdir())
    path.write_text(path.read_text().replace("C,0.1", "C,inf"))


def run_of_another_seed(out: Path) -> None:
    runs = sorted((out / "runs").iterdir())
    runs[0].write_text(runs[1].read_text())


def run_of_another_configuration(out: Path) -> None:
    write_run(out, "digits-2", ("direct", 5), seed=7, noise="0")


def copied_run(out: Path) -> None:
    path = min((out / "runs").iterdir())
    path.with_name(f"Copy of {path.name}").write_text(path.read_text())


def other_file_among_the_runs(out: Path) -> None:
    (out / "runs" / "notes.txt").write_text("seed 3 looks odd")


def no_options(out: Path) -> None:
    change_options(out, None)


def odd_options(out: Path) -> None:
    change_options(out, {"suites": 5})


def change_options(out: Path, options: object) -> None:
    path = out / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"options": options}))


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
    run_without_its_last_line: "is not whole",
    run_without_its_last_round: "is not whole",
    run_without_its_first_round: "is not whole",
    run_without_a_line_between: "is not whole",
    run_twice_in_a_file: "is not whole",
    longer_run: "is not whole",
    infinite_run: "truncated or not",
    run_of_another_seed: "not the run of its name",
    run_of_another_configuration: "seed7.csv is no run of the configuration",
    copied_run: "is no run of the configuration",
    other_file_among_the_runs: "notes.txt is no run of the configuration",
    no_options: "has no options",
    odd_options: "options that no benchmark has",
    foreign_run: "list.csv",
    binary_run: "truncated or not",
    no_runs: "no finished run",
    damaged_snapshot: "cannot be read as .npz",
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


def test_every_cut_of_a_run_is_noticed(tmp_path: Path) -> None:
    out = write_folder(tmp_path / "out", datasets=["digits-2"], noises=["0"], arms=[("random", 1)], seeds=1, rounds=2)
    (path,) = (out / "runs").iterdir()
    whole = path.read_bytes()
    assert len(read_results(out)[1]) == whole.count(b"\n") - 1
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(DataError, match="delete it, and the same `bench run` makes it anew"):
            read_results(out)


def test_files_that_are_being_written_are_passed_over(tmp_path: Path) -> None:
    out = write_folder(tmp_path / "out", datasets=["digits-2"], noises=["0"], arms=[("random", 1)], seeds=1)
    before = read_results(out)
    (out / "runs" / ".digits-2.csv.partial").write_text("dataset,str")
    assert read_results(out) == before
