"""The commands of campaigns on PostgreSQL: the same as on a file, and an interrupted beginning goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from campaign_command import answer, command, fill, printed

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
    assert "is there already" in command(capsys, *line, code=2)


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
    from cutpoint.cli import run_cli

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
