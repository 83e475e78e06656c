"""What `cutpoint bench report` refuses: one sentence, exit code 2, and the folder stays as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from bench_folder import fingerprint, write_folder
from cutpoint.cli import run_cli

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
    foreign_run: "list.csv",
    binary_run: "truncated or not",
    no_runs: "no finished run",
    damaged_snapshot: "no snapshot",
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
