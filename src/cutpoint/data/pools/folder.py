"""A folder of pictures as a pool: every picture in it and below, named by its path from there.

Nothing outside of the folder is ever reached: a link that leads out is refused, with its name. Whether a picture can
be shown is found when it is decoded (embed_pictures.py), and does not keep it out.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cutpoint.data.pools.brought import Brought
from cutpoint.errors import DataError
from cutpoint.words import count

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")


def pictures(folder: Path) -> Brought:
    """The pictures below a folder, sorted by their path; the ids are these paths, with slashes."""
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; give the path of a folder of pictures.")
    root = folder.resolve()
    names: list[str] = []
    others: Counter[str] = Counter()
    for name in _files(root):
        suffix = os.path.splitext(name)[1].lower()
        if not (root / name).is_file():  # a pipe would be waited for
            others["no regular file"] += 1
        elif suffix in SUFFIXES:
            names.append(_storable(name, folder))
        else:
            others[suffix or "no suffix"] += 1
    if not names:
        raise DataError(f"{folder} holds no picture; put files in it that end in {', '.join(SUFFIXES)}.")
    names.sort()
    kinds = ", ".join(sorted(others)[:5])
    notes = (f"left out: {count(others.total(), 'other file')} in {folder} ({kinds}).",) if others else ()
    return Brought("picture", str(root), names, lambda: ({"picture": name} for name in names), notes, root)


def _files(root: Path) -> Iterator[str]:
    """Paths below the root, with slashes, of all files that are not hidden."""

    def fail(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read ({error.strerror}); allow it, or move it away.") from None

    for here, folders, files in os.walk(root, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in [*folders, *files]:
            path = Path(here, name)
            if path.is_symlink():
                _refuse_outside(path, root)
        for name in files:
            if not name.startswith("."):
                yield Path(here, name).relative_to(root).as_posix()


def _refuse_outside(path: Path, root: Path) -> None:
    target = path.resolve()
    if not target.is_relative_to(root) or target.is_dir():
        where = "inside the folder, whose pictures would be there twice" if target.is_relative_to(root) else "outside"
        raise DataError(f"{path} is a link to {target}, {where}; put a copy of it there, or remove the link.")


def _storable(name: str, folder: Path) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"{folder} holds a file whose name is not UTF-8 ({name!a}); rename it.") from None
    return name
