"""Files that appear whole or not at all, and folders that have all of theirs."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cutpoint.errors import UsageError
from cutpoint.store.header import WRITTEN_AHEAD, is_database

LONGEST = 200  # bytes of a file's name: most systems take 255, and what is written beside it has a longer one
_KEPT = (*WRITTEN_AHEAD, ".lock", ".npy")  # how names end of a campaign's files beside its database
_ARRAYS = ".files"  # how the name of the folder ends that its arrays are in


def has_all(folder: Path, names: Iterable[str]) -> bool:
    """True if all of these files are in the folder, and none of them is empty."""
    paths = [folder / name for name in names]
    return all(path.is_file() and path.stat().st_size for path in paths)


def check_place(path: Path, *, with_folder: bool = False) -> None:
    """UsageError unless a file of that name can be made: a name that is short enough, in a folder to write to.

    with_folder: the folder need not be there, if it can be made.
    """
    if len(os.fsencode(path.name)) > LONGEST:
        raise UsageError(
            f"the name {path.name[:40]}... has {len(os.fsencode(path.name))} bytes; it must have at most {LONGEST}: "
            "give a shorter one."
        )
    there = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    if not there.is_dir():
        raise UsageError(f"{there} is no folder, and {path} would lie below it; give another place.")
    if not with_folder and not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} is not there; make it, or correct the path.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{there} may not be written to; give another place, or yourself the right to.")


def check_replaceable(path: Path, what: str, is_one: Callable[[Path], bool], force: bool = False) -> None:
    """UsageError if no file can be there, or what is there is not to be written over: unless forced, no `what`."""
    check_place(path)
    _check_spared(path)
    if not os.path.lexists(path):
        return
    if not path.is_file():
        raise UsageError(f"{path} is there and no file; give the name of one.")
    if not force and not is_one(path):
        raise UsageError(f"{path} is there and no {what}; give another name, or say --force (in a script: force=True).")


def _check_spared(path: Path) -> None:
    """UsageError for what may be a campaign's own: no output is ever written there, forced or not."""
    real = Path(os.path.realpath(path))
    if real.name.endswith(_KEPT) or real.parent.suffix == _ARRAYS:
        what = "where campaigns keep their own files"  # these are not even read, for SQLite locks some of them
    elif real.is_file() and is_database(real):
        what = "a database, perhaps a campaign"
    else:
        return
    raise UsageError(f"{path} is {what}, and nothing is written over it; give another name.")


def partial_of(path: Path) -> Path:
    """An empty file beside `path` that nobody else has, to be filled and renamed: two processes may write at a time."""
    beside = path.with_name(f".{path.name}-{secrets.token_hex(8)}.partial")
    try:
        beside.touch()
    except OSError as error:  # it is said of what was asked for
        raise type(error)(error.errno, error.strerror, str(path)) from None
    return beside


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Make `path` appear whole: `write` fills a file beside it, which is flushed to disk and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with filled(partial_of(path), path) as file:
        write(file)
    with contextlib.suppress(OSError):  # not every system lets a folder be flushed
        flush(path.parent)


@contextlib.contextmanager
def filled(beside: Path, path: Path | None = None) -> Iterator[BinaryIO]:
    """A file to fill: on the disk if this ends well, and renamed to `path` if that is given; gone if it does not."""
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path is not None:
            beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, unless they are there; on the disk when this returns."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        flush(path.parent)


def flush(path: Path) -> None:
    """Flush a file, or a folder's list of names, without which a renamed file may be gone after a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
