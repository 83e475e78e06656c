"""Pictures for the page: by item alone, from inside one folder alone, and never an error that stops the server.

What a file is, its first bytes say, not its name. A picture is decoded before it is served, so that the browser gets
nothing that Pillow could not read; a large one is made smaller. Whatever cannot be shown is one quiet placeholder.
"""

from __future__ import annotations

import io
import os
import stat
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")  # Pillow's other decoders are never reached
MAX_BYTES = 64 << 20  # of a file
MAX_PIXELS = 50_000_000  # of a picture: a small file may claim to be huge
LARGEST_SIDE = 1600  # pixels, of what is sent
AS_IT_IS = 1 << 20  # bytes: a picture no larger than this, and than LARGEST_SIDE, is sent unchanged
KEPT_BYTES = 32 << 20  # of the pictures made last, for the next person who is shown the same one
AT_ONE_TIME = 2  # decoders: each may take 150 MB for a moment

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


@dataclass(frozen=True)
class Shown:
    """What is sent for a picture: its type and bytes; `whole` is False for the placeholder."""

    kind: str
    data: bytes
    whole: bool


CANNOT = Shown("image/svg+xml", PLACEHOLDER, False)


class Gallery:
    """The pictures of a campaign's folders. Thread-safe; keeps what it made last."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._kept: OrderedDict[tuple[Path, str], Shown] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._decoders = BoundedSemaphore(AT_ONE_TIME)

    def show(self, folder: Path | None, name: str) -> Shown:
        """The picture at a path below a folder.

        The placeholder where it is missing, outside of the folder, no picture, or too large; or without a folder.
        """
        if folder is None:
            return CANNOT
        with self._lock:
            if (folder, name) in self._kept:
                self._kept.move_to_end((folder, name))
                return self._kept[folder, name]
        path = inside(folder, name)
        if path is None:
            return CANNOT
        with self._decoders:
            shown = ready(path)
        if shown.whole:
            self._keep((folder, name), shown)
        return shown

    def _keep(self, place: tuple[Path, str], shown: Shown) -> None:
        with self._lock:
            if place not in self._kept:
                self._kept[place] = shown
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
    from PIL import Image, ImageOps

    try:
        # A link put there since the path was followed is refused, and so is a file that grows past the limit.
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            return CANNOT
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return CANNOT
            kind, still = picture.get_format_mimetype(), not getattr(picture, "is_animated", False)
            small = max(picture.size) <= LARGEST_SIDE and len(data) <= AS_IT_IS
            picture.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))  # JPEG alone: decode no finer than needed
            picture.load()
            if small and still and kind:
                return Shown(kind, data, True)
            return _smaller(ImageOps.exif_transpose(picture))
    except Exception:  # Pillow's decoders raise OSError, SyntaxError, struct.error, ValueError, MemoryError and more
        return CANNOT


def _smaller(picture: Picture) -> Shown:
    """The picture, no larger than the page needs: PNG where it may be see-through, JPEG otherwise."""
    clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    picture = picture.convert("RGBA" if clear else "RGB")
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    out = io.BytesIO()
    if clear:
        picture.save(out, "PNG")
        return Shown("image/png", out.getvalue(), True)
    picture.save(out, "JPEG", quality=88)
    return Shown("image/jpeg", out.getvalue(), True)
