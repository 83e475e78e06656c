"""SVHN, PathMNIST, FMoW, iWildCam and the stored pictures in their published formats, whole and damaged."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cutpoint.data import DataOptions, Pictures, load_benchmark
from cutpoint.data.table_1 import Row
from cutpoint.data.wilds import FMOW_CLASSES, IWILDCAM_CLASSES
from cutpoint.errors import CutpointError, DataError, UsageError
from toy_sets import (
    encoded,
    fmow_files,
    iwildcam_files,
    pathmnist_file,
    pictures,
    put,
    shrink,
    svhn_files,
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Table 1 for the small sets."""
    monkeypatch.delenv("CUTPOINT_DATA", raising=False)
    shrink(
        monkeypatch,
        imb_svhn_2=Row(30, 2, ".1111", (3, 27), 20),
        imb_svhn_3=Row(30, 3, ".1250", (3, 3, 24), 20),
        pathmnist_2=Row(45, 2, ".1250", (5, 40), 18),
        fmow=Row(62, 62, "1.00"),
        iwildcam=Row(32, 14, ".3333"),
    )


def test_svhn_says_zero_with_ten(tmp_path: Path) -> None:
    svhn_files(tmp_path)
    benchmark = load_benchmark("imb-svhn-3", DataOptions(root=tmp_path))
    digits = (np.arange(30) + 1) % 10
    assert benchmark.classes == ("0", "1", "other")
    assert np.array_equal(benchmark.labels, np.minimum(digits, 2))
    assert np.array_equal(benchmark.pool.features, pictures(30, 32, seed=30))
    assert np.array_equal(benchmark.test_features, pictures(20, 32, seed=20))
    assert load_benchmark("imb-svhn-2", DataOptions(root=tmp_path)).n_classes == 2


def mat(**changes: Any) -> bytes:
    """A .mat file of SVHN's kind with any part replaced."""
    from scipy.io import savemat

    stream = io.BytesIO()
    whole = {"X": np.zeros((32, 32, 3, 20), np.uint8), "y": np.arange(20)[:, None] % 10 + 1} | changes
    savemat(stream, {name: value for name, value in whole.items() if value is not None})
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", r"cannot be read as \.mat"),
        (b"text" * 100, r"cannot be read as \.mat"),
        (mat()[:3000], r"cannot be read as \.mat|'X' must be"),
        (mat(X=None), r"'X' must be uint8 of shape \(32, 32, 3, n\)"),
        (mat(X=np.zeros((32, 32, 3, 20))), "'X' must be uint8"),
        (mat(y=np.zeros((3, 1))), "'y' must be one label for each of 20 pictures"),
        (mat(y=np.full((20, 1), 11)), r"hold 11 in row 0; labels must lie in 0\.\.10"),
        (mat(y=np.full((20, 1), 0.5)), "must be integers"),
    ],
)
def test_a_damaged_mat_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    svhn_files(tmp_path)
    (tmp_path / "test_32x32.mat").write_bytes(data)
    with pytest.raises(DataError, match=said):
        load_benchmark("imb-svhn-2", DataOptions(root=tmp_path))
    (tmp_path / "test_32x32.mat").unlink()
    with pytest.raises(DataError, match=r"needs test_32x32\.mat in .*fetch it with `cutpoint data fetch imb-svhn-2"):
        load_benchmark("imb-svhn-2", DataOptions(root=tmp_path))


