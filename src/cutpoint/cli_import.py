"""`cutpoint import`, `cutpoint classes`: what is added to a campaign later; thin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutpoint.cli_terminal import JsonOption, NameArgument, QuietOption, say, say_done

if TYPE_CHECKING:
    from cutpoint.service.begin import Taken


def import_labels(
    name: NameArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, JSONL or parquet: id, label and perhaps annotator; or tasks.")
    ],
    *,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Take labels that exist into a campaign: all of a file or none; also while it is served.

    A .json file is read as an export of Label Studio. With an annotator, labels count as answers of theirs,
    or correct what they said before.
    """
    from cutpoint.cli_stopping import leaving
    from cutpoint.service.begin import import_file
    from cutpoint.service.place import opened

    with leaving("all labels were taken in, or none; the same command finds out and goes on"):
        with opened(name) as (store, _):
            taken = import_file(store, file)
        lines = [_said(taken, file), *(f"note: {note}" for note in taken.notes)]
        say_done(taken, lambda: say("\n".join(lines)), as_json=as_json, quiet=quiet)


def _said(taken: Taken, file: Path) -> str:
    """What came of a file, in one line."""
    from cutpoint.words import count

    known = f"{count(taken.known, 'label')} {'is' if taken.known == 1 else 'are'} there already"
    if taken.new:
        return f"{count(taken.new, 'label')} taken in from {file}{f'; {known}' if taken.known else ''}"
    return f"nothing new in {file}{f': {known}' if taken.known else ''}"


def classes_add(
    name: NameArgument,
    new: Annotated[
        str, typer.Argument(metavar="CLASSES", help="Names, separated by commas, as `init --classes` has them.")
    ],
    *,
    quiet: QuietOption = False,
) -> None:
    """Add classes to a campaign, all or none; also while it is served. The next round asks for them, too."""
    from cutpoint.cli_stopping import leaving
    from cutpoint.data.pools.bring import listed
    from cutpoint.service.begin import add_classes
    from cutpoint.service.place import opened

    with leaving("`cutpoint classes list` says whether they were added"), opened(name) as (store, _):
        classes = add_classes(store, listed(new) or [new])
    if not quiet:
        say(f"the classes are now: {', '.join(classes)}")


def classes_list(name: NameArgument, *, as_json: JsonOption = False) -> None:
    """The classes of a campaign, one on each line, in the order of their numbers."""
    from cutpoint.service.log.state import State
    from cutpoint.service.place import opened
    from cutpoint.words import shown

    with opened(name) as (store, _):
        classes = State(store.events()).made.classes
    if as_json:
        import json

        typer.echo(json.dumps(classes, ensure_ascii=False))
    else:
        say("\n".join(map(shown, classes)))
