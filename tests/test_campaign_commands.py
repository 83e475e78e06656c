"""The commands of campaigns: how one begins, where it stands, and what is added to it."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from campaign_command import NAME, command, fill, printed

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")


def names_in(campaign_folder: Path) -> set[str]:
    """Everything below a campaign_folder."""
    return {path.relative_to(campaign_folder).as_posix() for path in campaign_folder.rglob("*")}


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


def test_init_says_which_models_will_never_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path / "photos", 30)
    begin = ["init", "--images", str(tmp_path / "photos"), "--classes", "other,zero"]
    following, first = "the next model comes after", "the first model comes after"
    for name, options, doubt in [
        ("a", ["--budget", "11"], None),
        ("b", ["--budget", "100000"], f"{following} 100,000 more items, and 11 will be left, so that it never comes: "),
        ("c", ["--budget", "12"], f"{following} 12 more items, and 11 will be left, so that it never comes: take "),
        ("d", ["--first", "31"], None),
        ("e", ["--first", "32"], f"{first} 32 items, and there are 31, so that it never comes and all questions "),
    ]:
        notes = printed(capsys, *begin, str(tmp_path / name), *options)["notes"]
        assert [note.startswith(doubt) for note in notes] == ([] if doubt is None else [True]), notes


def test_few_unreadable_pictures_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = fill(tmp_path / "photos", 30)
    begin = ["init", "--images", str(photos), "--classes", "other,zero"]
    assert "can be passed: broken.png\n" in command(capsys, *begin, str(tmp_path / "one"))
    (photos / "later.png").write_bytes(b"none either")
    assert "can be passed: broken.png, later.png\n" in command(capsys, *begin, str(tmp_path / "two"))
    for n in range(6):
        (photos / f"{n}.png").write_bytes(b"none either")
    assert "can be passed: 0.png, 1.png, 2.png, and 5 more\n" in command(capsys, *begin, str(tmp_path / "eight"))


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
        (
            ["--classes", "a,b", "--csv", "photos", "--text", "body"],
            "photos is a folder; give the path of a file",
        ),
        (["--classes", "a,b", "--csv", "x.csv", "--npy", "x.npy"], "2 files are given"),
        (["--classes", "a,b", "--images", "photos", "--strategy", "no"], "strategy"),
        (["--classes", "a,b", "--images", "photos", "--import", "bad.csv"], "bad.csv, line 2"),
        (["--classes", "a,b", "--images", "photos", "--import", "worse.csv"], "add the class (`--classes` of `init`"),
        (["--classes", "a,b", "--images", "photos", "--embeddings", "bad.csv"], "must be .npy or .parquet"),
        (["--classes", "a,b", "--images", "photos", "--files", "there"], "--files is for postgresql"),
        (["--classes", "a,b", "--images", "photos", "--learner", "foo"], "foo"),
        (["--classes", "a,b", "--images", "photos", "--learner", "onnx"], "init --encoder FILE"),
        (["--classes", "a,b", "--images", "photos", "--learner", "onnx:encoder=e.onnx"], "init --encoder FILE"),
        pytest.param(
            ["--classes", "a,b", "--images", "photos", "--learner", "resnet18"],
            "reads pictures",
            marks=pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed"),
        ),
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
    Path("worse.csv").write_text("id,label\n000 is 0.png,c\n")
    before = names_in(tmp_path)
    assert said in command(capsys, "init", "birds", *options, code=2)
    assert names_in(tmp_path) == before


@pytest.mark.parametrize("name", [".", "..", "there/..", "/"])
def test_a_folder_is_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("body\none text\n")
    line = ["init", name, "--csv", "a.csv", "--text", "body", "--classes", "a,b"]
    assert f"{name} is a folder and no campaign" in command(capsys, *line, code=2)
    assert names_in(tmp_path) == {"a.csv"}
    assert "is a folder and no campaign" in command(capsys, "status", name, code=2)


def test_a_single_text_is_a_pool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("id,body\n1,one thing\n")
    line = ["init", str(tmp_path / "one"), "--csv", str(tmp_path / "a.csv"), "--text", "body", "--classes", "a,b"]
    assert printed(capsys, *line)["items"] == 1


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


def test_status_is_numbers_for_scripts_and_a_table_for_people(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = printed(capsys, "status", NAME)
    status = now["status"]
    assert status["items"] == 151
    assert status["labelled"] >= 40
    assert sum(status["found"]) == status["labelled"]
    assert {p["name"]: p["answers"] for p in status["people"]}["ann"] >= 15
    assert now["rates"][0]["asked"] == status["labelled"] - 3  # without those imported
    text = command(capsys, "status", NAME)
    assert f"{NAME}: {status['labelled']} of 151 items labelled" in text
    assert "drawn at random, as there was no model yet" in text
    assert max(map(len, text.splitlines())) <= 100


def test_status_says_where_to_look_while_somebody_else_is_at_work(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cutpoint.service.desk.desk import Desk
    from cutpoint.service.place import opened

    assert "At work" not in command(capsys, "status", NAME)
    with opened(NAME) as (store, files):
        desk = Desk(store, files)
        said = " ".join(command(capsys, "status", NAME).split())
        desk.close()
    assert f"At work: process {os.getpid()} on " in said
    assert said.endswith("that process alone knows: a server shows it on its dashboard, and in /api/status.")


def test_no_training_is_on_where_nobody_is_at_work(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cutpoint.service.place import opened
    from cutpoint.store.events import New

    with opened(NAME) as (store, _):
        store.append([New("training_started", {"run": "r1", "upto": store.last(), "learner": "logistic"})])
        with store.own("trainer"):
            assert printed(capsys, "status", NAME)["status"]["training"] == "r1"
            assert "Model: none yet; the first is being trained now." in command(capsys, "status", NAME)
        assert printed(capsys, "status", NAME)["status"]["training"] is None
        said = " ".join(command(capsys, "status", NAME).split())
        assert "Model: none yet; the first is due. Nobody is at work: no model is trained" in said
        command(capsys, "report", NAME)
        assert "is being trained now" not in Path(f"{NAME}-report.html").read_text()


def test_status_says_what_each_number_means(campaign_folder: Path) -> None:
    from cutpoint.service.desk.status import RoundStatus
    from cutpoint.service.overview.sentences import asking, model, sentence, warnings
    from cutpoint.service.overview.standing import read
    from cutpoint.service.place import opened

    with opened(NAME) as (store, _):
        now = read(store)[1].status
    assert now.round is not None
    first = f"round {now.round.number}, drawn at random, as there was no model yet"
    assert asking(now) == f"{first}: {now.round.done} of its 15 questions done"
    assert "1 disputed" in sentence(now)
    none = {"labelled": 0, "disputed": 0, "with_people": 0, "held": 0, "waiting": 0, "left": 151, "found": (0, 0)}
    fresh = replace(now, round=None, done=3, **none)  # type: ignore[arg-type]
    assert sentence(fresh) == "0 of 151 items labelled, 151 left"
    assert asking(fresh) == "nothing was asked yet; the first question comes when somebody opens their link"
    assert model(fresh) == "none yet; the first is trained after 12 more items"
    assert model(replace(fresh, done=15)) == "none yet; the first is due once two classes are found"
    assert model(replace(fresh, done=15, found=(9, 6))) == "none yet; the first is due"
    round = RoundStatus(4, "direct", model=3, budget=15, asked=9, done=2)
    going = replace(now, model=3, measures=((9, {"foreseen": 0.5, "foreseen_classes": 2}),), done=1, round=round)
    assert asking(going) == "round 4, chosen by direct with model 3: 2 of its 15 questions done"
    assert model(going) == (
        "model 3 is the newest; the one before it had foreseen 50 % of the labels that came after, as a mean of the "
        "classes that occurred; the next one is trained after 14 more items"
    )
    few = replace(going, measures=((9, {"foreseen": 0.5, "foreseen_classes": 1}),))
    assert "as a mean of the classes that occurred (1 of 2 classes); the next" in model(few)
    more = replace(going, measures=((9, {"foreseen": 0.5, "foreseen_classes": 2, "foreseen_added": 1}),))
    assert "classes that occurred (not counting 1 label of classes that were added since); the next" in model(more)
    going = replace(going, measures=())
    assert model(replace(going, training="r1")) == "model 3 is the newest; the next one is being trained now"
    assert warnings(going) == []
    failed = replace(going, failures=2, last_error="no memory")
    assert model(failed) == "model 3 is the newest; the next one is tried again"
    said = "failed (no memory): people go on, and questions are"
    assert warnings(failed) == [f"The last 2 trainings {said} chosen with model 3."]
    alone = replace(failed, failures=1, model=None, round=None)
    assert warnings(alone) == [f"The last training {said} drawn at random."]
    assert model(alone) == "none yet; the first is tried again"
    few = replace(going, labelled=140, held=3, waiting=2, left=6)
    assert model(few) == "model 3 is the newest; too few items are left for the next one"
    done = replace(going, labelled=140, held=11, waiting=0, left=0)
    assert asking(done) == "every item is labelled or held, and nothing is left to ask"
    done = replace(done, labelled=151, held=0)
    assert asking(done) == "every item has a label, and nothing is left to ask"
    assert model(done) == "model 3 is the newest"


def test_what_is_not_known_of_an_added_class_is_left_open(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(capsys, "classes", "add", NAME, "stork")
    row = next(line for line in command(capsys, "status", NAME).splitlines() if "stork" in line)
    assert [cell.strip() for cell in row.strip("│┃").split("│")] == ["stork", "0", "–", "–", "–", "–"]


def test_the_names_of_the_numbers_stay(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = printed(capsys, "status", NAME)
    assert list(now) == ["status", "rates"]
    said = now["status"]
    assert {"name", "classes", "items", "labelled", "found", "people", "model", "failures"} <= said.keys()
    assert {"name", "answers", "passed"} <= said["people"][0].keys()
    assert {"name", "found", "in_pool", "random_needs"} <= now["rates"][0].keys()
    page = (Path(__file__).parent.parent / "docs" / "campaign-commands.md").read_text()
    unexplained = [name for name in {**said, **said["round"], **said["people"][0]} if f"`{name}`" not in page]
    assert not unexplained, "docs/campaign-commands.md does not say what these count"


def test_what_ran_out_while_nobody_served_is_with_nobody(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cutpoint.service.place import opened
    from cutpoint.store.events import New

    before = printed(capsys, "status", NAME)["status"]
    lease = {"lease": "x1", "item": 100, "annotator": "ann", "until": 1.0, "seconds": 900.0}
    with opened(NAME) as (store, _):
        store.append([New("lease_granted", lease)])
    now = printed(capsys, "status", NAME)["status"]
    assert (now["with_people"], now["people"]) == (before["with_people"], before["people"])


def test_status_of_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no campaign at" in command(capsys, "status", str(tmp_path / "none"), code=2)
    (tmp_path / "photo.db").write_bytes(b"not a database at all" * 10)
    assert "no database" in command(capsys, "status", str(tmp_path / "photo"), code=2)


def test_names_that_would_move_the_cursor_are_shown_harmless(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cutpoint.service.place import opened
    from cutpoint.store.events import New

    with opened(NAME) as (store, _):
        store.append([New("class_added", {"name": "\x1b[2Jevil [bold]"})])  # as an older version took it
    text = command(capsys, "status", NAME)
    assert "\x1b" not in text
    assert "�[2Jevil [bold]" in text
    assert printed(capsys, "classes", "list", NAME) == ["other", "zero", "\x1b[2Jevil [bold]"]
    assert "is there already" in command(capsys, "classes", "add", NAME, "zero", code=2)


def test_labels_can_be_imported_later_and_only_once(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = printed(capsys, "status", NAME)["status"]["labelled"]
    Path("more.csv").write_text("id,label\nbroken.png,other\n")
    assert "1 label taken in" in command(capsys, "import", NAME, "more.csv")
    assert printed(capsys, "status", NAME)["status"]["labelled"] == before + 1
    assert command(capsys, "import", NAME, "more.csv") == "nothing new in more.csv: 1 label is there already\n"


def test_an_import_and_a_status_answer_scripts_and_are_quiet(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("more.csv").write_text("id,label,settled\n002 is 2.png,other,\n003 is 3.png,zero,\n")
    taken = printed(capsys, "import", NAME, "more.csv")
    assert (taken["new"] + taken["known"], len(taken["notes"])) == (2, 1)
    again = printed(capsys, "import", NAME, "more.csv")
    assert (again["new"], again["known"], again["notes"]) == (0, 2, taken["notes"])
    assert command(capsys, "status", NAME, "--quiet") == ""
    assert command(capsys, "import", NAME, "more.csv", "--quiet") == ""
