"""The commands of campaigns that write something out: labels, a report, and that a replay asks the same."""

from __future__ import annotations

import csv
import json
import re
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from campaign_command import NAME, answer, command, printed, truth
from cutpoint.cli import run_cli

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")


# export


def test_labels_are_exported_in_every_format_alike(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = [command(capsys, "export", NAME, "-o", f"out.{form}") for form in ("csv", "jsonl", "json")]
    assert all(re.fullmatch(r"out\.\w+: \d+ items: \d+ labelled\n", line) for line in made)
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    with Path("out.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["id"], row["label"]) for row in table] == [(row["id"], row["label"]) for row in rows]
    assert len(json.loads(Path("out.json").read_text())) == len(rows)
    wrong = sum(truth(row["id"]) != row["label"] for row in rows)
    assert wrong < 0.3 * len(rows)
    sources = {row["source"] for row in rows}
    assert sources == {"people", "imported"}
    signed = next(row for row in rows if row["id"] == "010 is 0.png")
    assert (signed["label"], signed["votes"], signed["disputed"]) == ("zero", 2, True)


def test_parquet_holds_the_same(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    command(capsys, "export", NAME, "-o", "out.parquet")
    command(capsys, "export", NAME, "-o", "out.jsonl")
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert parquet.read_table("out.parquet").to_pylist() == rows


def test_the_history_has_a_row_for_each_event(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, "export", NAME, "-o", "history.jsonl", "--history")
    rows = [json.loads(line) for line in Path("history.jsonl").read_text().splitlines()]
    assert said == {"file": "history.jsonl", "rows": len(rows)}
    assert [row["number"] for row in rows] == sorted(row["number"] for row in rows)
    assert {row["who"] for row in rows} == {"old.csv", "eve", "mallory", "ann", "bob"}


def test_what_was_exported_begins_another_campaign(
    campaign_folder: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ("csv", "jsonl", "json"):
        rows = printed(capsys, "export", NAME, "-o", f"out.{form}")["rows"]
        options = ["--images", str(kept / "photos"), "--classes", "other,zero", "--import", f"out.{form}"]
        said = printed(capsys, "init", form, *options)
        assert said["labels"] >= rows  # tasks of Label Studio hold every vote
        assert printed(capsys, "status", form)["status"]["labelled"] == rows


def test_an_export_that_comes_back_says_nothing_new(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cutpoint.service.campaign import Campaign

    with closing(Campaign(f"{NAME}.db", train="off")) as campaign:
        said = sorted(item for item, cast in campaign._desk.state.ballots.votes.items() if "ann" in cast)
        campaign._desk.adjudicate(said[0], 1, by="admin")
    for form in ("csv", "json"):
        command(capsys, "export", NAME, "-o", f"back.{form}")
        assert f"nothing new in back.{form}: " in command(capsys, "import", NAME, f"back.{form}")
    rows = Path("back.csv").read_text().splitlines()
    Path("half.csv").write_text("\n".join([rows[0], rows[1].replace("true", "false")]) + "\n")
    text = command(capsys, "import", NAME, "half.csv")
    assert text.startswith("nothing new in half.csv\nnote: 1 row of half.csv was left out: its item is not settled yet")


def test_an_export_never_writes_over_a_file(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.csv").write_text("mine")
    assert "is there and no export of these" in command(capsys, "export", NAME, "-o", "out.csv", code=2)
    assert Path("out.csv").read_text() == "mine"
    command(capsys, "export", NAME, "-o", "out.csv", "--force")
    assert Path("out.csv").read_text().startswith("id,index,label,")
    for theirs in ("5", '["id"]', "{", '{"id": 1}'):
        Path("out.jsonl").write_text(theirs)
        assert "is there and no export of these" in command(capsys, "export", NAME, "-o", "out.jsonl", code=2)
    Path("folder.csv").mkdir()
    assert "is there and no file" in command(capsys, "export", NAME, "-o", "folder.csv", "--force", code=2)
    assert "does not say its format" in command(capsys, "export", NAME, "-o", "out.xls", code=2)
    no = ["export", NAME, "-o", "out.json", "--history"]
    assert "no history" in command(capsys, *no, code=2)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "label-studio"])
def test_an_export_has_a_name_of_its_own_and_replaces_an_older_one(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    name = f"{NAME}-labels.{'json' if form == 'label-studio' else form}"
    assert command(capsys, "export", NAME, "--format", form).startswith(f"{name}: ")
    first = Path(name).read_bytes()
    answer(NAME, 6)
    rows = printed(capsys, "export", NAME, "--format", form)
    assert rows["file"] == name
    assert Path(name).read_bytes() != first
    assert [path.name for path in Path().glob("*labels*")] == [name]
    if form != "label-studio":  # a history is no older export of labels
        said = command(capsys, "export", NAME, "--format", form, "--history", "-o", name, code=2)
        assert "is there and no export of these columns" in said
        assert printed(capsys, "export", NAME, "--format", form, "--history")["file"] == f"{NAME}-history.{form}"


def test_what_label_studio_wrote_is_no_export_of_ours(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = json.dumps([{"id": 1, "annotations": [], "data": {"cutpoint_id": "a"}}])
    Path("theirs.json").write_text(theirs)
    assert "is there and no export" in command(capsys, "export", NAME, "-o", "theirs.json", code=2)
    assert Path("theirs.json").read_text() == theirs
    command(capsys, "export", NAME, "-o", "mine.json")
    assert Path("mine.json").read_bytes()[:40].startswith(b"[\n {")


def test_label_studio_gets_the_items_without_a_label_and_addresses_of_pictures(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = printed(capsys, "export", NAME, "-o", "all.json")["rows"]
    more = ["--unlabelled", "--pictures-at", "/data/local-files/?d=photos/"]
    line = command(capsys, "export", NAME, "-o", "all.json", *more)
    tasks = json.loads(Path("all.json").read_text())
    assert len(tasks) == 151
    assert line.startswith("all.json: 151 items: ")
    assert line.endswith(f", {151 - labelled} without a label\n")
    assert sum(bool(each["annotations"]) for each in tasks) == labelled
    assert tasks[0]["data"]["image"] == "/data/local-files/?d=photos/000%20is%200.png"
    assert "nothing new in all.json: " in command(capsys, "import", NAME, "all.json")
    for option in (["--unlabelled"], ["--pictures-at", "s3://x/"]):
        said = command(capsys, "export", NAME, "-o", "out.csv", *option, code=2)
        assert "--unlabelled and --pictures-at are of Label Studio's tasks, and the format is csv" in said
    assert not Path("out.csv").exists()


@pytest.mark.parametrize("form", ["csv", "jsonl", "label-studio"])
def test_an_export_goes_to_the_standard_output(campaign_folder: Path, capsysbinary: Any, form: str) -> None:
    ending = "json" if form == "label-studio" else form
    assert run_cli(["export", NAME, "-o", f"out.{ending}"]) == 0
    capsysbinary.readouterr()
    assert run_cli(["export", NAME, "-o", "-", *([] if form == "csv" else ["--format", form])]) == 0
    assert capsysbinary.readouterr().out == Path(f"out.{ending}").read_bytes()
    assert not Path("-").exists()


def test_what_cannot_go_to_the_standard_output_is_said(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "parquet is no text" in command(capsys, "export", NAME, "-o", "-", "--format", "parquet", code=2)
    assert "leave --json out" in command(capsys, "export", NAME, "-o", "-", "--json", code=2)


# replay, report


def test_a_replay_asks_the_same_and_says_what_differs(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cutpoint.service.place import opened
    from cutpoint.service.training.trainer import Trainer

    with opened(NAME) as (store, files):
        assert Trainer(store, files).step()
    answer(NAME, 12)
    done = printed(capsys, "replay", NAME)
    assert done["same"]
    assert done["rounds"] >= 3
    assert done["questions"] >= 50
    assert f"all {done['questions']} questions are the same again" in command(capsys, "replay", NAME)
    for path in (campaign_folder / f"{NAME}.files").glob("probs-*"):
        path.unlink()
    command(capsys, "replay", NAME, code=1)


def test_a_replay_says_which_rounds_failed_then_as_now(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cutpoint.service.replay import Replayed

    done = Replayed(40, 3, 12, 9, (), (), ((2, "division by zero"),))
    monkeypatch.setattr("cutpoint.service.replay.replay", lambda store, files: done)
    said = command(capsys, "replay", NAME)
    assert said.startswith("round 2 failed then as it does now (division by zero); up to there it is the same")


class Page(HTMLParser):
    """What a page would fetch or run, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.reaches: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is fetched or run."""
        if tag in ("script", "iframe", "link", "img", "object"):
            self.reaches.append(tag)
        self.reaches += [name for name, _ in attrs if name in ("src", "href", "style") or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.words.append(data)


def test_the_report_is_one_page_that_fetches_nothing(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cutpoint.service.place import opened
    from cutpoint.service.training.trainer import Trainer

    for _ in range(3):
        with opened(NAME) as (store, files):
            assert Trainer(store, files).step()
        answer(NAME, 20)
    assert command(capsys, "report", NAME) == f"report: {NAME}-report.html\n"
    text = Path(f"{NAME}-report.html").read_text()
    page = Page(text)
    assert page.reaches == []
    assert "url(" not in text
    assert "@import" not in text
    words = " ".join(page.words)
    for part in (NAME, "zero", "ann", "bob", "010 is 0.png", "no estimate of accuracy"):
        assert part in words, part
    assert text.count('class="strip ') == 2
    assert not re.search(r"<th[^>]*></th>", text), "every column has a title"
    with opened(NAME) as (store, _):
        (source,) = (Path(event.data["source"]) for event in store.events() if event.kind == "pool_added")
    assert source.is_absolute()
    assert str(source.parent) not in text
    assert f"from {source.name}" in words


def test_a_report_replaces_an_older_one_and_no_other_file(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path("mine.html")
    page.write_text("<!doctype html>\n<html>mine")
    line = ["report", NAME, "-o", "mine.html"]
    assert "is there and no report" in command(capsys, *line, code=2)
    assert page.read_text().endswith("mine")
    assert command(capsys, *line, "--force") == "report: mine.html\n"
    before = page.stat().st_ino
    assert command(capsys, *line) == "report: mine.html\n"
    assert page.stat().st_ino != before
    for wrong in (".", "/dev/null"):
        assert "is there and no file" in command(capsys, "report", NAME, "-o", wrong, "--force", code=2)


def test_a_report_shows_hostile_names_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "<script>alert(1)</script>"
    table = tmp_path / "a.csv"
    table.write_text("id,size\n" + "".join(f'"{evil}{i}",{i}\n' for i in range(8)))
    labels = tmp_path / "labels.csv"
    labels.write_text(f'id,label,annotator\n"{evil}0",{evil},{evil}\n"{evil}0",b,bob\n')
    where = str(tmp_path / "evil")
    options = ["--csv", str(table), "--classes", f"{evil},b", "--import", str(labels)]
    command(capsys, "init", where, *options)
    command(capsys, "report", where, "-o", str(tmp_path / "report.html"))
    page = Page((tmp_path / "report.html").read_text())
    assert page.reaches == []
    assert f"{evil}0" in page.words
