"""`cutpoint select`: one round for a model of one's own, in one batch or in steps, from files to files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint import STRATEGIES, Round, Session
from cutpoint.cli import run_cli
from cutpoint.data.sheets import read_labels, read_scores

N, K = 400, 3


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with scores.npz and labels.csv, in which commands run."""
    monkeypatch.chdir(tmp_path)
    write_scores(tmp_path / "scores.npz")
    truth = answers()
    lines = ["index,label", *(f"{i},{truth[i]}" for i in range(0, 60, 2))]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def probabilities() -> Any:
    probs = np.random.default_rng(0).dirichlet([0.4, 0.6, 2.0], N).astype(np.float32)
    return probs / probs.sum(axis=1, keepdims=True)


def answers() -> list[int]:
    rng = np.random.default_rng(1)
    return [int(rng.choice(K, p=row / row.sum())) for row in probabilities().astype(np.float64)]


def write_scores(path: Path, **more: Any) -> None:
    np.savez(path, **({"probs": probabilities()} | more))


def sheet(path: Path | str = "ask.csv") -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fill(path: Path | str, by_row: Any) -> int:
    """Answer every open question of a sheet by `by_row`; how many there were."""
    rows = sheet(path)
    still = [row for row in rows if not row["label"]]
    for row in still:
        row["label"] = by_row(row)
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return len(still)


def truth_of(row: dict[str, str]) -> str:
    return str(answers()[int(row["index"])])


def select(*words: str) -> int:
    return run_cli(["select", "scores.npz", *words])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("strategy", [name for name, entry in STRATEGIES.items() if entry.needs <= {"probs"}])
def test_one_batch_asks_the_whole_budget_of_what_has_no_label(strategy: str) -> None:
    assert select("--labels", "labels.csv", "--budget", "100", "-o", "ask.csv", "--strategy", strategy) == 0
    asked = [int(row["index"]) for row in sheet()]
    assert len(set(asked)) == 100
    assert not set(asked) & set(range(0, 60, 2))
    assert [row["order"] for row in sheet()] == [str(i) for i in range(1, 101)]
    assert {row["label"] for row in sheet()} == {""}
    before = Path("ask.csv").read_bytes()
    assert select("--labels", "labels.csv", "--budget", "100", "-o", "ask.csv", "--strategy", strategy) == 0
    assert Path("ask.csv").read_bytes() == before


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("strategy", ["direct", "galaxy", "margin"])
def test_steps_ask_what_a_session_with_the_same_answers_asks(strategy: str) -> None:
    command = ["-l", "labels.csv", "--budget", "30", "--parallel", "4", "--seed", "3", "-o", "ask.csv"]
    command += ["--strategy", strategy]
    steps = 0
    while select(*command) == 0 and fill("ask.csv", truth_of):
        steps += 1
    scored = read_scores(Path("scores.npz"))
    labels = read_labels([Path("labels.csv")], scored)
    session = Session(STRATEGIES[strategy].strategy, Round(scored.scores, labels, 30, 4, 3))
    while not session.done:
        for i in session.wanted.tolist():
            session.tell(i, answers()[i])
    assert [int(row["index"]) for row in sheet()] == session.asked.tolist()
    assert steps > 1 or strategy == "margin"


@pytest.mark.usefixtures("folder")
def test_answers_may_come_one_by_one_be_skipped_and_carry_notes(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["-l", "labels.csv", "--budget", "20", "--parallel", "4", "-o", "ask.csv", "--json"]
    assert select(*command) == 0
    first = [row["index"] for row in sheet()]
    lines = Path("ask.csv").read_text().splitlines()
    lines[0] += ",note"
    lines[1:] = [f"{line}," for line in lines[1:]]
    lines[2] = f"{lines[2].rsplit(',', 2)[0]},1,a comma, quoted".replace("a comma, quoted", '"a comma, quoted"')
    Path("ask.csv").write_text("\n".join(lines) + "\n")
    assert select(*command) == 0
    assert [row["index"] for row in sheet()] == first
    assert sheet()[1]["label"] == "1"
    assert sheet()[1]["note"] == "a comma, quoted"
    fill("ask.csv", lambda _: "skip")
    assert select(*command) == 0
    assert len(sheet()) > len(first)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["complete"] is False
    while fill("ask.csv", lambda _: "Skip"):
        assert select(*command) == 0
    assert len(sheet()) == 20
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"questions": 20, "open": 0, "complete": True}


