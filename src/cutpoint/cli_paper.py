"""`cutpoint paper`: list, run and draw the figures of the paper; everything heavy is imported when it runs."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutpoint.cli_data import RootOption
from cutpoint.cli_run import QuietOption

if TYPE_CHECKING:
    from cutpoint.experiment.config import BenchConfig
    from cutpoint.paper.figure import Campaign, Figure

OUT, TOY_OUT = Path("out/paper"), Path("out/paper-toy")

FigureArgument = Annotated[str, typer.Argument(metavar="FIGURE", help="fig01 to fig23.")]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        help="Folder of the runs, one below it for each campaign, which figures share, and of the figures. Not given: "
        "out/paper, or out/paper-toy with --toy.",
    ),
]
ToyOption = Annotated[
    bool,
    typer.Option(
        "--toy", help="Small drawn pools and a light learner, to see in seconds what will come: no data, no GPU."
    ),
]


class Schedule(StrEnum):
    """How long ResNet-18 is trained in a round."""

    paper = "paper"
    short = "short"


ScheduleOption = Annotated[
    Schedule,
    typer.Option(
        "--schedule",
        help="Of ResNet-18: the paper's 500 epochs, or 60 with a falling rate, an eighth of the steps, in folders of "
        "another name (fig06-short).",
    ),
]


LearnerOptionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--learner-option",
        metavar="KEY=VALUE",
        help="An option of the learner in place of the paper's, such as batch=50 or device=cpu; may be given several "
        "times. All are in cutpoint bench learners.",
    ),
]


def paper_list(*, data_root: RootOption = None) -> None:
    """The figures of the paper: data, noise, learner, what they show, and whether the data is here."""
    from rich.console import Console
    from rich.table import Table

    from cutpoint.paper import FIGURES

    table = Table()
    for column, width in (("figure", 6), ("data", 18), ("noise", 11), ("learner", 15), ("shows", 23), ("here", 8)):
        table.add_column(column, width=width)
    for name, figure in FIGURES.items():
        table.add_row(name, *_described(name, figure), _here(figure, data_root))
    console = Console(width=100, highlight=False)
    console.print(table)
    console.print(f"Data root: {data_root or 'none; give --data-root or set CUTPOINT_DATA'}", soft_wrap=True)
    fetch = f"cutpoint data fetch NAME --data-root {data_root or 'FOLDER'}"
    console.print(f"Accuracy is balanced accuracy. Fetch data with: {fetch}", soft_wrap=True)
    console.print("Without data or GPU, in seconds: cutpoint paper run fig06 --toy")


def _described(name: str, figure: Figure) -> tuple[str, str, str, str]:
    """Data, noise, learner and what is shown; figures made of others' panels say which."""
    if not figure.panels:
        return "drawn", "-", "-", figure.shows
    short = {
        "balanced_accuracy": "accuracy",
        "pool_balanced_accuracy": "pool accuracy",
        "minority_found": "rare labels",
    }
    noises = dict.fromkeys(f"{100 * float(campaign.noise):g}" for campaign in figure.campaigns)
    learners = dict.fromkeys(campaign.learner for campaign in figure.campaigns)
    own = all(campaign.name.startswith(name) for campaign in figure.campaigns)
    data = [campaign.dataset if own else campaign.name.removeprefix("fig") for campaign in figure.campaigns]
    where = ", ".join(data) if own else f"as {', '.join(data)}"
    return where, f"{', '.join(noises)} %", "; ".join(learners), ", ".join(short[metric] for metric in figure.metrics)


def _here(figure: Figure, data_root: Path | None) -> str:
    from cutpoint.paper.campaigns import data_here

    found = list(data_here(figure.campaigns, data_root).values())
    if not found:
        return "-"
    return "yes" if all(found) else f"{sum(found)} of {len(found)}" if any(found) else "no"


