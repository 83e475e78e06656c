"""Files that appear whole or not at all, and folders that have all of theirs."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO


def has_all(folder: Path, names: Iterable[str]) -> bool:
    """True if all of these files are in the folder, and none of them is empty."""
    paths = [folder / name for name in names]
    return all(path.is_file() and path.stat().st_size for path in paths)


def partial_of(path: Path) -> Path:
    """A file beside `path` that nobody else has, to be filled and renamed: two processes may write at a time."""
    token = secrets.token_hex(8)
    return path.with_name(f".{path.name[:100]}-{token}.partial")


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


def flush(path: Path) -> None:
    """Flush a file, or a folder's list of names, without which a renamed file may be gone after a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
