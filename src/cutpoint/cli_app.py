"""The commands of `cutpoint`, by name; each imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from cutpoint.cli_campaign_report import report
from cutpoint.cli_cite import cite
from cutpoint.cli_copy import copy
from cutpoint.cli_data import data_check, data_fetch, data_list
from cutpoint.cli_doctor import doctor
from cutpoint.cli_export import export
from cutpoint.cli_import import classes_add, classes_list, import_labels
from cutpoint.cli_init import init
from cutpoint.cli_learners import bench_learners
from cutpoint.cli_paper import paper_list, paper_plot, paper_run
from cutpoint.cli_replay import replay
from cutpoint.cli_report import bench_report
from cutpoint.cli_run import bench_run
from cutpoint.cli_select import select
from cutpoint.cli_serve import serve
from cutpoint.cli_status import status
from cutpoint.cli_strategy import strategy

app = typer.Typer(
    help="Active learning for classes that are rare and labels that are wrong.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
bench = typer.Typer(help="Compare strategies on data whose labels are known.", no_args_is_help=True)
data = typer.Typer(help="List, fetch and check the data sets of the paper.", no_args_is_help=True)
app.add_typer(bench, name="bench")
paper = typer.Typer(help="Run and draw the figures of the paper, one preset for each.", no_args_is_help=True)
app.add_typer(data, name="data")
app.add_typer(paper, name="paper")
app.command("init")(init)
app.command("serve")(serve)
app.command("status")(status)
app.command("report")(report)
app.command("export")(export)
app.command("import")(import_labels)
app.command("copy")(copy)
app.command("replay")(replay)
app.command("doctor")(doctor)
classes = typer.Typer(help="Add classes to a campaign, or list them.", no_args_is_help=True)
app.add_typer(classes, name="classes")
classes.command("add")(classes_add)
classes.command("list")(classes_list)
app.command("strategy")(strategy)
app.command("select")(select)
app.command("cite")(cite)
bench.command("run")(bench_run)
bench.command("report")(bench_report)
bench.command("learners")(bench_learners)
data.command("list")(data_list)
data.command("fetch")(data_fetch)
data.command("check")(data_check)
paper.command("list")(paper_list)
paper.command("run")(paper_run)
paper.command("plot")(paper_plot)


def _print_version(wanted: bool) -> None:
    if wanted:
        from cutpoint import __version__

        typer.echo(f"cutpoint {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold the options of the command itself."""


def invoke(arguments: list[str]) -> None:
    """Run a command line; raises whatever ends it, interrupts as they come (typer's own way would swallow them)."""
    command = typer.main.get_command(app)
    with command.make_context("cutpoint", arguments) as context:
        command.invoke(context)
