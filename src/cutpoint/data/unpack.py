"""Unpacks an archive into a folder of its own: files and folders alone, all of them inside, and whole or not at all."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import textwrap
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath

from cutpoint.errors import DataError


def is_inside(name: str) -> bool:
    """True if a file name stays inside the folder that it is relative to, on any system."""
    paths = (PurePosixPath(name), PureWindowsPath(name))
    return bool(name) and not any(path.is_absolute() or path.drive or ".." in path.parts for path in paths)


def refuse_folder(folder: Path, marker: str) -> None:
    """DataError if the folder that is to be made is there, without its marker."""
    if folder.exists():
        raise DataError(
            f"{folder} is there and its {marker} is missing or empty, so it is not whole; move it away, and run this "
            "again."
        )


def unpack(archive: Path, folder: Path, marker: str, show: Callable[[int], None] = lambda _: None) -> None:
    """Unpack a .tar.gz so that `folder / marker` is there; the folder gets its name last.

    `show` is called with the bytes of the archive that are read. DataError, the archive kept, if it is truncated or
    damaged, holds a link, a device or a path that leads outside, or has no marker.
    """
    refuse_folder(folder, marker)
    growing = folder.with_name(f"{folder.name}.part")
    try:
        with archive.open("rb") as packed, gzip.open(packed) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
            for member in tar:
                _put(tar, member, growing, archive)
                show(packed.tell())
            while plain.read(1 << 20):  # to the end, so that the checksum is compared
                pass
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, ValueError, zlib.error) as error:
        said = textwrap.shorten(str(error) or type(error).__name__, 120)
        raise DataError(
            f"{archive} cannot be unpacked ({said}); it is truncated or damaged: delete it, and fetch again."
        ) from None
    except OSError as error:
        raise DataError(
            f"{archive} cannot be unpacked into {growing} ({error.strerror}); make room, and run the same command "
            "again."
        ) from None
    roots = [path.parent for path in (growing / marker, *sorted(growing.glob(f"*/{marker}"))) if path.is_file()]
    if not roots:
        raise DataError(f"{archive} has no {marker}; it is another archive: delete it, and fetch again.")
    os.replace(roots[0], folder)
    shutil.rmtree(growing, ignore_errors=True)  # what is left if the archive had a folder of its own


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, archive: Path) -> None:
    """Write one member below a folder."""
    if not (member.isreg() or member.isdir()) or not is_inside(member.name):
        raise DataError(
            f"{archive} holds {member.name!r}, which is no file inside of it; do not use this archive: delete it, and "
            "fetch again."
        )
    path = folder / member.name
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = tar.extractfile(member)
    assert stream is not None  # it is a regular file
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
