"""Pictures of many kinds, perhaps damaged: decoded in threads, in order, and never more than a few at once.

A picture that cannot be decoded is None, whatever is wrong with it; nothing it holds is believed before its size is.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from cutpoint.data.pictures import MAX_PIXELS, PictureArray, endless

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
TOGETHER = 64  # pictures in one piece of work

T = TypeVar("T")


def decode(path: Path, height: int, width: int) -> PictureArray | None:
    """(height, width, 3) uint8 of a picture file, turned as its camera says, on white where it is transparent.

    None if it cannot be decoded. Of a moving picture, the first frame.
    """
    from PIL import Image, ImageOps

    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        data = path.read_bytes()
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS or endless(data, picture.format):
                return None
            picture.draft("RGB", (2 * width, 2 * height))  # a JPEG is decoded small, where that is all one needs
            upright = ImageOps.exif_transpose(picture)
            return _rgb(upright, height, width)
    except Exception:  # Pillow's decoders raise OSError, SyntaxError, struct.error, ValueError and more
        return None


def _rgb(picture: Any, height: int, width: int) -> PictureArray:
    from PIL import Image

    size, bilinear = (width, height), Image.Resampling.BILINEAR
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("RGB").resize(size, bilinear, reducing_gap=3.0))


def in_batches(
    folder: Path, names: Sequence[str], size: tuple[int, int], work: Callable[[PictureArray], T]
) -> Iterator[tuple[int, T, list[int]]]:
    """(place of the first, work(pictures), places of the unreadable) of each batch, in order; several threads.

    `size` (height, width) of the pictures (m, height, width, 3) that `work` is handed; unreadable ones are grey.
    """
    from PIL import Image

    def one(first: int) -> tuple[int, T, list[int]]:
        batch = names[first : first + TOGETHER]
        pictures = np.full((len(batch), *size, 3), 128, np.uint8)
        unreadable = []
        for k, name in enumerate(batch):
            decoded = decode(folder / name, *size)
            if decoded is None:
                unreadable.append(first + k)
            else:
                pictures[k] = decoded
        return first, work(pictures), unreadable

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # its size is looked at before it is decoded
        yield from _in_order(one, range(0, len(names), TOGETHER))


def _in_order(one: Callable[[int], T], firsts: range) -> Iterator[T]:
    """The results in order, with only a few pieces of work begun ahead of what was taken."""
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    rest = iter(firsts)
    with ThreadPoolExecutor(threads) as pool:
        begun: list[Future[T]] = [pool.submit(one, first) for first in islice(rest, 2 * threads)]
        try:
            while begun:
                yield begun.pop(0).result()
                begun += [pool.submit(one, first) for first in islice(rest, 1)]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
