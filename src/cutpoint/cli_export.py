"""`cutpoint export`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cutpoint.cli_terminal import FilesOption, JsonOption, NameArgument, QuietOption


class Format(StrEnum):
    """What labels are written as."""

    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"
    label_studio = "label-studio"


def export(
    name: NameArgument,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; one that is there is left alone.")],
    form: Annotated[
        Format | None, typer.Option("--format", help="Not given: as the file's name ends (.json: label-studio).")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="A row for each event of each label: who said what, and when.")
    ] = False,
    files: FilesOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write the labels: one row for each item that has one, with its votes, or their whole history.

    In a CSV, a text that a spreadsheet would run as a formula gets an apostrophe in front; `cutpoint import` and
    `init --import` take it off again.
    """
    from cutpoint.service.overview.export import Told, write
    from cutpoint.service.place import opened
    from cutpoint.words import count

    with opened(name, files) as (store, _):
        told = Told(store)
        rows = write(told, output, form or _meant(output), history)
    if as_json:
        import json

        typer.echo(json.dumps({"file": str(output), "rows": rows}, ensure_ascii=False))
    elif not quiet:
        typer.echo(f"{output}: {count(rows, 'event') if history else told.sentence}")


def _meant(output: Path) -> str:
    """The format that a file's name says."""
    from cutpoint.errors import UsageError

    endings = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet", ".json": "label-studio"}
    if output.suffix.lower() not in endings:
        raise UsageError(f"{output} does not say its format; end it in {', '.join(endings)}, or give --format.")
    return endings[output.suffix.lower()]
