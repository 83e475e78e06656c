"""Label Studio's tasks, out and in: exports of the form that Label Studio 1.23 writes, with what it adds and drops."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from campaign_command import command
from cutpoint.data.pools.given import Given, read_given
from cutpoint.data.pools.label_studio import Tasks, task
from cutpoint.data.pools.sheets_of_items import texts
from cutpoint.errors import CutpointError, DataError

CLASSES = ["other", "heron"]
IDS = ["a.png", "b/c.png", "t 1é.png", "7", "19462458-xyz1.png"]


def find(ids: Sequence[str]) -> list[int | None]:
    """The place of each id among IDS."""
    return [IDS.index(name) if name in IDS else None for name in ids]


def read(folder: Path, tasks: Any) -> Given:
    """What is read of these tasks."""
    (folder / "a.json").write_text(json.dumps(tasks))
    return read_given(folder / "a.json", find, CLASSES)


def choice(label: str, control: str = "label", **more: Any) -> dict[str, Any]:
    """One choice, as its editor writes it."""
    about = {"id": "LDWfS40hpB", "from_name": control, "to_name": "item", "type": "choices", "origin": "manual"}
    return {"value": {"choices": [label]}, **about, **more}


def annotation(by: Any, *results: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An annotation, as it is exported."""
    about = {"id": 8, "completed_by": by, "result": list(results), "was_cancelled": False, "ground_truth": False}
    return about | {"lead_time": 1.5, "prediction": {}, "import_id": None, "updated_by": None} | more


def exported(data: dict[str, Any], *annotations: dict[str, Any], number: int = 36) -> dict[str, Any]:
    """A task, as it is exported."""
    about = {"id": number, "inner_id": 1, "file_upload": "052b427b-tasks.json", "meta": {}, "predictions": [3]}
    draft = {"id": 1, "user": "bob@example.org", "result": [choice("other")], "annotation": None}
    return about | {"drafts": [draft], "data": data, "annotations": list(annotations)}


def through(ours: dict[str, Any]) -> dict[str, Any]:
    """A task of ours after its import and export: all by the one who imported; nothing kept that is not known there.

    Without a word about it, an annotation has become a ground truth.
    """
    kept = [annotation(1, *each["result"], ground_truth=each.get("ground_truth", True)) for each in ours["annotations"]]
    return exported(ours["data"], *kept)


# Out


def test_tasks_come_back_as_they_were_written(tmp_path: Path) -> None:
    tasks = [
        task("a.png", {"picture": "a.png"}, {"ann": "heron", "bob": "other", "": "other"}, "heron"),
        task("7", {"text": "=cmd()"}, {"ann": "heron"}),
        task("b/c.png", {"row": {"x": 1}}, {}),
    ]
    assert [each["data"] for each in tasks] == [
        {"cutpoint_id": "a.png", "image": "a.png"},
        {"cutpoint_id": "7", "text": "=cmd()"},
        {"cutpoint_id": "b/c.png", "table": {"x": 1}},
    ]
    found = read(tmp_path, tasks)
    assert found.lots == [
        ("ann", [0, 3], [1, 1], False),
        ("bob", [0], [0], False),
        (None, [0], [0], False),
        (None, [0], [1], True),
    ]


def test_people_and_decisions_outlast_label_studio(tmp_path: Path) -> None:
    """It gives all that is imported to the one who imports it, and takes it for ground truth unless told otherwise."""
    ours = [task("a.png", {}, {"ann": "heron", "bob": "other"}, "heron"), task("7", {}, {"ann": "other", "": "heron"})]
    assert read(tmp_path, [through(each) for each in ours]) == read(tmp_path, ours)


def test_an_answer_that_was_corrected_in_the_editor_is_still_of_who_gave_it(tmp_path: Path) -> None:
    entry = through(task("a.png", {}, {"ann": "heron"}))
    entry["annotations"][0]["result"][0] |= choice("other")
    entry["annotations"][0]["updated_by"] = 2
    assert read(tmp_path, [entry]).lots == [("ann", [0], [0], False)]


