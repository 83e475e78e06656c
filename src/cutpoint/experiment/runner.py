"""Runs a benchmark in several processes, so that it can be stopped at any moment and gone on with.

The parent alone writes. A worker computes one run after another on one core, keeps the data set that it used
last, and ends by itself when the parent is gone.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

from cutpoint.data import DataOptions
from cutpoint.data.captions import captions
from cutpoint.data.obtain import check_present
from cutpoint.data.side_by_side import Job, become
from cutpoint.errors import CutpointError, RunError, UsageError
from cutpoint.experiment.campaign import Schedule, run_campaign
from cutpoint.experiment.config import BenchConfig, RunSpec, run_id
from cutpoint.experiment.folder import (
    begin,
    describe,
    note_logged,
    note_versions,
    refuse_foreign,
    store,
)
from cutpoint.experiment.heard import heard
from cutpoint.experiment.machine import slow_here
from cutpoint.experiment.observed import observed_labels
from cutpoint.experiment.one_run import Outcome, Places, benchmark_of, options_of, run_one
from cutpoint.experiment.processes import one_thread, one_thread_in_children, signals_kept_from_children
from cutpoint.experiment.progress import Progress, Rounds, note
from cutpoint.experiment.results import locked, read_runs
from cutpoint.learners import make_learner
from cutpoint.learners.base import check_gives, check_reads, check_ready, equipped
from cutpoint.words import count

POLL = 1.0  # seconds between two looks at how far the workers are


def prepare(config: BenchConfig, root: Path | None, warn: Callable[[str], object] = warnings.warn) -> dict[str, Any]:
    """Description of each data set by its shown name; raises the errors of all of them before any run.

    `warn` is called with the note of each data set that has one, and if the learner will be slow here.
    """
    check_learner(config, root)
    slow = slow_here(config.learner)
    if slow:
        warn(slow)
    check_present(config.datasets, DataOptions(root=root).data_root)
    described = {}
    for dataset in config.datasets:
        benchmark = benchmark_of(dataset, options_of(config, dataset, root))
        check_reads(benchmark.pool, make_learner(config.learner, benchmark.n_classes), config.learner)
        n, needed = benchmark.pool.n_examples, config.first + config.rounds * config.budget
        if needed > n:
            raise UsageError(
                f"a first batch of {config.first} and {count(config.rounds, 'round')} of {config.budget} need "
                f"{needed} examples, and the "
                f"pool of {dataset} has {n}; lower --first, --budget or --rounds."
            )
        noises = tuple(noise for suite in config.suites if dataset in suite.datasets for noise in suite.noise)
        for noise in noises:
            observed_labels(benchmark, noise, 0)
        described[config.shown_name(dataset)] = describe(benchmark, noises)
        if benchmark.note:
            warn(benchmark.note)
    return described


def check_learner(config: BenchConfig, root: Path | None) -> None:
    """Raise what is to be said of the learner before anything is read: what it does not give, or lacks here."""
    learner = make_learner(config.learner, 2)
    for strategy in config.strategies:
        check_gives(strategy, learner, config.learner)
    check_ready(equipped(learner, root=DataOptions(root=root).data_root, scratch=None))


def run_benchmark(
    config: BenchConfig,
    folder: Path,
    *,
    root: Path | None = None,
    jobs: int = 1,
    preset: str | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    warn: Callable[[str], object] = warnings.warn,
) -> int:
    """Do all runs that are not done yet and store them; the number of runs done now.

    `progress` is called at the start, after rounds and after each run, `warn` if the versions are no longer those that
    the folder was begun with, if rows of a data file are left out, and with what strategies logged. An interrupt
    (Ctrl-C) passes through; nothing stored is harmed. RunError, after all others are done, if a run failed.
    """
    if jobs < 1:
        raise UsageError(f"jobs is {jobs}; it must be at least 1.")
    refuse_foreign(folder)
    described = prepare(config, root, warn)
    with locked(folder):
        begin(folder, config, described, preset)
        done = read_runs(folder, config)
        runs = config.runs()
        left = [spec for spec in runs if spec not in done]
        changed = note_versions(folder, config) if left else None
        if changed:
            warn(changed)
        start = Progress(len(done), len(runs), len(done), config.rounds + 1)
        said, failed = _do(config, left, Places(root, folder), jobs, Rounds(len(left), start, progress))
        for sentence, times in said.items():
            warn(f"in {count(times, 'run')}: {sentence}")
        if failed:
            first = next(spec for spec in left if spec in failed)
            raise RunError(
                f"{len(runs) - len(failed)} of {count(len(runs), 'run')} done; {len(failed)} failed"
                f"{', the first of them' if len(failed) > 1 else ''}: "
                f"{run_id(config.shown_name(first.dataset), first)}: {failed[first]}"
            )
    return len(left)


def _do(
    config: BenchConfig, left: list[RunSpec], places: Places, jobs: int, rounds: Rounds
) -> tuple[Counter[str], dict[RunSpec, str]]:
    """Do these runs and store each; what strategies logged, in how many runs, and why the runs failed that did."""
    said: Counter[str] = Counter()
    failed: dict[RunSpec, str] = {}
    rounds.show(0)
    for ended, outcome in enumerate(_outcomes(config, left, places, jobs, rounds), start=1):
        if outcome.failed is not None:
            failed[outcome.spec] = outcome.failed
            continue
        store(places.folder, config, outcome.spec, outcome.measures, outcome.snapshot)
        if outcome.said:
            note_logged(places.folder, config, outcome.spec, outcome.said)
        said.update(outcome.said)
        rounds.show(ended - len(failed))
    return said, failed


def estimate_seconds(config: BenchConfig, root: Path | None, jobs: int) -> float:
    """Wall-clock seconds of all runs: a round of each kind, measured at half the labels, multiplied."""
    total = 0.0
    with one_thread():
        for dataset in config.datasets:
            options = options_of(config, dataset, root)
            benchmark = benchmark_of(dataset, options)
            specs = [spec for spec in config.runs() if spec.dataset == dataset]
            kinds = {(spec.strategy, spec.parallel): spec for spec in specs if spec.seed == 0}
            half = config.first + config.budget * (config.rounds // 2)
            for (strategy, parallel), spec in kinds.items():
                times = sum((s.strategy, s.parallel) == (strategy, parallel) for s in specs)
                schedule = Schedule(half, config.budget, min(config.rounds, 1), parallel)
                learner = equipped(
                    make_learner(config.learner, benchmark.n_classes),
                    root=options.data_root,
                    scratch=None,
                    captions=captions(benchmark),
                )
                observed = observed_labels(benchmark, spec.noise, 0)
                started = perf_counter()
                with heard():
                    run_campaign(benchmark, observed, strategy, learner, schedule, seed=0)
                rounds = (config.rounds + 1) / (schedule.rounds + 1)
                total += times * rounds * (perf_counter() - started)
    return total / max(1, min(jobs, len(config.runs())))


def _outcomes(config: BenchConfig, left: list[RunSpec], places: Places, jobs: int, rounds: Rounds) -> Iterator[Outcome]:
    """The outcome of every run as it gets ready; in this process if there is one job."""
    if not left:
        return
    if jobs == 1:
        with one_thread():
            for number, spec in enumerate(left):
                yield run_one(config, spec, places, partial(rounds.note, number))
        return
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)  # closing it, or being killed, is seen at once by all workers
    with theirs, ours, one_thread_in_children():
        workers = min(jobs, len(left))
        numbers = context.SimpleQueue()
        for number in range(workers):
            numbers.put(Job(number, workers))
        pool = ProcessPoolExecutor(workers, context, _start_worker, (theirs, rounds.shared, numbers))
        try:
            waiting = iter(enumerate(left))
            running: set[Future[Outcome]] = set()
            while True:
                for number, spec in waiting:  # a short queue: what is not begun needs no cancelling
                    with signals_kept_from_children():
                        running.add(pool.submit(run_one, config, spec, places, partial(_noted, number)))
                    if len(running) >= 2 * jobs:
                        break
                if not running:
                    return
                ready, running = wait(running, POLL, return_when=FIRST_COMPLETED)
                rounds.show()
                for future in ready:
                    yield future.result()
        except BrokenProcessPool:
            ours.close()
            raise CutpointError(
                "a worker process ended unexpectedly (out of memory?); the same command goes on, with fewer --jobs."
            ) from None
        except BaseException:
            ours.close()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_rounds: Any = None  # of a worker: what it shares with its parent


def _noted(number: int, before: int, now: int) -> None:
    """Let the parent know how far the run of that number is."""
    note(_rounds, number, before, now)


def _start_worker(parent: Connection, shared: Any, numbers: Any) -> None:
    """End at once when the parent closes its end, or is gone.

    shared: where rounds are noted; numbers: a queue from which each worker takes which one it is.
    """
    global _rounds
    _rounds = shared

    def watch() -> None:
        with suppress(OSError):
            parent.poll(None)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    become(numbers.get())
