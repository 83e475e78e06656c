"""Pictures come from one folder, by item, decoded and bounded; nothing hostile gets further than a placeholder."""

from __future__ import annotations

import asyncio
import os
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from threading import enumerate as running_threads

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

import httpx2
from PIL import Image

from cutpoint.service.web import images
from cutpoint.service.web.images import CANNOT, Full, Gallery, Shown, inside
from served import BASE, Served, serve_in_memory, token


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one good picture, beside a secret that nobody may read."""
    inner = tmp_path / "photos"
    (inner / "deep").mkdir(parents=True)
    Image.new("RGB", (40, 30), "teal").save(inner / "good.png")
    Image.new("RGB", (40, 30), "teal").save(inner / "deep" / "good.jpg")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "secret.png")
    return inner


def show(folder: Path | None, name: str) -> Shown:
    """What is shown for a path, by a gallery of its own."""
    gallery = Gallery(lambda _: (folder, name))
    try:
        return asyncio.run(gallery.show(0))
    finally:
        gallery.close()


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
    assert show(photos, name) is CANNOT


def test_an_absolute_path_is_refused_even_when_it_points_inside(photos: Path) -> None:
    assert inside(photos, str(photos / "good.png")) is None
    assert inside(photos, "good.png") == photos / "good.png"


def test_links_are_followed_only_inside(photos: Path) -> None:
    (photos / "out.png").symlink_to(photos.parent / "secret.png")
    (photos / "up").symlink_to(photos.parent)
    (photos / "loop.png").symlink_to(photos / "loop.png")
    (photos / "in.png").symlink_to(photos / "good.png")
    for name in ("out.png", "up/secret.png", "loop.png"):
        assert show(photos, name) is CANNOT, name
    assert show(photos, "in.png").whole


def test_a_pipe_does_not_hang_the_server(photos: Path) -> None:
    os.mkfifo(photos / "pipe.png")
    assert show(photos, "pipe.png") is CANNOT


def test_good_pictures_are_sent_unchanged_and_by_what_they_are(photos: Path) -> None:
    (photos / "misnamed.html").write_bytes((photos / "good.png").read_bytes())
    assert show(photos, "good.png").data == (photos / "good.png").read_bytes()
    assert show(photos, "deep/good.jpg").kind == "image/jpeg"
    assert show(photos, "misnamed.html").kind == "image/png"


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
    "cut short": bomb(100, 100),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "noise": bytes(range(256)) * 40,
    "head alone": b"\xff\xd8\xff\xe0\x00\x10JFIF",
}


@pytest.mark.parametrize("data", HOSTILE_FILES.values(), ids=HOSTILE_FILES.keys())
def test_a_hostile_file_is_the_placeholder(photos: Path, data: bytes) -> None:
    (photos / "hostile.png").write_bytes(data)
    shown = show(photos, "hostile.png")
    assert shown is CANNOT
    assert b"cannot be shown" in shown.data


def test_a_file_past_the_limit_is_not_read_whole(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 10)
    assert show(photos, "good.png") is CANNOT


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "image/jpeg"), ("RGBA", "image/png"), ("L", "image/jpeg")])
def test_a_large_picture_is_made_smaller(photos: Path, mode: str, kind: str) -> None:
    Image.new(mode, (2400, 1200)).save(photos / "large.png")
    shown = show(photos, "large.png")
    assert shown.kind == kind
    assert shown.whole


def test_a_moving_picture_stands_still(photos: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(photos / "moving.gif", save_all=True, append_images=frames[1:])
    assert show(photos, "moving.gif").kind == "image/jpeg"


def test_what_is_kept_stays_within_its_limit(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "KEPT_BYTES", (photos / "good.png").stat().st_size)
    names = ["good.png", "deep/good.jpg"]
    gallery = Gallery(lambda item: (photos, names[item]))
    first, same, _, again = (asyncio.run(gallery.show(item)) for item in (0, 0, 1, 0))
    gallery.close()
    assert same is first
    assert again is not first
    assert again == first


def test_without_a_folder_there_is_no_picture() -> None:
    assert show(None, "good.png") is CANNOT


class Decoder:
    """Decodes nothing before it is told to, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self.go_on = Event()
        monkeypatch.setattr(images, "ready", self.ready)

    def ready(self, path: Path) -> Shown:
        self.begun.append(path.name)
        assert self.go_on.wait(300)
        return Shown("image/png", path.name.encode(), True)


