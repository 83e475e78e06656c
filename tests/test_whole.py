"""Files that appear whole or not at all: what is left when writing fails."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pytest

from cutpoint.data.whole import write_atomically


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
