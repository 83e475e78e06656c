"""The command `cutpoint`: thin, and quick to answer, since every command imports what it needs when it runs.

Exit codes: 0 done, 1 failed, 2 your input (one sentence on stderr), 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cutpoint.cli_campaign_report import report
from cutpoint.cli_cite import cite
from cutpoint.cli_data import data_check, data_fetch, data_list
from cutpoint.cli_doctor import doctor
from cutpoint.cli_export import export
from cutpoint.cli_import import classes_add, classes_list, import_labels
from cutpoint.cli_init import init
from cutpoint.cli_paper import paper_list, paper_plot, paper_run
from cutpoint.cli_replay import replay
from cutpoint.cli_report import bench_report
from cutpoint.cli_run import bench_run
from cutpoint.cli_select import select
from cutpoint.cli_serve import serve
from cutpoint.cli_status import status
from cutpoint.errors import CutpointError, DataError, UsageError

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
app.command("replay")(replay)
app.command("doctor")(doctor)
classes = typer.Typer(help="Add classes to a campaign, or list them.", no_args_is_help=True)
app.add_typer(classes, name="classes")
classes.command("add")(classes_add)
classes.command("list")(classes_list)
app.command("select")(select)
app.command("cite")(cite)
bench.command("run")(bench_run)
bench.command("report")(bench_report)
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


def main() -> None:
    """Run the command and exit."""
    sys.exit(run_cli(sys.argv[1:]))


def run_cli(arguments: list[str]) -> int:
    """The exit code of a command line; what went wrong is one sentence on stderr, never a traceback."""
    try:
        code = app(arguments, prog_name="cutpoint", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except CutpointError as error:
        return _fail(str(error), 2 if isinstance(error, UsageError | DataError) else 1)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted.", 130)
    except OSError as error:  # no space, no permission, a folder where a file should be
        return _fail(f"{error.filename or 'the system'}: {error.strerror or error}; what was stored before is kept.", 1)
    except Exception as error:
        if not hasattr(error, "format_message"):  # what the command line parser raises says what is wrong
            raise
        if not error.format_message():
            return 2  # no arguments: the help was printed instead
        asked = getattr(getattr(error, "ctx", None), "command_path", "cutpoint")
        return _fail(f"{error.format_message().rstrip('.')}; see `{asked} --help`.", 2)


def _fail(message: str, code: int) -> int:
    typer.echo(f"error: {' '.join(message.split())}" if code != 130 else message, err=True)
    return code