def test_pathmnist_has_class_seven_against_the_rest(tmp_path: Path) -> None:
    pathmnist_file(tmp_path)
    benchmark = load_benchmark("pathmnist-2", DataOptions(root=tmp_path))
    assert benchmark.classes == ("cancer-associated stroma", "other")
    assert np.array_equal(benchmark.labels == 0, np.arange(45) % 9 == 7)
    assert np.array_equal(benchmark.test_labels == 0, np.arange(18) % 9 == 7)
    assert benchmark.pool.features.shape == (45, 32, 32, 3)
    corners = benchmark.pool.features[:, ::31, ::31].astype(int) - pictures(45, 28, seed=45)[:, ::27, ::27]
    assert np.abs(corners).mean() < 10  # resized, not cut or padded
    for name in ("pathmnist", "pathmnist-3"):
        with pytest.raises(UsageError, match="write pathmnist-2"):
            load_benchmark(name)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train_images": None}, "has no train_images or no train_labels"),
        ({"train_images": np.zeros((45, 28, 28), np.uint8)}, r"must be uint8 of shape \(n, 28, 28, 3\)"),
        ({"test_labels": np.full((18, 1), 9)}, r"labels must lie in 0\.\.8"),
        ({"test_labels": np.zeros((3, 1), int)}, r"of shape \(18,\)"),
        ({"train_images": np.array([{}] * 45, dtype=object)}, r"cannot be read as \.npz"),
    ],
)
def test_a_pathmnist_of_another_kind_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = pathmnist_file(tmp_path)
    with np.load(path) as stored:
        arrays: dict[str, NDArray[Any]] = {name: stored[name] for name in stored.files}
    whole = {name: array for name, array in (arrays | changes).items() if array is not None}
    np.savez(path, allow_pickle=True, **whole)
    with pytest.raises(DataError, match=said):
        load_benchmark("pathmnist-2", DataOptions(root=tmp_path))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match="fetch it again"):
        load_benchmark("pathmnist-2", DataOptions(root=tmp_path))


def test_fmow_is_split_by_time_and_decoded_when_asked_for(tmp_path: Path) -> None:
    folder = put(tmp_path / "fmow_v1.1", fmow_files())
    benchmark = load_benchmark("fmow", DataOptions(root=tmp_path))
    assert benchmark.classes == FMOW_CLASSES
    assert len(set(FMOW_CLASSES)) == 62
    assert list(FMOW_CLASSES) == sorted(FMOW_CLASSES)
    assert np.array_equal(benchmark.labels, np.arange(62))
    assert np.array_equal(benchmark.test_labels, np.arange(62))
    assert isinstance(benchmark.pool.features, Pictures)
    assert benchmark.pool.features.shape == (62, 224, 224, 3)
    assert benchmark.pool.features.source.name(1).endswith("images/rgb_img_5.png")
    assert benchmark.test_features.source.name(1).endswith("images/rgb_img_7.png")
    assert benchmark.note == ""
    (folder / "images" / "rgb_img_5.png").unlink()
    assert benchmark.pool.features[[0, 2]].shape == (2, 224, 224, 3)
    with pytest.raises(DataError, match=r"the picture .*rgb_img_5\.png cannot be read"):
        benchmark.pool.features[1]


@pytest.mark.parametrize(
    ("split", "when", "part"),
    [
        ("train", "2012-12-31T23:59:59Z", "train"),
        ("train", "2013-01-01T00:00:00Z", None),
        ("train", "2017-01-01T00:00:00Z", None),
        ("test", "2015-12-31T23:59:59Z", None),
        ("test", "2016-01-01T00:00:00Z", "test"),
        ("val", "2010-01-01T00:00:00Z", None),
        ("seq", "2010-01-01T00:00:00Z", None),
    ],
)
def test_fmow_has_the_official_split(tmp_path: Path, split: str, when: str, part: str | None) -> None:
    from cutpoint.data.wilds import fmow_examples

    put(tmp_path, {"rgb_metadata.csv": f"category,split,timestamp\nzoo,{split},{when}\n".encode()})
    assert [each.part for each in fmow_examples(tmp_path)] == ([part] if part else [])


