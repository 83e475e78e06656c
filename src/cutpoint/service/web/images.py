"""Pictures for the page: by item alone, from inside one folder alone, and never an error that stops the server.

What a file is, its first bytes say, not its name. A picture is decoded before it is served, so that the browser gets
nothing that Pillow could not read; a large one is made smaller. Whatever cannot be shown is one quiet placeholder.
"""

from __future__ import annotations

import asyncio
import io
import os
import stat
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from threading import BoundedSemaphore, Lock, Thread
from typing import TYPE_CHECKING

from cutpoint.data.pictures import endless

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageFile import ImageFile

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")  # Pillow's other decoders are never reached
MAX_BYTES = 64 << 20  # of a file
MAX_MEMORY = 400_000_000  # bytes, while a picture is decoded: a small file may claim to be huge
ALONE = 100_000_000  # bytes of memory from which on no other such picture is decoded beside
LARGEST_SIDE = 1600  # pixels, of what is sent
AS_IT_IS = 1 << 20  # bytes: a picture no larger than this, and than LARGEST_SIDE, is sent unchanged
KEPT_BYTES = 32 << 20  # of the pictures made last, for the next person who is shown the same one
AT_ONE_TIME = 2  # decoders
MOST_WAITING = 100  # pictures that are being made or wait for it; large ones take half a second each

PLACEHOLDER = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="480" height="320" viewBox="0 0 480 320" role="img">'
    b"<title>This picture cannot be shown</title>"
    b'<rect x="1" y="1" width="478" height="318" rx="14" fill="#8893a0" fill-opacity=".12" stroke="#8893a0"'
    b' stroke-dasharray="6 7"/><g fill="none" stroke="#8893a0" stroke-width="3" stroke-linecap="round"'
    b' stroke-linejoin="round"><rect x="200" y="96" width="80" height="62" rx="8"/>'
    b'<path d="M206 150l22-24 16 16 12-11 18 19M192 88l96 80"/></g>'
    b'<g fill="#8893a0" font-family="system-ui,sans-serif" text-anchor="middle"><text x="240" y="206" font-size="19">'
    b'This picture cannot be shown</text><text x="240" y="234" font-size="15">b reports it, space skips it</text></g>'
    b"</svg>"
)

_alone = Lock()


@dataclass(frozen=True)
class Shown:
    """What is sent for a picture: its type and bytes; `whole` is False for the placeholder."""

    kind: str
    data: bytes
    whole: bool


CANNOT = Shown("image/svg+xml", PLACEHOLDER, False)


class Full(Exception):
    """More pictures are being made already than may wait, or the server is about to end."""


class Gallery:
    """The pictures of a campaign's items, made by threads of their own: no answer waits for a picture. Thread-safe.

    A picture that several people ask for at a time is made once, and what was made last is kept.
    """

    def __init__(self, place: Callable[[int], tuple[Path | None, str]]) -> None:
        """place: the folder of an item's pool and the path of its picture in it; it may read the store."""
        self._place = place
        self._kept: OrderedDict[int, Shown] = OrderedDict()
        self._bytes = 0
        self._making: dict[int, Future[Shown]] = {}
        self._lock = Lock()
        self._room = BoundedSemaphore(AT_ONE_TIME)
        self._closed = False

    async def show(self, item: int) -> Shown:
        """The picture of an item; Full where too many are being made, and whatever `place` raises.

        The placeholder where it is missing, outside of the folder, no picture, or too large; or without a folder.
        """
        made = self._made(item)
        # Who goes away does not take the picture from others who wait for it.
        return made if isinstance(made, Shown) else await asyncio.shield(asyncio.wrap_future(made))

    def close(self) -> None:
        """Make no more pictures: Full for whoever waits. A decoder that is at work is not waited for."""
        with self._lock:
            self._closed = True
            for made in self._making.values():
                made.set_exception(Full())
            self._making.clear()

    def _made(self, item: int) -> Shown | Future[Shown]:
        """The picture, or where it will be."""
        with self._lock:
            if item in self._kept:
                self._kept.move_to_end(item)
                return self._kept[item]
            if item not in self._making:
                if self._closed or len(self._making) >= MOST_WAITING:
                    raise Full
                self._making[item] = Future()
                # Of a daemon: Python itself waits for the threads of an executor before it ends.
                Thread(target=self._make, args=(item,), name="pictures", daemon=True).start()
            return self._making[item]

    def _make(self, item: int) -> None:
        with self._room:
            if self._closed:
                return
            shown, error = CANNOT, None
            try:
                folder, name = self._place(item)
                path = inside(folder, name) if folder is not None else None
                shown = ready(path) if path is not None else CANNOT
            except BaseException as raised:  # whoever asked is told
                error = raised
        with self._lock:
            made = self._making.pop(item, None)
            if shown.whole:
                self._keep(item, shown)
        if made is not None and error is not None:
            made.set_exception(error)
        elif made is not None:
            made.set_result(shown)

    def _keep(self, item: int, shown: Shown) -> None:
        self._kept[item] = shown
        self._bytes += len(shown.data)
        while self._bytes > KEPT_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.data)