@pytest.mark.usefixtures("folder")
def test_a_filled_sheet_is_a_labels_file_of_the_next_round() -> None:
    assert select("-l", "labels.csv", "--budget", "50", "-o", "one.csv") == 0
    fill("one.csv", truth_of)
    assert select("-l", "labels.csv", "-l", "one.csv", "--budget", "50", "-o", "two.csv") == 0
    assert not {row["index"] for row in sheet("one.csv")} & {row["index"] for row in sheet("two.csv")}


@pytest.mark.usefixtures("folder")
def test_more_budget_than_is_left_asks_all_and_then_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert select("-l", "labels.csv", "--budget", "5000", "-o", "ask.csv") == 0
    assert len(sheet()) == N - 30
    fill("ask.csv", truth_of)
    assert select("-l", "labels.csv", "-l", "ask.csv", "--budget", "5", "-o", "none.csv") == 0
    assert sheet("none.csv") == []
    assert "every example has a label" in capsys.readouterr().out


def test_without_labels_and_with_ids_and_class_names(folder: Path) -> None:
    ids = [f"={i}" if i % 2 else f"bird {i}, “ü”" for i in range(N)]
    write_scores(folder / "scores.npz", ids=np.array(ids), classes=np.array(["heron", "crane", "other"]))
    assert select("--budget", "40", "-o", "ask.csv") == 0
    for row in sheet():
        assert row["id"].removeprefix("'") == ids[int(row["index"])]
        assert not row["id"].startswith("=")
    fill("ask.csv", lambda _: "crane")
    rows = sheet()
    Path("named.csv").write_text("id,label\n" + "".join(f'"{row["id"]}",crane\n' for row in rows), encoding="utf-8")
    scored = read_scores(Path("scores.npz"))
    labels = read_labels([Path("named.csv")], scored)
    assert sorted(np.flatnonzero(labels == 1).tolist()) == sorted(int(row["index"]) for row in rows)


