"""The commands of campaigns: how one begins, where it stands, what is added to it, and its doctor."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from campaign_command import NAME, begin, command, copied, fill, printed

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a campaign in which two people have answered forty questions; tests get a copy."""
    return begin(tmp_path_factory.mktemp("campaign"))


@pytest.fixture
def folder(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the campaign, in the folder one works in."""
    monkeypatch.chdir(tmp_path)
    return copied(kept, tmp_path)


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


def test_a_table_of_texts_is_told_to_say_which_column_they_are_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{i},made by {i},the heron number {i} stands in the water,1" for i in range(60)]
    Path("a.csv").write_text("\n".join(["id,by,what people wrote,one", *rows]))
    said = command(capsys, "init", "birds", "--csv", "a.csv", "--classes", "a,b", code=2)
    assert "a.csv has the columns by, what people wrote, one" in said
    assert "if the items are texts, say --text 'what people wrote'" in said
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


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
    assert "drawn at random, as there is no model yet" in text
    assert max(map(len, text.splitlines())) <= 100


def test_status_says_what_each_number_means(folder: Path) -> None:
    from cutpoint.service.overview.standing import read
    from cutpoint.service.place import opened

    with opened(NAME) as (store, _):
        _, now = read(store)
    fresh = replace(
        now, round=None, status=replace(now.status, labelled=0, disputed=0, leases=0, held=0, pending=0, closed=3)
    )
    assert fresh.sentence == "0 of 151 items labelled"
    assert fresh.asking == "nothing was asked yet; the first question comes when somebody opens their link"
    assert fresh.model == "none yet; the first is trained after 12 more answers"
    assert replace(fresh, status=replace(fresh.status, closed=15)).model == "none yet; the first is due"
    assert re.fullmatch(
        r"round \d+, drawn at random, as there is no model yet: \d+ of its 15 questions asked", now.asking
    )
    assert "1 on which people differ" in now.sentence
    status = replace(now.status, scores=3, measures=((9, {"foreseen": 0.5}),), closed=1)
    going = replace(now, status=status, round={"round": 4, "scores": 3, "strategy": "direct", "budget": 15}, asked=2)
    assert going.asking == "round 4, chosen by direct with model 3: 2 of its 15 questions asked"
    assert going.model == (
        "model 3 is in use; the one before it had foreseen 50% of the labels that came after, as a mean of the "
        "classes; the next one is trained after 14 more answers"
    )
    training = replace(going, status=replace(status, training="r1", measures=()))
    assert training.model == "model 3 is in use; the next one is being trained now"
    failed = replace(going, status=replace(status, failures=2, last_error="no memory", measures=()))
    assert failed.model == (
        "model 3 is in use; the last 2 trainings failed (no memory): people can go on, the model cannot"
    )
    done = replace(going, status=replace(status, labelled=151, measures=()))
    assert (done.asking, done.model) == ("every item has a label, and nothing is left to ask", "model 3 is in use")


def test_the_names_of_the_numbers_stay(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = printed(capsys, "status", NAME)
    assert list(now) == ["status", "round", "asked", "rates"]
    assert {"name", "classes", "items", "labelled", "found", "people", "scores", "failures"} <= now["status"].keys()
    assert {"annotator", "answers", "passes"} <= now["status"]["people"][0].keys()
    assert {"name", "found", "in_pool", "random_needs"} <= now["rates"][0].keys()


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
