"""What the commands of campaigns share: options, a table that fits 100 columns, and progress with the time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutpoint.words import shown

if TYPE_CHECKING:
    from rich.progress import TaskID
    from rich.table import Table

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The campaign: NAME or NAME.db, or a postgresql:// address.")
]
FilesOption = Annotated[
    str | None, typer.Option("--files", help="Folder of its arrays; needed once for PostgreSQL, else NAME.files.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]

WIDTH = 100  # columns that every table fits
EVERY = 30.0  # seconds between two lines of progress where there is no terminal


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> Table:
    """A table whose columns that begin with # hold numbers."""
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title, title_justify="left")
    for name in columns:
        number = name.startswith("#")
        made.add_column(name.lstrip("#"), justify="right" if number else "left", no_wrap=number, overflow="fold")
    for row in rows:
        made.add_row(*(Text(shown(cell)) for cell in row))
    return made


def say(text: str, err: bool = False) -> None:
    """Print lines as they are, however long; names, folders and errors in them may be others' text."""
    typer.echo("\n".join(map(shown, text.split("\n"))), err=err)


def say_done(done: Any, words: Callable[[], None], *, as_json: bool, quiet: bool) -> None:
    """Print what was done, a dataclass: as JSON, or in words by calling `words`, or nothing."""
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps(asdict(done), ensure_ascii=False))
    elif not quiet:
        words()


def show(*parts: Table | str) -> None:
    """Print tables and lines, 100 columns wide at most."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    for part in parts:
        console.print(Text("\n".join(map(shown, part.split("\n")))) if isinstance(part, str) else part)


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """What is being done, how far it is, and the time left: a bar on a terminal; elsewhere, a line now and then."""
    from time import monotonic

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    bar = Bar(*columns, console=console, disable=quiet or not console.is_terminal)
    tasks: dict[str, tuple[float, TaskID]] = {}
    spoke = monotonic()
    with bar:

        def tell(what: str, done: int, total: int) -> None:
            nonlocal spoke
            now = monotonic()
            if what not in tasks:
                tasks[what] = now, bar.add_task(what, total=total)
            began, task = tasks[what]
            bar.update(task, completed=done, total=total)
            if bar.disable and not quiet and now - spoke > EVERY:
                spoke = now
                left = f", {duration((now - began) / done * (total - done))} left" if done else ""
                say(f"{what}: {done} of {total}{left}", err=True)

        yield tell


def duration(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
