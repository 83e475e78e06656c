"""Labels in and out: what is written comes back exactly, formulas are harmless, and no file is ever written over."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.data.pools.cells import RISKY, defused, restored
from cutpoint.data.pools.columns import LABELS
from cutpoint.data.pools.given import read_given
from cutpoint.data.pools.writing import write_csv, write_jsonl, write_new, write_parquet
from cutpoint.errors import UsageError

CLASSES = ["other", "heron", "2", "=sum(a)"]
IDS = ["a.png", "b/c.png", "=cmd()", "'tis", "two\r\nlines", "nul\x00", "שלום"]
KINDS: dict[str, type] = {"id": str, "votes": int, "agreement": float, "disputed": bool}

storable = st.text(st.characters(exclude_categories=["Cs"]))
rows_drawn = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.one_of(storable, st.sampled_from(RISKY).flatmap(lambda mark: storable.map(lambda t: mark + t))),
            "votes": st.integers(0, 2**40),
            "agreement": st.floats(0, 1),
            "disputed": st.booleans(),
        }
    ),
    max_size=6,
)


def find(ids: Sequence[str]) -> list[int | None]:
    """The place of each id among IDS."""
    return [IDS.index(name) if name in IDS else None for name in ids]


@given(storable)
def test_every_text_comes_back_from_its_cell(text: str) -> None:
    assert restored(defused(text)) == text
    assert not defused(text).startswith(RISKY) or defused(text).startswith("'")


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", "\tx", "\rx", "\nx", "'=x"])
def test_what_a_spreadsheet_would_run_is_defused(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a\t@x", "a\t'@x"),
        ("a\n-1", "a\n'-1"),
        ("a;'=1", "a;''=1"),
        ('a;"=1', "a;'\"=1"),
        ("a;b=c", "a;b=c"),
        ("a,=1", "a,=1"),  # the comma is within quotes
    ],
)
def test_it_is_defused_also_where_another_separator_would_split_the_text(text: str, cell: str) -> None:
    assert defused(text) == cell
    assert restored(cell) == text


@given(st.lists(st.text("=+-@\t\r\n';\", a", max_size=9), min_size=4, max_size=4))
def test_no_separator_makes_a_formula_of_what_is_written(texts: list[str]) -> None:
    assert [restored(defused(text)) for text in texts] == texts
    file, kinds = io.BytesIO(), {"id": str, "votes": int, "label": str}
    write_csv(file, kinds, [{"id": texts[n], "votes": n, "label": texts[n + 1]} for n in (0, 2)])
    for separator in ",;\t":
        for line in csv.reader(io.StringIO(file.getvalue().decode(), newline=""), delimiter=separator):
            assert not any(cell.startswith(("=", "+", "-", "@")) for cell in line), (separator, line)


def test_what_people_type_is_left_alone() -> None:
    assert restored("'tis") == "'tis"
    assert restored("heron") == "heron"
    assert restored("'") == "'"


@given(rows_drawn)
def test_csv_comes_back_exactly(rows: list[dict[str, Any]]) -> None:
    file = io.BytesIO()
    write_csv(file, KINDS, rows)
    header, *lines = csv.reader(io.StringIO(file.getvalue().decode(), newline=""))
    assert header == list(KINDS)
    back = [
        {
            "id": restored(name),
            "votes": int(votes),
            "agreement": float(agreement),
            "disputed": {"true": True, "false": False}[disputed],
        }
        for name, votes, agreement, disputed in lines
    ]
    assert back == rows
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for line in lines for cell in line)


@given(rows_drawn)
def test_jsonl_comes_back_exactly(rows: list[dict[str, Any]]) -> None:
    file = io.BytesIO()
    write_jsonl(file, KINDS, rows)
    assert [json.loads(line) for line in file.getvalue().split(b"\n")[:-1]] == rows


@given(rows_drawn)
def test_parquet_comes_back_exactly(rows: list[dict[str, Any]]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    write_parquet(file, KINDS, rows)
    assert parquet.read_table(io.BytesIO(file.getvalue())).to_pylist() == rows


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    write_new(path, lambda file: file.write(b"one"))
    with pytest.raises(UsageError, match="is there already"):
        write_new(path, lambda file: file.write(b"two"))
    other = tmp_path / "b.csv"

    def comes_meanwhile(file: Any) -> None:
        other.write_bytes(b"somebody else's")

    with pytest.raises(UsageError, match="is there already"):
        write_new(other, comes_meanwhile)
    assert (path.read_bytes(), other.read_bytes()) == (b"one", b"somebody else's")

    def no_links(*_: Any) -> None:
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", no_links)
    write_new(tmp_path / "c.csv", lambda file: file.write(b"three"))
    assert (tmp_path / "c.csv").read_bytes() == b"three"


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(file: Any) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_new(tmp_path / "a.csv", fail)
    assert list(tmp_path.iterdir()) == []


# Labels that exist


def labels_csv(path: Path, *lines: tuple[str, ...], header: tuple[str, ...] = ("id", "label")) -> Path:
    """A file of labels, its cells as they are given."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def test_labels_are_names_or_numbers_and_empty_ones_none(tmp_path: Path) -> None:
    path = labels_csv(tmp_path / "a.csv", ("a.png", "heron"), ("b/c.png", "0"), ("'tis", ""), ("nul\x00", "2"))
    (found,) = read_given(path, find, CLASSES).lots
    assert found == (None, [0, 1, 5], [1, 0, 2], False)  # a class called 2 goes before the number


