"""`cutpoint export`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cutpoint.cli_terminal import FilesOption, JsonOption, NameArgument, QuietOption, say


class Format(StrEnum):
    """What labels are written as."""

    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"
    label_studio = "label-studio"


def export(
    name: NameArgument,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; not given: NAME-labels here; -: the standard output."),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Not given: as the file's name ends (.json: label-studio), else csv."),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="A row for each event of each label: who said what, and when.")
    ] = False,
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="Of Label Studio's tasks: also those of items without a label.")
    ] = False,
    pictures_at: Annotated[
        str,
        typer.Option(
            "--pictures-at",
            metavar="ADDRESS",
            help="What Label Studio needs before a picture's path, as /data/local-files/?d=photos/.",
            show_default=False,
        ),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is no such export.")] = False,
    files: FilesOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write the labels: one row for each item that has one, with its votes, or their whole history.

    An older export of the same columns is replaced; any other file is not.

    In a CSV, a text that a spreadsheet would run as a formula gets an apostrophe in front; `cutpoint import` and
    `init --import` take it off again.
    """
    from cutpoint.data.pools.label_studio import Tasks
    from cutpoint.service.overview.export import FORMS, Told, form_of, pour, write
    from cutpoint.service.place import opened, title
    from cutpoint.words import count

    printed = output == Path("-")
    kind = str(form or ("csv" if output is None or printed else form_of(output)))
    if printed:
        _check_printed(kind, as_json)
    target = output or Path(f"{title(name)}-{'history' if history else 'labels'}{FORMS[kind]}")
    studio = Tasks(unlabelled, pictures_at)
    with opened(name, files) as (store, _):
        told = Told(store)
        if printed:
            pour(told, typer.get_binary_stream("stdout"), kind, history, studio)
            return
        rows = write(told, target, kind, history, force, studio=studio)
    if as_json:
        import json

        typer.echo(json.dumps({"file": str(target), "rows": rows}, ensure_ascii=False))
    elif not quiet:
        say(f"{target}: {count(rows, 'event') if history else told.sentence(rows)}")


def _check_printed(kind: str, as_json: bool) -> None:
    """UsageError for what cannot be printed."""
    from cutpoint.errors import UsageError

    if kind == "parquet":
        raise UsageError("parquet is no text to be printed; name a file with --output.")
    if as_json:
        raise UsageError("--json and --output - both print; leave --json out, or name a file.")
