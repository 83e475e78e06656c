"""Arrays in files: what is stored comes back mapped, whole or not at all, and nothing else is opened."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint.errors import DataError, UsageError
from cutpoint.store.base import StoreError
from cutpoint.store.files import ArrayFiles


@pytest.fixture
def files(tmp_path: Path) -> ArrayFiles:
    return ArrayFiles(tmp_path / "birds.files")


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(4, 3),
        np.asfortranarray(np.arange(12.0).reshape(4, 3)),
        np.arange(20)[::2],
        np.array(3),
        np.empty((0, 5), np.float32),
        np.array(["a", "bcd"]),
        np.array([np.nan, np.inf]),
    ],
    ids=["float32", "columns first", "strided", "one number", "no rows", "text", "not finite"],
)
def test_an_array_comes_back_as_it_was(files: ArrayFiles, array: np.ndarray) -> None:
    entry = files.put("probs", array)
    back = files.open(entry, verify=True)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array, equal_nan=array.dtype.kind == "f")
    assert not back.flags.writeable
    assert isinstance(back, np.memmap) or array.size < 2
    assert [path.name for path in files.folder.iterdir()] == [entry["file"]]


def test_the_name_of_a_new_folder_is_flushed_before_an_array_is_said_to_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr("cutpoint.data.whole.flush", flushed.append)
    ArrayFiles(tmp_path / "arrays" / "of" / "birds").put("probs", np.eye(3))
    assert flushed == [tmp_path, tmp_path / "arrays", tmp_path / "arrays" / "of"]
    ArrayFiles(tmp_path / "arrays" / "of" / "birds").put("probs", np.eye(4))
    assert len(flushed) == 3


def test_the_same_array_is_stored_once_and_another_beside_it(files: ArrayFiles) -> None:
    first, again = files.put("head", np.eye(3)), files.put("head", np.eye(3))
    other = files.put("head", np.eye(4))
    assert first == again
    assert {path.name for path in files.folder.iterdir()} == {first["file"], other["file"]}
    assert np.array_equal(files.open(first), np.eye(3))


def test_an_array_that_is_there_is_not_written_again_unless_its_file_is_damaged(files: ArrayFiles) -> None:
    entry = files.put("embedding", np.eye(50))
    path = files.folder / entry["file"]
    before = path.stat().st_ino
    os.utime(path, (0, 0))
    assert files.put("embedding", np.eye(50)) == entry
    assert path.stat().st_ino == before
    assert path.stat().st_mtime > 0  # it is in use again: no leftover, whoever stored it
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert files.put("embedding", np.eye(50)) == entry
    assert np.array_equal(files.open(entry, verify=True), np.eye(50))


@pytest.mark.parametrize("name", ["", "../head", "a/b", "a b", "é", ".head"])
def test_a_name_is_plain(files: ArrayFiles, name: str) -> None:
    with pytest.raises(UsageError, match="letters, digits, - and _"):
        files.put(name, np.eye(2))


def test_objects_are_refused(files: ArrayFiles) -> None:
    with pytest.raises(UsageError, match="of object; it must be of plain numbers"):
        files.put("head", np.array([{}, 1], dtype=object))
    assert not files.folder.exists()


@pytest.mark.parametrize("file", ["../secret.npy", "/secret.npy", "a/../secret.npy", "secret.txt", "", ".."])
def test_only_files_of_the_folder_are_opened(files: ArrayFiles, file: str) -> None:
    np.save(files.folder.parent / "secret.npy", np.eye(2))
    entry = files.put("head", np.eye(2)) | {"file": file}
    with pytest.raises(DataError, match="names the file"):
        files.open(entry)


def test_a_file_that_does_not_fit_its_entry_is_refused(files: ArrayFiles) -> None:
    entry = files.put("probs", np.zeros((100, 3), np.float32))
    path = files.folder / entry["file"]
    with pytest.raises(DataError, match="the entry of an array lacks dtype, sha256"):
        files.open({"file": entry["file"], "shape": [100, 3]})
    with pytest.raises(DataError, match=r"it holds <f4 of shape \[100, 3\], not <f4 of shape \[100, 2\]"):
        files.open(entry | {"shape": [100, 2]})
    whole = path.read_bytes()
    path.write_bytes(whole[:-4] + b"\1\2\3\4")
    assert files.open(entry).shape == (100, 3)  # the same size: only the checksum can tell
    for damaged, verify in [(whole[:-4] + b"\1\2\3\4", True), (whole[:-1], False), (b"", False), (b"x" * 999, False)]:
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"is not the array that was stored .*restore it from a backup"):
            files.open(entry, verify)
    path.unlink()
    with pytest.raises(DataError, match=rf"^{path} is gone; restore it from a backup\.$"):
        files.open(entry)


def test_a_pickle_is_never_read(files: ArrayFiles) -> None:
    entry = files.put("probs", np.zeros(3))
    np.save(files.folder / entry["file"], np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="is not the array that was stored"):
        files.open(entry)


def test_a_full_disk_leaves_nothing_behind_and_the_next_array_is_stored(files: ArrayFiles) -> None:
    """A limit on the size of files stands for a full disk: it holds for root, too."""
    small = files.put("probs", np.zeros(10))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(StoreError, match="array probs of 1,000,000 bytes was not stored: make room"):
            files.put("probs", np.ones(125_000))
        assert [path.name for path in files.folder.iterdir()] == [small["file"]]
        files.put("probs", np.ones(10))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    files.open(files.put("probs", np.ones(125_000)), verify=True)


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "birds.files").write_text("mine")
    with pytest.raises(StoreError, match=r"birds\.files cannot be written to"):
        ArrayFiles(tmp_path / "birds.files").put("probs", np.eye(2))


def test_what_killed_writers_left_goes_a_day_later(files: ArrayFiles) -> None:
    files.put("probs", np.eye(2))
    old, new = files.folder / ".probs-1.partial", files.folder / ".probs-2.partial"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    entry: dict[str, Any] = files.put("probs", np.eye(2))
    assert {path.name for path in files.folder.iterdir()} == {entry["file"], new.name}
