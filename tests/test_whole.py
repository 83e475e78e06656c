"""Files that appear whole or not at all: what is left when writing fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from cutpoint.data.pools.writing import write_new
from cutpoint.data.whole import write_atomically
from cutpoint.errors import UsageError


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_writing_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "a.csv"
    write_atomically(path, lambda file: file.write(b"old"))

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise failure

    with pytest.raises(type(failure)):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_cannot_be_taken_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(tmp_path / "a", lambda file: file.write(b"new"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("write_one", [write_atomically, write_new])
def test_two_who_write_the_same_file_at_a_time_do_not_mix(
    tmp_path: Path, write_one: Callable[[Path, Callable[[BinaryIO], object]], None]
) -> None:
    path = tmp_path / "a.csv"

    def write_among(file: BinaryIO) -> None:
        file.write(b"the first ")
        write_one(path, lambda other: other.write(b"the other"))
        file.write(b"goes on")

    if write_one is write_new:  # whoever is later finds it taken
        with pytest.raises(UsageError, match="is there already"):
            write_one(path, write_among)
        assert path.read_bytes() == b"the other"
    else:
        write_one(path, write_among)
        assert path.read_bytes() == b"the first goes on"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_whose_writing_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_new(tmp_path / "a.csv", fail)
    assert not list(tmp_path.iterdir())