@pytest.mark.parametrize(
    ("before", "address"),
    [
        ("", "b/t 1é#2.png"),
        ("/data/local-files/?d=photos/", "/data/local-files/?d=photos/b/t%201%C3%A9%232.png"),
        ("https://example.org/", "https://example.org/b/t%201%C3%A9%232.png"),
        ("s3://bucket/photos/", "s3://bucket/photos/b/t 1é#2.png"),  # whose keys are never escaped
    ],
)
def test_pictures_get_the_address_that_label_studio_needs(before: str, address: str) -> None:
    content = {"picture": "b/t 1é#2.png"}
    assert Tasks(pictures_at=before).seen(content) == {"picture": address}
    assert content == {"picture": "b/t 1é#2.png"}
    assert Tasks(pictures_at=before).seen({"text": "t"}) == {"text": "t"}


# In


@pytest.mark.parametrize(
    ("by", "who"),
    [(2, "2"), ({"id": 2, "email": "bob@example.org", "first_name": ""}, "bob@example.org"), (None, None)],
)
def test_people_are_their_address_or_their_number(tmp_path: Path, by: Any, who: str | None) -> None:
    assert read(tmp_path, [exported({"id": "7"}, annotation(by, choice("heron")))]).lots == [(who, [3], [1], False)]


def test_drafts_predictions_and_what_was_skipped_count_for_nothing(tmp_path: Path) -> None:
    skipped = annotation(2, was_cancelled=True)
    half = annotation(2, choice("other"), was_cancelled=True)
    note = annotation(2, {"from_name": "note", "to_name": "item", "type": "textarea", "value": {"text": ["hm"]}})
    entry = exported({"cutpoint_id": "a.png"}, skipped, half, note)
    assert read(tmp_path, [entry, exported({"id": 7}, annotation(1, choice("heron")))]).lots == [("1", [3], [1], False)]
    with pytest.raises(CutpointError, match="holds no label; write labels into it, or leave the file out"):
        read(tmp_path, [entry])


def test_of_several_controls_the_one_called_label_counts_or_the_only_one(tmp_path: Path) -> None:
    quality = choice("clear", "quality")
    quality["value"]["choices"].append("near")
    stars = {"from_name": "stars", "to_name": "item", "type": "rating", "value": {"rating": 3}}
    kind = {"from_name": "kind", "to_name": "item", "type": "taxonomy", "value": {"taxonomy": [["a", "b"]]}}
    tasks = [
        exported({"id": "a.png"}, annotation(1, quality, choice("heron"), stars, kind)),
        exported({"id": "7"}, annotation(1, quality)),
    ]
    assert read(tmp_path, tasks).lots == [("1", [0], [1], False)]
    only = [exported({"id": "7"}, annotation(1, choice("heron", "sentiment"), stars))]
    assert read(tmp_path, only).lots == [("1", [3], [1], False)]
    both = [exported({"id": "7"}, annotation(1, choice("heron", "kind"), quality))]
    with pytest.raises(DataError, match="has choices of kind, quality; those that are labels must be called label: "):
        read(tmp_path, both)


@pytest.mark.parametrize(
    ("address", "item"),
    [
        ("/data/local-files/?d=photos/b/c.png", 1),
        ("/data/local-files/?d=photos/t%201%C3%A9.png", 2),
        ("https://label.example.org/data/local-files/?d=a.png", 0),
        ("/data/upload/9/6af14a76-a.png", 0),
        ("/data/upload/9/19462458-xyz1.png", 4),  # in Label Studio's own folder of uploads
        ("s3://bucket/photos/b/c.png", 1),
        ("https://example.org/photos/t%201%C3%A9.png?size=2", 2),
    ],
)
def test_a_task_without_an_id_is_known_by_its_picture(tmp_path: Path, address: str, item: int) -> None:
    entry = exported({"image": address, "note": "http://[a.png"}, annotation(1, choice("heron", "choice")))
    found = read(tmp_path, [entry])
    assert found.lots == [("1", [item], [1], False)]
    assert found.notes == ("of 1 label the item was found by its picture's path",)


@pytest.mark.parametrize("empty", [None, ""])
def test_an_id_that_is_empty_is_none(tmp_path: Path, empty: str | None) -> None:
    entry = exported({"cutpoint_id": empty, "id": empty, "image": "/a.png"}, annotation(1, choice("heron", meta=None)))
    assert read(tmp_path, [entry]).lots == [("1", [0], [1], False)]


def test_a_long_text_is_no_address_of_a_picture(tmp_path: Path) -> None:
    """Or each of its ends would be looked for."""
    entry = exported({"text": "a/" * 500_000 + "a.png"}, annotation(1, choice("heron")))
    with pytest.raises(CutpointError, match="no item of the pool is called 'task 36'"):
        read(tmp_path, [entry])