def paper_run(
    figure: FigureArgument,
    *,
    seeds: Annotated[int | None, typer.Option(help="How many seeds; not given: 4, with --toy 2.")] = None,
    data_root: RootOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Processes, each with one core; not given: as many as cores, and 1 where they would share a GPU, or "
            "with --toy."
        ),
    ] = None,
    out: OutOption = None,
    toy: ToyOption = False,
    schedule: ScheduleOption = Schedule.paper,
    learner_option: LearnerOptionsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Run what a figure of the paper shows; the same command goes on where it was stopped.

    Runs that several figures show are done once. To try a figure small: --toy, --seeds 1, --schedule short.
    """
    from cutpoint.cli_run import run_shown
    from cutpoint.errors import RunError
    from cutpoint.experiment.runner import check_learner
    from cutpoint.paper import figure_name
    from cutpoint.paper.campaigns import check_data, config_of

    name = figure_name(figure)
    chosen = _chosen(name, schedule, toy)
    campaigns = chosen.campaigns
    if not campaigns:
        typer.echo(f"{name} is drawn and needs no runs: cutpoint paper plot {name}")
        return
    if not toy:
        check_data(name, chosen, data_root)
    others = _checked(learner_option or [], toy)
    configs = [config_of(campaign, seeds=seeds, toy=toy, learner_options=others) for campaign in campaigns]
    for config in {config.learner: config for config in configs}.values():  # of all, before the first one takes days
        check_learner(config, data_root)
    folder = out or (TOY_OUT if toy else OUT)
    jobs = _jobs(jobs, configs, toy)
    failed: list[str] = []
    warned: set[str] = set()
    for place, (campaign, config) in enumerate(zip(campaigns, configs, strict=True), start=1):
        if not quiet:
            typer.echo(f"{campaign.name}, {place} of {len(campaigns)}: {_named(campaign, toy)}")
        preset = f"{campaign.name} (toy)" if toy else campaign.name
        try:
            run_shown(
                *(config, folder / campaign.name),
                data_root=data_root,
                jobs=jobs,
                preset=preset,
                quiet=quiet,
                warned=warned,
            )
        except RunError as error:
            failed.append(f"{campaign.name}: {error}")
    if failed:
        raise RunError(" ".join(failed))
    if not quiet:
        words = [name, *(["--toy"] if toy else []), *(["--schedule short"] if chosen.short else [])]
        words += ["-o", shlex.quote(str(out))] if out else []
        typer.echo(f"Draw it with: cutpoint paper plot {' '.join(words)}")


def _checked(options: list[str], toy: bool) -> list[str]:
    """The options of the learner that were given; UsageError for those that mean nothing here."""
    from cutpoint.errors import UsageError

    if options and toy:
        raise UsageError(
            "--toy trains a logistic regression, so --learner-option means nothing with it; leave one of them out."
        )
    if any(option.startswith("schedule=") for option in options):
        raise UsageError("ResNet-18's schedule has folders of its own; give --schedule short in place of the option.")
    return options


def _jobs(wanted: int | None, configs: list[BenchConfig], toy: bool) -> int:
    """How many processes: as asked for, or one on each core; a GPU that they would share has one, and so has a toy."""
    from cutpoint.cli_run import processes
    from cutpoint.experiment.machine import device_of

    if wanted is None and (toy or any(device_of(config.learner) not in (None, "cpu") for config in configs)):
        return 1
    return processes(wanted)


def _named(campaign: Campaign, toy: bool) -> str:
    """Data, noise and learner of a campaign."""
    from cutpoint.experiment.statistics import noise_label
    from cutpoint.paper.campaigns import TOY_LEARNER

    data, learner = (f"{campaign.dataset} (toy)", TOY_LEARNER) if toy else (campaign.dataset, campaign.learner)
    return f"{data}, {noise_label(campaign.noise)}, {learner.partition(':')[0]}"


def _chosen(name: str, schedule: Schedule, toy: bool) -> Figure:
    """The figure of that name as it is to be run or drawn."""
    from cutpoint.errors import UsageError
    from cutpoint.paper import FIGURES
    from cutpoint.paper.settings import shortened

    if schedule is Schedule.paper:
        return FIGURES[name]
    if toy:
        raise UsageError("--toy trains no ResNet-18, so --schedule short means nothing with it; leave one of them out.")
    return shortened(FIGURES[name])


def paper_plot(
    figure: FigureArgument,
    *,
    out: OutOption = None,
    toy: ToyOption = False,
    schedule: ScheduleOption = Schedule.paper,
    smooth: Annotated[
        bool, typer.Option("--smooth", help="Below the raw curves, also moving averages of ten rounds.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Draw a figure of the paper from its runs, as PNG and SVG; also while they are still running."""
    from cutpoint.experiment.pictures import save
    from cutpoint.paper import figure_name
    from cutpoint.paper.campaigns import read_campaigns
    from cutpoint.paper.fig02_drawn import demonstration
    from cutpoint.paper.panels import drawn

    name = figure_name(figure)
    folder = out or (TOY_OUT if toy else OUT)
    chosen = _chosen(name, schedule, toy)
    file = f"{name}-short" if chosen.short else name
    if chosen.panels:
        picture = drawn(name, chosen, read_campaigns(name, chosen, folder, toy=toy), smooth=smooth)
    else:
        picture = demonstration()
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    save(picture, folder / "figures", file)
    if not quiet:
        typer.echo(f"{folder / 'figures' / file}.png and .svg")
