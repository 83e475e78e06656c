"""The layers of docs/architecture.md hold: read from the source, and from what an import really loads."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "cutpoint"

# From the bottom up; what stands on one line may know each other. "" is cutpoint/__init__.py, the public face
# of the lower half; testing speaks to users and stands on top of all that it tests.
LAYERS = [
    {"core", "types", "errors", "words"},
    {"plans"},
    {"strategies", "session", ""},
    {"learners", "data", "store"},
    {"scale"},
    {"experiment", "service"},
    {"paper"},
    {"cli", "testing"},
]
# So do the folders of a campaign at work; what lies beside them may know them all.
SERVICE = ["log", "desk", "overview", "training", "web"]
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}
# cutpoint/__init__.py names these for type checkers and imports them when they are first used.
USED_LATE = {("", "cutpoint.service.campaign")}
NUMPY_ONLY = LAYERS[0] | LAYERS[1] | LAYERS[2]
# Nothing that reads a clock, a file, the network or a random state of its own has a place in the core.
NEVER_IN_CORE = {
    *("asyncio", "datetime", "http", "io", "pathlib", "random", "secrets", "shutil", "socket", "sqlite3"),
    *("subprocess", "tempfile", "time", "urllib"),
}
MODULES = sorted(SOURCE.rglob("*.py"))


def part_of(module: str) -> str:
    """The part of the picture that a dotted name below cutpoint belongs to: "core.votes" -> "core"."""
    part = module.split(".")[0]
    return "cli" if part == "__main__" or part.startswith("cli_") else part


def dotted(path: Path) -> str:
    """The dotted name below cutpoint of a source file."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of everything a file imports, at its head or inside its functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; say cutpoint.something"
            assert node.module
            if node.module == "cutpoint":  # from cutpoint import core: the part is what is imported
                yield from ((node.lineno, f"cutpoint.{name.name}") for name in node.names)
            else:
                yield node.lineno, node.module


def own_part(name: str) -> str:
    """The part that `cutpoint.something` belongs to; a public name re-exported by __init__ belongs to ""."""
    rest = name.removeprefix("cutpoint").removeprefix(".")
    part = part_of(rest)
    return part if part in RANK else ""


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_lower_layer_never_imports_a_higher_one(path: Path) -> None:
    part = part_of(dotted(path))
    assert part in RANK, f"{path.name} is in no layer; give it one in docs/architecture.md and here"
    for line, name in imports_of(path):
        if name.split(".")[0] == "cutpoint" and (part, name) not in USED_LATE:
            assert RANK[own_part(name)] <= RANK[part], f"{path}:{line}: {part!r} may not import {name}"


@pytest.mark.parametrize("folder", SERVICE)
def test_a_lower_folder_of_a_campaign_never_imports_a_higher_one(folder: str) -> None:
    higher = tuple(f"cutpoint.service.{name}" for name in SERVICE[SERVICE.index(folder) + 1 :])
    paths = list((SOURCE / "service" / folder).glob("*.py"))
    assert paths, f"there is no service/{folder}"
    for path in paths:
        for line, name in imports_of(path):
            assert not name.startswith(higher), f"{path}:{line}: {folder!r} may not import {name}"


@pytest.mark.parametrize("path", [p for p in MODULES if part_of(dotted(p)) in NUMPY_ONLY], ids=dotted)
def test_the_lower_half_needs_numpy_and_a_strategy_perhaps_scipy(path: Path) -> None:
    allowed = {"numpy", "cutpoint", *sys.stdlib_module_names} - NEVER_IN_CORE
    if part_of(dotted(path)) == "strategies":
        allowed.add("scipy")  # late, inside a function: see the test of what an import loads
    for line, name in imports_of(path):
        assert name.split(".")[0] in allowed, f"{path}:{line}: {name} has no place below learners and data"


def test_the_picture_in_the_docs_is_the_one_tested_here() -> None:
    text = (SOURCE.parent.parent / "docs" / "architecture.md").read_text()
    drawn = text.split("<!-- layers -->")[1].split("```")[1].splitlines()[1:]
    rows = [set(line.split("#")[0].split()) for line in drawn]
    assert rows == [parts - {""} for parts in reversed(LAYERS)]


def test_the_layout_in_the_docs_names_every_file() -> None:
    layout = (SOURCE.parent.parent / "docs" / "architecture.md").read_text().split("src/cutpoint/\n")[1]
    drawn = re.findall(r"[\w.]+\.py|\w+/", layout.split("```")[0])
    files = [path.name for path in MODULES if path.name != "__init__.py" or path.parent == SOURCE]
    folders = {f"{path.parent.name}/" for path in MODULES} - {"cutpoint/"}
    missing = [name for name in {*files, *folders} if drawn.count(name) < files.count(name) or name not in drawn]
    assert not missing, f"docs/architecture.md does not say what these are: {sorted(missing)}"
    gone = set(drawn) - {*files, *folders, "__init__.py"}
    assert not gone, f"docs/architecture.md names what is not there: {sorted(gone)}"


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after `statement`."""
    code = f"{statement}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout)}


@pytest.mark.parametrize("statement", ["import cutpoint", "from cutpoint import *"])
def test_import_cutpoint_loads_numpy_only(statement: str) -> None:
    at_home = loaded_by("pass")  # what site-packages load by themselves
    extra = loaded_by(statement) - at_home - set(sys.stdlib_module_names)
    assert {name for name in extra if not name.startswith("_")} <= {"cutpoint", "numpy"}


def test_the_command_line_imports_the_heavy_libraries_late() -> None:
    heavy = {"matplotlib", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "torch"}
    assert not loaded_by("import cutpoint.cli") & heavy
