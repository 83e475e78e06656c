"""The commands of campaigns, from a folder of pictures to labels and a report."""

from __future__ import annotations

import csv
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from campaign_command import NAME, answer, command, fill, printed, truth

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a campaign in which two people have answered forty questions; tests get a copy."""
    from cutpoint.cli import run_cli

    folder = tmp_path_factory.mktemp("campaign")
    fill(folder / "photos")
    (folder / "old.csv").write_text("id,label\n000 is 0.png,zero\n001 is 1.png,other\n")
    (folder / "signed.csv").write_text("id,label,annotator\n010 is 0.png,zero,eve\n010 is 0.png,other,mallory\n")
    where = str(folder / NAME)
    options = ["--images", str(folder / "photos"), "--classes", "other,zero", "--budget", "15", "--first", "15"]
    labels = ["--import", str(folder / "old.csv"), "--import", str(folder / "signed.csv")]
    assert run_cli(["init", where, *options, *labels, "--quiet"]) == 0
    answer(where, 40)
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the campaign, in the folder one works in."""
    for path in kept.iterdir():
        if path.is_dir() and path.name != "photos":
            shutil.copytree(path, tmp_path / path.name)
        elif path.is_file():
            shutil.copy2(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names_in(folder: Path) -> set[str]:
    """Everything below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# init


def test_init_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path / "photos", 30)
    where = str(tmp_path / "birds")
    said = printed(capsys, "init", where, "--images", str(tmp_path / "photos"), "--classes", "other,zero")
    assert (said["campaign"], said["items"], said["kind"]) == ("birds", 31, "picture")
    assert said["unreadable"] == ["broken.png"]
    assert "64 x 64 pixels" in said["features"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["birds.db", "birds.files", "photos"]
    again = ["init", where, "--images", str(tmp_path / "photos"), "--classes", "other,zero"]
    assert "is there already" in command(capsys, *again, code=2)


def test_init_reads_texts_and_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"t{i},the {word} number {i},{i}" for i, word in enumerate(["heron", "crane", "stork"] * 5)]
    (tmp_path / "a.csv").write_text("\n".join(["id,body,size", *lines]))
    (tmp_path / "guide.txt").write_text("Herons are grey.")
    table, guide = str(tmp_path / "a.csv"), str(tmp_path / "guide.txt")
    options = ["--csv", table, "--classes", "a,b", "--guideline", guide]
    said = printed(capsys, "init", str(tmp_path / "texts"), *options, "--text", "body")
    assert (said["kind"], said["items"]) == ("text", 15)
    assert "TF-IDF" in said["features"]
    said = printed(capsys, "init", str(tmp_path / "rows"), *options)
    assert said["kind"] == "row"
    assert "one-hot (body)" in said["features"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--classes", "one"], "names 1 class"),
        (["--classes", "a,b"], "no pool is given"),
        (["--classes", "a,b", "--csv", "no.csv"], "there is no file no.csv"),
        (["--classes", "a,b", "--csv", "x.csv", "--npy", "x.npy"], "2 files are given"),
        (["--classes", "a,b", "--images", "photos", "--strategy", "no"], "strategy"),
        (["--classes", "a,b", "--images", "photos", "--import", "bad.csv"], "bad.csv, line 2"),
        (["--classes", "a,b", "--images", "photos", "--embeddings", "bad.csv"], "must be .npy or .parquet"),
        (["--classes", "a,b", "--images", "photos", "--files", "there"], "--files is for postgresql"),
    ],
)
def test_init_refuses_and_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "photos", 12)
    Path("bad.csv").write_text("id,label\nnobody,a\n")
    before = names_in(tmp_path)
    assert said in command(capsys, "init", "birds", *options, code=2)
    assert names_in(tmp_path) == before


@pytest.mark.parametrize("where", ["cutpoint.service.begin._add_pool", "cutpoint.service.gather.embed"])
def test_an_interrupted_init_leaves_nothing_and_can_be_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "photos", 12)
    before = names_in(tmp_path)
    line = ["init", "birds", "--images", "photos", "--classes", "a,b"]

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(where, interrupt)
        command(capsys, *line, code=130)
    assert names_in(tmp_path) == before
    command(capsys, *line)


# status, classes, import


def test_status_is_numbers_for_scripts_and_a_table_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = printed(capsys, "status", NAME)
    status = now["status"]
    assert status["items"] == 151
    assert status["labelled"] >= 40
    assert sum(status["found"]) == status["labelled"]
    assert {p["annotator"]: p["answers"] for p in status["people"]}["ann"] >= 15
    assert now["rates"][0]["asked"] == status["labelled"] - 3  # without those imported
    text = command(capsys, "status", NAME)
    assert f"{NAME}: {status['labelled']} of 151 items labelled" in text
    assert "random while there is no model" in text
    assert max(map(len, text.splitlines())) <= 100


def test_status_of_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no campaign at" in command(capsys, "status", str(tmp_path / "none"), code=2)
    (tmp_path / "photo.db").write_bytes(b"not a database at all" * 10)
    assert "no database" in command(capsys, "status", str(tmp_path / "photo"), code=2)


def test_names_that_would_move_the_cursor_are_shown_harmless(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(capsys, "classes", "add", NAME, "\x1b[2Jevil [bold]")
    text = command(capsys, "status", NAME)
    assert "\x1b" not in text
    assert "�[2Jevil [bold]" in text
    assert printed(capsys, "classes", "list", NAME) == ["other", "zero", "\x1b[2Jevil [bold]"]
    assert "is there twice" in command(capsys, "classes", "add", NAME, "zero", code=2)


def test_labels_can_be_imported_later_and_only_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = printed(capsys, "status", NAME)["status"]["labelled"]
    Path("more.csv").write_text("id,label\nbroken.png,other\n")
    assert "1 label taken in" in command(capsys, "import", NAME, "more.csv")
    assert printed(capsys, "status", NAME)["status"]["labelled"] == before + 1
    assert "in the campaign already" in command(capsys, "import", NAME, "more.csv", code=2)


# export


def test_labels_are_exported_in_every_format_alike(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_parquet_holds_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    command(capsys, "export", NAME, "-o", "out.parquet")
    command(capsys, "export", NAME, "-o", "out.jsonl")
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert parquet.read_table("out.parquet").to_pylist() == rows


def test_the_history_has_a_row_for_each_event(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, "export", NAME, "-o", "history.jsonl", "--history")
    rows = [json.loads(line) for line in Path("history.jsonl").read_text().splitlines()]
    assert said == {"file": "history.jsonl", "rows": len(rows)}
    assert [row["number"] for row in rows] == sorted(row["number"] for row in rows)
    assert {row["who"] for row in rows} == {"old.csv", "eve", "mallory", "ann", "bob"}


def test_what_was_exported_begins_another_campaign(
    folder: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ("csv", "jsonl", "json"):
        rows = printed(capsys, "export", NAME, "-o", f"out.{form}")["rows"]
        options = ["--images", str(kept / "photos"), "--classes", "other,zero", "--import", f"out.{form}"]
        said = printed(capsys, "init", form, *options)
        assert said["labels"] >= rows  # tasks of Label Studio hold every vote
        assert printed(capsys, "status", form)["status"]["labelled"] == rows


def test_an_export_never_writes_over_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.csv").write_text("mine")
    assert "is there already" in command(capsys, "export", NAME, "-o", "out.csv", code=2)
    assert Path("out.csv").read_text() == "mine"
    assert "does not say its format" in command(capsys, "export", NAME, "-o", "out.xls", code=2)
    no = ["export", NAME, "-o", "out.json", "--history"]
    assert "no history" in command(capsys, *no, code=2)


# doctor


def test_a_healthy_campaign_is_well_and_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / f"{NAME}.db").read_bytes()
    findings = printed(capsys, "doctor", NAME)
    assert {finding["mark"] for finding in findings} == {"well"}, findings
    parts = [finding["part"] for finding in findings]
    assert parts[:4] == ["database", "tables", "log", "items"]
    assert (folder / f"{NAME}.db").read_bytes() == before
    text = command(capsys, "doctor", NAME)
    assert "All is well." in text
    assert max(map(len, text.splitlines())) <= 100


def wrong(capsys: pytest.CaptureFixture[str], part: str) -> str:
    """What the doctor says of the part that is wrong."""
    findings = json.loads(command(capsys, "doctor", NAME, "--json", code=1))
    (found,) = [finding for finding in findings if finding["mark"] == "wrong"]
    assert found["part"] == part
    assert found["do"]
    return str(found["said"])


def test_the_doctor_finds_damaged_arrays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (features,) = (folder / f"{NAME}.files").glob("features-*")
    data = bytearray(features.read_bytes())
    data[-1] ^= 1
    features.write_bytes(data)
    assert "checksum" in wrong(capsys, "arrays")
    features.unlink()
    assert "features of pool 1" in wrong(capsys, "arrays")


def test_the_doctor_finds_a_damaged_database(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / f"{NAME}.db"
    data = bytearray(path.read_bytes())
    data[4096 + 8 : 4096 + 200] = bytes(192)
    path.write_bytes(data)
    assert str(path.name) in wrong(capsys, "database")
    path.write_bytes(data[:5000])
    wrong(capsys, "database")
    path.write_bytes(b"no")
    wrong(capsys, "database")


def test_the_doctor_finds_a_gap_and_other_tables(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / f"{NAME}.db")) as connection:
        connection.execute("DELETE FROM events WHERE number = 9")
        connection.commit()
    assert "after event 8" in wrong(capsys, "log")
    with closing(sqlite3.connect(folder / f"{NAME}.db")) as connection:
        connection.execute("UPDATE cutpoint_version SET version_num = '9999'")
        connection.commit()
    assert "9999" in wrong(capsys, "tables")


def test_the_doctor_repairs_only_when_told_and_only_what_is_safe(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import os

    from cutpoint.service.place import opened
    from cutpoint.store.events import New

    arrays = folder / f"{NAME}.files"
    left = [folder / f".{NAME}.db-00.partial.db", arrays / ".probs-00.partial", arrays / "probs-9-00.npy"]
    others = [folder / ".another.db-00.partial", folder / ".download.partial", arrays / "young.npy"]
    for path in (*left, *others):
        path.write_bytes(b"half")
    for path in (*left, *others[:2]):
        os.utime(path, (0, 0))
    lease = {"lease": "x1", "item": 100, "annotator": "ann", "until": 1.0, "seconds": 900.0}
    with opened(NAME) as (store, _):
        store.append([New("lease_granted", lease)])
        last = store.last()
    found = {finding["part"]: finding for finding in printed(capsys, "doctor", NAME)}
    assert (found["leftovers"]["mark"], found["leases"]["mark"]) == ("note", "note")
    assert found["leftovers"]["said"].startswith("3 files")
    assert all(path.exists() for path in left)
    found = {finding["part"]: finding for finding in printed(capsys, "doctor", NAME, "--repair")}
    assert (found["leftovers"]["mark"], found["leases"]["mark"]) == ("well", "well")
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others)
    assert {finding["mark"] for finding in printed(capsys, "doctor", NAME)} == {"well"}
    with opened(NAME) as (store, _):
        assert [event.kind for event in store.events(last)] == ["lease_ended"]


def test_the_doctor_leaves_arrays_that_may_be_another_campaigns(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import os
    import shutil

    array = folder / f"{NAME}.files" / "features-00.npy"
    array.write_bytes(b"of the other")
    os.utime(array, (0, 0))
    shutil.copy(folder / f"{NAME}.db", folder / f"{NAME}.sqlite")  # its arrays are in the same folder
    printed(capsys, "doctor", NAME, "--repair")
    assert array.exists()
    (folder / f"{NAME}.sqlite").unlink()
    printed(capsys, "doctor", NAME, "--repair")
    assert not array.exists()


def test_the_doctor_says_what_old_scores_take(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cutpoint.service.place import opened
    from cutpoint.service.training.trainer import Trainer
    from cutpoint.store.events import New

    def said() -> str:
        return next(str(finding["said"]) for finding in printed(capsys, "doctor", NAME) if finding["part"] == "scores")

    assert said() == "0 versions take 0.0 MiB; 0.0 MiB of it are read by a replay alone"
    with opened(NAME) as (store, files):
        assert Trainer(store, files).step()
        published = next(dict(event.data) for event in store.events() if event.kind == "scores_published")
        assert published["files"].keys() == {"probs"}
        again = files.put("embedding", np.zeros((1 << 17, 2)))
        for version in (1, 2, 3):
            probs = files.put("probs", np.full((1 << 17, 4), version / 10))
            entries = {"probs": probs, "embedding": again}
            store.append([New("scores_published", published | {"version": 1 + version, "files": entries})])
    assert said() == "4 versions take 14.0 MiB; 8.0 MiB of it are read by a replay alone"


def test_the_doctor_misses_pictures(folder: Path, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kept / "photos").rename(kept / "moved")
    try:
        assert "151 pictures are not where they were" in wrong(capsys, "pictures")
    finally:
        (kept / "moved").rename(kept / "photos")


# replay, report


def test_a_replay_asks_the_same_and_says_what_differs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    for path in (folder / f"{NAME}.files").glob("probs-*"):
        path.unlink()
    command(capsys, "replay", NAME, code=1)


def test_a_replay_says_which_rounds_failed_then_as_now(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
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


def test_the_report_is_one_page_that_fetches_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