def test_iwildcam_clips_its_species_at_thirteen(tmp_path: Path) -> None:
    put(tmp_path / "iwildcam_v2.0", iwildcam_files())
    benchmark = load_benchmark("iwildcam", DataOptions(root=tmp_path))
    assert benchmark.classes == IWILDCAM_CLASSES
    assert (len(benchmark.classes), *benchmark.classes[4:14:9]) == (14, "puma concolor", "other")
    assert benchmark.note == ""
    assert np.array_equal(benchmark.labels, np.minimum(np.arange(32) % 16, 13))
    assert benchmark.pool.features[:3].shape == (3, 224, 224, 3)
    for name in ("iwildcam-14", "fmow-2"):
        with pytest.raises(UsageError, match="its classes are given: write"):
            load_benchmark(name)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, r"categories\.csv cannot be read; the species go by the names that WILDS gives"),
        (b"\xff\xfe", "cannot be read; the species go by"),
        (b"y,name\n0,empty\n1", "cannot be read; the species go by"),
        (b"y,name\n0,empty\n1,lion\n", "calls the species 1 'lion' and not 'tayassu pecari'; the species go by"),
        (b"y,name\n0,empty\n", "calls the species 1 None and not 'tayassu pecari'"),
    ],
)
def test_the_names_of_species_are_known_whatever_their_file_says(tmp_path: Path, data: bytes | None, said: str) -> None:
    folder = put(tmp_path / "iwildcam_v2.0", iwildcam_files())
    (folder / "categories.csv").unlink()
    if data is not None:
        (folder / "categories.csv").write_bytes(data)
    benchmark = load_benchmark("iwildcam", DataOptions(root=tmp_path))
    assert benchmark.classes == IWILDCAM_CLASSES
    assert re.search(said, benchmark.note)


def test_a_test_part_without_some_species_is_used_and_said(tmp_path: Path) -> None:
    put(tmp_path / "iwildcam_v2.0", iwildcam_files(test=12))
    benchmark = load_benchmark("iwildcam", DataOptions(root=tmp_path))
    assert benchmark.untested
    assert benchmark.note.startswith("iwildcam: the test part has no example of eira barbara, other, so that")


def table(change: Callable[[list[list[str]]], None]) -> bytes:
    """The metadata of a small iWildCam after a change of its rows, the head among them."""
    rows = list(csv.reader(io.StringIO(iwildcam_files()["metadata.csv"].decode())))
    change(rows)
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def put_in(row: int, column: int, text: str) -> Callable[[list[list[str]]], None]:
    """A change of one field."""

    def change(rows: list[list[str]]) -> None:
        rows[row][column] = text

    return change


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", r"metadata\.csv has no column split"),
        (table(put_in(0, 2, "label")), "has no column y; it is not WILDS' table: move the folder away"),
        (table(lambda rows: rows[5].clear()), r"line 6 of .*metadata\.csv has 0 columns and its head 4"),
        (iwildcam_files()["metadata.csv"][:-12], r"line 51 of .*metadata\.csv has 3 columns and its head 4"),
        (table(put_in(3, 2, "lion")), "row 3 of .* cannot be meant .*y 'lion'"),
        (table(put_in(3, 2, "-1")), "row 3 of .* cannot be meant"),
        (table(lambda rows: rows[-1].__setitem__(3, "")), "row 50 of .*filename ''.*; it is cut off or damaged"),
        (b"\xff\xfe\x00", "cannot be read"),
        (table(lambda rows: rows.__setitem__(slice(1, None), [r for r in rows[1:] if r[0] != "test"])), "part 'test'"),
        *(
            (table(put_in(4, 3, name)), "row 4 of .* names the picture .* outside of its folder; do not use this file")
            for name in ("../../secret.png", "/etc/passwd", "a/../../b.jpg", "C:\\x.jpg", "..\\x.jpg")
        ),
    ],
)
def test_a_damaged_or_hostile_table_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    folder = put(tmp_path / "iwildcam_v2.0", iwildcam_files() | {"metadata.csv": data})
    with pytest.raises(DataError, match=said):
        load_benchmark("iwildcam", DataOptions(root=tmp_path))
    (folder / "metadata.csv").unlink()
    with pytest.raises(DataError, match=r"metadata\.csv cannot be read \(No such file"):
        load_benchmark("iwildcam", DataOptions(root=tmp_path))


def test_an_unknown_category_of_fmow_is_refused(tmp_path: Path) -> None:
    files = fmow_files()
    files["rgb_metadata.csv"] = files["rgb_metadata.csv"].replace(b",zoo,", b",circus,")
    put(tmp_path / "fmow_v1.1", files)
    with pytest.raises(DataError, match=r"row 246 of .* cannot be meant .*category 'circus'"):
        load_benchmark("fmow", DataOptions(root=tmp_path))


