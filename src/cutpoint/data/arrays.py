"""Reads .npy and .npz files of others: what is damaged is one DataError, whatever numpy makes of it.

Every member of an archive is read to its end, so that its checksum is compared, and no pickle is ever read.
"""

from __future__ import annotations

import os
import textwrap
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.errors import DataError

Array = NDArray[Any]
_NPY = ".npy"


def read_archive(path: Path, remedy: str, wanted: tuple[str, ...] | None = None) -> dict[str, Array]:
    """The arrays of an .npz file by name, all or the wanted ones; DataError, with the remedy, if it is damaged."""
    arrays = {}
    with _opened(path, remedy) as archive:
        for member in archive.namelist():
            name = member.removesuffix(_NPY)
            with archive.open(member) as stream:  # of every member, since a damaged name is noticed here
                if member.endswith(_NPY) and (wanted is None or name in wanted):
                    arrays[name] = _array(stream)
    return arrays


def read_array(path: Path, remedy: str) -> Array:
    """The array of an .npy file; DataError, with the remedy, if it is damaged."""
    with _reading(path, _NPY, remedy), path.open("rb") as file:
        return _array(file)


def names_in(path: Path, remedy: str) -> tuple[str, ...]:
    """The names of the arrays in an .npz file; DataError, with the remedy, if it is damaged."""
    with _opened(path, remedy) as archive:
        return tuple(name.removesuffix(_NPY) for name in archive.namelist() if name.endswith(_NPY))


@contextmanager
def _opened(path: Path, remedy: str) -> Iterator[zipfile.ZipFile]:
    with _reading(path, ".npz", remedy), path.open("rb") as file:
        if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
            raise ValueError("it holds one array without a name")
        with zipfile.ZipFile(file) as archive:
            if _counted(file) not in (None, len(archive.namelist())):
                raise ValueError("its list of members is damaged")
            yield archive


def _counted(file: IO[bytes]) -> int | None:
    """How many members a zip file says it has, in the record at its end; None if a comment or a size hides it."""
    file.seek(-22, os.SEEK_END)
    record = file.read()
    count = int.from_bytes(record[10:12], "little")
    return count if record.startswith(b"PK\x05\x06") and count < 0xFFFF else None


def _array(stream: IO[bytes]) -> Array:
    array: Array = np.lib.format.read_array(stream, allow_pickle=False)
    if stream.read(1):
        raise ValueError("it holds more than its array")
    return array


@contextmanager
def _reading(path: Path, form: str, remedy: str) -> Iterator[None]:
    """Turn whatever a damaged file raises into one DataError: zlib, zipfile, numpy and its parser have their own each.

    A damaged shape may ask for more memory than there is, so that a lack of memory is one of them.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a damaged header as Python source
            yield
    except Exception as error:
        said = textwrap.shorten(str(error) or type(error).__name__, 120)
        raise DataError(f"{path} cannot be read as {form} ({said}); {remedy}") from None
