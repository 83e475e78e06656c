"""Where a campaign is: a name becomes a file or an address, and a new file appears whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from glob import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from cutpoint.data.whole import check_place, flush, make_folder
from cutpoint.errors import UsageError
from cutpoint.service.log.state import State
from cutpoint.store.base import Store, StoreError
from cutpoint.store.beside import belongings, check_nothing_left
from cutpoint.store.files import ArrayFiles
from cutpoint.store.header import is_campaign
from cutpoint.store.locks import left_behind, sole
from cutpoint.store.opening import check_answers, note_files, noted_files, open_files, open_store
from cutpoint.store.owner import Holder, who

if TYPE_CHECKING:
    from cutpoint.store.sql import SqlStore

SUFFIX = ".db"
_FILE = "sqlite:///"
_MAKER = "maker"  # the role of whoever makes a new campaign
OF_STORE = ("sqlalchemy", "alembic")
OF_SERVER = (*OF_STORE, "fastapi", "uvicorn", "jinja2")


def check_installed(modules: Sequence[str] = OF_STORE) -> None:
    """UsageError, with what to do, if a library of the extra `serve` is missing."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise UsageError(f"campaigns need {', '.join(missing)}; install them with: pip install 'cutpoint[serve]'.")


def address(name: str | Path) -> Path | str:
    """The file of that name where it is a campaign's, else NAME.db; an address (postgresql://...) is itself."""
    text = str(name)
    if not text.strip():
        raise UsageError("the campaign's name is empty; give one, such as herons.")
    if "\0" in text:
        raise UsageError(f"the campaign's name is {text!r}, with NUL in it; give one without it, such as herons.")
    if isinstance(name, str) and "://" in name and not name.startswith(_FILE):
        return name
    path = Path(text.removeprefix(_FILE))
    if path.name in ("", ".."):
        raise UsageError(f"{name} is a folder and no campaign; give a name, such as {path / 'herons'}.")
    return path if path.suffix == SUFFIX or is_campaign(path) else path.with_name(path.name + SUFFIX)


def title(name: str | Path) -> str:
    """What the campaign is called: the last part of its file's name, its schema's name, or else its database's."""
    where = address(name)
    if isinstance(where, Path):
        return where.stem
    parts = urlsplit(where)
    schema = re.search(r"search_path\s*=\s*[\"']?([^\s,\"']+)", " ".join(parse_qs(parts.query).get("options", ())))
    return schema[1] if schema else unquote(parts.path).strip("/").rpartition("/")[2] or "campaign"


@contextmanager
def opened(name: str, files: str | Path | None = None) -> Iterator[tuple[Store, ArrayFiles]]:
    """A campaign that is there, and its arrays."""
    store = open_store(address(name), create=False)
    try:
        yield store, open_files(store, files)
    finally:
        store.close()


def open_to_work(
    name: str | Path, files: str | Path | None = None, *, create: bool = False
) -> tuple[SqlStore, ArrayFiles]:
    """A campaign and its arrays for whoever works on it; where those are is noted for all who come later."""
    store = open_store(address(name), create)
    try:
        arrays = open_files(store, files)
        keep_files(store, arrays)
        return store, arrays
    except BaseException:
        store.close()
        raise


@contextmanager
def begun(name: str, files: str | Path | None = None) -> Iterator[tuple[Store, ArrayFiles]]:
    """A store for a campaign that is to begin, and its arrays.

    A file appears under its name when this ends well, and not before; where it ends otherwise, nothing is left. In a
    database, what was written stays, for the same command to go on from. UsageError if another process is at it.
    """
    where = address(name)
    if isinstance(where, str):
        store = open_store(where, create=True)
        try:
            with store.own(_MAKER):
                arrays = open_files(store, files)
                if noted_files(store) is None:  # and so there is no campaign yet
                    note_files(store, arrays.folder)
                yield store, arrays
                keep_files(store, arrays)
        finally:
            store.close()
        return
    check_free(name, files)
    yield from _beside(where)


def keep_files(store: SqlStore, arrays: ArrayFiles) -> None:
    """Note where a campaign's arrays are, for all who come later and name no folder.

    Only those who work on it may do so; UsageError if what it needs is not there, and then nothing is noted.
    """
    before = noted_files(store)
    if before == arrays.folder:
        return
    needs = entries(State(store.events()), replayed=False)
    lacks = next((file for file in needs if not (arrays.folder / file).is_file()), None)
    if lacks is not None:
        was = "" if before is None else f" (before it was {before})"
        raise UsageError(
            f"{arrays.folder} lacks {lacks}, which the campaign needs; give the folder in which its arrays are{was}."
        )
    note_files(store, arrays.folder)


