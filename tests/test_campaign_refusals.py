"""What people type wrong: each is one sentence that says what to do, exit code 2, and nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaign_command import NAME, command, printed

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

TWO = ["--classes", "a,b"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a few files of texts."""
    monkeypatch.chdir(tmp_path)
    Path("texts.csv").write_text("id,body\n1,one heron\n2,one crane\n")
    Path("texts.jsonl").write_text('{"body": "one heron"}\n')
    Path("texts").write_text("id,body\n1,one heron\n")


def refused(capsys: pytest.CaptureFixture[str], *line: str) -> str:
    """What a command says that is refused; nothing may have changed."""
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    said = command(capsys, *line, code=2)
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--jsonl", "texts.csv"],
            "--jsonl reads .jsonl and .ndjson, and texts.csv is not named so; say --csv texts.csv",
        ),
        (["--csv", "texts.jsonl"], "texts.jsonl is not named so; say --jsonl texts.jsonl"),
        (["--npy", "texts.csv"], "--npy reads .npy, and texts.csv is not named so; say --csv texts.csv"),
        (["--csv", "texts"], "texts is not named so; convert or rename it"),
    ],
)
def test_a_file_that_another_option_reads_is_refused(
    capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert said in refused(capsys, "init", "birds", *TWO, "--text", "body", *options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--csv", "tests.csv"], "there is no file tests.csv"),
        (["--csv", "texts.csv", "--import", "old.csv"], "there is no file old.csv"),
        (["--csv", "texts.csv", "--seed-examples", "."], ". is a folder"),
        (["--csv", "texts.csv", "--embeddings", "x.npy"], "there is no file x.npy"),
        (["--csv", "texts.csv", "--learner", "foo"], "foo"),
        (["--images", "photos"], "there is no folder photos"),
        (["--csv", "texts.csv"], "birds.db is there already"),
    ],
)
def test_what_is_mistyped_is_said_before_the_name_is_looked_at(
    capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    command(capsys, "init", "birds", "--csv", "texts.csv", "--text", "body", *TWO)
    assert said in refused(capsys, "init", "birds", *TWO, *options)


def test_a_name_that_is_taken_is_said_before_a_large_file_is_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command(capsys, "init", "birds", "--csv", "texts.csv", "--text", "body", *TWO)
    monkeypatch.setattr("cutpoint.service.gather.bring", None)  # would fail if it was called
    assert "birds.db is there already" in refused(capsys, "init", "birds", "--csv", "texts.csv", *TWO)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--images", ".", "--text", "body"], "--text names a column, and there is no file with one"),
        (["--npy", "x.npy", "--text", "body"], "x.npy holds features alone, and --text says what people see"),
        (["--npy", "x.npy", "--images", "."], "give the features with --embeddings"),
    ],
)
def test_options_that_cannot_be_meant_together_are_refused(
    capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    Path("x.npy").write_bytes(b"")
    assert said in refused(capsys, "init", "birds", *TWO, *options)


BAD_NAMES = [
    ("grey\nheron", "it must be one line"),
    ("grey\theron", "it must be one line"),
    ("heron\x1b[2J", "characters that cannot be seen"),
    ("he\u202enor", "characters that cannot be seen"),
    ("h" * 3000, "has 3000 characters"),
    ("  ", "it must be a text, and not empty"),
    ("he\u0301ron", "looks the same"),
    ("h\u00e9ron", "is there already"),
]


@pytest.mark.parametrize(("name", "said"), BAD_NAMES)
def test_a_class_has_one_short_line_of_its_own(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    command(capsys, "classes", "add", NAME, " h\u00e9ron ")
    before = printed(capsys, "classes", "list", NAME)
    assert before[-1] == "h\u00e9ron"
    assert said in command(capsys, "classes", "add", NAME, name, code=2)
    assert printed(capsys, "classes", "list", NAME) == before


@pytest.mark.parametrize(("name", "said"), BAD_NAMES[:5])
def test_a_campaign_begins_with_such_names_alone(capsys: pytest.CaptureFixture[str], name: str, said: str) -> None:
    csv_name = f'"{name}"'
    assert said in refused(capsys, "init", "birds", "--csv", "texts.csv", "--classes", f"other,{csv_name}")


def test_letters_are_classes_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    command(capsys, "init", "letters", "--csv", "texts.csv", "--text", "body", "--classes", "a,A")
    assert printed(capsys, "classes", "list", "letters") == ["a", "A"]


def test_a_log_of_odd_names_is_read_as_it_is(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cutpoint.service.place import opened
    from cutpoint.store.events import New

    with opened(NAME) as (store, _):
        store.append([New("class_added", {"name": "a\t" * 300})])
    assert printed(capsys, "classes", "list", NAME)[-1] == "a\t" * 300


def test_how_far_it_is_is_said_of_every_part_that_takes_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cutpoint.cli_terminal.EVERY", 0.0)
    Path("many.csv").write_text("body\n" + "".join(f"the {i % 70} heron\n" for i in range(5000)))
    capsys.readouterr()
    from cutpoint.cli import run_cli

    assert run_cli(["init", "birds", "--csv", "many.csv", "--text", "body", *TWO]) == 0
    said = capsys.readouterr().err
    assert "reading many.csv: 1025 of 5001" in said
    assert "embedding texts: 5000 of 5000" in said
    assert "storing items: 4000 of 5000" in said
    assert run_cli(["init", "birds-2", "--csv", "many.csv", "--text", "body", *TWO, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ü" * 150, "has 303 bytes; it must have at most 200: give a shorter one"),
        ("na\nme", "it must be one line"),
        ("texts.csv/birds", "texts.csv is no folder"),
        ("-birds", "-birds begins as an option does"),
        ("closed/birds", "closed may not be written to"),
    ],
)
def test_a_campaign_has_a_name_that_a_file_can_have(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    Path("closed").mkdir()
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "closed")
    monkeypatch.setattr("cutpoint.service.gather.bring", None)  # would fail if it was called: that comes later
    assert said in refused(capsys, "init", "--csv", "texts.csv", "--text", "body", *TWO, "--", name)


@pytest.mark.parametrize("line", ["status", "export -o o.csv", "report", "replay", "doctor", "classes list"])
def test_a_path_that_cannot_be_is_a_mistake_of_whoever_gave_it(capsys: pytest.CaptureFixture[str], line: str) -> None:
    said = refused(capsys, *line.split(), "n" * 300)
    assert said.endswith(("give another place; what was stored before is kept.\n", "give a shorter one.\n"))


@pytest.mark.parametrize("line", ["export NAME -o OUT.csv", "report NAME -o OUT.html"])
@pytest.mark.parametrize(("out", "said"), [("o" * 300, "at most 200"), ("texts.csv/o", "texts.csv is no folder")])
def test_what_is_written_needs_a_place(capsys: pytest.CaptureFixture[str], line: str, out: str, said: str) -> None:
    command(capsys, "init", "birds", "--csv", "texts.csv", "--text", "body", *TWO)
    assert said in refused(capsys, *line.replace("NAME", "birds").replace("OUT", out).split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--classes", "a\nb,c"], "it must be one line, with commas between the names"),
        (["--classes", ""], "--classes names 0 classes"),
        (["--classes", "a,b", "--guideline", "latin.txt"], "latin.txt is not UTF-8 (byte 0xe9 at place 1); save it"),
        (["--classes", "a,b", "--guideline", "."], ". is a folder"),
        (
            ["--classes", "a,b", "--lease-minutes", "nan"],
            "--lease-minutes is nan; it must be above 0 and at most 43,200 (30 days)",
        ),
    ],
)
def test_an_option_that_cannot_be_is_named(capsys: pytest.CaptureFixture[str], options: list[str], said: str) -> None:
    Path("latin.txt").write_bytes("h\u00e9ron".encode("latin-1"))
    assert said in refused(capsys, "init", "birds", "--csv", "texts.csv", "--text", "body", *options)


def test_an_empty_file_of_lines_is_said_to_be_empty(capsys: pytest.CaptureFixture[str]) -> None:
    Path("none.jsonl").write_text("\n")
    assert "none.jsonl holds nothing" in refused(capsys, "init", "b", "--jsonl", "none.jsonl", "--text", "x", *TWO)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--annotators", "a\nb"], "it must be one line, with commas between the names"),
        (["--annotators", "a,b,a"], "'a' is among the annotators twice"),
        (["--annotators", "a" * 201], "has 201 characters"),
        (["--names", "a b"], "'a b' is no name of a host"),
        (["--names", "https://label.example.org"], "it must be as in label.example.org"),
    ],
)
def test_serve_refuses_what_cannot_be_meant(capsys: pytest.CaptureFixture[str], options: list[str], said: str) -> None:
    pytest.importorskip("uvicorn")
    pytest.importorskip("fastapi")
    command(capsys, "init", "birds", "--csv", "texts.csv", "--text", "body", *TWO)
    assert said in refused(capsys, "serve", "birds", "--port", "0", *options)


def test_labels_are_signed_by_names_that_can_be(capsys: pytest.CaptureFixture[str]) -> None:
    Path("signed.csv").write_text('id,label,annotator\n1,a,"eve\n2"\n')
    line = ["init", "birds", "--csv", "texts.csv", "--text", "body", *TWO]
    said = "the name of an annotator in signed.csv is 'eve\\n2'"
    assert said in refused(capsys, *line, "--import", "signed.csv")
    command(capsys, *line)
    assert said in refused(capsys, "import", "birds", "signed.csv")
