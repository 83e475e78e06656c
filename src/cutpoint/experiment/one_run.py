"""One run of a benchmark: what it is told, what it does, and what it sends back to the process that stores it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cutpoint.data import Benchmark, DataOptions, load_benchmark
from cutpoint.data.captions import captions
from cutpoint.errors import CutpointError
from cutpoint.experiment.campaign import Measure, Schedule, State, run_campaign
from cutpoint.experiment.config import BenchConfig, RunSpec
from cutpoint.experiment.folder import pictured, scratch_path, snapshot_arrays
from cutpoint.experiment.heard import heard
from cutpoint.experiment.observed import observed_labels
from cutpoint.experiment.unfinished import Diary
from cutpoint.learners import make_learner
from cutpoint.learners.base import equipped


class Outcome(NamedTuple):
    """What a worker sends back; said: what the strategy logged; failed: the error that ended the run."""

    spec: RunSpec
    measures: list[Measure]
    snapshot: dict[str, Any] | None
    said: list[str]
    failed: str | None = None


class Places(NamedTuple):
    """Where a worker reads and keeps what it needs: the data root, and the results folder for unfinished fits."""

    root: Path | None
    folder: Path


def run_one(config: BenchConfig, spec: RunSpec, places: Places, tell: Callable[[int, int], object]) -> Outcome:
    """One whole run, or why it failed, as by a fit that diverges: the others go on."""
    try:
        return _run(config, spec, places, tell)
    except CutpointError as error:
        return Outcome(spec, [], None, [], str(error))


def _run(config: BenchConfig, spec: RunSpec, places: Places, tell: Callable[[int, int], object]) -> Outcome:
    """One whole run; after each round `tell` is called with the rounds done before and now."""
    options = options_of(config, spec.dataset, places.root)
    benchmark = benchmark_of(spec.dataset, options)
    schedule = Schedule(config.first, config.budget, config.rounds, spec.parallel)
    observed = observed_labels(benchmark, spec.noise, spec.seed)
    scratch = scratch_path(places.folder, config, spec)
    learner = make_learner(config.learner, benchmark.n_classes)
    learner = equipped(learner, root=options.data_root, scratch=scratch, captions=captions(benchmark))
    diary = Diary(scratch)
    begun = diary.read(observed)
    before = begun.measures[-1].round + 1 if begun else 0

    def keep(state: State) -> None:
        diary.write(state)
        tell(before, state.measures[-1].round + 1 - before)

    with heard() as said:
        measures, snapshot = run_campaign(
            *(benchmark, observed, spec.strategy, learner, schedule),
            seed=spec.seed,
            begun=begun,
            keep=keep,
        )
    arrays = snapshot_arrays(snapshot, benchmark) if snapshot is not None and spec in pictured(config) else None
    return Outcome(spec, measures, arrays, said)


@lru_cache(maxsize=1)
def benchmark_of(dataset: str, options: DataOptions) -> Benchmark:
    """The data set, kept until another one is asked for: runs come data set by data set."""
    return load_benchmark(dataset, options)


def options_of(config: BenchConfig, dataset: str, root: Path | None) -> DataOptions:
    """How the data set is to be read, and from which folder."""
    return replace(config.data_options(dataset), root=root)
