"""`cutpoint copy`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from cutpoint.cli_terminal import FilesOption, JsonOption, QuietOption, say_done

if TYPE_CHECKING:
    from cutpoint.service.copying import Copied


def copy(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="The campaign: NAME or NAME.db, or a postgresql:// address.")
    ],
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="Where the copy goes: a new NAME, or an empty database's address.")
    ],
    *,
    files: FilesOption = None,
    source_files: Annotated[
        str | None, typer.Option("--source-files", help="Folder of the source's arrays, if it has moved.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Copy a campaign as it is, to another file or between a file and PostgreSQL; also while it is served.

    The copy has the same log: answers, decisions, passes, people, links, rounds and models. It is there whole or not
    at all, and goes on by itself from then on: nothing joins the two again.
    """
    from cutpoint.cli_stopping import leaving, terminable
    from cutpoint.cli_terminal import progress
    from cutpoint.service.copying import copy as whole

    unfinished = leaving("there is no copy yet; the same command goes on") if "://" in target else nullcontext()
    with terminable(), unfinished, progress(quiet) as tell:
        done = whole(source, target, files=files, source_files=source_files, progress=tell)
    with leaving("the copy is made"):
        say_done(done, lambda: _show(done, target), as_json=as_json, quiet=quiet)


def _show(done: Copied, target: str) -> None:
    from cutpoint.cli_terminal import show
    from cutpoint.words import count

    what = count(done.events, "event"), count(done.items, "item"), count(done.arrays, "array")
    show(f"{done.campaign} is copied: {', '.join(what)} ({done.bytes / (1 << 20):,.1f} MiB)")
    if done.moved:
        show(f"left out: {count(len(done.moved), 'array')} of old scores, no longer there; only a replay reads them")
    where = "ADDRESS" if "://" in target else shlex.quote(target)  # an address may hold a password
    for folder in done.pictures:
        show(f"its pictures stay in {folder}; where they are elsewhere: cutpoint serve {where} --images FOLDER")
    show("It is a second campaign of that name: the same links open both; what is answered in one is not in the other.")
    show(f"Now: cutpoint serve {where}")