@asynccontextmanager
async def visiting(served: Served) -> AsyncIterator[httpx2.AsyncClient]:
    """Ada, whose requests are served at a time, by one event loop and its threads."""
    transport = httpx2.ASGITransport(served.app)
    headers = {"authorization": f"Bearer {token('ada')}"}
    async with httpx2.AsyncClient(transport=transport, base_url=BASE, headers=headers, timeout=300) as ada:
        yield ada


def served_pictures(photos: Path, n: int) -> Served:
    """A campaign of n pictures."""
    for i in range(n):
        Image.new("RGB", (4, 4)).save(photos / f"{i}.png")
    return serve_in_memory([{"picture": f"{i}.png"} for i in range(n)], source=str(photos), kind="picture")


def test_answers_pass_while_all_decoders_are_busy(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, served = Decoder(monkeypatch), served_pictures(photos, 60)

    async def visit() -> None:
        async with visiting(served) as ada:
            asked = [asyncio.create_task(ada.get(f"/items/{i}/picture")) for i in range(60)]
            while len(decoder.begun) < images.AT_ONE_TIME:
                await asyncio.sleep(0.001)
            try:
                following = await asyncio.wait_for(ada.get("/api/next"), 120)
                item = following.json()["items"][0]["item"]
                said = ada.post("/api/answer", json={"item": item, "label": 1, "key": "test-key"})
                assert (await asyncio.wait_for(said, 120)).json()["status"] == "saved"
            finally:
                decoder.go_on.set()
            pictures = await asyncio.gather(*asked)
            assert [one.content.decode() for one in pictures] == [f"{i}.png" for i in range(60)]

    asyncio.run(visit())
    served.front.close()


def test_a_picture_that_many_ask_for_is_made_once(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, served = Decoder(monkeypatch), served_pictures(photos, 1)

    async def visit() -> None:
        async with visiting(served) as ada:
            asked = [asyncio.create_task(ada.get("/items/0/picture")) for _ in range(10)]
            while not decoder.begun:
                await asyncio.sleep(0.001)
            asked.pop().cancel()  # who goes away takes nothing from the others
            await asyncio.sleep(0)
            decoder.go_on.set()
            assert {(one.status_code, one.content) for one in await asyncio.gather(*asked)} == {(200, b"0.png")}
            assert (await ada.get("/items/0/picture")).content == b"0.png"

    asyncio.run(visit())
    served.front.close()
    assert decoder.begun == ["0.png"]


def test_too_many_pictures_are_refused_for_a_moment(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_WAITING", 3)
    decoder, served = Decoder(monkeypatch), served_pictures(photos, 5)

    async def visit() -> None:
        async with visiting(served) as ada:
            asked = [asyncio.create_task(ada.get(f"/items/{i}/picture")) for i in range(3)]
            while len(served.front.pictures._making) < 3:
                await asyncio.sleep(0.001)
            refused = await ada.get("/items/3/picture")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert "Too many pictures" in refused.json()["error"]
            decoder.go_on.set()
            assert [one.status_code for one in await asyncio.gather(*asked)] == [200] * 3
            assert (await ada.get("/items/3/picture")).status_code == 200
            assert (await ada.get("/items/99/picture")).status_code == 400

    asyncio.run(visit())
    served.front.close()


def test_a_gallery_that_closes_waits_for_no_decoder(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Decoder(monkeypatch)
    gallery = Gallery(lambda _: (photos, "good.png"))

    async def visit() -> None:
        asked = [asyncio.create_task(gallery.show(item)) for item in range(5)]
        while len(decoder.begun) < images.AT_ONE_TIME:
            await asyncio.sleep(0.001)
        gallery.close()
        assert {type(said) for said in await asyncio.gather(*asked, return_exceptions=True)} == {Full}
        with pytest.raises(Full):
            await gallery.show(9)

    asyncio.run(visit())
    assert all(thread.daemon for thread in running_threads() if thread.name == "pictures"), "Python waits for others"
    decoder.go_on.set()
    assert len(decoder.begun) == images.AT_ONE_TIME
