"""Ctrl-C in real processes, at moments that the program itself gives: one line, exit code 130, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cutpoint.cli import run_cli

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

# The process sends itself the signal when it is about to import the module that is its first argument.
AT_IMPORT = """
import importlib.abc, signal, sys
from cutpoint.cli import main

class Stop(importlib.abc.MetaPathFinder):
    moment = sys.argv.pop(1)
    def find_spec(self, name, path, target=None):
        if name == self.moment:
            self.moment = None
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Stop())
main()
"""
# The signal comes in a callback that cannot raise, as those of the import system's locks.
IN_CALLBACK = """
import signal, time, weakref
from cutpoint import cli, cli_app

def wait(arguments):
    there = {1}
    held = weakref.ref(there, lambda _: signal.raise_signal(signal.SIGINT))
    del there
    time.sleep(3600)

cli_app.invoke = wait
cli.main()
"""


def process(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python process in a folder."""
    line = [sys.executable, "-c", code, *arguments]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a table of texts."""
    lines = [f"{word} number {i}" for i, word in enumerate(["heron", "crane", "stork"] * 5)]
    (tmp_path / "a.csv").write_text("\n".join(["body", *lines]))
    return tmp_path


@pytest.mark.parametrize(
    "moment",
    ["typer", "cutpoint.cli_init", "numpy", "numpy.linalg", "alembic", "sklearn.decomposition", "cutpoint.store.sql"],
)
def test_an_init_stopped_in_its_imports_says_so_and_leaves_nothing(folder: Path, moment: str) -> None:
    done = process(AT_IMPORT, folder, moment, "init", "birds", "--csv", "a.csv", "--text", "body", "--classes", "a,b")
    assert (done.returncode, done.stderr) == (130, "stopped; nothing was made\n")
    assert [path.name for path in folder.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["status", "birds"], "nothing was made"),
        (["report", "birds"], "nothing was made"),
        (["export", "birds", "-o", "out.csv"], "nothing was made"),
        (["replay", "birds"], "nothing was made"),
        (["doctor", "birds"], "nothing was changed"),
        (["import", "birds", "b.csv"], "all labels were taken in, or none; the same command finds out and goes on"),
        (["classes", "add", "birds", "c"], "`cutpoint classes list` says whether they were added"),
    ],
)
def test_other_commands_say_what_they_leave(folder: Path, line: list[str], said: str) -> None:
    where = str(folder / "birds")
    assert run_cli(["init", where, "--csv", str(folder / "a.csv"), "--text", "body", "--classes", "a,b", "-q"]) == 0
    (folder / "b.csv").write_text("id,label\n1,a\n")
    done = process(AT_IMPORT, folder, "sqlalchemy", *line)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"stopped; {said}\n")
    assert {path.name for path in folder.iterdir()} == {"a.csv", "b.csv", "birds.db", "birds.files"}


def test_an_interrupt_that_python_would_only_print_is_heard(tmp_path: Path) -> None:
    done = process(IN_CALLBACK, tmp_path)
    assert (done.returncode, done.stderr) == (130, "stopped; nothing was made\n")


def test_the_package_is_the_command(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "cutpoint", "cite", "nothing"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no strategy")
