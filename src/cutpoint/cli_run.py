"""`cutpoint bench run`: options in, runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutpoint.cli_data import RootOption
from cutpoint.cli_stopping import Terminated, terminable
from cutpoint.cli_terminal import EVERY, duration

if TYPE_CHECKING:  # all of it is imported late: --help must not wait for it
    from cutpoint.experiment.config import BenchConfig
    from cutpoint.experiment.progress import Progress

DEFAULT_STRATEGIES = ["direct", "galaxy", "margin", "random"]
Many = list[str] | None


DatasetOption = Annotated[
    Many, typer.Option(help="Data sets: digits-2, drawn-3:n=2000, imb-cifar10-2, a file, ...; all: cutpoint data list.")
]
PresetOption = Annotated[str | None, typer.Option(help="Start from named options: quick, features.")]
StrategiesOption = Annotated[Many, typer.Option(help="Strategies, by name.")]
NoiseOption = Annotated[Many, typer.Option(help="Rates, human:COLUMN, matrix:FILE or annotators:FILE.")]
ParallelOption = Annotated[Many, typer.Option(help="Annotators at a time, for strategies that care.")]
SeedsOption = Annotated[int | None, typer.Option(help="How many seeds: 0, 1, 2, ...")]
FirstOption = Annotated[int | None, typer.Option(help="Labels of the first, random batch.")]
BudgetOption = Annotated[int | None, typer.Option(help="Labels of each further round.")]
RoundsOption = Annotated[int | None, typer.Option(help="Rounds after the first batch.")]
LearnerOption = Annotated[
    str | None,
    typer.Option(
        help="logistic, mlp, torch-linear, torch-mlp, resnet18, clip or onnx, options behind it: logistic:C=0.01; all: "
        "cutpoint bench learners."
    ),
]
FeaturesOption = Annotated[str | None, typer.Option(help="Of a data file: its features.")]
LabelOption = Annotated[str | None, typer.Option(help="Of a data file: its labels.")]
SplitOption = Annotated[str | None, typer.Option(help="Of a data file: its split.")]
GroupOption = Annotated[int | None, typer.Option(help="Join the classes of a data file to this many.")]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the results.")]
JobsOption = Annotated[int | None, typer.Option(help="Processes; as many as cores if not given.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the runs and their hours, and stop.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def bench_run(
    *,
    dataset: DatasetOption = None,
    preset: PresetOption = None,
    strategies: StrategiesOption = None,
    noise: NoiseOption = None,
    parallel: ParallelOption = None,
    seeds: SeedsOption = None,
    first: FirstOption = None,
    budget: BudgetOption = None,
    rounds: RoundsOption = None,
    learner: LearnerOption = None,
    features_column: FeaturesOption = None,
    label_column: LabelOption = None,
    split_column: SplitOption = None,
    group: GroupOption = None,
    data_root: RootOption = None,
    out: OutOption = None,
    jobs: JobsOption = None,
    dry_run: DryRunOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run strategies on data sets under noise, over several seeds, and store what was measured.

    Lists are separated by commas. The same command goes on where it was stopped.
    """
    from cutpoint.errors import UsageError

    named = {"strategies": _split(strategies), "parallel": _integers("parallel", _split(parallel)), "learner": learner}
    counts = {"seeds": seeds, "first": first, "budget": budget, "rounds": rounds, "group": group}
    columns = {"features_column": features_column, "label_column": label_column, "split_column": split_column}
    config = _config(preset, _split(dataset), _split(noise), named | counts | columns)
    jobs = processes(jobs)
    if dry_run:
        _print_plan(config, data_root, jobs)
        return
    if out is None:
        raise UsageError("no folder for the results is given; name one with --out FOLDER.")
    run_shown(config, out, data_root=data_root, jobs=jobs, preset=preset, quiet=quiet)


def _config(
    preset: str | None, datasets: list[str] | None, noise: list[str] | None, given: dict[str, Any]
) -> BenchConfig:
    """The preset's options with the given ones over them."""
    from cutpoint.errors import UsageError
    from cutpoint.experiment import presets
    from cutpoint.experiment.config import make_config

    options: dict[str, Any] = {"strategies": DEFAULT_STRATEGIES} if preset is None else presets.preset(preset)
    if datasets:
        before = options.get("suites", [{"noise": ["0"]}])
        options["suites"] = [{"datasets": datasets, "noise": before[0]["noise"]}]
    if "suites" not in options:
        raise UsageError("no data set is given; name one with --dataset, or a preset with --preset.")
    if noise:
        options["suites"] = [{**suite, "noise": noise} for suite in options["suites"]]
    return make_config(options | {name: value for name, value in given.items() if value is not None})


def _split(texts: Many) -> list[str] | None:
    """All parts between commas, of all times the option was given."""
    parts = [part.strip() for text in texts or () for part in text.split(",")]
    return [part for part in parts if part] or None


def _integers(name: str, texts: list[str] | None) -> list[int] | None:
    from cutpoint.errors import UsageError

    if texts is None:
        return None
    wrong = [text for text in texts if not text.lstrip("-").isdecimal()]
    if wrong:
        raise UsageError(f"{name} is '{wrong[0]}'; it must be whole numbers, separated by commas.")
    return [int(text) for text in texts]


def processes(jobs: int | None) -> int:
    """How many processes were asked for; otherwise, as many as this one may use cores."""
    import os

    from cutpoint.errors import UsageError

    if jobs is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if jobs < 1:
        raise UsageError(f"jobs is {jobs}; it must be at least 1.")
    return jobs


