"""The package as it is installed: its command, its version, what its metadata promises."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cutpoint
from cutpoint.cli import run_cli

ROOT = Path(__file__).parent.parent
CALL = "import sys; from cutpoint.cli import main; sys.argv[0] = 'cutpoint'; main()"
SOURCES = sorted((ROOT / "src" / "cutpoint").rglob("*.py"))
IMPORTED_AS = {
    "sklearn": "scikit-learn",
    "joblib": "scikit-learn",  # what scikit-learn requires is there wherever it is
    "threadpoolctl": "scikit-learn",
    "open_clip": "open_clip_torch",
    "PIL": "pillow",
}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The [project] table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def names(requirements: list[str]) -> set[str]:
    """The bare, normalised names of requirements."""
    return {re.split(r"[\[<>=!~ ;]", line)[0].lower().replace("_", "-") for line in requirements}


def cutpoint_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run([sys.executable, "-c", CALL, *arguments], capture_output=True, text=True)


def third_party(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """(statement, top-level module) of every import that is neither ours nor the standard library's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            imported = [node.module or ""]
        elif isinstance(node, ast.Import):
            imported = [name.name for name in node.names]
        else:
            continue
        for module in {name.split(".")[0] for name in imported} - {"cutpoint", *sys.stdlib_module_names}:
            yield node, module


def test_the_version_is_said_once(project: dict[str, Any]) -> None:
    assert cutpoint.__version__ == project["version"]
    done = cutpoint_command("--version")
    assert done.returncode == 0
    assert project["version"] in done.stdout
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_help_names_every_command_and_loads_nothing_that_takes_long() -> None:
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", CALL, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "bench" in done.stdout
    assert "select" in done.stdout
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert loaded >= {"cutpoint", "typer"}
    assert not loaded & {"numpy", "scipy", "sklearn", "matplotlib", "pandas", "PIL", "torch", "pydantic", "sqlalchemy"}


def test_the_console_script_points_at_main(project: dict[str, Any]) -> None:
    assert project["scripts"] == {"cutpoint": "cutpoint.cli:main"}


def test_every_third_party_import_is_declared(project: dict[str, Any]) -> None:
    declared = names(project["dependencies"]).union(*map(names, project["optional-dependencies"].values()))
    for path in SOURCES:
        for node, module in third_party(ast.parse(path.read_text())):
            where = f"{path.relative_to(ROOT)}:{node.lineno} imports {module}"
            assert distribution(module) in declared, f"{where}, which pyproject.toml does not declare"


def test_extras_are_imported_late(project: dict[str, Any]) -> None:
    """At the head of a file only where the file itself is imported late, or by another such file."""
    base = names(project["dependencies"])
    trees = {path: ast.parse(path.read_text()) for path in SOURCES}
    heads = {path: {id(node) for node in tree.body} for path, tree in trees.items()}
    needing = {
        dotted(path)
        for path, tree in trees.items()
        for node, module in third_party(tree)
        if distribution(module) not in base and id(node) in heads[path]
    }
    assert not {name for name in needing if name.endswith(".__init__")}, "whoever imports a neighbour loads it"
    for path, tree in trees.items():
        for node in tree.body if dotted(path) not in needing else []:
            early = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                early = [f"{node.module}", *(f"{node.module}.{name.name}" for name in node.names)]
            bad = needing & set(early)
            assert not bad, f"{path.relative_to(ROOT)}:{node.lineno} imports {bad} at its head, which need an extra"


def distribution(module: str) -> str:
    """The normalised name of what has to be installed for a top-level module."""
    return IMPORTED_AS.get(module, module).lower().replace("_", "-")


def dotted(path: Path) -> str:
    """The name under which a source file is imported."""
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)


def test_each_extra_names_the_files_that_need_it() -> None:
    text = (ROOT / "pyproject.toml").read_text().split("[project.optional-dependencies]")[1].split("\n[")[0]
    lines = text.splitlines()
    for place, line in enumerate(lines):
        if re.match(r"[a-z]+ = \[", line):
            assert lines[place - 1].startswith("# "), f"{line}: say above it which files need it"
            for name in re.findall(r"\b(?:\w+/)+\w+\.py\b", lines[place - 1]):
                assert (ROOT / "src" / "cutpoint" / name).exists(), f"{line}: {name} does not exist"


def test_the_constraints_pin_every_base_dependency_and_torch(project: dict[str, Any]) -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert names(project["dependencies"]) <= names(lines)
    assert "torch==2.13.0" in lines


def test_the_typing_marker_is_shipped() -> None:
    assert (Path(cutpoint.__file__).parent / "py.typed").exists()


def test_the_installed_metadata_is_this_version() -> None:
    installed = {found.metadata["Name"]: found.version for found in importlib.metadata.distributions()}
    assert installed.get("cutpoint", cutpoint.__version__) == cutpoint.__version__


@pytest.mark.parametrize("arguments", [[], ["bench"]])
def test_a_command_without_arguments_prints_its_help_and_no_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(arguments) == 2
    out, err = capsys.readouterr()
    assert "Usage: cutpoint" in out
    assert err == ""


def test_what_the_system_refuses_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    options = ["--dataset", "digits-2", "--strategies", "random", "--seeds", "1", "--rounds", "1", "--quiet"]
    assert run_cli(["bench", "run", *options, "-o", str(tmp_path / "file" / "out")]) in (1, 2)
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert (tmp_path / "file").read_text() == "in the way"
