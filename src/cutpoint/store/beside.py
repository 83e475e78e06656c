"""What lies beside a campaign's file, and belongs to it: where the file is moved to, it must go, too.

SQLite finds by name alone what it has written ahead of a file. What is left of one that was moved away would become a
part of the next file of that name, so that none is made where anything is left.
"""

from __future__ import annotations

import os
from glob import escape
from pathlib import Path

from cutpoint.errors import UsageError
from cutpoint.store.header import WRITTEN_AHEAD
from cutpoint.store.locks import is_owned
from cutpoint.store.owner import Holder, who


def lock_of(path: Path, role: str) -> Path:
    """What whoever has a role of the campaign in a file has locked."""
    return path.with_name(f"{path.name}.{role}.lock")


def belongings(path: Path) -> str:
    """What must be moved together with a campaign's file, in words."""
    return f"{path.name}-wal, {path.name}-shm and {path.with_suffix('.files').name}"


def to_restore(path: Path) -> str:
    """How a backup comes in place of a campaign's file, in words."""
    return f"move it away with {belongings(path)}, as far as they are there, and `cutpoint copy` a backup to its name"


def check_nothing_left(path: Path) -> None:
    """UsageError where no campaign's file is, but what belongs to one that was moved away; nothing is changed."""
    said = _at_work(path) or _left(path)
    if said and not os.path.lexists(path):  # else it was made meanwhile, and these are its own
        raise UsageError(said)


def _at_work(path: Path) -> str:
    """Who works on a file that is not there, and what to do; empty where nobody does."""
    for lock in sorted(path.parent.glob(f"{escape(path.name)}.*.lock")):
        with lock.open() as file:
            if is_owned(file):
                role = lock.name.removeprefix(f"{path.name}.").removesuffix(".lock")
                return (
                    f"{path} was moved away while its {role} is at work ({who(Holder.read(file.read()))}): stop that, "
                    f"and put {path.name} back, or {belongings(path)} to where it is now; or give another name."
                )
    return ""


def _left(path: Path) -> str:
    """What is left of a file that is not there, and what to do; empty where nothing is."""
    left = [f"{path.name}{end}" for end in WRITTEN_AHEAD if os.path.lexists(f"{path}{end}")]
    if not left:
        return ""
    return (
        f"{path} is not there, but what SQLite wrote beside it is ({', '.join(left)}): it is of a campaign that was "
        "moved away or deleted, and may hold its last answers; move it to where that file is now, under its name "
        "(moved.db-wal beside moved.db), or delete it if nobody needs it, and try again."
    )
