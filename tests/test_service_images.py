"""Pictures come from one folder, by item, decoded and bounded; nothing hostile gets further than a placeholder."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from cutpoint.service.web import images
from cutpoint.service.web.images import CANNOT, Gallery, inside


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one good picture, beside a secret that nobody may read."""
    inner = tmp_path / "photos"
    (inner / "deep").mkdir(parents=True)
    Image.new("RGB", (40, 30), "teal").save(inner / "good.png")
    Image.new("RGB", (40, 30), "teal").save(inner / "deep" / "good.jpg")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "secret.png")
    return inner


HOSTILE_PATHS = [
    "../secret.png",
    "deep/../../secret.png",
    "/etc/passwd",
    "//etc/passwd",
    "file:///etc/passwd",
    "file:good.png",
    "..\\secret.png",
    "%2e%2e/secret.png",
    "good.png\0.jpg",
    "",
    ".",
    "deep",
    "~/secret.png",
    "C:\\secret.png",
    "\\\\host\\share\\secret.png",
    "no/such/file.png",
    "a" * 5000,
]


@pytest.mark.parametrize("name", HOSTILE_PATHS, ids=repr)
def test_no_path_leads_out_of_the_folder(photos: Path, name: str) -> None:
    assert Gallery().show(photos, name) is CANNOT


def test_an_absolute_path_is_refused_even_when_it_points_inside(photos: Path) -> None:
    assert inside(photos, str(photos / "good.png")) is None
    assert inside(photos, "good.png") == photos / "good.png"


def test_links_are_followed_only_inside(photos: Path) -> None:
    (photos / "out.png").symlink_to(photos.parent / "secret.png")
    (photos / "up").symlink_to(photos.parent)
    (photos / "loop.png").symlink_to(photos / "loop.png")
    (photos / "in.png").symlink_to(photos / "good.png")
    gallery = Gallery()
    for name in ("out.png", "up/secret.png", "loop.png"):
        assert gallery.show(photos, name) is CANNOT, name
    assert gallery.show(photos, "in.png").whole


def test_a_pipe_does_not_hang_the_server(photos: Path) -> None:
    os.mkfifo(photos / "pipe.png")
    assert Gallery().show(photos, "pipe.png") is CANNOT


def test_good_pictures_are_sent_unchanged_and_by_what_they_are(photos: Path) -> None:
    gallery = Gallery()
    (photos / "misnamed.html").write_bytes((photos / "good.png").read_bytes())
    assert gallery.show(photos, "good.png").data == (photos / "good.png").read_bytes()
    assert gallery.show(photos, "deep/good.jpg").kind == "image/jpeg"
    assert gallery.show(photos, "misnamed.html").kind == "image/png"


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims a size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


HOSTILE_FILES = {
    "empty": b"",
    "page": b"<!doctype html><script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "bomb": bomb(60_000, 60_000),
    "just too large": bomb(7_100, 7_100),
    "cut short": bomb(100, 100),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "noise": bytes(range(256)) * 40,
    "head alone": b"\xff\xd8\xff\xe0\x00\x10JFIF",
}


@pytest.mark.parametrize("data", HOSTILE_FILES.values(), ids=HOSTILE_FILES.keys())
def test_a_hostile_file_is_the_placeholder(photos: Path, data: bytes) -> None:
    (photos / "hostile.png").write_bytes(data)
    shown = Gallery().show(photos, "hostile.png")
    assert shown is CANNOT
    assert b"cannot be shown" in shown.data


def test_a_file_past_the_limit_is_not_read_whole(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 10)
    assert Gallery().show(photos, "good.png") is CANNOT


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "image/jpeg"), ("RGBA", "image/png"), ("L", "image/jpeg")])
def test_a_large_picture_is_made_smaller(photos: Path, mode: str, kind: str) -> None:
    Image.new(mode, (2400, 1200)).save(photos / "large.png")
    shown = Gallery().show(photos, "large.png")
    assert shown.kind == kind
    assert shown.whole


def test_a_moving_picture_stands_still(photos: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(photos / "moving.gif", save_all=True, append_images=frames[1:])
    assert Gallery().show(photos, "moving.gif").kind == "image/jpeg"


def test_what_is_kept_stays_within_its_limit(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (photos / "good.png").stat().st_size
    monkeypatch.setattr(images, "KEPT_BYTES", size)
    gallery = Gallery()
    first = gallery.show(photos, "good.png")
    assert gallery.show(photos, "good.png") is first
    gallery.show(photos, "deep/good.jpg")
    again = gallery.show(photos, "good.png")
    assert again is not first
    assert again == first


def test_without_a_folder_there_is_no_picture() -> None:
    assert Gallery().show(None, "good.png") is CANNOT
