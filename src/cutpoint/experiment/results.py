"""The results folder: written by one run at a time, never in halves; read by the report.

    config.json          the resolved configuration, the versions, what the data sets are
    runs/<run>.csv       one file for each finished run, tidy: one row is one measure
    snapshots/<run>.npz  the first round of one DIRECT run of each data set
    unfinished/<run>/    what a long run needs to go on: the rounds done, a network in mid-fit; gone with its end
    lock                 held by the process that writes

A file appears whole or not at all (written beside, flushed to disk, renamed), so a kill at any moment harms
nothing that is finished, and what is not finished is run again.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from cutpoint.data.whole import write_atomically
from cutpoint.errors import DataError, UsageError
from cutpoint.experiment.config import FORMAT, BenchConfig, RunSpec, make_config, run_id

HEADER = ("dataset", "strategy", "seed", "noise", "parallel", "round", "n_labels", "metric", "value")
LAST, SELECT = "seconds_score", "seconds_select"  # a round's last measures; nothing is selected after the last round
MEASURE = "seconds_measure"  # older folders do not have it, nor has the beginning of a run that an older version began
_REMEDY = "delete it, and the same `bench run` makes it anew."


class Row(NamedTuple):
    """One measured value of one run."""

    dataset: str
    strategy: str
    seed: int
    noise: str
    parallel: int
    round: int
    n_labels: int
    metric: str
    value: float


def write_json(path: Path, value: Any) -> None:
    """Write JSON that a person can read."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def write_run(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows of a finished run."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows((*row[:-1], repr(row.value)) for row in rows)
    write_atomically(path, lambda file: file.write(text.getvalue().encode()))


def read_run(path: Path) -> list[Row]:
    """The rows of a run; DataError if the file is damaged or not ours."""
    damaged = DataError(f"{path} is truncated or not a results file; {_REMEDY}")
    try:
        text = path.read_text(encoding="utf-8")
        lines = list(csv.reader(io.StringIO(text)))
        if not text.endswith("\n") or len(lines) < 2 or tuple(lines[0]) != HEADER:
            raise damaged
        return [_row(line) for line in lines[1:]]
    except (ValueError, csv.Error, OSError, UnicodeDecodeError):
        raise damaged from None


def _row(line: list[str]) -> Row:
    dataset, strategy, seed, noise, parallel, round_, n_labels, metric, value = line
    if not math.isfinite(float(value)):
        raise ValueError(value)
    return Row(dataset, strategy, int(seed), noise, int(parallel), int(round_), int(n_labels), metric, float(value))


def read_config(folder: Path) -> dict[str, Any]:
    """The stored configuration; DataError if the folder is not a results folder of ours or is damaged."""
    path = folder / "config.json"
    if not path.is_file():
        raise DataError(
            f"{folder} is not a results folder: it has no config.json; give a folder that `bench run` made."
        )
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        raise DataError(f"{path} is truncated or damaged; restore it, or start in a new folder.") from None
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        found = stored.get("format") if isinstance(stored, dict) else None
        raise DataError(f"{path} has the format {found!r}; this version reads {FORMAT!r}: give another folder.")
    return stored


def read_results(folder: Path) -> tuple[dict[str, Any], list[Row]]:
    """The configuration and all rows of all finished runs, in the order of their files' names."""
    stored = read_config(folder)
    runs = read_runs(folder, stored_options(folder, stored))
    if not runs:
        raise DataError(f"{folder} holds no finished run yet; let `bench run` finish at least one.")
    return stored, [row for rows in runs.values() for row in rows]


def stored_options(folder: Path, stored: dict[str, Any]) -> BenchConfig:
    """The checked options of a stored configuration; DataError if there are none or they cannot be meant."""
    path = folder / "config.json"
    options = stored.get("options")
    if not isinstance(options, dict):
        raise DataError(f"{path} has no options; restore it, or start in a new folder.")
    try:
        return make_config(options)
    except UsageError as error:
        said = str(error).partition(";")[0]
        raise DataError(f"{path} has options that no benchmark has ({said}); restore it.") from None


def read_runs(folder: Path, config: BenchConfig) -> dict[RunSpec, list[Row]]:
    """The rows of every finished run, in the order of their files' names.

    DataError if a file is damaged, not whole, another run's, or no run of this configuration. Hidden files, such
    as those being written, are passed over.
    """
    shown = {dataset: config.shown_name(dataset) for dataset in config.datasets}
    specs = {f"{run_id(shown[spec.dataset], spec)}.csv": spec for spec in config.runs()}
    runs = folder / "runs"
    names = sorted(path.name for path in runs.iterdir() if not path.name.startswith(".")) if runs.is_dir() else []
    done = {}
    for name in names:
        if name not in specs:
            raise DataError(f"{runs / name} is no run of the configuration in {folder}; move it elsewhere.")
        spec = specs[name]
        rows = read_run(runs / name)
        _check_whole(runs / name, rows, (shown[spec.dataset], *spec[1:]), config.rounds)
        done[spec] = rows
    return done


def _check_whole(path: Path, rows: Sequence[Row], names: tuple[object, ...], rounds: int) -> None:
    """DataError unless the rows are those of the run `names`, with every measure of every round 0..rounds once."""
    if any(row[: len(names)] != names for row in rows):
        raise DataError(f"{path} is not the run of its name; {_REMEDY}")
    blocks = [(place, list(block)) for place, block in groupby(rows, key=lambda row: (row.round, row.n_labels))]
    labels = [n_labels for (_, n_labels), _ in blocks]
    timed = [[row.metric for row in block].count(MEASURE) for _, block in blocks]
    *before, last = [[row.metric for row in block if row.metric != MEASURE] for _, block in blocks]
    if not (
        [r for (r, _), _ in blocks] == list(range(rounds + 1))
        and labels == sorted(labels)
        and timed == sorted(timed)
        and timed[-1] <= 1
        and last[-1] == LAST
        and len({*last, SELECT}) == len(last) + 1
        and all(metrics == [*last, SELECT] for metrics in before)
    ):
        raise DataError(f"{path} is not whole: it must hold each measure of rounds 0..{rounds} once; {_REMEDY}")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder and hold it while writing; UsageError if another process does. It ends with the process."""
    import fcntl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("a+b")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}); give another folder with --out.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(
                f"another `bench run` is writing into {folder}; wait for it, stop it, or give another "
                "folder with --out."
            ) from None
        yield
