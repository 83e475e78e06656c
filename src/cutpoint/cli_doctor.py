"""`cutpoint doctor`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from cutpoint.cli_terminal import FilesOption, JsonOption, NameArgument, QuietOption


def doctor(
    name: NameArgument,
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Remove what killed writers left, end leases that ran out; no more.")
    ] = False,
    files: FilesOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Look a campaign over: database, log, items, arrays, scores, pictures, leases, training, disk; and say what to do.

    Changes nothing unless --repair is given. Exit code 1 if something is wrong.
    """
    from cutpoint.cli_stopping import leaving
    from cutpoint.service.doctor import examine

    with leaving("what was repaired stays so" if repair else "nothing was changed"):
        findings = list(examine(name, files, repair))
    wrong = sum(finding.mark == "wrong" for finding in findings)
    if as_json:
        import json

        typer.echo(json.dumps([finding._asdict() for finding in findings], indent=2, ensure_ascii=False))
    elif not quiet:
        from cutpoint.cli_terminal import show, table
        from cutpoint.words import count

        show(table(["part", "", "what is so", "what to do"], [list(finding) for finding in findings]))
        show("All is well." if not wrong else f"{count(wrong, 'thing')} to mend.")
    if wrong:
        raise typer.Exit(1)
