"""Pictures that are decoded when they are asked for, in parallel threads, and never all at once unless asked for.

A pool of pictures is either an array (N, H, W, 3) uint8, or `Pictures` of the same shape: bytes of JPEG or PNG
somewhere, and one size that all of them are brought to. Pillow decodes; it lets go of the interpreter lock.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.side_by_side import cores
from cutpoint.errors import DataError

PictureArray = NDArray[np.uint8]
FORMATS = ("JPEG", "PNG")  # what the data sets hold; Pillow's other decoders are never reached
MAX_PIXELS = 50_000_000  # more than any camera of these sets; a small file may claim to be huge
MOST_SCANS = 100  # of a JPEG; cameras and programs write ten. A small file may have thousands, each a second of work
_REMEDY = "replace it, or move its folder away and fetch the data set again."
_TOGETHER = 32  # pictures, at most, that one thread decodes before it takes the next ones


class Encoded(Protocol):
    """Where encoded pictures are, in the order of the examples."""

    def __len__(self) -> int:
        """N, how many there are."""
        ...

    def read(self, i: int) -> bytes:
        """The file of picture i, 0 <= i < N."""
        ...

    def name(self, i: int) -> str:
        """What to call picture i when it is damaged."""
        ...


@dataclass(frozen=True, eq=False)
class Files:
    """Picture files: `names`, relative to one folder."""

    folder: Path
    names: Sequence[str]

    def __len__(self) -> int:
        """How many files there are."""
        return len(self.names)

    def read(self, i: int) -> bytes:
        """The bytes of a file; DataError if it cannot be read."""
        try:
            return (self.folder / self.names[i]).read_bytes()
        except OSError as error:
            raise DataError(f"the picture {self.name(i)} cannot be read ({error.strerror}); {_REMEDY}") from None

    def name(self, i: int) -> str:
        """The path of a file."""
        return str(self.folder / self.names[i])


@dataclass(frozen=True, eq=False)
class Packed:
    """Pictures in one array of bytes, one after the other: picture i of the file is data[offsets[i]:offsets[i + 1]].

    `data` (B,) uint8; `offsets` (M + 1,) ascending; `header`: what all files begin with and is stored once; `rows`
    (N,): which pictures of the M these are.
    """

    path: Path
    data: PictureArray
    offsets: NDArray[np.integer[Any]]
    header: bytes
    rows: NDArray[np.intp]

    def __len__(self) -> int:
        """How many pictures are chosen."""
        return len(self.rows)

    def read(self, i: int) -> bytes:
        """The whole file of a picture, header included."""
        k = self.rows[i]
        return self.header + self.data[self.offsets[k] : self.offsets[k + 1]].tobytes()

    def name(self, i: int) -> str:
        """The file and the number of a picture in it."""
        return f"{self.rows[i]} in {self.path}"


@dataclass(frozen=True, eq=False)
class Pictures:
    """N pictures, all brought to height x width; `pictures[indices]` decodes those and no others."""

    source: Encoded
    height: int
    width: int

    def __len__(self) -> int:
        """N, how many there are."""
        return len(self.source)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, height, width, 3), as of an array."""
        return len(self), self.height, self.width, 3

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """uint8, as of an array."""
        return np.dtype(np.uint8)

    def __getitem__(self, index: Any) -> PictureArray:
        """(n, height, width, 3) uint8 of n indices, a slice or a mask; of one index (height, width, 3).

        Several threads decode. DataError, with its name, if a picture is missing or damaged.
        """
        wanted = np.arange(len(self))[index]
        rows = np.atleast_1d(wanted)
        decoded = np.empty((rows.size, *self.shape[1:]), np.uint8)

        together = max(1, min(_TOGETHER, -(-rows.size // cores())))  # a batch of 100 keeps sixteen cores busy, too

        def work(first: int) -> None:
            for k in range(first, min(first + together, rows.size)):
                i = int(rows[k])
                decoded[k] = decode(self.source.read(i), self.source.name(i), self.height, self.width)

        parts = range(0, rows.size, together)
        threads = min(len(parts), cores())
        if threads <= 1:
            for first in parts:
                work(first)
        else:
            with ThreadPoolExecutor(threads) as pool:
                try:
                    list(pool.map(work, parts))
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        return decoded if wanted.ndim else decoded[0]


def decode(data: bytes, name: str, height: int, width: int) -> PictureArray:
    """A JPEG or PNG file as (height, width, 3) uint8, RGB; resized with a bilinear filter if it has another size."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ValueError(f"it has {picture.width} x {picture.height} pixels")
            if endless(data, picture.format):
                raise ValueError(f"it has more than {MOST_SCANS} scans")
            rgb = picture.convert("RGB")
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error, ValueError and more
        said = "it is no JPEG or PNG" if "cannot identify" in str(error) else str(error) or type(error).__name__
        raise DataError(f"the picture {name} cannot be decoded ({said}); {_REMEDY}") from None
    return resized(rgb, height, width)


def endless(data: bytes, kind: str | None) -> bool:
    """Whether a file is a JPEG of so many scans that to decode it might take minutes."""
    return kind == "JPEG" and data.count(b"\xff\xda") > MOST_SCANS


def resized(picture: Any, height: int, width: int) -> PictureArray:
    """A Pillow picture as (height, width, 3) uint8; bilinear, averaging where it shrinks."""
    from PIL import Image

    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture)
