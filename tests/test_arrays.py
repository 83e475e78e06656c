"""Damaged .npy and .npz files: one DataError, or what was stored; never another error, never other numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench_folder import write_snapshot
from cutpoint.data.arrays import read_archive, read_array
from cutpoint.data.files import read_npz
from cutpoint.data.sheets import read_scores
from cutpoint.errors import DataError
from cutpoint.experiment.snapshots import read_snapshot


def scores(path: Path, save: Callable[..., None]) -> None:
    probs = np.random.default_rng(0).dirichlet([1.0, 2.0], 40).astype(np.float32)
    save(path, probs=probs, ids=np.array([f"bird {i}" for i in range(40)]), classes=np.array(["heron", "other"]))


def mutations(whole: bytes, count: int) -> list[bytes]:
    """So many copies with some bytes changed, lost or put in, or cut short; always the same ones."""
    rng = np.random.default_rng(7)
    damaged = []
    for turn in range(count):
        text = bytearray(whole)
        place = int(rng.integers(len(text)))
        if turn % 4 == 0:
            text = text[:place]
        elif turn % 4 == 1:
            text[place : place + int(rng.integers(1, 9))] = b""
        else:
            for at in rng.integers(len(text), size=int(rng.integers(1, 4))):
                text[at] = int(rng.integers(256))
        damaged.append(bytes(text))
    return damaged


def headers(whole: bytes) -> list[bytes]:
    """Copies with one byte changed at every place of the zip's own lists of members and the first array's header."""
    places = [*range(160), *range(whole.rindex(b"PK\x01\x02") - 60, len(whole))]
    return [whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :] for at in places for flip in (1, 0x20)]


READERS: dict[str, Callable[[Path], Any]] = {
    "read_scores": lambda path: vars(read_scores(path)),
    "read_npz": read_npz,
}


def refused_or_same(read: Callable[[Path], Any], path: Path, wanted: Any) -> bool:
    """True if the file is refused in one sentence that names it; otherwise it is read as it was."""
    try:
        found = read(path)
    except DataError as error:
        said = str(error)
    else:
        assert repr(found) == repr(wanted)
        return False
    assert said.startswith(str(path))
    assert "\n" not in said
    assert len(said) < len(str(path)) + 300
    return True


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=lambda save: save.__name__)
@pytest.mark.parametrize("reader", READERS)
def test_a_damaged_archive_is_refused_or_read_as_it_was(reader: str, save: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    scores(path, save)
    whole, wanted = path.read_bytes(), READERS[reader](path)
    refused = 0
    for damaged in [*mutations(whole, 300), *headers(whole)]:
        path.write_bytes(damaged)
        refused += refused_or_same(READERS[reader], path, wanted)
    assert refused > 300


def test_a_damaged_snapshot_is_refused_or_read_as_it_was(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path / "one.npz", n=60)
    whole, wanted = path.read_bytes(), vars(read_snapshot(path))
    for damaged in mutations(whole, 300):
        path.write_bytes(damaged)
        refused_or_same(lambda path: vars(read_snapshot(path)), path, wanted)


def test_a_damaged_array_is_refused_or_an_array(tmp_path: Path) -> None:
    path = tmp_path / "one.npy"
    np.save(path, np.arange(30.0))
    whole = path.read_bytes()
    for damaged in [whole[:end] for end in range(len(whole))] + [*mutations(whole, 200), whole + b"1"]:
        path.write_bytes(damaged)
        with contextlib.suppress(DataError):
            assert isinstance(read_array(path, "replace it."), np.ndarray)  # .npy has no checksum


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "one.npz"
    path.write_bytes(content)
    if content.startswith(b"PK\x05"):
        assert read_archive(path, "replace it.") == {}  # an empty archive is one
        return
    with pytest.raises(DataError, match=r"one.npz cannot be read as .npz .*; replace it\."):
        read_archive(path, "replace it.")


def test_what_is_a_folder_or_not_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.npz"):
        with pytest.raises(DataError, match="cannot be read as"):
            read_archive(path, "replace it.")
        with pytest.raises(DataError, match="cannot be read as"):
            read_array(path, "replace it.")


def test_wanted_arrays_alone_are_read(tmp_path: Path) -> None:
    path = tmp_path / "one.npz"
    np.savez(path, a=np.arange(3), b=np.array([{}], dtype=object))
    assert list(read_archive(path, "replace it.", ("a", "c"))) == ["a"]
    with pytest.raises(DataError, match="allow_pickle"):
        read_archive(path, "replace it.")
