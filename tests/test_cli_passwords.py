"""The password of an address is never printed, wherever in a command line the address was put by mistake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cutpoint.cli import run_cli
from cutpoint.cli_app import app

ADDRESS = "postgresql://ann:hunter2@127.0.0.1:1/birds?sslmode=disable&sslpassword=hunter3"  # where nobody answers


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, in which nothing is."""
    monkeypatch.chdir(tmp_path)


def commands(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """Every command and every group of commands, by its words."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *path, name)


def mistakes(*path: str) -> Iterator[list[str]]:
    """The address in every place of a command: instead of a command, a name, an option, and as each option's value."""
    command: Any = typer.main.get_command(app)
    for word in path:
        command = command.commands[word]
    for n in (1, 2, 4):
        yield [*path, *[ADDRESS] * n]
    yield [*path, f"--{ADDRESS}"]
    for option in (max(param.opts, key=len) for param in command.params):
        if option.startswith("--") and option not in ("--help", "--version"):
            yield [*path, f"{option}={ADDRESS}"]
            yield [*path, "nowhere", option, ADDRESS]


@pytest.mark.parametrize("path", list(commands(typer.main.get_command(app))), ids=" ".join)
def test_no_command_prints_a_password(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    for line in mistakes(*path):
        assert run_cli(line) in (1, 2), line
        out, err = capsys.readouterr()
        assert err.startswith("error: ")
        assert "hunter" not in out + err, line
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    "password",
    [
        "hunt'er2",
        "h'unt'er2",
        'hunt"er2',
        "hunt'\"er2",
        r"hunt\er2",
        "hunt//er2",
        "hunt@er2",
        "hunt?er2",
        "hunt%20er2",
        "h e r2",
    ],
)
@pytest.mark.parametrize("line", ["classes", "cite", "bench report", "status nowhere", "init c --budget"])
def test_a_password_of_odd_characters_is_not_printed(
    password: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli([*line.split(), f"postgresql://ann:{password}@host/birds"]) == 2
    said = capsys.readouterr().err
    assert "r2" not in said
    assert "***" in said


def test_what_holds_no_password_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["classes", "postgresql://ann@host:5432/birds?sslmode=disable"]) == 2
    assert "there is no command postgresql://ann@host:5432/birds?sslmode=disable; see" in capsys.readouterr().err


def test_a_data_root_of_the_environment_shows_no_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUTPOINT_DATA", ADDRESS)
    assert run_cli(["data", "list"]) == 2
    assert "the data root is an address; it must be a folder" in (said := capsys.readouterr().err)
    assert "hunter" not in said
