"""Where pictures are looked for: in the folder that `serve` was told, which is remembered, and where they were read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

from PIL import Image

from campaign_command import command
from cutpoint.cli import run_cli
from cutpoint.service.doctor import examine
from cutpoint.service.web.auth import Person
from cutpoint.service.web.images import CANNOT
from cutpoint.service.web.server import _at_work, _greetings
from cutpoint.service.web.whereabouts import absent
from served import serve_in_memory

LOST = "{} of the 7 pictures looked for {} not there, the first {}, and cannot be shown; --images FOLDER says where"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a campaign of 7 pictures, called birds, in the folder one works in."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(7):
        Image.new("RGB", (30, 30), (30 * i, 90, 90)).save(folder / f"{i}.png")
    assert run_cli(["init", "birds", "--images", "photos", "--classes", "a,b", "--quiet"]) == 0
    return folder


def served(pictures: Path | None = None) -> tuple[list[str], list[str], bool]:
    """What `serve` says of pictures, what the dashboard warns an admin of, and whether the third picture is shown."""
    with _at_work("birds", None, pictures, None, new_round=False) as front:
        said = [line for line in _greetings(front, [], "http://127.0.0.1:8000", False) if "picture" in line]
        for person in ("ada", "chief"):
            front.make_link(person, person == "chief")
        assert front.dashboard(Person("ada", False))["warnings"] == [], "where files lie is for admins"
        warnings = front.dashboard(Person("chief", True))["warnings"]
        return said, warnings, asyncio.run(front.pictures.show(2)) is not CANNOT


def examined() -> tuple[str, str]:
    """What the doctor says of the pictures."""
    (found,) = (each for each in examine("birds") if each.part == "pictures")
    return found.mark, found.said


def places(photos: Path) -> Iterator[tuple[Path | None, Path]]:
    """Folders in which no picture is, with the one in which they are then looked for first."""
    wrong = photos.with_name("wrong")
    wrong.mkdir()
    yield None, photos
    yield wrong, wrong
    yield None, wrong


def test_a_folder_without_the_pictures_is_said_at_the_start_and_on_the_dashboard(photos: Path) -> None:
    assert served() == ([], [], True)
    photos.rename(photos.with_name("moved"))
    for told, where in places(photos):
        said, warnings, shown = served(told)
        assert said == [f"{LOST.format(7, 'are', where / '0.png')} they are"]
        assert warnings == [f"When this server started, {said[0]}."]
        assert not shown
        assert examined() == ("wrong", f"not where they were: 7 pictures, the first {where / '0.png'}")


def test_the_folder_that_serve_was_told_is_remembered(photos: Path) -> None:
    moved = photos.rename(photos.with_name("moved"))
    for told in (Path("moved"), None):
        assert served(told) == ([], [], True)
        assert examined() == ("well", f"all are in {moved}, or where they were")
    (moved / "4.png").unlink()
    assert served()[0] == [f"{LOST.format(1, 'is', moved / '4.png')} they are"]
    moved.rename(photos)
    assert served()[2], "they are back where they were read"


def test_of_a_large_pool_some_pictures_are_looked_for(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutpoint.service.web.whereabouts.LOOKED_AT", 3)
    photos.rename(photos.with_name("moved"))
    assert served()[0][0].startswith("4 of the 4 pictures looked for are not there")
    assert examined()[1].startswith("not where they were: 7 pictures"), "the doctor looks for all"


def test_a_folder_that_is_not_there_is_refused(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no folder none" in command(capsys, "serve", "birds", "--images", "none", code=2)


@pytest.mark.parametrize("source", ["photos", ""])
def test_pictures_are_missed_where_no_page_finds_them(
    photos: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(photos)  # which says nothing of where a log has them
    names = ["0.png", str(photos / "1.png"), "../photos/2.png"]
    older = serve_in_memory([{"picture": name} for name in names], source=source, kind="picture")
    assert asyncio.run(older.front.pictures.show(0)) is CANNOT
    assert list(absent(older.store, older.desk.state, None, range(3))) == [Path(name) for name in names]
    assert list(absent(older.store, older.desk.state, photos, range(3))) == [photos / "1.png"]
    assert "3 of the 3 pictures looked for are not there, the first 0.png" in older.front.look_for_pictures()