def test_a_picture_that_is_not_there_is_named(tmp_path: Path) -> None:
    entry = exported({"image": "/data/upload/9/6af14a76-bird_1.png"}, annotation(1, choice("heron")))
    with pytest.raises(CutpointError, match=r"task 1: no item of the pool is called 'bird_1\.png'"):
        read(tmp_path, [entry])


def test_a_task_without_any_id_is_no_item_of_another_pool(tmp_path: Path) -> None:
    """Its number there may be the id of another item here."""
    entry = exported({"text": "t"}, annotation(1, choice("heron")), number=7)
    with pytest.raises(CutpointError, match=r"'task 7'; begin a campaign with these tasks \(`init --tasks`\), or "):
        read(tmp_path, [entry])


def test_a_project_of_texts_begins_a_campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    tasks = [exported({"text": f"bird {n}", "source": "web"}, number=30 + n) for n in range(6)]
    tasks += [exported({"text": "a heron", "id": 5}, annotation(1, choice("heron")))]
    tasks[2]["annotations"] = [annotation(2, choice("other")), annotation(1, choice("heron"), ground_truth=True)]
    tasks[3]["annotations"] = [annotation(2, was_cancelled=True)]
    Path("all.json").write_text(json.dumps(tasks))
    begin = ["init", "birds", "--classes", "other,heron", "--tasks", "all.json"]
    assert "of tasks are texts; name their key with --text" in command(capsys, *begin, code=2)
    command(capsys, *begin, "--text", "text", "--import", "all.json")
    command(capsys, "export", "birds", "-o", "out.json", "--unlabelled")
    found = {each["data"]["cutpoint_id"]: each for each in json.loads(Path("out.json").read_text())}
    assert {name: each["data"]["text"] for name, each in found.items()} == {
        **{f"task {30 + n}": f"bird {n}" for n in range(6)},
        "5": "a heron",
    }
    assert {name: len(each["annotations"]) for name, each in found.items() if each["annotations"]} == {
        "task 32": 3,
        "5": 1,
    }
    assert "nothing new in all.json: 4 labels are there already" in command(capsys, "import", "birds", "all.json")


def test_no_tasks_are_no_pool(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(DataError, match=r"a\.json holds no task; export all tasks as JSON"):
        texts(tmp_path / "a.json", "text")


def test_two_choices_for_one_item_are_refused(tmp_path: Path) -> None:
    two = choice("heron")
    two["value"]["choices"].append("other")
    for results in ([two], [choice("heron"), choice("other")]):
        with pytest.raises(DataError, match="task 1 has several choices; each item must have one"):
            read(tmp_path, [exported({"id": "7"}, annotation(1, *results))])


def test_two_labels_of_one_person_for_one_item_are_refused(tmp_path: Path) -> None:
    twice = [annotation(1, choice("heron")), annotation(1, choice("other"))]
    with pytest.raises(CutpointError, match="task 1: '7' is 'other' here and 'heron' before; keep one"):
        read(tmp_path, [exported({"id": "7"}, *twice)])


MIN = {"cutpoint_id": "7", "text": "t", "id": 36, "label": "heron", "annotator": 1, "annotation_id": 8}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("{}", "must be a list of tasks"),
        ("[3]", "task 1 has no data; it must be a task"),
        ('[{"data": {"text": "t"}}]', "task 1 has no id, neither in its data .cutpoint_id or id. nor of Label St"),
        ('[{"data": {"id": "7"}, "annotations": [3]}]', "annotations of another form"),
        ('[{"data": {"id": "7"}, "annotations": [{"result": [{"type": "choices"}]}]}]', "another form"),
        (json.dumps([MIN | {"lead_time": 1.5}]), "task 1 is of Label Studio's JSON-MIN; export as JSON: its other f"),
    ],
)
def test_other_json_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=said):
        read_given(tmp_path / "a.json", find, CLASSES)


@pytest.mark.parametrize("separator", [",", "\t"])
def test_its_tables_are_refused(tmp_path: Path, separator: str) -> None:
    """Their ids are Label Studio's numbers, and may be those of other items of the pool."""
    header = ["annotation_id", "annotator", "id", "label", "lead_time", "text"]
    lines = [separator.join(f'"{name}"' for name in header), separator.join(["8", '"1"', "7", '"heron"', "1.5", '"t"'])]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(CutpointError, match="is a table of Label Studio; export as JSON: its other formats leave out"):
        read_given(tmp_path / "a.csv", find, CLASSES)
