"""Whatever names others gave to files, columns, pictures and folders, none of it reaches the terminal as a command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")

from PIL import Image

from cutpoint import cli_terminal
from cutpoint.cli import run_cli
from cutpoint.words import percent, shown

EVIL = "\x1b[31mX\x1b]0;owned\a\x9b2J\u202e"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """All that a command prints, which has something of the evil name in it and no character that does anything."""
    capsys.readouterr()
    run_cli(list(arguments))
    text = "".join(capsys.readouterr())
    assert "owned" in text
    assert not set(text) & {"\x1b", "\a", "\x9b", "\u202e"}
    return text


def sheet(name: str, *rows: str) -> str:
    """A CSV file of rows."""
    Path(name).write_text("\n".join(rows) + "\n")
    return name


def test_columns_and_ids_of_a_sheet(capsys: pytest.CaptureFixture[str]) -> None:
    columns = sheet("columns.csv", f'id,"{EVIL}"', "1,2", "2,3", "3,9")
    said(capsys, "init", "columns", "--csv", columns, "--classes", "a,b")
    twice = sheet("twice.csv", "id,body", f'"{EVIL}",a', f'"{EVIL}",b')
    said(capsys, "init", "twice", "--csv", twice, "--text", "body", "--classes", "a,b")
    said(capsys, "init", "none", "--csv", twice, "--text", EVIL, "--classes", "a,b")
    run_cli(["init", "labelled", "--csv", columns, "--classes", "a,b"])
    said(capsys, "import", "labelled", sheet("label.csv", "id,label", f'1,"{EVIL}"'))


def test_pictures_and_folders(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = Path(EVIL)
    folder.mkdir()
    for i in range(3):
        Image.new("RGB", (8, 8), (80 * i, 0, 0)).save(folder / f"{i}.png")
    (folder / f"{EVIL}.png").write_bytes(b"no picture")
    text = said(capsys, "init", "birds", "--images", EVIL, "--classes", "a,b")
    assert "1 picture cannot be read" in text
    (folder / "out.png").symlink_to(tmp_path / "birds.db")
    said(capsys, "init", "more", "--images", EVIL, "--classes", "a,b")
    said(capsys, "report", "birds", "-o", f"{EVIL}.html")
    said(capsys, "export", "birds", "-o", f"{EVIL}.csv")
    shutil.rmtree(folder)
    said(capsys, "doctor", "birds")


@pytest.mark.parametrize(
    "arguments", [["status", EVIL], ["init", "x", "--csv", EVIL, "--classes", "a,b"], [EVIL], ["status", f"--{EVIL}"]]
)
def test_what_is_wrong_with_a_command(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    said(capsys, *arguments)


def test_what_a_server_says_goes_the_same_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fastapi")
    monkeypatch.setattr(
        "cutpoint.service.web.server.serve", lambda *_, say, **__: say(f"the pictures are no longer in {EVIL}")
    )
    said(capsys, "serve", "birds")


def test_what_can_be_shown_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"héron, 鳥, {percent(0.28)}, a\N{IDEOGRAPHIC SPACE}b"
    assert shown(text) == text
    cli_terminal.say(f"{text}\n{EVIL}")
    cli_terminal.show(text)
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == third.rstrip() == text
    assert second == shown(EVIL)
