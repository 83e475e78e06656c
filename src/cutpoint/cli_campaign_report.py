"""`cutpoint report`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cutpoint.cli_terminal import FilesOption, NameArgument, QuietOption, say


def report(
    name: NameArgument,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="HTML page to write; not given: NAME-report.html here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is no report.")] = False,
    files: FilesOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write a campaign's report: one page, which fetches nothing. Also while it is served.

    An older report is replaced; any other file is not.

    What was found, where each class ends, how the model learned, who answered what, where people differ.
    """
    from cutpoint.data.whole import check_replaceable, write_atomically
    from cutpoint.service.overview.report import is_report, page
    from cutpoint.service.place import opened, title

    target = output or Path(f"{title(name)}-report.html")
    check_replaceable(target, "report", is_report, force)
    with opened(name, files) as (store, arrays):
        text = page(store, arrays)
    write_atomically(target, lambda file: file.write(text.encode()))
    if not quiet:
        say(f"report: {target}")
