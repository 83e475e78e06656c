"""A name leads scripts and commands to the same campaign, whatever the name ends in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from campaign_command import command, printed
from cutpoint import Campaign, DataError, UsageError
from cutpoint.service.place import address

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

TWO = ("other", "heron")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, with a file of texts."""
    monkeypatch.chdir(tmp_path)
    Path("texts.csv").write_text("id,body\n1,one heron\n2,one crane\n")


def init(capsys: pytest.CaptureFixture[str], name: str) -> str:
    """What is said where a campaign of that name is to begin, and one is there."""
    return command(capsys, "init", name, "--classes", "a,b", "--csv", "texts.csv", "--text", "body", code=2)


def make(name: str | Path, *ids: str) -> str:
    """A campaign with these items; what it is called."""
    with Campaign(name, TWO, train="off") as campaign:
        campaign.add_pool(ids)
        return campaign.status().name


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("birds", "birds.db"),
        ("birds.db", "birds.db"),
        ("birds.sqlite", "birds.sqlite.db"),
        ("sqlite:///birds.sqlite", "birds.sqlite.db"),
        ("v1.2", "v1.2.db"),
        (Path("birds"), "birds.db"),
    ],
)
def test_what_a_script_makes_every_command_finds_by_the_same_name(
    name: str | Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    called = make(name, "one", "two")
    assert called == Path(file).stem
    assert Path(file).is_file()
    assert printed(capsys, "status", str(name))["status"]["items"] == 2
    assert f"{file} is there already" in init(capsys, str(name))


@pytest.mark.parametrize("name", ["birds", "birds.sqlite"])
def test_a_campaigns_file_without_the_suffix_opens_by_its_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    make("made", "one")
    Path("made.db").rename(name)
    make("birds.sqlite.db", "one", "two", "three")
    make("birds.db", "one", "two")  # beside it: the exact name goes first
    for told in (name, f"sqlite:///{name}", f"./{name}"):
        assert printed(capsys, "status", told)["status"]["items"] == 1
        with Campaign(told, train="off") as campaign:
            assert campaign.status().items == 1
    assert f"{name} is there already" in init(capsys, name)


def test_a_copy_in_a_file_without_the_suffix_is_served_copied_and_looked_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    make("birds", "one")
    shutil.move("birds.db", "old")
    assert "All is well" in command(capsys, "doctor", "old")
    command(capsys, "copy", "old", "new")
    assert printed(capsys, "status", "new")["status"]["items"] == 1
    assert "there is no folder nowhere" in command(capsys, "serve", "old", "--images", "nowhere", code=2)


def test_other_files_and_folders_of_that_name_are_let_be(capsys: pytest.CaptureFixture[str]) -> None:
    Path("birds").mkdir()
    Path("notes").write_text("no campaign")
    for name in ("birds", "notes"):
        make(name, "one")
        assert printed(capsys, "status", name)["status"]["items"] == 1
    assert not list(Path("birds").iterdir())
    assert Path("notes").read_text() == "no campaign"


def test_a_file_that_may_not_be_read_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    make("made", "one")
    Path("made.db").rename("birds")
    opened = Path.open

    def refused(self: Path, *arguments: object, **others: object) -> object:
        if self.name == "birds":
            raise PermissionError(13, "Permission denied")
        return opened(self, *arguments, **others)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refused)
    assert address("birds") == Path("birds")
    with pytest.raises(DataError, match="birds cannot be read"):
        Campaign("birds", train="off")


@pytest.mark.parametrize("name", ["", " ", "..", "sqlite:///", "bi\0rds", "bi\0rds.db"])
def test_no_name_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"give (one|a name)( without it)?, such as"):
        Campaign(name, TWO, train="off")
    assert [file.name for file in tmp_path.iterdir()] == ["texts.csv"]