def test_another_number_of_classes_or_examples_is_refused(tmp_path: Path) -> None:
    fmow = fmow_files(n_classes=61)
    put(tmp_path / "fmow_v1.1", fmow)
    with pytest.raises(DataError, match="with 61 examples in the pool; Table 1 of the paper has 62"):
        load_benchmark("fmow", DataOptions(root=tmp_path))
    head, *rows = fmow["rgb_metadata.csv"].splitlines()
    put(tmp_path / "fmow_v1.1", {"rgb_metadata.csv": b"\n".join([head, *(r for r in rows if r.startswith(b"val"))])})
    with pytest.raises(DataError, match="with 0 examples in the pool; Table 1 of the paper has 62"):
        load_benchmark("fmow", DataOptions(root=tmp_path))
    put(tmp_path / "iwildcam_v2.0", iwildcam_files(pool=33))
    with pytest.raises(DataError, match="with 33 examples in the pool; Table 1 of the paper has 32"):
        load_benchmark("iwildcam", DataOptions(root=tmp_path))


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., Path]:
    """Write a small file of packed pictures, with any array replaced."""

    def write(name: str, **changes: Any) -> Path:
        files = [encoded(image) for image in pictures(40, 8)]
        arrays: dict[str, Any] = {
            "data": np.frombuffer(b"".join(data[8:] for data in files), np.uint8),
            "offsets": np.cumsum([0, *(len(data) - 8 for data in files)]),
            "header": np.frombuffer(files[0][:8], np.uint8),
            "shape": np.array([8, 8, 3]),
            "label": np.arange(40, dtype=np.uint8) % 4,
            "split": (np.arange(40) >= 30).astype(np.uint8),
            "split_names": np.array(["train", "test"]),
            "classes": np.array(["ant", "bee", "cat", "dog"]),
        }
        path = tmp_path / name
        np.savez(path, allow_pickle=True, **(arrays | changes))
        return path

    return write


def test_stored_pictures_are_decoded_once(packed: Callable[..., Path], tmp_path: Path) -> None:
    packed("cifar10_jpeg.npz")
    packed("ham10000_64.npz")
    labels = np.arange(30) % 4
    np.savez(tmp_path / "cifar10_human_labels.npz", train_clean=labels, worse=labels[::-1])
    for name in ("cifar10-jpeg-pictures", "cifar10-jpeg-pictures-3", "ham10000-pictures", "ham10000-pictures-2"):
        benchmark = load_benchmark(name, DataOptions(root=tmp_path))
        assert np.array_equal(benchmark.pool.features, pictures(40, 8)[:30])
        assert np.array_equal(benchmark.test_features, pictures(40, 8)[30:])
        assert np.array_equal(benchmark.labels, np.minimum(labels, benchmark.n_classes - 1))
    human = load_benchmark("cifar10-jpeg-pictures-2", DataOptions(root=tmp_path, human=("worse",))).human
    assert np.array_equal(human["worse"], np.minimum(labels[::-1], 1))
    with pytest.raises(UsageError, match=r"asks for 5 classes; it can be grouped to 2\.\.4"):
        load_benchmark("cifar10-jpeg-pictures-5", DataOptions(root=tmp_path))
    with pytest.raises(CutpointError, match="asks for 9 classes"):
        load_benchmark("ham10000-pictures-9", DataOptions(root=tmp_path))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"offsets": np.arange(41)[::-1]}, "its data and offsets do not fit"),
        ({"offsets": np.array([0, 10**6])}, "its data and offsets do not fit"),
        ({"data": np.zeros(3)}, "its data and offsets do not fit"),
        ({"shape": np.array([8, 8])}, "it must be height, width and 3"),
        ({"shape": np.array([10**6, 10**6, 3])}, "it must be height, width and 3"),
        ({"label": np.zeros(3, int)}, r"integers of shape \(40,\)"),
        ({"header": np.zeros(8, np.uint8)}, r"the picture 0 in .*ham10000_64\.npz cannot be decoded"),
    ],
)
def test_damaged_stored_pictures_are_refused(packed: Callable[..., Path], changes: dict[str, Any], said: str) -> None:
    path = packed("ham10000_64.npz", **changes)
    with pytest.raises(DataError, match=said):
        load_benchmark("ham10000-pictures", DataOptions(root=path.parent))
