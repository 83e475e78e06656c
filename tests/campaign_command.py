"""What the tests of campaign commands share: a folder of pictures of digits, and people who answer at the desk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint.cli import run_cli

NAME = "my héron"
ZEROS = "digits that are 0"


def fill(folder: Path, n: int = 150) -> Path:
    """A folder with n pictures of digits, named by their digit, and one that cannot be read."""
    from PIL import Image
    from sklearn.datasets import load_digits

    folder.mkdir()
    found = load_digits()
    for i, (picture, digit) in enumerate(zip(found.images[:n], found.target[:n], strict=True)):
        Image.fromarray((picture * 15).astype(np.uint8)).save(folder / f"{i:03d} is {digit}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def command(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What a command prints, checked for its exit code; of a failure, what it says."""
    capsys.readouterr()
    assert run_cli(list(arguments)) == code, capsys.readouterr()
    out, err = capsys.readouterr()
    return err if code == 2 else out


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The JSON that a command prints."""
    return json.loads(command(capsys, *arguments, "--json"))


def truth(name: str) -> str:
    """The class of a picture, by its name."""
    return "zero" if name.endswith("is 0.png") else "other"


def answer(name: str, questions: int, people: tuple[str, ...] = ("ann", "bob"), errors: float = 0.1) -> None:
    """Let people answer so many questions at the desk, some wrongly; the broken picture is passed."""
    from cutpoint.service.desk.desk import Desk
    from cutpoint.service.place import opened

    rng = np.random.default_rng(0)
    with opened(name) as (store, files):
        desk = Desk(store, files)
        try:
            for turn in range(questions):
                who = people[turn % len(people)]
                for ask in desk.ask(who, 1):
                    if ask.id == "broken.png":
                        desk.passed(ask.item, "broken", annotator=who)
                        continue
                    label = truth(ask.id) if rng.random() >= errors else "other"
                    desk.tell(ask, label, annotator=who)
        finally:
            desk.close()


def begin(folder: Path) -> Path:
    """Fill a folder with a campaign in which two people have answered forty questions."""
    fill(folder / "photos")
    (folder / "old.csv").write_text("id,label\n000 is 0.png,zero\n001 is 1.png,other\n")
    (folder / "signed.csv").write_text("id,label,annotator\n010 is 0.png,zero,eve\n010 is 0.png,other,mallory\n")
    where = str(folder / NAME)
    options = ["--images", str(folder / "photos"), "--classes", "other,zero", "--budget", "15", "--first", "15"]
    labels = ["--import", str(folder / "old.csv"), "--import", str(folder / "signed.csv")]
    assert run_cli(["init", where, *options, *labels, "--quiet"]) == 0
    answer(where, 40)
    return folder


def copied(kept: Path, folder: Path) -> Path:
    """A copy of the campaign, without its pictures."""
    shutil.copytree(kept, folder, ignore=shutil.ignore_patterns("photos"), dirs_exist_ok=True)
    return folder
