"""`cutpoint select`: its sheet of questions, as people and spreadsheets change it between two steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from select_command import K, fill, refused, rewrite, select, sheet, truth_of


@pytest.mark.usefixtures("folder")
def test_a_sheet_with_semicolons_goes_on_with_commas() -> None:
    command = ["-l", "labels.csv", "--budget", "20", "--parallel", "4", "-o", "ask.csv"]
    while select(*command) == 0 and fill("ask.csv", truth_of):
        pass
    straight = Path("ask.csv").read_bytes()
    Path("ask.csv").unlink()
    while select(*command) == 0 and fill("ask.csv", truth_of):
        Path("ask.csv").write_text(Path("ask.csv").read_text().replace(",", ";"))
    assert Path("ask.csv").read_bytes() == straight


@pytest.mark.usefixtures("folder")
def test_minus_one_in_a_sheet_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["-l", "labels.csv", "--budget", "20", "--parallel", "4", "-o", "ask.csv"]
    assert select(*command) == 0
    fill("ask.csv", lambda _: "-1")
    assert select(*command) == 0
    assert "0 closed" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("change", [["--seed", "1"], ["--budget", "60"], ["--parallel", "2"], ["-l", "more.csv"]])
def test_a_sheet_with_answers_is_never_overwritten_by_another_round(
    change: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["-l", "labels.csv", "--budget", "20", "--parallel", "4", "-o", "ask.csv"]
    assert select(*command) == 0
    for _ in range(2):
        fill("ask.csv", truth_of)
        assert select(*command) == 0
    fill("ask.csv", truth_of)
    before = Path("ask.csv").read_bytes()
    Path("more.csv").write_text("index,label\n" + "".join(f"{row['index']},{row['label']}\n" for row in sheet()))
    refused(capsys, ["ask.csv holds", "another round"], *command, *change)
    assert Path("ask.csv").read_bytes() == before


@pytest.mark.usefixtures("folder")
def test_a_sheet_may_be_sorted_and_its_columns_moved() -> None:
    command = ["-l", "labels.csv", "--budget", "20", "--parallel", "4", "-o", "ask.csv"]
    while select(*command) == 0 and fill("ask.csv", truth_of):
        pass
    straight = [(row["order"], row["index"], row["label"]) for row in sheet()]
    Path("ask.csv").unlink()
    while select(*command) == 0 and fill("ask.csv", truth_of):
        rows = sorted(sheet(), key=lambda row: (row["label"], row["index"]))
        rewrite([row | {"order": f"{row['order']}.0"} for row in rows], ["label", "index", "order"])
    assert [(row["order"], row["index"], row["label"]) for row in sheet()] == straight


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("order", ["", "2", "9", "first"])
def test_a_damaged_order_is_refused(order: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["-l", "labels.csv", "--budget", "8", "-o", "ask.csv"]
    assert select(*command) == 0
    fill("ask.csv", truth_of)
    rows = sheet()
    rows[2]["order"] = order
    rewrite(rows)
    refused(capsys, ["ask.csv has 8 questions", "none whose order is 3", "1..8"], *command)
    rewrite(rows[:2] + rows[3:])
    refused(capsys, ["ask.csv has 7 questions", "none whose order is 3"], *command)
    assert len(sheet()) == 7


@pytest.mark.usefixtures("folder")
def test_an_early_answer_that_was_cleared_or_changed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["-l", "labels.csv", "--budget", "60", "--parallel", "4", "-o", "ask.csv"]
    for _ in range(3):
        assert select(*command) == 0
        fill("ask.csv", truth_of)
    rows = sheet()
    rewrite([row | {"label": ""} if row["order"] == "2" else row for row in rows])
    refused(capsys, [f"question 2 (example {rows[1]['index']}) has no answer", "question 5", "again"], *command)
    rewrite([row | {"label": str((int(row["label"]) + 1) % K)} if row["order"] < "4" else row for row in rows])
    refused(capsys, ["an earlier answer was changed", "its question 5"], *command)
    rewrite(rows)
    assert select(*command) == 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("change", [["--seed", "1"], ["--strategy", "margin"], ["--budget", "6"], ["-l", "more.csv"]])
@pytest.mark.parametrize("step", [[], ["--parallel", "4"]])
def test_a_sheet_without_answers_is_never_overwritten_by_another_round(
    step: list[str], change: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["-l", "labels.csv", "--budget", "20", "-o", "ask.csv", *step]
    assert select(*command) == 0
    before = Path("ask.csv").read_bytes()
    Path("more.csv").write_text("index,label\n" + "".join(f"{row['index']},0\n" for row in sheet()))
    n = len(sheet())
    refused(capsys, [f"ask.csv holds {n} unanswered questions of another round", "-o", "delete"], *command, *change)
    assert Path("ask.csv").read_bytes() == before


@pytest.mark.usefixtures("folder")
def test_a_foreign_file_is_never_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("thesis.csv").write_text("chapter,title\n1,Birds\n")
    refused(capsys, ["thesis.csv", "no sheet of questions"], "-l", "labels.csv", "-o", "thesis.csv")
    assert Path("thesis.csv").read_text() == "chapter,title\n1,Birds\n"
