"""How much memory and time one picture may take, and that those of cameras are shown within it."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("fastapi")

from PIL import Image

from cutpoint.data import pictures
from cutpoint.data.pictures import MOST_SCANS
from cutpoint.data.pools import decoding
from cutpoint.errors import DataError
from cutpoint.service.web import images
from cutpoint.service.web.images import CANNOT, Shown, ready


@pytest.mark.parametrize(
    ("mode", "format"), [("RGB", "JPEG"), ("RGB", "PNG"), ("P", "PNG"), ("LA", "PNG"), ("L", "WEBP")]
)
def test_a_large_picture_is_turned_as_its_camera_says(tmp_path: Path, mode: str, format: str) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter
    Image.linear_gradient("L").resize((2400, 1200)).convert(mode).save(tmp_path / "large", format, exif=turned)
    upright = Image.open(io.BytesIO(ready(tmp_path / "large").data)).convert("L")
    assert upright.size == (800, 1600)
    left, right = (upright.getpixel((x, 800)) for x in (10, 790))
    assert isinstance(left, int | float)
    assert isinstance(right, int | float)
    assert left > 240 > 20 > right


@pytest.mark.parametrize(
    ("mode", "format", "bytes_a_pixel"),
    [
        ("RGB", "JPEG", 7),
        ("RGB", "PNG", 7),
        ("P", "GIF", 7),
        ("RGBA", "PNG", 10),
        ("LA", "PNG", 10),
        ("RGB", "WEBP", 20),
    ],
)
def test_a_picture_takes_no_more_memory_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, format: str, bytes_a_pixel: int
) -> None:
    Image.new(mode, (90, 100)).save(tmp_path / "one", format)
    monkeypatch.setattr(images, "MAX_MEMORY", 9_000 * bytes_a_pixel)
    assert ready(tmp_path / "one").whole
    monkeypatch.setattr(images, "MAX_MEMORY", 9_000 * bytes_a_pixel - 1)
    assert ready(tmp_path / "one") is CANNOT


def test_the_photos_of_phones_and_cameras_are_not_too_large() -> None:
    for mode, million, kind in (("RGB", 48.8, "JPEG"), ("RGB", 48.8, "PNG"), ("RGBA", 24, "PNG"), ("RGB", 16, "WEBP")):
        photo = Image.new(mode, (1, 1))
        photo.format, photo._size = kind, (1000, int(million * 1000))
        assert images._memory(photo) <= images.MAX_MEMORY, (mode, million, kind)


def test_large_pictures_are_decoded_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "ALONE", 2400 * 1200 * 7 - 1)
    Image.new("RGB", (2400, 1200)).save(tmp_path / "large.png")
    Image.new("RGB", (2400, 1199)).save(tmp_path / "smaller.png")
    shown: list[Shown] = []
    large = Thread(target=lambda: shown.append(ready(tmp_path / "large.png")), daemon=True)
    with images._alone:  # while another is decoded
        large.start()
        assert ready(tmp_path / "smaller.png").whole
        assert not shown
    large.join(60)
    assert shown[0].whole


def scans(n: int, side: int = 64) -> bytes:
    """A progressive JPEG that is small, of n scans, each of which changes nothing."""

    def part(kind: int, data: bytes) -> bytes:
        return bytes((0xFF, kind)) + struct.pack(">H", len(data) + 2) + data

    head = (
        b"\xff\xd8" + part(0xDB, b"\0" + b"\1" * 64) + part(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0")
    )
    codes = part(0xC4, bytes((0, 0, 1, *[0] * 14, 0))) + part(0xC4, bytes((0x10, 1, *[0] * 15, 0x50)))
    first = part(0xDA, bytes((1, 1, 0, 0, 0, 0))) + b"\0" * (side * side // 256)  # two bits a block: the same as before
    rest = part(0xDA, bytes((1, 1, 0, 1, 63, 0x10))) + bytes((0b0_10000_11, 0xFF))  # 32 + 16 blocks end here
    return head + codes + first + rest * (n - 1) + b"\xff\xd9"


def test_a_picture_of_thousands_of_scans_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "some.jpg").write_bytes(scans(MOST_SCANS))
    (tmp_path / "many.jpg").write_bytes(scans(MOST_SCANS + 1))
    assert ready(tmp_path / "some.jpg").whole
    assert ready(tmp_path / "many.jpg") is CANNOT
    assert decoding.decode(tmp_path / "some.jpg", 8, 8) is not None
    assert decoding.decode(tmp_path / "many.jpg", 8, 8) is None
    with pytest.raises(DataError, match=f"more than {MOST_SCANS} scans"):
        pictures.decode((tmp_path / "many.jpg").read_bytes(), "many.jpg", 8, 8)
