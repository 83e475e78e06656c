"""Files that appear whole or not at all, and folders that have all of theirs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO


def has_all(folder: Path, names: Iterable[str]) -> bool:
    """True if all of these files are in the folder, and none of them is empty."""
    paths = [folder / name for name in names]
    return all(path.is_file() and path.stat().st_size for path in paths)


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Make `path` appear whole: `write` fills a file beside it, which is flushed to disk and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    with beside.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    with contextlib.suppress(OSError):  # not every system lets a folder be flushed
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
