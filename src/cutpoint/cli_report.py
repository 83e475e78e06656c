"""`cutpoint bench report`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cutpoint.experiment.report import Report


def bench_report(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="A folder that `bench run` wrote into.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the report goes; not given: OUT/report.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="Labels to reach what: random, galaxy, best:0.9, 0.8, ... Commas or several times."),
    ] = None,
    main: Annotated[
        str | None,
        typer.Option(
            metavar="STRATEGY",
            help="Whom the report is about, such as galaxy or direct:20; not given: direct with 5 at a time, or the "
            "first in reading order.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON and write no files.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write the report and print nothing.")] = False,
) -> None:
    """Tables, figures and one HTML page of what `bench run` measured; also while it is still running."""
    from cutpoint.cli_stopping import leaving
    from cutpoint.experiment.report import read_report, summary, write_report

    targets = [part.strip() for text in target or () for part in text.split(",") if part.strip()]
    report = read_report(folder, targets, main)
    if as_json:
        import json

        typer.echo(json.dumps(summary(report), indent=2, ensure_ascii=False, allow_nan=False))
        return
    with leaving("the files of the report that were written are whole; the same command writes the rest"):
        page = write_report(report, output or folder / "report")
    if not quiet:
        _show(report)
        typer.echo(f"Page, figures (PNG, SVG) and tables (CSV, Markdown): {page.parent}")
        typer.echo(f"Open {page}")


def _show(report: Report) -> None:
    """Print the headline and the tables that fit a terminal of 100 columns."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from cutpoint.experiment.headline import headline
    from cutpoint.experiment.report_tables import terminal_tables

    console = Console(highlight=False)
    console.width = min(console.width, 100) if console.is_terminal else 100
    console.print(Text(f"{report.title}: {report.progress}", style="bold"))
    for line in headline(report.findings):
        console.print(Padding(Text(f"• {line}"), (0, 0, 0, 1)))
    for table in terminal_tables(report.findings):
        console.print()
        console.print(table.rich())
