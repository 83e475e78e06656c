"""The page of campaign commands is executed: every line of its tutorial, in a folder like the one it speaks of."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from campaign_command import fill
from cutpoint.cli import run_cli

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

PAGE = Path(__file__).parent.parent / "docs" / "campaign-commands.md"


def lines(page: Path = PAGE) -> list[str]:
    """The commands of a page, in order; serving goes on until it is stopped, and has its own tests."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    calls = [line.split("#")[0].strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [call for call in calls if call.startswith("cutpoint ") and not call.startswith("cutpoint serve")]


def test_every_line_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(Path("photos"), 30)
    Path("rare.csv").write_text("id,label\n000 is 0.png,heron\n010 is 0.png,heron\n")
    Path("more.csv").write_text("id,label\n001 is 1.png,other\n")
    assert len(lines()) >= 8
    for line in lines():
        code = run_cli(shlex.split(line)[1:])
        assert code == 0, f"{line}: {capsys.readouterr().err}"


def test_every_campaign_of_the_readme_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fill(Path("photos"), 12)
    for name in ("mails.csv", "sales.csv"):
        Path(name).write_text("body,amount\n" + "".join(f"mail number {i},{i}\n" for i in range(12)))
    calls = [line for line in lines(PAGE.parent.parent / "README.md") if line.startswith("cutpoint init")]
    assert len(calls) == 3
    for line in calls:
        assert run_cli(shlex.split(line)[1:]) == 0, line
