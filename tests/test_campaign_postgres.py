"""The commands of campaigns on PostgreSQL: the same as on a file, and an interrupted beginning goes on."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from campaign_command import answer, command, fill, printed
from cutpoint.cli import run_cli

pytest.importorskip("psycopg")


@pytest.fixture
def line(tmp_path: Path, postgres_url: str) -> list[str]:
    """A command line that begins a campaign."""
    fill(tmp_path / "photos", 40)
    (tmp_path / "old.csv").write_text("id,label\n000 is 0.png,zero\n001 is 1.png,other\n")
    options = ["--classes", "other,zero", "--import", str(tmp_path / "old.csv"), "--files", str(tmp_path / "arrays")]
    return ["init", postgres_url, "--images", str(tmp_path / "photos"), *options]


def test_a_campaign_lives_in_a_database(
    line: list[str], tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = command(capsys, *line)
    assert "41 pictures" in text
    assert "cutpoint:" not in text  # the user's password stands in the address
    answer(postgres_url, 15)
    assert printed(capsys, "status", postgres_url)["status"]["labelled"] >= 14
    rows = printed(capsys, "export", postgres_url, "-o", str(tmp_path / "out.jsonl"))["rows"]
    assert rows == len((tmp_path / "out.jsonl").read_text().splitlines())
    findings = printed(capsys, "doctor", postgres_url)
    assert {finding["mark"] for finding in findings} == {"well"}, findings
    assert "is there already" in command(capsys, *line[:-1], str(tmp_path / "others"), code=2)
    assert {finding["mark"] for finding in printed(capsys, "doctor", postgres_url)} == {"well"}


@pytest.mark.parametrize(("asked", "made"), [("Autumn{}", "autumn{}"), ('"Autumn; Leaves {}"', "Autumn; Leaves {}")])
def test_the_schema_that_the_address_names_is_made(
    line: list[str], postgres_url: str, capsys: pytest.CaptureFixture[str], asked: str, made: str
) -> None:
    import psycopg

    own = secrets.token_hex(4)  # so that tests that run beside this one have others
    asked, made = asked.format(own), made.format(own)
    line[1] = postgres_url.split("search_path")[0] + f"search_path%3D{quote(asked).replace('%20', '%5C%20')}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        try:
            said = command(capsys, "status", line[1], code=2)
            assert "there is no campaign in postgresql://" in said
            assert f"/postgres, schema {asked}; give" in said
            command(capsys, *line)
            assert connection.execute(f'SELECT count(*) FROM "{made}".events').fetchone() == (3,)
            assert printed(capsys, "status", line[1])["status"]["items"] == 41
        finally:
            connection.execute(f'DROP SCHEMA IF EXISTS "{made}" CASCADE')


def test_who_may_not_make_the_schema_is_told_so(
    line: list[str], postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import psycopg

    guest = f"guest_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {guest} LOGIN PASSWORD 'hunter2secret'")
        where = urlsplit(postgres_url)
        try:
            line[1] = f"postgresql://{guest}:hunter2secret@{where.hostname}:{where.port}{where.path}"
            line[1] += f"?options=-csearch_path%3D{guest}"
            assert run_cli(line) == 1
        finally:
            connection.execute(f"DROP ROLE {guest}")
    said = capsys.readouterr().err
    assert "permission denied for database" in said
    assert "give this user the right to do it" in said
    assert "hunter2secret" not in said


def test_what_the_server_refuses_is_said_before_the_pool_is_read(
    line: list[str], postgres_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cutpoint.service.gather.bring", None)  # would fail if it was called
    where = urlsplit(postgres_url)
    assert run_cli([*line[:1], f"postgresql://nobody:hunter2secret@{where.hostname}:1/none", *line[2:]]) == 1
    said = capsys.readouterr().err
    assert "cannot be opened" in said
    assert "hunter2secret" not in said
    assert "give one that all processes can use: --files" in command(capsys, *line[:-2], code=2)


def test_an_interrupted_beginning_goes_on(
    line: list[str], postgres_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cutpoint.service import begin

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(begin, "_add_pool", interrupt)
        command(capsys, *line, code=130)
    other = [word if word != "other,zero" else "zero,other" for word in line]
    assert "another campaign" in command(capsys, *other, code=2)
    command(capsys, *line)
    now = printed(capsys, "status", postgres_url)["status"]
    assert (now["items"], now["labelled"]) == (41, 2)


def test_a_server_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["status", "postgresql://nobody:secret@127.0.0.1:9/none"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: postgresql://127.0.0.1:9/none cannot be opened")
    assert "secret" not in said


def test_the_doctor_says_what_differs(
    line: list[str], tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command(capsys, *line)
    (features,) = (tmp_path / "arrays").glob("features-*")
    features.unlink()
    findings = json.loads(command(capsys, "doctor", postgres_url, "--json", code=1))
    assert [finding["part"] for finding in findings if finding["mark"] == "wrong"] == ["arrays"]


def test_the_doctor_removes_nothing_from_a_folder_that_is_not_the_campaigns(
    line: list[str], tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import os

    command(capsys, *line)
    left = [tmp_path / folder / ".probs-00.partial" for folder in ("arrays", "downloads")]
    left[1].parent.mkdir()
    for path in left:
        path.write_bytes(b"half")
        os.utime(path, (0, 0))
    for path in left:
        command(capsys, "doctor", postgres_url, "--repair", "--files", str(path.parent), code=int(path is left[1]))
    assert [path.exists() for path in left] == [False, True]
