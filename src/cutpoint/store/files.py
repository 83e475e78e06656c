"""Large arrays in files beside the log: scores and features, as .npy, mapped into memory when they are read.

A file is written beside its place, flushed to the disk and then renamed, so that a name stands for a whole array; the
name holds its checksum, so that a file is never overwritten and the same array is there once. No pickle is ever read.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.whole import filled, flush, make_folder
from cutpoint.errors import DataError, UsageError
from cutpoint.store.base import StoreError

Array = NDArray[Any]

_PARTIAL = ".partial"
_PIECE = 1 << 20  # bytes that are copied at a time
_STALE = 24 * 3600.0  # seconds after which a partial file is nobody's any more: its writer was killed


class ArrayFiles:
    """The folder with a campaign's arrays; it is made when the first is stored."""

    def __init__(self, folder: str | Path) -> None:
        """Of a folder that need not be there yet; it stays that one when the process moves to another."""
        self.folder = Path(folder).absolute()
        self.stored: set[str] = set()  # names of the files that were not there, and that this object has put there

    def put(self, name: str, array: Array) -> dict[str, Any]:
        """Store an array, on disk when this returns; what `open` needs, to be kept in an event.

        The entry is {"file", "sha256", "shape", "dtype"}. `name` says what it is, in letters, digits, - and _. An
        array that is there under this name is only read.
        Raises UsageError for other names and for arrays of objects, StoreError where it cannot be written.
        """
        if not name or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise UsageError(f"the name of an array is {name!r}; it must be of letters, digits, - and _.")
        if array.dtype.hasobject or array.dtype.names:
            raise UsageError(f"the array {name} is of {array.dtype}; it must be of plain numbers or text.")
        try:
            make_folder(self.folder)
            self._sweep()
            sha256 = sum_of(array)
            file = f"{name}-{sha256[:16]}.npy"
            if not self._has(file, sha256):
                self._write(file, array)
        except OSError as error:
            raise StoreError(
                f"{self.folder} cannot be written to ({error.strerror or error}); the array {name} of "
                f"{array.nbytes:,} bytes was not stored: make room or give write access, and try again."
            ) from None
        return {"file": file, "sha256": sha256, "shape": list(array.shape), "dtype": array.dtype.str}

    def take(self, entry: Mapping[str, Any], other: ArrayFiles) -> int:
        """Store the array of an entry as another folder has it, on disk when this returns; how many bytes it has.

        One that is here is only read. Raises DataError if what the other has is not what was stored, StoreError where
        it cannot be written.
        """
        source, file = other._path(entry), str(entry["file"])
        try:
            make_folder(self.folder)
            self._sweep()
            if not self._has(file, entry["sha256"]):
                if not source.is_file():
                    raise _not_stored(source, FileNotFoundError())
                self._copy(source, file, entry["sha256"])
            return (self.folder / file).stat().st_size
        except ValueError as error:
            raise _not_stored(source, error) from None
        except OSError as error:
            raise StoreError(
                f"{source} cannot be copied to {self.folder} ({error.strerror or error}): make room or give access to "
                "both, and try again."
            ) from None

    def open(self, entry: Mapping[str, Any], verify: bool = False) -> Array:
        """The array of an entry, read-only and mapped into memory; DataError if the file does not fit the entry.

        `verify` reads it once and compares its checksum.
        """
        path = self._path(entry)
        try:
            if verify:
                _compare(_checksum(path), entry["sha256"])
            empty = 0 in entry["shape"]  # nothing cannot be mapped
            array: Array = np.load(path, mmap_mode=None if empty else "r", allow_pickle=False)
            if list(array.shape) != list(entry["shape"]) or array.dtype.str != entry["dtype"]:
                raise ValueError(
                    f"it holds {array.dtype.str} of shape {list(array.shape)}, not {entry['dtype']} of shape "
                    f"{list(entry['shape'])}"
                )
        except (OSError, ValueError, EOFError) as error:
            raise _not_stored(path, error) from None
        array.flags.writeable = False
        return array

    def _path(self, entry: Mapping[str, Any]) -> Path:
        """Where the file of an entry is; DataError for what is no entry, or a file outside of the folder."""
        lacks = sorted({"file", "sha256", "shape", "dtype"} - entry.keys())
        file = str(entry.get("file", ""))
        if lacks or file != Path(file).name or not file.endswith(".npy"):
            said = f"lacks {', '.join(lacks)}" if lacks else f"names the file {file!r}"
            raise DataError(f"the entry of an array {said}; it must be one that was got when the array was stored.")
        return self.folder / file

    def _has(self, file: str, sha256: str) -> bool:
        """Whether a file is there with this checksum; if so it looks new, as what is in use must to those who clean."""
        path = self.folder / file
        try:
            if _checksum(path) != sha256:
                return False
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def _write(self, file: str, array: Array) -> None:
        with self._new(file) as stream:
            np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)

    def _copy(self, source: Path, file: str, sha256: str) -> None:
        """Copy a file, piece by piece; ValueError if its checksum is another."""
        added = hashlib.sha256()
        with source.open("rb") as theirs, self._new(file) as stream:
            while piece := theirs.read(_PIECE):
                added.update(piece)
                stream.write(piece)
            _compare(added.hexdigest(), sha256)

    @contextmanager
    def _new(self, file: str) -> Iterator[BinaryIO]:
        """A file to fill, which is flushed and put under its name if that ends well."""
        partial = self.folder / f".{Path(file).stem}-{secrets.token_hex(8)}{_PARTIAL}"
        self.stored.add(file)
        with filled(partial, self.folder / file) as stream:
            yield stream
        flush(self.folder)

    def _sweep(self) -> None:
        """Remove what killed writers left, a day later."""
        for partial in self.folder.glob(f".*{_PARTIAL}"):
            try:
                if time.time() - partial.stat().st_mtime > _STALE:
                    partial.unlink()
            except FileNotFoundError:
                continue  # another process was quicker


class _Sum:
    """What is written here is only added up."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, piece: bytes) -> int:
        self.sha256.update(piece)
        return len(piece)


def sum_of(array: Array) -> str:
    """The checksum that the array's file has, or will have."""
    into = _Sum()
    np.lib.format.write_array(into, np.asanyarray(array), allow_pickle=False)
    return into.sha256.hexdigest()


def _compare(found: str, sha256: str) -> None:
    """ValueError if a checksum is not the one that it must be."""
    if found != sha256:
        raise ValueError(f"its checksum is {found[:12]}..., not {sha256[:12]}...")


def _not_stored(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path} is gone; restore it from a backup.")
    said = error.strerror or error if isinstance(error, OSError) else error
    return DataError(f"{path} is not the array that was stored ({said}); restore it from a backup.")


def _checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
