"""Write docs/cli.md from the command line's own --help, so that the page cannot say anything else.

`make cli-page` writes it; tests/test_docs.py compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from cutpoint.cli_app import app

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"
COLUMNS = 100  # the width that every table of Cutpoint fits
HEAD = """# The command line

Generated from `--help` by `make cli-page`. Exit codes: 0 done, 1 failed, 2 something in the input must
change, 130 interrupted, 143 terminated, 141 (or 1, without a word) where nobody reads on.
"""


def commands() -> list[str]:
    """Every command as one types it after `cutpoint`; "" is the top, groups come before their own."""

    def below(command: Any, path: str) -> list[str]:
        found = [path]
        for name, inner in getattr(command, "commands", {}).items():
            found += below(inner, f"{path} {name}".strip())
        return found

    return below(typer.main.get_command(app), "")


def help_of(command: str) -> str:
    """What `cutpoint COMMAND --help` prints on a plain terminal of 100 columns."""
    plain = {"COLUMNS": str(COLUMNS), "TERM": "dumb", "NO_COLOR": "1"}
    done = CliRunner().invoke(app, [*command.split(), "--help"], env=plain, prog_name="cutpoint")
    if done.exit_code:
        raise SystemExit(f"`cutpoint {command} --help` failed: {done.output}")
    return "\n".join(line.rstrip() for line in done.output.strip("\n").splitlines())


def page() -> str:
    """The whole of docs/cli.md."""
    parts = [HEAD]
    for command in commands():
        name = f"cutpoint {command}".strip()
        parts.append(f"## {name}\n\n```text\n{help_of(command).strip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE}")
