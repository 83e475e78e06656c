"""Pools as people have them: what is read comes through exactly, and what cannot be meant is refused whole."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.data.pools.bring import Wish, bring, class_names
from cutpoint.data.pools.brought import Brought
from cutpoint.data.pools.decoding import decode
from cutpoint.data.pools.folder import pictures
from cutpoint.data.pools.records import open_records
from cutpoint.data.pools.sheets_of_items import rows, texts
from cutpoint.errors import CutpointError, DataError, UsageError

HARD = [
    *("plain", "a\x00b", "שלום, \u202eworld", "line\r\nend\rand\nmore"),
    *('"quoted", and ; | \t', "=cmd()", " ", "x" * 10**6),
]


def held(pool: Brought) -> list[Any]:
    """All contents of a pool."""
    return list(pool.contents())


def write_csv(path: Path, header: list[str], lines: list[list[str]], separator: str = ",") -> Path:
    """A CSV file as Python writes it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=separator).writerows([header, *lines])
    return path


# Folders of pictures


def filled(folder: Path, *names: str) -> Path:
    """A folder with empty files of these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def test_a_folder_is_read_with_all_below_it_and_sorted(tmp_path: Path) -> None:
    names = ["b.JPG", "a/z.png", "a/é 1.webp", "a.gif", "c.bmp", "d.jpeg", "notes.txt", ".hidden.png", ".cache/x.png"]
    pool = pictures(filled(tmp_path, *names))
    assert list(pool.ids) == sorted(["b.JPG", "a/z.png", "a/é 1.webp", "a.gif", "c.bmp", "d.jpeg"])
    assert held(pool) == [{"picture": name} for name in pool.ids]
    assert pool.kind == "picture"
    assert "1 other" in pool.notes[0]
    assert ".txt" in pool.notes[0]


def test_links_out_of_the_folder_are_refused_and_those_within_kept(tmp_path: Path) -> None:
    folder = filled(tmp_path / "in", "a.png")
    filled(tmp_path / "out", "secret.png")
    (folder / "b.png").symlink_to(folder / "a.png")
    assert list(pictures(folder).ids) == ["a.png", "b.png"]
    for target in (tmp_path / "out" / "secret.png", tmp_path / "out", folder):
        link = folder / "link"
        link.symlink_to(target)
        with pytest.raises(DataError, match="is a link to"):
            pictures(folder)
        link.unlink()


def test_a_folder_that_is_itself_a_link_is_what_it_leads_to(tmp_path: Path) -> None:
    filled(tmp_path / "in", "a.png")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    assert list(pictures(tmp_path / "link").ids) == ["a.png"]


def test_folders_without_pictures_and_names_that_cannot_be_stored_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        pictures(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no picture"):
        pictures(filled(tmp_path, "a.txt"))
    odd = os.path.join(os.fsencode(tmp_path), b"\xff.png")
    try:
        Path(os.fsdecode(odd)).write_bytes(b"")
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    with pytest.raises(DataError, match="not UTF-8"):
        pictures(tmp_path)


# Texts


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_header_in_quotes_is_read_as_any_other(tmp_path: Path, separator: str) -> None:
    """Label Studio writes one, and so do tables that put all texts in quotes."""
    (tmp_path / "a.csv").write_text(f'"id"{separator}"body"{separator}"a, b; c"\n7{separator}"x"{separator}""\n')
    pool = texts(tmp_path / "a.csv", "body")
    assert (pool.ids, list(pool.contents())) == (["7"], [{"text": "x"}])


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_texts_of_any_csv_come_through_exactly(tmp_path: Path, separator: str) -> None:
    lines = [[f"id {i}", text, "x"] for i, text in enumerate(HARD)]
    pool = texts(write_csv(tmp_path / "a.csv", ["id", "body", "more"], lines, separator), "body")
    assert held(pool) == [{"text": text} for text in HARD]
    assert list(pool.ids) == [f"id {i}" for i in range(len(HARD))]
    assert pool.notes == (f"empty texts: 1 of {len(HARD)}.",)


def test_texts_of_jsonl_come_through_exactly(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    texts_given = [*HARD, "\u2028 and \x85 end no line"]
    lines = (json.dumps({"n": i, "t": text}, ensure_ascii=False) for i, text in enumerate(texts_given))
    path.write_text("\ufeff" + "\n\n".join(lines), encoding="utf-8", newline="")
    pool = texts(path, "t", "n")
    assert held(pool) == [{"text": text} for text in texts_given]
    assert list(pool.ids)[:2] == ["0", "1"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=8))
def test_any_texts_come_through_a_csv(tmp_path_factory: pytest.TempPathFactory, drawn: list[str]) -> None:
    path = tmp_path_factory.mktemp("drawn") / "a.csv"
    write_csv(path, ["name", "body"], [[str(i), text] for i, text in enumerate(drawn)])
    assert [content["text"] for content in held(texts(path, "body", "name"))] == drawn


def test_without_an_id_column_the_place_is_the_id(tmp_path: Path) -> None:
    pool = texts(write_csv(tmp_path / "a.csv", ["body"], [["one"], ["two"]]), "body")
    assert list(pool.ids) == ["1", "2"]


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffbody;n\r\nä;1\r\n".encode())
    assert held(texts(tmp_path / "a.csv", "body")) == [{"text": "ä"}]


REFUSED = {
    "no column": (b"a,b\n1,2\n", "has no column body; its columns are a, b"),
    "fields": (b"body,b\n1,2\n1,2,3\n", "line 3 has 3 fields and the header 2"),
    "quote": (b'body\n"ok"\n"never closed\nx\n', "line 3 is no CSV"),
    "encoding": (b"body\nfine\n\xe9t\xe9\n", "line 3 is not UTF-8 \\(byte 0xe9 at place 0"),
    "utf-16": ("body\nfine\n".encode("utf-16"), "is UTF-16"),
    "empty": (b"", "no header"),
    "header alone": (b"body\n", "holds no item"),
    "twice": (b"body,body\na,b\n", "names the column 'body' twice"),
    "same id": (b"id,body\nx,1\ny,2\nx,3\n", "line 4: the id 'x' is taken by line 2"),
    "no id": (b"id,body\nx,1\n,2\n", "line 3 has no id"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_csv_that_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    data, said = REFUSED[name]
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(CutpointError, match=said):
        texts(tmp_path / "a.csv", "body")


BAD_JSON = {
    "no json": (b'{"t": "a"}\n{"t": \n', "line 2 is no JSON"),
    "no object": (b'{"t": "a"}\n["b"]\n', "line 2 is list and no object"),
    "no text": (b'{"t": "a"}\n\n{"t": 3}\n', "line 3: t holds int '3'"),
    "nothing": (b'{"t": "a"}\n{"u": "b"}\n', "line 2: t holds nothing"),
    "half a pair": (b'{"t": "a"}\n{"t": "\\ud83d"}\n', "line 2 holds half a character"),
    "not UTF-8": (b'{"t": "a"}\n{"t": "\xff"}\n', "line 2 is not UTF-8"),
    "NaN": (b'{"t": "a"}\n{"t": NaN}\n', "NaN is no number of JSON"),
    "deep": (b'{"t": ' + b"[" * 100_000 + b"\n", "line 1 is no JSON"),
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_jsonl_that_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    data, said = BAD_JSON[name]
    (tmp_path / "a.jsonl").write_bytes(data)
    with pytest.raises(CutpointError, match=said):
        texts(tmp_path / "a.jsonl", "t")


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["body"], [[str(i)] for i in range(10)])
    records = iter(open_records(path))
    next(records)
    os.utime(path, ns=(0, 0))
    with pytest.raises(DataError, match="was changed while it was read"):
        list(records)


def test_files_that_are_not_there_or_of_no_known_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        open_records(tmp_path / "nothing")
    with pytest.raises(DataError, match="there is no file"):
        open_records(tmp_path / "a.csv")
    (tmp_path / "a.doc").touch()
    with pytest.raises(UsageError, match=r"ends in '\.doc'"):
        open_records(tmp_path / "a.doc")


# Tables, listed pictures, and what one may ask for


def test_rows_show_all_columns_but_the_id(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["key", "size", "note"], [["a", "1.5", "=x"], ["b", "", "ä"]], ";")
    pool = rows(path, "key")
    assert held(pool) == [{"row": {"size": "1.5", "note": "=x"}}, {"row": {"size": "", "note": "ä"}}]
    assert list(pool.ids) == ["a", "b"]


def test_pictures_may_be_listed_and_must_lie_in_their_folder(tmp_path: Path) -> None:
    folder = filled(tmp_path / "in", "a.png", "b/c.png")
    filled(tmp_path, "secret.png")
    path = write_csv(tmp_path / "a.csv", ["id", "file"], [["one", "b/c.png"], ["two", "a.png"]])
    pool = bring(Wish(file=path, picture="file", images=folder))
    assert list(pool.ids) == ["one", "two"]
    assert held(pool) == [{"picture": "b/c.png"}, {"picture": "a.png"}]
    bad: list[str] = ["../secret.png", str(tmp_path / "secret.png"), "none.png", "b", "a\0.png", 5000 * "x", "loop.png"]
    (folder / "loop.png").symlink_to(folder / "loop.png")
    for name in bad:
        write_csv(path, ["id", "file"], [["one", "a.png"], ["two", name]])
        with pytest.raises(DataError, match="line 3: there is no picture"):
            bring(Wish(file=path, picture="file", images=folder))


def test_pictures_that_are_listed_by_absolute_paths_are_known_by_those_from_their_folder(tmp_path: Path) -> None:
    folder = filled(tmp_path / "in", "a.png", "b/c.png")
    (tmp_path / "link").symlink_to(folder)
    listed = [str(folder / "b/c.png"), str(tmp_path / "link" / "a.png")]
    path = write_csv(tmp_path / "a.csv", ["file"], [[name] for name in listed])
    pool = bring(Wish(file=path, picture="file", images=tmp_path / "link"))
    assert list(pool.ids) == ["b/c.png", "a.png"]
    assert held(pool) == [{"picture": "b/c.png"}, {"picture": "a.png"}]


def test_what_is_no_regular_file_is_no_picture(tmp_path: Path) -> None:
    folder = filled(tmp_path / "in", "a.png")
    os.mkfifo(folder / "b.png")
    pool = pictures(folder)
    assert list(pool.ids) == ["a.png"]
    assert "left out: 1 other file" in pool.notes[0]
    assert decode(folder / "b.png", 8, 8) is None  # nor waited for, where one has come since


def test_what_is_asked_for_must_make_sense(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "a.csv", ["t"], [["x"]])
    for wish, said in (
        (Wish(), "no pool is given"),
        (Wish(file=table, text="t", picture="t"), "both --text and --picture"),
        (Wish(file=table, picture="t"), "need both"),
        (Wish(file=table, id="none"), "has no column none"),
    ):
        with pytest.raises(UsageError, match=said):
            bring(wish)


def test_a_pool_of_parquet_brings_its_features(tmp_path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {"id": ["a", "b"], "features": [[1.0, 2.0], [3.0, 4.0]], "size": [1.5, None], "day": [7, 8], "note": ["x", "ü"]}
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    pool = bring(Wish(file=tmp_path / "a.parquet"))
    assert pool.features is not None
    np.testing.assert_array_equal(pool.features, [[1, 2], [3, 4]])
    assert held(pool)[1] == {"row": {"size": None, "day": 8, "note": "ü"}}
    assert held(bring(Wish(file=tmp_path / "a.parquet", text="note")))[1] == {"text": "ü"}
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="cannot be read as parquet"):
        bring(Wish(file=tmp_path / "bad.parquet"))


def test_classes_are_named_once() -> None:
    assert class_names('other, heron,"crane, grey"') == ["other", "heron", "crane, grey"]
    for bad in ("a", "", "a,,b", "a,b,a"):
        with pytest.raises(UsageError, match="--classes"):
            class_names(bad)
