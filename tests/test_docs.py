"""The documentation is executed, and complete: what it points at exists, and what exists is in it."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cutpoint
from cli_page import commands, help_of, page
from cutpoint.cli import run_cli

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "cutpoint"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]
PAPER = (ROOT / "docs" / "paper.md").read_text()
POINTER = re.compile(r"`([\w./-]+\.(?:py|toml|json|md)): ([\w.]+)`")


def named(path: Path) -> str:
    """The id of a page in a test's name."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    """The fenced code blocks of one language in a page, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", [p for p in PAGES if blocks(p, "python")], ids=named)
def test_python_blocks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run in order, in one namespace, in an empty folder."""
    if path.name in ("campaigns.md", "store.md"):
        pytest.importorskip("alembic", reason="the extra serve is not installed")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "page"}
    for number, block in enumerate(blocks(path, "python"), 1):
        exec(compile(block, f"{named(path)}, python block {number}", "exec"), namespace)


def test_the_loop_of_the_readme_is_ten_lines() -> None:
    loop = next(block for block in blocks(ROOT / "README.md", "python") if "session.tell" in block)
    assert len([line for line in loop.splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_shell_lines_use_commands_and_options_that_exist(path: Path) -> None:
    for line in "\n".join(blocks(path, "sh")).replace("\\\n", " ").splitlines():
        call = line.split("#")[0].strip()
        if call.startswith("make "):
            for target in call.split()[1:]:
                assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
        if not call.startswith("cutpoint "):
            continue
        words = call.split()[1:]
        command = max((c for c in commands() if words[: len(c.split())] == c.split()), key=len)
        known = help_of(command)
        assert command or words[0].startswith("-"), f"{line}: no such command"
        for option in re.findall(r"(?<=\s)--?[a-z][\w-]*", call):
            assert re.search(rf"{option}\b", known), f"{line}: cutpoint {command} has no {option}"


def test_the_select_lines_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odds = np.random.default_rng(0).random((500, 2)).astype(np.float32)
    np.savez("scores.npz", probs=odds / odds.sum(axis=1, keepdims=True))
    Path("labels.csv").write_text("index,label\n3,0\n7,1\n9,1\n")
    lines = "\n".join(blocks(ROOT / "README.md", "sh")).splitlines()
    calls = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("cutpoint select")]
    assert len(calls) == 2
    assert run_cli(calls[0]) == 0
    sheet = Path("ask.csv").read_text().splitlines()
    assert len(sheet) == 1 + 100
    Path("ask.csv").write_text("\n".join([sheet[0], *(f"{line}{i % 2}" for i, line in enumerate(sheet[1:]))]))
    Path("scores.npz").rename("scores-2.npz")
    assert run_cli(calls[1]) == 0
    asked = [
        {line.split(",")[1] for line in Path(name).read_text().splitlines()[1:]} for name in ("ask.csv", "ask-2.csv")
    ]
    assert len(asked[1] - asked[0] - {"3", "7", "9"}) == 100


def names_in(path: Path) -> set[str]:
    """Every function, class, method ("Class.method") and top-level variable of a Python file."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)]
            found |= {f"{node.name}.{method}" for method in methods}
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_no_pointer_into_the_source_dangles(path: Path) -> None:
    for file, name in POINTER.findall(path.read_text()):
        target = next((base / file for base in (SOURCE, ROOT) if (base / file).exists()), None)
        assert target, f"{named(path)} points at {file}, which is not there"
        if target.suffix == ".py":
            assert name in names_in(target), f"{named(path)} points at {name}, which {file} does not have"
        else:
            assert name in target.read_text(), f"{named(path)} points at {name} in {file}"


def test_a_dangling_pointer_would_be_seen() -> None:
    assert POINTER.findall("see `core/thresholds.py: losses`") == [("core/thresholds.py", "losses")]
    assert "losses" in names_in(SOURCE / "core" / "thresholds.py")
    assert "gains" not in names_in(SOURCE / "core" / "thresholds.py")


@pytest.mark.parametrize(
    "item",
    [
        *(f"Algorithm {n}" for n in (1, 2)),
        *("Definition 4.1", "Lemma A.1", "Table 1", "Equation (1)"),
        *(f"Figure {n}" for n in range(1, 24)),
    ],
)
def test_the_map_of_the_paper_has_every_item(item: str) -> None:
    rows = [line for line in PAPER.splitlines() if re.match(rf"\| {re.escape(item)}(?![\d.])", line)]
    assert rows, f"docs/paper.md has no row for {item}"
    for row in rows:
        assert POINTER.search(row), f"docs/paper.md does not point at code: {row}"


def test_the_map_of_the_paper_points_at_every_strategy() -> None:
    for name in cutpoint.STRATEGIES:
        assert f": {name}`" in PAPER, f"docs/paper.md does not say where {name} is"


def test_every_public_name_is_documented() -> None:
    text = "\n".join(path.read_text() for path in PAGES)
    missing = [name for name in cutpoint.__all__ if not re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", text)]
    assert not missing, f"say in README.md or docs/ what these are: {missing}"


def test_every_strategy_has_its_paragraph() -> None:
    text = (ROOT / "docs" / "strategies.md").read_text()
    headings = re.findall(r"^## `(\w+)`", text, re.MULTILINE)
    assert sorted(headings) == sorted(cutpoint.STRATEGIES)


def test_the_cli_page_is_the_real_help() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == page(), "run `make cli-page`"


def test_every_command_is_shown_at_work() -> None:
    text = "\n".join(block for path in PAGES if path.name != "cli.md" for block in blocks(path, "sh"))
    names = [name for name in commands() if name]
    leaves = [name for name in names if not any(other.startswith(f"{name} ") for other in names)]
    missing = [name for name in leaves if f"cutpoint {name}" not in text]
    assert not missing, f"no example in README.md or docs/ uses {missing}"


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CHANGELOG.md"], ids=named)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[\w-]*)?\)", path.read_text()):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), f"{named(path)} links to {target}"


def linked(start: Path) -> set[Path]:
    """All pages that one comes to from a page by links."""
    seen: set[Path] = set()
    todo = [start]
    while todo:
        page = todo.pop().resolve()
        if page not in seen:
            seen.add(page)
            found = re.findall(r"\]\(([^)#\s]+\.md)(?:#[\w-]*)?\)", page.read_text())
            todo += [page.parent / target for target in found if not target.startswith("http")]
    return seen


def test_every_page_is_reached_from_the_overview() -> None:
    orphans = set(DOCS) - linked(ROOT / "docs" / "index.md")
    assert not orphans, f"no link from docs/index.md on leads to {sorted(map(named, orphans))}"


def test_the_list_of_the_readme_names_every_main_page() -> None:
    text = (ROOT / "README.md").read_text().partition("## Documentation")[2].partition("\n## ")[0]
    listed = set(re.findall(r"\]\(docs/([\w/-]+\.md)\)", text))
    pages = {path.name for path in DOCS if path.parent.name == "docs"} - {"index.md"}
    assert pages | {"results/README.md"} == listed


def test_the_site_lists_every_page() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text()))
    assert listed == {path.relative_to(ROOT / "docs").as_posix() for path in DOCS}


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CHANGELOG.md"], ids=named)
def test_no_page_names_a_place_on_somebodys_machine(path: Path) -> None:
    assert not re.search(r"(?<![\w.~-])/(?:home|root|tmp|work|Users|mnt|opt)/\w", path.read_text())
