"""One of a thing is one thing: what commands, pages and the desk say of a campaign with one item."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from campaign_command import command
from desks import a_desk

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

THINGS = "items|files|events|pictures|answers|questions|texts|trainings|rows|versions|dimensions"
ONE_OF_MANY = re.compile(rf"(?<![\w.,/])1 (?:\w+ )?(?:{THINGS})\b")


def test_a_campaign_of_one_item_has_one_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Path("photos/notes.txt").write_text("no picture")
    pil = pytest.importorskip("PIL.Image")
    pil.new("RGB", (20, 20), "teal").save("photos/a.png")
    said = [command(capsys, "init", "one", "--images", "photos", "--classes", "other,heron", "--first", "1")]
    said += [command(capsys, *line) for line in (["status", "one"], ["doctor", "one"], ["replay", "one"])]
    command(capsys, "report", "one", "-o", "report.html")
    for text in (*said, Path("report.html").read_text()):
        assert ONE_OF_MANY.search(text) is None, text
    assert "1 other file in" in said[0]
    assert "1 item" in said[2]
    assert "1 file with the right checksum" in said[2]


def test_the_desk_speaks_of_one_item(tmp_path: Path) -> None:
    desk = a_desk(1, first=1)
    (ask,) = desk.ask("ann")
    desk.passed(ask, "skip")
    assert desk.ask("ann").reason == "All that is left was passed on, and waits until an admin releases it: 1 item."
    desk.release(0, by="chief")
    desk.tell(0, 1, annotator="ann")
    assert desk.ask("ann").reason == "Everything is labelled: 1 item."
    desk.change(overlap=2)
    assert desk.ask("ann").reason == "You have answered all that is left; others are still to answer 1 item."
    with pytest.raises(Exception, match="the pool has 1 item"):
        desk.tell(1, 0, annotator="ann")
