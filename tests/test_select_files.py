"""`cutpoint select`: the labels and the scores that it reads, and those that it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint.data.sheets import read_labels, read_scores
from select_command import N, fill, probabilities, refused, select, sheet, write_scores


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


def test_names_of_classes_that_nobody_gave_are_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "named.csv").write_text("index,label\n3,heron\n")
    said = ["named.csv, row 2: label is 'heron'; it must be 0..2", "np.savez(path, probs=..., classes=...)"]
    refused(capsys, said, "-l", "named.csv", "-o", "ask.csv")
    assert not Path("ask.csv").exists()
    (folder / "named.csv").write_text("index,label\n3,7\n")
    refused(
        capsys, ["label is '7'; it must be 0..2, or empty or -1 where unknown.\n"], "-l", "named.csv", "-o", "ask.csv"
    )