def inside(folder: Path, name: str) -> Path | None:
    """The file that a relative path means, if it lies in the folder with every link followed; None otherwise."""
    if not name or "\0" in name or Path(name).is_absolute():
        return None
    try:
        folder = folder.resolve()
        path = (folder / name).resolve(strict=True)
        plain = stat.S_ISREG(path.stat().st_mode)
    except (OSError, RuntimeError, ValueError):  # missing, a name too long, a loop of links
        return None
    return path if plain and path.is_relative_to(folder) else None


def ready(path: Path) -> Shown:
    """A file as the page shows it; the placeholder where it cannot be read and decoded within the limits."""
    from PIL import Image

    try:
        # A link put there since the path was followed is refused, and so is a file that grows past the limit.
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            return CANNOT
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            memory = _memory(picture)
            if memory > MAX_MEMORY or endless(data, picture.format):
                return CANNOT
            with _alone if memory > ALONE else nullcontext():
                return _shown(picture, data)
    except Exception:  # Pillow's decoders raise OSError, SyntaxError, struct.error, ValueError, MemoryError and more
        return CANNOT


def _memory(picture: Picture) -> int:
    """Bytes that are taken at most while a picture is decoded and made smaller.

    Measured a pixel: WebP 16 to 18, whose decoder keeps whole frames; what may be see-through 10, of which there are
    two copies; progressive JPEG 7, plain JPEG 1.4; palettes and 16 bits 7; RGB 6. So a PNG of 57 million pixels is
    shown, and a WebP of 20.
    """
    a_pixel = 20 if picture.format == "WEBP" else 10 if _clear(picture) else 7
    return picture.width * picture.height * a_pixel


def _clear(picture: Picture) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _shown(picture: ImageFile, data: bytes) -> Shown:
    """An opened picture, decoded: the file itself where that is small, and else made smaller."""
    kind, still = picture.get_format_mimetype(), not getattr(picture, "is_animated", False)
    times = max(1.0, max(picture.size) / LARGEST_SIDE)
    # JPEG alone: decode no finer than needed.
    picture.draft("RGB", (ceil(picture.width / times), ceil(picture.height / times)))
    picture.load()
    if times == 1 and len(data) <= AS_IT_IS and still and kind:
        return Shown(kind, data, True)
    return _smaller(picture)


def _smaller(picture: Picture) -> Shown:
    """The picture, no larger than the page needs: PNG where it may be see-through, JPEG otherwise.

    First made smaller, then turned and converted, since each is a copy.
    """
    from PIL import ImageOps

    clear = _clear(picture)
    mode = "RGBA" if clear else "RGB"
    if picture.mode not in ("L", "LA", "RGB", "RGBA") or "transparency" in picture.info:
        picture = picture.convert(mode)  # of a palette no colours between two others can be made
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    picture = ImageOps.exif_transpose(picture).convert(mode)
    out = io.BytesIO()
    if clear:
        picture.save(out, "PNG")
        return Shown("image/png", out.getvalue(), True)
    picture.save(out, "JPEG", quality=88)
    return Shown("image/jpeg", out.getvalue(), True)
