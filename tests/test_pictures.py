"""Pictures decoded when asked for: the right ones, in any order, and one sentence for a damaged one."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.data import Benchmark, Pictures, Pool
from cutpoint.data import pictures as module
from cutpoint.data.pictures import Files, Packed, decode
from cutpoint.errors import DataError, UsageError
from toy_sets import encoded, pictures


@pytest.fixture
def files(tmp_path: Path) -> Pictures:
    """A hundred PNG files of 8 x 8 under the names of their numbers."""
    for i, image in enumerate(pictures(100, 8)):
        (tmp_path / f"{i}.png").write_bytes(encoded(image))
    return Pictures(Files(tmp_path, [f"{i}.png" for i in range(100)]), 8, 8)


def test_pictures_are_indexed_like_an_array(files: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cores", lambda: 3)
    array = pictures(100, 8)
    assert files.shape == array.shape
    assert files.dtype == array.dtype
    assert len(files) == 100
    mask = np.arange(100) % 7 == 0
    for index in ([3, 3, 99], slice(5, 90, 2), mask, np.array([-1, 0]), np.array([], int), slice(None), 4):
        assert np.array_equal(files[index], array[index])
    with pytest.raises(IndexError):
        files[[100]]


def test_only_what_is_asked_for_is_read_and_several_threads_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    png = encoded(pictures(1, 8)[0])
    read: list[int] = []
    threads: set[int] = set()
    together = threading.Barrier(2, timeout=120)

    class Source:
        def __len__(self) -> int:
            return 1000

        def read(self, i: int) -> bytes:
            read.append(i)
            if threading.get_ident() not in threads:
                threads.add(threading.get_ident())
                together.wait()  # passed by two threads or by none
            return png

        def name(self, i: int) -> str:
            return str(i)

    monkeypatch.setattr(module, "cores", lambda: 2)
    assert Pictures(Source(), 8, 8)[100:164].shape == (64, 8, 8, 3)
    assert sorted(read) == list(range(100, 164))
    assert len(threads) == 2


@given(st.lists(st.integers(0, 9), max_size=5))
def test_packed_pictures_share_a_header(rows: list[int]) -> None:
    array = pictures(10, 6, seed=3)
    whole = [encoded(image) for image in array]
    header, rest = whole[0][:8], [data[8:] for data in whole]
    offsets = np.cumsum([0, *(len(data) for data in rest)])
    data = np.frombuffer(b"".join(rest), np.uint8)
    packed = Packed(Path("packed.npz"), data, offsets, header, np.array(rows, np.intp))
    assert np.array_equal(Pictures(packed, 6, 6)[:], array[rows])
    if rows:
        assert packed.name(0) == f"{rows[0]} in packed.npz"


def test_pictures_of_all_kinds_become_rgb_of_one_size() -> None:
    from PIL import Image

    image = Image.fromarray(pictures(1, 40)[0])
    for mode, form in (("L", "PNG"), ("1", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG"), ("L", "JPEG")):
        stream = io.BytesIO()
        image.convert(mode).save(stream, form)
        assert decode(stream.getvalue(), "x", 10, 12).shape == (10, 12, 3)
    flat = encoded(np.full((40, 30, 3), 77, np.uint8))
    assert (decode(flat, "x", 10, 12) == 77).all()


def damaged() -> dict[str, tuple[bytes, str]]:
    """Files that are no pictures, and what is said of them."""
    png = encoded(pictures(1, 40)[0])
    huge = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    return {
        "text": (b"not a picture", "it is no JPEG or PNG"),
        "empty": (b"", "it is no JPEG or PNG"),
        "gif": (b"GIF89a" + bytes(20), "it is no JPEG or PNG"),
        "truncated png": (png[:200], "truncated"),
        "truncated jpeg": (encoded(pictures(1, 40)[0], "JPEG")[:-300], "truncated"),
        "changed": (png[:60] + bytes(40) + png[100:], ""),
        "huge": (png[:8] + struct.pack(">I", 13) + huge + struct.pack(">I", zlib.crc32(huge)) + png[33:], ""),
    }


@pytest.mark.parametrize("kind", damaged())
def test_a_damaged_picture_is_named(kind: str, files: Pictures) -> None:
    data, said = damaged()[kind]
    assert isinstance(files.source, Files)
    path = files.source.folder / "42.png"
    path.write_bytes(data)
    with pytest.raises(
        DataError, match=rf"the picture .*42\.png cannot be decoded \(.*{said}.*\); replace it, or move its folder"
    ):
        files[:]
    assert files[[41, 43]].shape == (2, 8, 8, 3)
    path.unlink()
    with pytest.raises(DataError, match=r"the picture .*42\.png cannot be read \(No such file or directory\)"):
        files[42]


def test_a_pool_is_of_features_or_of_pictures(files: Pictures) -> None:
    features, array = Pool(np.zeros((3, 2), np.float32)), Pool(pictures(3, 8))
    assert not features.is_pictures
    assert features.table is features.features
    for pool in (array, Pool(files)):
        assert pool.is_pictures
        assert pool.pictures is pool.features
        with pytest.raises(UsageError, match=r"holds pictures of 8 x 8, and features \(N, d\) are needed; .*resnet18"):
            _ = pool.table
    assert not array.features.flags.writeable
    assert Pool(files).n_examples == 100
    with pytest.raises(UsageError, match=r"holds features of 2 columns, and pictures are needed; .*logistic"):
        _ = features.pictures
    for wrong in (np.zeros((3, 8, 8, 3), np.float32), np.zeros((3, 3, 8, 8), np.uint8), pictures(0, 8)):
        with pytest.raises(DataError, match=r"pictures must be uint8 of shape \(N, H, W, 3\)"):
            Pool(wrong)
    with pytest.raises(DataError, match="hold no picture"):
        Pool(Pictures(Files(Path(), []), 8, 8))


def test_a_benchmark_has_both_splits_of_one_kind(files: Pictures) -> None:
    labels, classes = np.arange(4) % 2, ("a", "b")
    array = pictures(4, 8)
    assert Benchmark("b", Pool(array), labels, files, np.arange(100) % 2, classes).pool.is_pictures
    for test in (pictures(4, 9), np.zeros((4, 192), np.float32)):
        with pytest.raises(DataError, match=r"the test features have .* and the pool's pictures of 8 x 8; both splits"):
            Benchmark("b", Pool(array), labels, test, labels, classes)


def test_a_published_split_may_leave_a_class_untested_and_never_unpooled() -> None:
    labels, none = np.array([0, 1]), np.array([0, 0])
    x = np.zeros((2, 1), np.float32)
    assert Benchmark("b", Pool(x), labels, x, none, ("a", "b"), untested=True).untested
    with pytest.raises(DataError, match="no test example of class 1"):
        Benchmark("b", Pool(x), labels, x, none, ("a", "b"))
    with pytest.raises(DataError, match="no example in the pool of class 1"):
        Benchmark("b", Pool(x), none, x, labels, ("a", "b"), untested=True)
