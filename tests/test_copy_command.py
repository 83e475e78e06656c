"""`cutpoint copy`: what it says and refuses; that a copy is the same campaign, test_copy.py shows."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from campaign_command import NAME, command, printed
from cutpoint.cli import run_cli
from cutpoint.service.copying import Copied

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")
pytest.importorskip("sklearn")
pytest.importorskip("PIL")


def test_it_says_what_a_copy_is_and_where_its_pictures_are(
    campaign_folder: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = " ".join(command(capsys, "copy", NAME, "elsewhere/two").split())
    assert "151 items, 1 array" in text
    assert f"its pictures stay in {kept / 'photos'};" in text
    assert "cutpoint serve elsewhere/two --images FOLDER" in text
    assert "a second campaign of that name: the same links open both" in text
    assert {each["mark"] for each in printed(capsys, "doctor", "elsewhere/two")} == {"well"}  # pictures are found
    assert printed(capsys, "status", "elsewhere/two") == printed(capsys, "status", NAME)
    assert command(capsys, "copy", NAME, "three", "--quiet") == ""


def test_it_says_the_same_in_json(campaign_folder: Path, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, "copy", NAME, "two")
    assert said["pictures"] == [str(kept / "photos")]
    assert (said["items"], said["arrays"], said["moved"]) == (151, 1, [])
    assert set(said) == set(Copied.__dataclass_fields__)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["copy", "nobody", "two"], "nobody.db; give the path of one"),
        (["copy", NAME, NAME], f"{NAME}.db is there already"),
        (["copy", NAME, "two", "--files", "arrays"], "--files is for postgresql:// alone"),
        (["copy", "broken.db", "two"], "broken.db is no database"),
    ],
)
def test_what_cannot_be_copied_is_refused_and_nothing_is_left(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], line: list[str], said: str
) -> None:
    Path("broken.db").write_bytes(b"no campaign")
    before = sorted(Path.cwd().iterdir())
    assert said in command(capsys, *line, code=2)
    assert sorted(path for path in Path.cwd().iterdir() if not path.name.endswith(("-wal", "-shm"))) == before


def test_a_database_needs_a_folder_and_a_stopped_copy_says_how_it_goes_on(
    campaign_folder: Path, postgres_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--files FOLDER" in command(capsys, "copy", NAME, postgres_url, code=2)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr("cutpoint.service.copying._items", stop)
        assert run_cli(["copy", NAME, postgres_url, "--files", "arrays"]) == 130
    assert "stopped; there is no copy yet; the same command goes on" in capsys.readouterr().err
    text = command(capsys, "copy", NAME, postgres_url, "--files", "arrays")
    assert "cutpoint serve ADDRESS" in text
    assert postgres_url not in text
    assert printed(capsys, "status", postgres_url) == printed(capsys, "status", NAME)
    Path("arrays").rename("moved")
    assert "is gone; restore it from a backup" in command(capsys, "copy", postgres_url, "two", code=2)
    assert printed(capsys, "copy", postgres_url, "two", "--source-files", "moved")["items"] == 151


def test_a_campaign_is_copied_while_it_is_served(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And a copy that is served knows the links of the first."""
    from test_serve_command import Server  # skipped there, where the server's libraries are missing

    server = Server(NAME, "--annotators", "ann")
    try:
        asked = server.question("ann")
        command(capsys, "copy", NAME, "two", "--quiet")
        assert server.request("ann", "/api/next?n=1")["items"][0]["item"] == asked["item"]  # it goes on
    finally:
        server.end(signal.SIGINT)
    other = Server("two")
    try:
        other.tokens = server.tokens
        assert other.question("ann")["item"] == asked["item"]  # by her old link, what lies before her
    finally:
        other.end(signal.SIGINT)
