"""`cutpoint select`: one round for a model of one's own, in one batch or in steps, from files to files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cutpoint import STRATEGIES, Round, Session
from cutpoint.data.sheets import read_labels, read_scores
from select_command import N, answers, fill, refused, select, sheet, truth_of, write_scores


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


def said_aside(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """What a command says on stderr while it does what it should."""
    capsys.readouterr()
    assert select(*words) == 0
    return capsys.readouterr().err.splitlines()


def test_arrays_that_are_not_read_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said_aside(capsys, "-o", "ask.csv") == []
    write_scores(folder / "scores.npz", embeddings=np.ones((N, 2)))
    said = said_aside(capsys, "-o", "other.csv")
    assert said == ["note: scores.npz: embeddings is not read; known are probs, embedding, head, ids, classes."]
    assert said_aside(capsys, "-o", "ask.csv", "--quiet") == []


@pytest.mark.usefixtures("folder")
def test_a_sheet_that_comes_back_empty_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["-l", "labels.csv", "--budget", "20", "-o", "ask.csv"]
    assert said_aside(capsys, *command) == []
    remedy = "fill its column label and save it first."
    said = f"note: ask.csv was there, and none of its 20 questions has an answer: {remedy}"
    assert said_aside(capsys, *command) == [said]
    following = ["-l", "labels.csv", "-l", "ask.csv", "--budget", "20", "-o", "next.csv"]
    remedy = "what it asks may be asked again: fill its column label, save it as CSV and run the command again."
    assert said_aside(capsys, *following) == [f"note: none of the 20 rows of ask.csv has a label; {remedy}"]
    Path("next.csv").unlink()
    rows = Path("ask.csv").read_text().splitlines()
    answered = [f"{row}{place % 3}" for place, row in enumerate(rows[1:15])]
    Path("ask.csv").write_text("\n".join([rows[0], *answered, *rows[15:]]))
    said = "note: 6 of the 20 questions of ask.csv have no answer yet, and may be asked again."
    assert said_aside(capsys, *following) == [said]
    assert said_aside(capsys, *command) == []


@pytest.mark.usefixtures("folder")
def test_labels_that_are_partly_empty_are_no_unanswered_sheet(capsys: pytest.CaptureFixture[str]) -> None:
    Path("some.csv").write_text("index,label\n0,\n1,-1\n2,1\n")
    assert said_aside(capsys, "-l", "some.csv", "--budget", "2", "-o", "ask.csv") == []
    fill("ask.csv", lambda _: "skip")
    assert said_aside(capsys, "-l", "some.csv", "-l", "ask.csv", "--budget", "2", "-o", "next.csv") == []


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


@pytest.mark.usefixtures("folder")
def test_one_is_said_in_the_singular(capsys: pytest.CaptureFixture[str]) -> None:
    assert select("--budget", "1", "-o", "ask.csv") == 0
    assert "ask.csv: 1 question, 0 closed, 1 to answer" in capsys.readouterr().out
    other = ["--budget", "1", "-o", "ask.csv", "--strategy", "random"]
    refused(capsys, ["holds 1 unanswered question of"], *other)


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