def entries(state: State, *, replayed: bool) -> dict[str, Mapping[str, Any]]:
    """The arrays that a campaign needs, by their files' names; `replayed`: those that a replay alone reads, too."""
    served = serving(state)
    found = [pool["features"] for _, pool in state.pools if pool["features"] is not None]
    for each in state.runs.scores:
        if replayed or each["version"] in served:
            found += each["files"].values()
    return {entry["file"]: entry for entry in found}


def serving(state: State) -> set[int]:
    """The versions of the scores that a desk needs when it starts: the newest, and that of the round that runs."""
    last = state.rounds.last
    running = last.data["scores"] if last is not None and last.running else None
    newest = state.runs.scores[-1]["version"] if state.runs.scores else None
    return {version for version in (newest, running) if version is not None}


def check_free(name: str, files: str | Path | None = None) -> None:
    """UsageError if the campaign's file is there already, or none can be made there; StoreError for no answer."""
    check_installed()
    where = address(name)
    if isinstance(where, str):
        check_answers(where, files)
        return
    if files is not None:
        raise UsageError("--files is for postgresql:// alone; the arrays of a file are beside it: leave it out.")
    _check_absent(where)
    check_place(where, with_folder=True)
    if where.name.startswith("-"):
        raise UsageError(f"{name} begins as an option does; give a name that begins otherwise.")


def _check_absent(where: Path) -> None:
    """UsageError where the campaign's file is, or anything that is left of one."""
    if os.path.lexists(where):
        raise UsageError(
            f"{where} is there already; give another name, or move it away with all that belongs to it: "
            f"{belongings(where)}, as far as they are there."
        )
    check_nothing_left(where)


def _beside(where: Path) -> Iterator[tuple[Store, ArrayFiles]]:
    """The store in a file with another name, which is linked to its own at the end."""
    make_folder(where.parent.absolute())
    with ExitStack() as alone:
        _be_the_maker(where, alone)
        _check_absent(where)  # another maker may have ended since it was looked at
        for left in _unfinished(where):
            left.unlink(missing_ok=True)
        beside = where.with_name(f".{where.name}-{secrets.token_hex(8)}.partial{SUFFIX}")
        arrays = ArrayFiles(where.with_suffix(".files"))
        try:
            store = open_store(beside, create=True)
            try:
                yield store, arrays
            finally:
                store.close()  # what is written ahead goes into the file
            try:
                os.link(beside, where)
            except FileExistsError:
                _check_absent(where)
                raise
            flush(where.parent)
        finally:
            for left in beside.parent.glob(f"{escape(beside.name)}*"):
                left.unlink()
            if not os.path.lexists(where):  # else this ended well, or what is stored may be another's
                _remove(arrays)


def _be_the_maker(where: Path, alone: ExitStack) -> None:
    """Be the only one who makes a campaign's file, to the end; UsageError if somebody else does."""
    lock = _makers_lock(where)
    try:
        alone.enter_context(sole(lock))
    except BlockingIOError:
        maker = None
        with suppress(FileNotFoundError):  # it may have ended by now
            maker = Holder.read(lock.read_text())
        raise UsageError(f"{where} is being made by {who(maker)}; wait for it, or give another name.") from None
    except OSError as error:
        raise StoreError(
            f"{lock} cannot be written to ({error.strerror}); give write access to it and its folder or make room on "
            "its disk, and try again."
        ) from None


def left_by_makers(where: Path) -> list[Path]:
    """What is beside a campaign's file of those who were making it and were killed."""
    lock = _makers_lock(where)
    return sorted((lock, *_unfinished(where))) if left_behind(lock) else []


def _makers_lock(where: Path) -> Path:
    """What whoever makes a campaign's file has locked meanwhile, and removes at the end."""
    return where.with_name(f".{where.name}.{_MAKER}.lock")


def _unfinished(where: Path) -> Iterator[Path]:
    """What those who make a campaign's file have beside it: while nobody does, of those who were killed."""
    return where.parent.glob(f".{escape(where.name)}-*.partial{SUFFIX}*")


def _remove(arrays: ArrayFiles) -> None:
    """Remove what was stored by this object, and the folder if nothing else is in it."""
    for file in arrays.stored:
        (arrays.folder / file).unlink(missing_ok=True)
    if arrays.folder.is_dir() and not any(arrays.folder.iterdir()):
        arrays.folder.rmdir()