def run_shown(
    config: BenchConfig,
    out: Path,
    *,
    data_root: Path | None,
    jobs: int,
    preset: str | None,
    quiet: bool,
    warned: set[str] | None = None,
) -> None:
    """Do the runs that are left, showing how far it is; an interrupt ends the command and keeps what is finished.

    warned: what was said before and is not said again; it grows.
    """
    from cutpoint.experiment.runner import run_benchmark
    from cutpoint.words import count

    last: list[Progress] = []
    warned = set() if warned is None else warned

    def warn(text: str) -> None:
        if not quiet and text not in warned:
            _warn(text)
        warned.add(text)

    try:
        with terminable(), _shown_progress(quiet) as show:

            def progress(now: Progress) -> None:
                last[:] = [now]
                show(now)

            new = run_benchmark(config, out, root=data_root, jobs=jobs, preset=preset, progress=progress, warn=warn)
    except KeyboardInterrupt as error:
        done = f"{last[0].done} of {count(last[0].total, 'run')} finished and kept" if last else "nothing was run yet"
        typer.echo(f"interrupted: {done}; the same command goes on from there.", err=True)
        raise typer.Exit(143 if isinstance(error, Terminated) else 130) from None
    if not quiet:
        already = last[0].found
        typer.echo(f"{count(new, 'run')} done{f', {already} done before' if already else ''}: {out}")
        typer.echo(f"See them with: cutpoint bench report {out}")


def _warn(text: str) -> None:
    typer.echo(f"warning: {text}", err=True)


@contextmanager
def _shown_progress(quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A bar of the rounds of all runs with the time left on a terminal; elsewhere, a line now and then."""
    from time import monotonic

    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    from cutpoint.experiment.progress import Forecast
    from cutpoint.words import count

    console, forecast = Console(stderr=True), Forecast()
    spoke = monotonic()
    columns = BarColumn(), TextColumn("{task.description}")
    bar = Bar(*columns, console=console, disable=quiet or not console.is_terminal)
    with bar:
        task = bar.add_task("")

        def show(now: Progress) -> None:
            nonlocal spoke
            text = f"{now.done} of {count(now.total, 'run')}, {now.rounds} of {count(now.all_rounds, 'round')}"
            left = forecast.left(now, monotonic())
            if left is not None:
                text += f", {duration(left)} left"
            bar.update(task, description=text, completed=now.rounds, total=now.all_rounds)
            if bar.disable and not quiet and monotonic() - spoke > EVERY:
                spoke = monotonic()
                typer.echo(text, err=True)

        yield show


def _print_plan(config: BenchConfig, data_root: Path | None, jobs: int) -> None:
    """A table of the runs, what they will take, and the rates of human noise."""
    from rich.console import Console
    from rich.table import Table

    from cutpoint.experiment.runner import estimate_seconds, prepare
    from cutpoint.learners import make_learner
    from cutpoint.learners.base import reads
    from cutpoint.words import count

    described = prepare(config, data_root, _warn)
    table = Table(title="Runs")
    for column in ("data set", "noise", "strategies", "seeds", "runs"):
        table.add_column(column, justify="right" if column in ("seeds", "runs") else "left")
    runs = config.runs()
    for dataset, noise in dict.fromkeys((spec.dataset, spec.noise) for spec in runs):
        here = [spec for spec in runs if (spec.dataset, spec.noise) == (dataset, noise)]
        variants = dict.fromkeys((spec.strategy, spec.parallel) for spec in here)
        names: dict[str, list[str]] = {}
        for strategy, parallel in variants:
            names.setdefault(strategy, []).append(str(parallel))
        shown = ", ".join(f"{name} ({', '.join(many)})" if name == "direct" else name for name, many in names.items())
        table.add_row(config.shown_name(dataset), noise, shown, str(config.seeds), str(len(here)))
    console = Console(width=100)
    console.print(table)
    for name, about in described.items():
        for noise, rates in about["noise"].items():
            each = ", ".join(f"{c} {r:.1%}" for c, r in zip(about["classes"], rates["per_class"], strict=True))
            console.print(f"{name}, {noise}: {rates['overall']:.1%} wrong after grouping ({each})", highlight=False)
    what, how = count(len(runs), "run"), count(jobs, "process")
    if reads(make_learner(config.learner, 2)) == "pictures":
        console.print(_work(config, described), highlight=False)
        return
    hours = estimate_seconds(config, data_root, jobs) / 3600
    took = f"{hours:.1f} hours" if hours >= 0.1 else f"{hours * 60:.1f} minutes"
    console.print(f"{what}, about {took} with {how} (estimated)", highlight=False)


def _work(config: BenchConfig, described: dict[str, Any]) -> str:
    """What a learner of pictures has to do, whose time nobody knows before it has trained."""
    from cutpoint.words import count

    runs, rounds = len(config.runs()), config.rounds + 1
    scored = " or ".join(dict.fromkeys(str(sum(about["pool"]) + sum(about["test"])) for about in described.values()))
    most = config.first + config.rounds * config.budget
    return (
        f"{count(runs, 'run')} of {count(rounds, 'round')}: {config.learner} is fitted {runs * rounds} times, on "
        f"{config.first} to {most} labels, and scores {scored} pictures each time. How long that takes depends on the "
        "device, and nothing was trained to find out: a run says the time left, and --seeds 1 --rounds 1 is a small "
        "one."
    )
