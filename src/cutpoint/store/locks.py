"""Locks on files, which the kernel frees when their process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from cutpoint.store.owner import Holder

_LOOKED = 5.0  # seconds in which those who only look whether a role is taken have let go of it


def locked(place: Path) -> TextIO:
    """A file that is locked and says who did it; BlockingIOError if somebody has locked it."""
    file, patient = place.open("a+"), time.monotonic() + _LOOKED
    try:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if is_owned(file) or time.monotonic() > patient:
                    raise
                time.sleep(0.001)
        file.truncate(0)
        file.write(Holder.me().text())
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


@contextmanager
def sole(place: Path) -> Iterator[None]:
    """Be the only one who has locked a file, which is removed at the end; BlockingIOError if somebody has."""
    file = locked(place)
    while not _is_at(place, file):  # it was removed between our opening and our locking it
        file.close()
        file = locked(place)
    with file:
        try:
            yield
        finally:
            place.unlink(missing_ok=True)
            unlock(file)


def _is_at(place: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(place.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def unlock(file: TextIO) -> None:
    """Let go of a file; closing alone frees nothing where a forked process has it open."""
    fcntl.flock(file, fcntl.LOCK_UN)


def is_owned(file: TextIO) -> bool:
    """Whether somebody has locked a file; to look, it is locked for a moment in a way that others may look, too."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    unlock(file)
    return False


def left_behind(place: Path) -> bool:
    """Whether whoever locked a file has ended, and could not remove it; False where it says of nobody."""
    try:
        with place.open() as file:
            return not is_owned(file) and Holder.read(file.read()) is not None
    except FileNotFoundError:
        return False
