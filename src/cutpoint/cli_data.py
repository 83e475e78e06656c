"""`cutpoint data`: list, fetch and check the data sets of the paper; everything heavy is imported when it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import TaskID

    from cutpoint.data.download import Progress
    from cutpoint.data.sources import Remote

EVERY = 30.0  # seconds between two lines of progress where there is no terminal


def _folder(root: Path | None) -> Path | None:
    """UsageError for an address, which may hold a password and would be printed as the folder that it is not."""
    from cutpoint.errors import UsageError

    if root is not None and ":/" in str(root):
        raise UsageError(
            "the data root is an address; it must be a folder: give one with --data-root or CUTPOINT_DATA."
        )
    return root


RootOption = Annotated[
    Path | None,
    typer.Option(envvar="CUTPOINT_DATA", help="Folder of the larger data sets.", callback=_folder),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def data_list(
    *,
    data_root: RootOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON, addresses included.")] = False,
) -> None:
    """The data sets of the paper and the stored ones: size, imbalance, terms, and which of them are here."""
    from cutpoint.data.obtain import holdings

    rows = holdings(data_root)
    if as_json:
        import json

        typer.echo(json.dumps([row._asdict() for row in rows], indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    from cutpoint.data.download import amount

    table = Table()
    for column in ("data set", "N", "classes", "gamma", "terms", "to fetch", "here"):
        table.add_column(column, justify="right" if column in ("N", "classes", "gamma", "to fetch") else "left")
    for row in rows:
        size = amount(row.size) if row.size else "-"
        table.add_row(row.name, str(row.n), row.classes, row.gamma, row.terms, size, "yes" if row.here else "no")
    console = Console(width=100, highlight=False)
    console.print(table)
    root = "none; give --data-root or set CUTPOINT_DATA" if data_root is None else str(data_root)
    missing = data_root is not None and not data_root.is_dir()
    console.print(f"Data root: {root}{' (no such folder)' if missing else ''}", soft_wrap=True)
    if any(row.here for row in rows):
        told = f"yes: the files are there, and were not checked: cutpoint data check --data-root {root}"
        console.print(told, soft_wrap=True)
    console.print("Without files: digits-2 to digits-10, drawn-3:n=2000; of your own: any .npz, .npy or .parquet file")


def data_fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Data sets, as `data list` calls them.")],
    *,
    data_root: RootOption = None,
    quiet: QuietOption = False,
) -> None:
    """Fetch data sets from where they are published, and check them; what is interrupted goes on where it stopped.

    FMoW and iWildCam come in one piece, and begin anew.
    """
    from cutpoint.data.obtain import check_fetchable

    root = _given(data_root)
    for name in names:
        check_fetchable(name, root)
    for name in names:
        _fetch(name, root, quiet)


def _fetch(name: str, root: Path, quiet: bool) -> None:
    """Fetch one data set, check it, and say what was found."""
    from cutpoint.data.obtain import check, obtain
    from cutpoint.data.sources import source_for

    source = source_for(name)
    whole = source.in_one_piece if not source.is_here(root) else ()
    if whole and not quiet:
        typer.echo(_warned(whole), err=True)
    try:
        with _shown(quiet) as show:
            new = obtain(name, root, show)
    except KeyboardInterrupt:
        kept = "files that had come whole are kept, and" if whole else "what has come is kept;"
        typer.echo(f"interrupted: {kept} the same command goes on from there.", err=True)
        raise typer.Exit(130) from None
    found = check(_with_classes(name), root)
    if not quiet:
        typer.echo(f"{'fetched' if new else 'already there'}: {name}: {found}")


def _warned(files: Iterable[Remote]) -> str:
    """What to know before files are fetched that come in one piece."""
    from cutpoint.data.download import amount

    named = ", ".join(f"{file.name} (about {amount(file.size)})" for file in files)
    return (
        f"{named}: its server gives it in one piece only, so a download that is interrupted begins anew. It may send "
        "nothing for minutes, while it packs."
    )


def data_check(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A data set; not given: all that are here.")
    ] = None,
    *,
    data_root: RootOption = None,
    quiet: QuietOption = False,
) -> None:
    """Compare files with their published checksums, and data sets with the paper's Table 1."""
    from cutpoint.data.obtain import check, here, known_sets
    from cutpoint.errors import DataError, UsageError

    root = _given(data_root)
    if not root.is_dir():
        raise UsageError(f"the data root {root} is no folder; give the one that holds the data sets with --data-root.")
    names = [_with_classes(name)] if name is not None else [each for each in known_sets() if here(each, root)]
    wrong: list[str] = []
    for each in names:
        try:
            found = check(each, root)
        except DataError as error:
            if name is not None:
                raise
            wrong.append(each)
            found = f"WRONG: {error}"
        if not quiet:
            typer.echo(f"{each}: {found}")
    if wrong:
        raise DataError(
            f"{len(wrong)} of {len(names)} data sets in {root} are not what they must be ({', '.join(wrong)}); check "
            "each by its name, and do what is said."
        )
    if not names and not quiet:
        typer.echo(f"none of the data sets is in {root}; see `cutpoint data list --data-root {root}`.")


def _given(root: Path | None) -> Path:
    from cutpoint.errors import UsageError

    if root is None:
        raise UsageError("no data root is given; name a folder with --data-root or CUTPOINT_DATA.")
    return root


def _with_classes(name: str) -> str:
    """The first data set of Table 1 that a source such as imb-cifar10 stands for; other names as they are."""
    from cutpoint.data import source_of
    from cutpoint.data.table_1 import TABLE_1

    return next((each for each in TABLE_1 if source_of(each) == name), name)


@contextmanager
def _shown(quiet: bool) -> Iterator[Callable[[str, Progress], None]]:
    """A bar with speed and time left on a terminal; elsewhere, a line now and then."""
    from time import monotonic

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    )
    tasks: dict[str, _Pace] = {}
    spoke = monotonic()
    with bar:

        def show(what: str, now: Progress) -> None:
            nonlocal spoke
            if what not in tasks:
                tasks[what] = _Pace(now.done, monotonic(), bar.add_task(what, total=now.total, completed=now.done))
            pace = tasks[what]
            bar.update(pace.task, completed=now.done, total=now.total)
            if bar.disable and not quiet and monotonic() - spoke > EVERY:
                spoke = monotonic()
                typer.echo(f"{what}: {pace.said(now, spoke)}", err=True)

        yield show


class _Pace:
    """Where a download began, and when."""

    def __init__(self, done: int, at: float, task: TaskID) -> None:
        self.done, self.at, self.task = done, at, task

    def said(self, now: Progress, at: float) -> str:
        """How far it is, and the time that is left."""
        from cutpoint.data.download import amount

        if now.done < self.done:  # from the start again
            self.done, self.at = now.done, at
        fresh = now.done - self.done
        left = round((at - self.at) / fresh * (now.total - now.done)) if fresh else None
        text = f"{amount(now.done)} of {amount(now.total)}"
        return text if left is None else f"{text}, {left // 60}:{left % 60:02d} left"