def test_classes_that_are_named_by_numbers_go_before_numbers_also_with_a_point(tmp_path: Path) -> None:
    path = labels_csv(tmp_path / "a.csv", ("a.png", "1.0"), ("b/c.png", "1"), ("'tis", "3.0"), ("nul\x00", "0"))
    (found,) = read_given(path, find, ["1", "2", "3"]).lots
    assert found == (None, [0, 1, 3, 5], [0, 0, 2, 0], False)  # no class is called 0: it is the first one's number
    (found,) = read_given(path, find, ["1.0", "1", "3", "0"]).lots
    assert found.labels == [0, 1, 2, 3]


def test_minus_one_is_no_label_unless_a_class_is_called_so(tmp_path: Path) -> None:
    path = labels_csv(tmp_path / "a.csv", ("a.png", "-1"), ("b/c.png", "+1"), ("'tis", "'-1"))
    (found,) = read_given(path, find, ["-1", "+1"]).lots
    assert found == (None, [0, 1, 3], [0, 1, 0], False)
    (found,) = read_given(labels_csv(tmp_path / "b.csv", ("a.png", "-1"), ("b/c.png", "1")), find, CLASSES).lots
    assert found == (None, [1], [1], False)


def test_an_id_is_looked_for_as_it_stands_first_except_in_an_export(tmp_path: Path) -> None:
    ids = ["'-5", "-5", "''t"]

    def place(names: Sequence[str]) -> list[int | None]:
        return [ids.index(name) if name in ids else None for name in names]

    lines = [("'-5", "heron"), ("-5", "other"), ("''t", "other")]
    (found,) = read_given(labels_csv(tmp_path / "own.csv", *lines), place, CLASSES).lots
    assert found == (None, [0, 1, 2], [1, 0, 0], False)
    with (tmp_path / "export.csv").open("wb") as file:
        rest = dict.fromkeys(LABELS) | {"label": "heron", "settled": True}
        write_csv(file, LABELS, [rest | {"id": name} for name in ids])
    (found,) = read_given(tmp_path / "export.csv", place, CLASSES).lots
    assert found.items == [0, 1, 2]


def test_a_history_is_no_file_of_labels(tmp_path: Path) -> None:
    path = labels_csv(tmp_path / "a.csv", ("a.png", "answered", "heron", ""), header=("id", "what", "label", "was"))
    with pytest.raises(UsageError, match=r"is a history, .* export the labels without --history"):
        read_given(path, find, CLASSES)


def test_defused_cells_are_read_back_and_people_are_kept_apart(tmp_path: Path) -> None:
    lines = [("'=cmd()", "'=sum(a)", "ann"), ("'tis", "1", "'@bob"), ("''tis", "1", "'@bob"), ("a.png", "0", "ann")]
    path = labels_csv(tmp_path / "a.csv", *lines, header=("id", "label", "annotator"))
    assert read_given(path, find, CLASSES).lots == [("ann", [2, 0], [3, 0], False), ("@bob", [3], [1], False)]


def test_all_ids_survive_writing_and_reading(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        write_csv(file, {"id": str, "label": str}, [{"id": name, "label": "heron"} for name in IDS])
    (found,) = read_given(tmp_path / "a.csv", find, CLASSES).lots
    assert found.items == list(range(len(IDS)))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([("a.png", "0"), ("none.png", "0")], "line 3: no item of the pool is called 'none.png'"),
        ([("a.png", "0"), ("b/c.png", "crow")], "line 3: the label is 'crow'; it must be one of other, heron"),
        ([("a.png", "4")], "line 2: the label is '4'"),
        ([("a.png", "9" * 5000)], "line 2: the label is '9999"),
        ([("a.png", "0"), ("a.png", "1")], "line 3: 'a.png' is 'heron' here and 'other' before"),
        ([("a.png", "")], "holds no label"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused_with_their_line(
    tmp_path: Path, lines: list[tuple[str, ...]], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        read_given(labels_csv(tmp_path / "a.csv", *lines), find, CLASSES)


def test_labels_need_their_columns(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column label"):
        read_given(labels_csv(tmp_path / "a.csv", ("a", "b"), header=("id", "x")), find, CLASSES)
