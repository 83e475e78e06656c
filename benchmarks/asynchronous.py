"""Many annotators who wait for nobody, against one: `python benchmarks/asynchronous.py [--data-root FOLDER]`.

A discrete-event simulation of the real desk. It prints, for each number of annotators, balanced accuracy at equal
labels less that of one annotator who is asked one question at a time and waits for every training, paired over seeds
(same noise, same first batch); how long people sat idle; and the time to a target against desks that wait for whole
batches. Ends with status 1 if an item was leased twice at a time, or anybody was idle while work was left. With a
data root it takes CIFAR-10 (JPEG) features in two classes, without one a small pool of digits.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from cutpoint.data import DataOptions, load_benchmark
from cutpoint.data.pool import Benchmark
from cutpoint.experiment.observed import observed_labels
from simulated import Clock, Habits, Outcome, RealDesk, Simulation, WaitingDesk

LARGE = {"dataset": "cifar10-jpeg-2", "seeds": 10, "first": 100, "budget": 100, "labels": 1100}
SMALL = {"dataset": "digits-2", "seeds": 3, "first": 40, "budget": 20, "labels": 160}
SHARE_OF_FINAL = 0.98  # the target: so much of what one waiting annotator reaches at the end


def campaign(benchmark: Benchmark, people: int, options: argparse.Namespace, *, seed: int, waiting: bool) -> Outcome:
    """One simulated campaign."""
    clock, habits = Clock(), Habits(training=options.training)
    observed = observed_labels(benchmark, options.noise, seed)
    sizes = (options.first, options.budget)
    fixed = (benchmark.pool.n_examples, benchmark.n_classes, sizes, seed, clock, habits.lease)
    work = WaitingDesk(*fixed, people) if waiting else RealDesk(*fixed)
    return Simulation(benchmark, observed, habits, seed=seed, clock=clock).run(work, people, options.labels)


def interval(values: list[float]) -> tuple[float, float]:
    """(mean, half width of its 95 % interval) of paired differences, by Student's t."""
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return float(np.mean(values)), float("nan")
    return float(np.mean(values)), float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))


def show(seconds: list[float | None]) -> str:
    """The median time to the target, and how many reached it."""
    reached = [value for value in seconds if value is not None]
    return f"{np.median(reached):7.0f} s ({len(reached)}/{len(seconds)})" if reached else "      never"


def compare(people: int, runs: list[Outcome], waits: list[Outcome], alone: list[Outcome]) -> bool:
    """Print a line of the table; whether nobody was idle and no item leased twice."""
    targets = [SHARE_OF_FINAL * outcome.final for outcome in alone]
    mean, half = interval([100 * (run.final - one.final) for run, one in zip(runs, alone, strict=True)])
    ours = [run.reached(target) for run, target in zip(runs, targets, strict=True)]
    theirs = [wait.reached(target) for wait, target in zip(waits, targets, strict=True)]
    idle = 100 * np.mean([wait.idle / (people * wait.seconds) for wait in waits])
    print(
        f"{people:10d}  {100 * np.mean([run.final for run in runs]):6.2f}  {mean:+6.2f} ± {half:4.2f}"
        f"  {show(ours):>18}  {show(theirs):>18}  {np.mean([run.seconds for run in runs]):7.0f} s"
        f"  {np.mean([wait.seconds for wait in waits]):7.0f} s  {idle:5.1f} %"
        f"  {sum(run.walked for run in runs):6d}  {sum(run.late for run in runs):5d}",
        flush=True,
    )
    idle_ours, doubled = sum(run.idle for run in runs), sum(run.doubled for run in runs)
    if idle_ours or doubled:
        print(f"MISSED: {idle_ours:.0f} s idle while work was left, {doubled} items leased twice at a time")
    return not idle_ours and not doubled


def main() -> int:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", type=Path, help="the folder with cifar10_jpeg_features.npz")
    for name, value in LARGE.items():
        said = f"{value} with a data root, else {SMALL[name]}"
        parser.add_argument(f"--{name}", type=type(value), help=said)
    parser.add_argument("--noise", default="0.1")
    parser.add_argument("--training", type=float, default=20.0, help="seconds that a training takes")
    parser.add_argument("--annotators", default="1,4,16,64")
    parser.set_defaults(**(LARGE if "--data-root" in " ".join(sys.argv) else SMALL))
    options = parser.parse_args()
    benchmark = load_benchmark(options.dataset, DataOptions(root=options.data_root))
    counts = [int(count) for count in options.annotators.split(",")]
    print(f"{options.dataset}, noise {options.noise}, {options.labels} labels, {options.seeds} seeds, paired")
    print("annotators      BA  difference to one      target: async            waiting", end="")
    print("  all: async   waiting     idle  walked   late")
    seeds = range(options.seeds)
    alone = [campaign(benchmark, 1, options, seed=seed, waiting=True) for seed in seeds]
    print(f"   waiting  {100 * np.mean([one.final for one in alone]):6.2f}  (one annotator, one question at a time)")
    fine = True
    for people in counts:
        runs = [campaign(benchmark, people, options, seed=seed, waiting=False) for seed in seeds]
        waits = [campaign(benchmark, people, options, seed=seed, waiting=True) for seed in seeds]
        fine &= compare(people, runs, waits, alone)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
