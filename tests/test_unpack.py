"""Archives are unpacked whole or not at all, and never outside of their folder."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from cutpoint.data.unpack import is_inside, unpack
from cutpoint.errors import DataError
from toy_sets import tar_gz


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "C:/out", "..\\out", "\\\\host\\out", ""])
def test_a_path_that_leads_outside_is_seen(name: str) -> None:
    assert not is_inside(name)
    assert is_inside("a/b..c/d.png")


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """An empty member of an archive."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


@pytest.mark.parametrize(
    "hostile",
    [
        member("../outside"),
        member("/tmp/outside"),
        member("inner/../../outside"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.SYMTYPE, ".."),
        member("link", tarfile.LNKTYPE, "table.csv"),
        member("device", tarfile.CHRTYPE),
        member("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda each: each.name,
)
def test_a_hostile_archive_writes_nothing_outside(tmp_path: Path, hostile: tarfile.TarInfo) -> None:
    path = tmp_path / "archive.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(member("table.csv"), io.BytesIO())
        archive.addfile(hostile)
    with pytest.raises(
        DataError, match=r"which is no file inside of it; do not use this archive: delete it, and fetch"
    ):
        unpack(path, tmp_path / "set", "table.csv")
    assert not (tmp_path / "set").exists()
    assert {path.name for path in tmp_path.rglob("*")} == {"archive.tar.gz", "set.part", "table.csv"}


def test_another_archive_and_a_folder_in_the_way_are_said(tmp_path: Path) -> None:
    path = tar_gz(tmp_path / "archive.tar.gz", {"other.csv": b""})
    with pytest.raises(DataError, match=r"has no table\.csv; it is another archive: delete it, and fetch again"):
        unpack(path, tmp_path / "set", "table.csv")
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match=r"set is there and its table\.csv is missing or empty, so .*; move it away"):
        unpack(path, tmp_path / "set", "table.csv")