SAME_LABELS = {
    "semicolons": "index;label\r\n3;1\r\n5;\r\n7;2\r\n",
    "gaps in a data frame": "index,label\n3,1.0\n5,\n7.0,2.0\n",
    "-1 where unknown": "index,label\n3,1\n5,-1\n6,-1.0\n7,2\n",
    "empty lines": "index,label\n\n3,1\n,\n7,2\n , \n",
    "a note with semicolons": 'index,"note; or none",label\n3,a;b,1\n7,,2\n',
    "semicolons and a note with commas": 'index;label;"why, if any"\n3;1;"a, b"\n7;2;\n',
    "marked as UTF-8": "\ufeffindex,label\n3,1\n7,2\n",
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("spelling", SAME_LABELS)
def test_labels_are_read_as_spreadsheets_and_data_frames_save_them(spelling: str) -> None:
    Path("labels.csv").write_text(SAME_LABELS[spelling], encoding="utf-8", newline="")
    labels = read_labels([Path("labels.csv")], read_scores(Path("scores.npz")))
    assert np.flatnonzero(labels != -1).tolist() == [3, 7]
    assert labels[[3, 7]].tolist() == [1, 2]


def test_a_class_may_be_named_by_any_number(folder: Path) -> None:
    write_scores(folder / "scores.npz", classes=np.array([-1, 1, 2]))
    Path("labels.csv").write_text("index,label\n3,-1\n4,-1.0\n5,1\n6,2.0\n7,0\n8,\n")
    labels = read_labels([Path("labels.csv")], read_scores(Path("scores.npz")))
    assert labels[3:9].tolist() == [0, 0, 1, 2, 0, -1]


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


BAD_LABELS = {
    "index,label\n3,3\n": ["labels.csv, row 2", "'3'", "0..2"],
    "index,label\n3,-2\n": ["'-2'", "0..2"],
    "index,label\n3,1.5\n": ["'1.5'"],
    "index,label\n3,1.000\n": ["'1.000'"],  # a thousand, where the point separates thousands
    "index;label\n3;4\n": ["labels.csv, row 2", "'4'"],
    "index;klass\n3;1\n": ["no column label"],
    "index,label\n400,1\n": ["'400'", "0..399"],
    "index,label\n-1,1\n": ["'-1'", "0..399"],
    "index,label\n3,1\n7,0\n3,2\n": ["example 3", "labels.csv, row 4", "labels.csv, row 2"],
    "index,klass\n3,1\n": ["no column label", "klass"],
    "row,label\n3,1\n": ["no column index or id"],
    "id,label\na,1\n": ["no ids"],
    "index,label\n3\n": ["line 2 has 1 fields"],
    "": ["no column label"],
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("text", BAD_LABELS)
def test_bad_labels_are_one_sentence_and_exit_code_2(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("labels.csv").write_text(text)
    refused(capsys, BAD_LABELS[text], "-l", "labels.csv", "-o", "ask.csv")
    assert not Path("ask.csv").exists()


def said_aside(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """What a command says on stderr while it does what it should."""
    capsys.readouterr()
    assert select(*words) == 0
    return capsys.readouterr().err.splitlines()


def test_arrays_that_are_not_read_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said_aside(capsys, "-o", "ask.csv") == []
    write_scores(folder / "scores.npz", embeddings=np.ones((N, 2)))
    said = said_aside(capsys, "-o", "ask.csv")
    assert said == ["note: scores.npz: embeddings is not read; known are probs, embedding, head, ids, classes."]
    assert said_aside(capsys, "-o", "ask.csv", "--quiet") == []


@pytest.mark.usefixtures("folder")
def test_a_budget_of_more_than_there_is_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    said = said_aside(capsys, "-l", "labels.csv", "--budget", "371", "-o", "ask.csv")
    assert said == ["note: budget is 371, and 370 examples without a label are left: all are asked."]
    assert said_aside(capsys, "-l", "labels.csv", "--budget", "370", "-o", "other.csv") == []


@pytest.mark.usefixtures("folder")
def test_what_does_not_ask_in_steps_says_so_and_promises_no_next_ones(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["-l", "labels.csv", "--budget", "20", "--parallel", "4", "-o", "ask.csv", "--strategy", "margin"]
    assert select(*command, "--json") == 0
    printed = capsys.readouterr()
    assert printed.err == "note: margin does not learn within a round: it asks all at once, whatever --parallel is.\n"
    assert json.loads(printed.out) == {"questions": 20, "open": 20, "complete": True}
    assert select(*command) == 0
    assert "next" not in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_the_last_step_promises_no_next_one(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["-l", "labels.csv", "--budget", "20", "--parallel", "4", "-o", "ask.csv"]
    while select(*command) == 0 and len(sheet()) < 20:
        assert "then run the same command for the next ones" in capsys.readouterr().out
        fill("ask.csv", truth_of)
    assert "Fill the label column.\n" in capsys.readouterr().out
    fill("ask.csv", truth_of)
    assert select(*command) == 0
    assert "The round is complete" in capsys.readouterr().out


def with_bad_row(value: float) -> Any:
    probs = probabilities()
    probs[7, 1] = value
    return probs


BAD_SCORES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "NaN": ({"probs": with_bad_row(float("nan"))}, ["probs[7]"]),
    "infinite": ({"probs": with_bad_row(float("inf"))}, ["probs[7]"]),
    "negative": ({"probs": with_bad_row(-0.5)}, ["probs[7]"]),
    "sum": ({"probs": with_bad_row(1.5)}, ["probs[7]", "sum"]),
    "shape": ({"probs": np.ones(4)}, ["(4,)", "(N, K)"]),
    "empty": ({"probs": np.ones((0, 3))}, ["probs has shape (0, 3)", "each example"]),
    "pickle": ({"probs": np.array([{}, []], dtype=object)}, ["cannot be read as .npz"]),
    "ids": ({"ids": np.arange(3)}, ["ids has shape (3,)", "(400,)"]),
    "twice": ({"ids": np.array(["a"] * N)}, ["'a' twice", "0 and 1"]),
    "classes": ({"classes": np.array(["a", "b"])}, ["classes has shape (2,)"]),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("case", BAD_SCORES)
def test_bad_scores_are_one_sentence_and_exit_code_2(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_scores(Path("scores.npz"), **BAD_SCORES[case][0])
    refused(capsys, ["scores.npz", *BAD_SCORES[case][1]], "-o", "ask.csv")
    assert not Path("ask.csv").exists()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off", None])
def test_files_that_are_no_scores(content: bytes | None, capsys: pytest.CaptureFixture[str]) -> None:
    Path("scores.npz").unlink()
    if content is not None:
        Path("scores.npz").write_bytes(content)
    refused(capsys, ["scores.npz", "np.savez"], "-o", "ask.csv")
    np.savez("scores.npz", logits=np.ones((2, 2)), ids=np.arange(2))
    refused(capsys, ["holds ids, logits and no probs", "probs=probs"], "-o", "ask.csv")
    np.savez("scores.npz")
    refused(capsys, ["holds nothing and no probs"], "-o", "ask.csv")
    np.save("scores.npy", np.ones((2, 2)))
    Path("scores.npy").rename("scores.npz")
    refused(capsys, ["one array without a name"], "-o", "ask.csv")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--strategy", "oracle"], ["'oracle'", "direct", "galaxy"]),
        (["--budget", "0"], ["budget is 0", "at least 1"]),
        (["--budget", "-3"], ["budget is -3"]),
        (["--budget", "many"], ["--budget"]),
        (["--parallel", "0"], ["parallel is 0"]),
        (["--seed", "-1"], ["seed is -1"]),
        (["--labels", "gone.csv"], ["gone.csv"]),
        (["--colour", "red"], ["--colour"]),
        (["-l", "labels.csv", "-o", "labels.csv"], ["labels.csv", "no sheet of questions"]),
        (["-o", "."], ["is a folder"]),
    ],
)
def test_bad_options_are_one_sentence_and_exit_code_2(
    words: list[str], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    labels = Path("labels.csv").read_bytes()
    refused(capsys, said, *(words if "-o" in words else [*words, "-o", "ask.csv"]))
    assert Path("labels.csv").read_bytes() == labels
    assert not Path("ask.csv").exists()


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


def rewrite(rows: list[dict[str, str]], columns: list[str] | None = None) -> None:
    """Save ask.csv as a spreadsheet would."""
    with Path("ask.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


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
def test_one_is_said_in_the_singular(capsys: pytest.CaptureFixture[str]) -> None:
    assert select("--budget", "1", "-o", "ask.csv") == 0
    assert "ask.csv: 1 question, 0 closed, 1 to answer" in capsys.readouterr().out
    other = ["--budget", "1", "-o", "ask.csv", "--strategy", "random"]
    refused(capsys, ["holds 1 unanswered question of"], *other)


@pytest.mark.usefixtures("folder")
def test_a_foreign_file_is_never_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("thesis.csv").write_text("chapter,title\n1,Birds\n")
    refused(capsys, ["thesis.csv", "no sheet of questions"], "-l", "labels.csv", "-o", "thesis.csv")
    assert Path("thesis.csv").read_text() == "chapter,title\n1,Birds\n"


def refused(capsys: pytest.CaptureFixture[str], said: list[str], *words: str) -> None:
    capsys.readouterr()
    assert select(*words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    for part in said:
        assert part in error
