"""A results folder that a run may write into: begun, or gone on with, under the same configuration."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from cutpoint.core.noise import noise_rate_per_class
from cutpoint.data import Benchmark
from cutpoint.data.whole import write_atomically
from cutpoint.errors import DataError, UsageError
from cutpoint.experiment.campaign import Measure, Snapshot
from cutpoint.experiment.config import FORMAT, BenchConfig, RunSpec, run_id
from cutpoint.experiment.machine import device_of
from cutpoint.experiment.observed import HUMAN
from cutpoint.experiment.results import Row, read_config, write_json, write_run
from cutpoint.learners.registry import needs

_OURS = {"config.json", "lock", "runs", "snapshots", "report", "unfinished"}
_BEGUN = ".config.json-*.partial"  # of a beginning that was killed


def refuse_foreign(folder: Path) -> None:
    """UsageError if the folder cannot be one, or holds something and is not a results folder of ours."""
    there = next(path for path in (folder, *folder.parents) if os.path.exists(path))  # False where it may not look
    if not there.is_dir():
        raise UsageError(f"{there} is a file; give a folder with --out.")
    if there == folder and not (folder / "config.json").exists():
        ours = _OURS | {path.name for path in folder.glob(_BEGUN)}
        foreign = sorted(path.name for path in folder.iterdir() if path.name not in ours)
        if foreign:
            raise UsageError(
                f"{folder} is not a results folder: it holds {foreign[0]} and no config.json; give a new or "
                "empty one with --out."
            )
        if any((folder / "runs").glob("*.csv")):
            raise DataError(
                f"{folder} holds finished runs and no config.json that says of what; restore config.json, or "
                "give another folder with --out."
            )


def begin(folder: Path, config: BenchConfig, benchmarks: dict[str, Any], preset: str | None) -> None:
    """Store the configuration, or check that options and data are the stored ones; the folder must be locked.

    Only seeds may be added: each is a repetition of its own, and those that are done stay. Where not a single round is
    stored, as after a first attempt that failed, the folder is begun anew.
    """
    options = config.model_dump(mode="json")
    refuse_foreign(folder)
    if (folder / "config.json").exists() and _holds_rounds(folder):
        stored = _refuse_other(folder, options, benchmarks)
        if stored["options"] != options:
            write_json(folder / "config.json", stored | {"options": options})
    else:
        stored = {
            "format": FORMAT,
            "preset": preset,
            "options": options,
            "versions": versions(config.learner),
            "data": benchmarks,
        }
        write_json(folder / "config.json", stored)
    (folder / "runs").mkdir(exist_ok=True)
    for partial in (*folder.glob("*/.*.partial"), *folder.glob(_BEGUN)):
        partial.unlink()


def _holds_rounds(folder: Path) -> bool:
    """True if a finished run is there, or a part of one; DataError if the folder is damaged."""
    read_config(folder)
    return any((folder / "runs").glob("*.csv")) or any((folder / "unfinished").glob("*/*"))


def _refuse_other(folder: Path, options: dict[str, Any], benchmarks: dict[str, Any]) -> dict[str, Any]:
    """What is stored; UsageError for other options but more seeds, or for data of other sizes, classes or noise."""
    stored = read_config(folder)
    for name in ("options", "data"):
        if not isinstance(stored.get(name), dict):
            raise DataError(f"{folder / 'config.json'} has no {name}; restore it, or start in a new folder.")
    before = stored["options"]
    for key in dict.fromkeys((*options, *before)):
        then, now = before.get(key), options.get(key)
        if then != now and not (key == "seeds" and isinstance(then, int) and then < options["seeds"]):
            raise UsageError(
                f"{folder} was begun with {key} = {then} and not {now}; go on with the same options (seeds may be "
                "added), or give a new folder with --out."
            )
    for name in dict.fromkeys((*benchmarks, *stored["data"])):
        then, now = (json.dumps(data.get(name), sort_keys=True) for data in (stored["data"], benchmarks))
        if then != now:  # compared as text: the rate of an empty class is NaN
            raise UsageError(
                f"{folder} was begun with other data: {name} was {then} and is {now}; give the same data, or a new "
                "folder with --out."
            )
    return stored


def note_versions(folder: Path, config: BenchConfig) -> str | None:
    """What to say if the versions are not those that the folder was begun with; they are added to config.json."""
    stored, now = read_config(folder), versions(config.learner)
    then = stored.get("versions")
    then = then if isinstance(then, dict) else {}
    if then == now:
        return None
    noted = stored.get("later_versions")
    later = noted if isinstance(noted, list) else []
    if now not in later:
        write_json(folder / "config.json", stored | {"later_versions": [*later, now]})
    changed = [f"{name} {then.get(name, 'unknown')} (now {new})" for name, new in now.items() if new != then.get(name)]
    return (
        f"{folder} was begun with {', '.join(changed)}; runs may differ between them: to compare like with "
        "like, go on with the old ones. The new ones are noted in config.json."
    )


def note_logged(folder: Path, config: BenchConfig, spec: RunSpec, said: list[str]) -> None:
    """Add to config.json what was logged in a run."""
    stored, run = read_config(folder), run_id(config.shown_name(spec.dataset), spec)
    write_json(folder / "config.json", stored | {"logged": {**stored.get("logged", {}), run: said}})


def versions(learner: str) -> dict[str, str]:
    """What the numbers of that learner depend on, its device included."""
    names = ("cutpoint", "numpy", "scipy", "scikit-learn", *needs(learner))
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            import cutpoint

            found[name] = cutpoint.__version__ if name == "cutpoint" else "unknown"
    device = device_of(learner)
    return found if device is None else found | {"device": device}


def describe(benchmark: Benchmark, noises: tuple[str, ...]) -> dict[str, Any]:
    """Sizes and class counts of a data set, and the rates of its human noises after grouping."""
    k = benchmark.n_classes
    described: dict[str, Any] = {
        "classes": list(benchmark.classes),
        "pool": np.bincount(benchmark.labels, minlength=k).tolist(),
        "test": np.bincount(benchmark.test_labels, minlength=k).tolist(),
        "noise": {},
    }
    for noise in noises:
        if noise.startswith(HUMAN):
            given = benchmark.human[noise.removeprefix(HUMAN)]
            rates = noise_rate_per_class(benchmark.labels, given, k)
            overall = float(np.mean(given != benchmark.labels))
            described["noise"][noise] = {
                "overall": round(overall, 6),
                "per_class": np.round(rates, 6).tolist(),
            }
    return described


def run_path(folder: Path, config: BenchConfig, spec: RunSpec) -> Path:
    """Where the rows of a run are."""
    return folder / "runs" / f"{run_id(config.shown_name(spec.dataset), spec)}.csv"


def scratch_path(folder: Path, config: BenchConfig, spec: RunSpec) -> Path:
    """Where a run may keep what it needs to go on, until it is finished."""
    return folder / "unfinished" / run_id(config.shown_name(spec.dataset), spec)


def store(
    folder: Path, config: BenchConfig, spec: RunSpec, measures: list[Measure], snapshot: dict[str, Any] | None
) -> None:
    """Write a finished run; its rows last, since they are what says that it is finished, and forget what it kept."""
    shown = config.shown_name(spec.dataset)
    if snapshot is not None:
        path = folder / "snapshots" / f"{run_id(shown, spec)}.npz"
        write_atomically(path, lambda file: np.savez_compressed(file, **snapshot))
    rows = [Row(shown, *spec[1:], *measure) for measure in measures]
    write_run(run_path(folder, config, spec), rows)
    shutil.rmtree(scratch_path(folder, config, spec), ignore_errors=True)
    with contextlib.suppress(OSError):  # others are unfinished
        scratch_path(folder, config, spec).parent.rmdir()


def pictured(config: BenchConfig) -> set[RunSpec]:
    """One DIRECT run of each data set whose first round is kept: in batches and without noise where there is one."""
    chosen: dict[str, RunSpec] = {}
    for spec in config.runs():
        if spec.strategy == "direct" and spec.seed == 0:
            best = chosen.setdefault(spec.dataset, spec)
            rank = [(s.noise == "0", s.parallel == 5) for s in (spec, best)]
            if rank[0] > rank[1]:
                chosen[spec.dataset] = spec
    return set(chosen.values())


def snapshot_arrays(snapshot: Snapshot, benchmark: Benchmark) -> dict[str, Any]:
    """The arrays of a snapshot's file; nothing in it needs pickle."""
    return {
        "probs": snapshot.probs,
        "labels_before": snapshot.labels_before,
        "labels_after": snapshot.labels_after,
        "asked": snapshot.asked,
        "clean": benchmark.labels,
        "classes": np.array(benchmark.classes),
    }
