"""Files of people with a model of their own: scores as .npz, labels and questions as CSV sheets.

A sheet is a CSV with a header, with commas or, as spreadsheets of many countries save it, semicolons; commas are
written. Examples are named by `index` (their row in the scores) or by `id`, if the scores file has `ids`; `label` holds
0..K-1 or, if the scores file has `classes`, a class's name. An empty label or -1 is no label; a whole number may end
in .0, as data frames with gaps write it. Nothing here needs pickle. An id that a spreadsheet would take for a formula
is written harmless, and read as it was (pools/cells.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.arrays import names_in, read_archive
from cutpoint.data.pools.cells import defused, label_in, restored
from cutpoint.errors import DataError, UsageError
from cutpoint.types import UNKNOWN, Labels, Scores

SKIP = "skip"
"""In a sheet's label column: this question is closed without a label."""
ARRAYS = ("probs", "embedding", "head", "ids", "classes")
"""What is read of a scores file."""
_NAMES = (
    "; to write classes by name, save their names, in order, with the scores: np.savez(path, probs=..., classes=...)"
)


@dataclass(frozen=True, eq=False)
class Scored:
    """A scores file: what a model says of the pool, and how the pool's examples and classes are called.

    ids: (N,) names of the examples, or None; classes: (K,) names, or None; unread: the file's other arrays.
    """

    scores: Scores
    ids: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None
    unread: tuple[str, ...] = ()
    _rows: dict[str, int] = field(default_factory=dict)

    def example(self, row: Mapping[str, str], place: str) -> int:
        """The pool index that a sheet's row names, by `index` or by `id`; `place` says where the row is."""
        if row.get("index"):
            n = self.scores.n_examples
            text = row["index"].strip().removesuffix(".0")
            if not text.isdecimal() or int(text) >= n:
                raise UsageError(f"{place}: index is {text!r}; it must be a row of the scores, 0..{n - 1}.")
            return int(text)
        name = row.get("id", "")
        if self.ids is None:
            raise UsageError(f"{place}: examples are named by id, and the scores file has no ids; name them by index.")
        if not self._rows:
            self._rows.update((known, i) for i, known in enumerate(self.ids))
        for spelled in (name, restored(name)):
            if spelled in self._rows:
                return self._rows[spelled]
        raise UsageError(f"{place}: there is no example {name!r} among the {len(self.ids)} ids of the scores file.")

    def label(self, text: str, place: str) -> int:
        """The class that a sheet's label means, or UNKNOWN; a class's name goes before a number."""
        k, classes = self.scores.n_classes, self.classes or ()
        label = label_in(text, classes, k)
        if label is None:
            names = f" or one of {', '.join(classes)}" if classes else ""
            known = "" if classes or text.removesuffix(".0").lstrip("-").isdecimal() else _NAMES
            raise UsageError(
                f"{place}: label is {text!r}; it must be 0..{k - 1}{names}, or empty or -1 where unknown{known}."
            )
        return label

    def shown_id(self, index: int) -> str:
        """An example's id as a sheet holds it."""
        return defused(self.ids[index]) if self.ids else ""


def read_scores(path: Path) -> Scored:
    """The scores in an .npz file with `probs` (N, K) and, if there, `embedding`, `head`, `ids` (N,), `classes` (K,)."""
    arrays, unread = _arrays(path)
    if "probs" not in arrays:
        found = ", ".join([*arrays, *unread]) or "nothing"
        raise DataError(f"{path} holds {found} and no probs; save it with np.savez(path, probs=probs).")
    if arrays["probs"].ndim == 2 and not len(arrays["probs"]):
        raise DataError(f"{path}: probs has shape {arrays['probs'].shape}; it must have a row for each example.")
    try:
        scores = Scores(arrays["probs"], arrays.get("embedding"), arrays.get("head"))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    ids = _texts(arrays, "ids", scores.n_examples, path)
    return Scored(scores, ids, _texts(arrays, "classes", scores.n_classes, path), unread)


def _arrays(path: Path) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """The arrays of a scores file that are read, and the names of the others."""
    if not path.exists():
        raise DataError(f"there is no scores file {path}; save one with np.savez(path, probs=probs).")
    remedy = "save it with np.savez(path, probs=probs)."
    arrays = read_archive(path, remedy, ARRAYS)
    return arrays, tuple(name for name in names_in(path, remedy) if name not in ARRAYS)


def _texts(arrays: Mapping[str, NDArray[Any]], name: str, length: int, path: Path) -> tuple[str, ...] | None:
    if name not in arrays:
        return None
    values = arrays[name]
    if values.shape != (length,):
        raise DataError(f"{path}: {name} has shape {values.shape}; it must be ({length},), one for each.")
    texts = tuple(str(value) for value in values.tolist())
    if len(set(texts)) < length:
        first: dict[str, int] = {}
        twice = next(i for i, text in enumerate(texts) if first.setdefault(text, i) != i)
        raise DataError(
            f"{path}: {name} holds {texts[twice]!r} twice, at {first[texts[twice]]} and {twice}; each must"
            " be one's own."
        )
    return texts


def read_sheet(path: Path, needed: Sequence[str] = ()) -> tuple[list[str], list[dict[str, str]]]:
    """Header and rows of a CSV sheet; DataError if it is unreadable, UsageError if a needed column is missing."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text)))
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; give the path of a CSV file that exists.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no readable CSV file ({error}).") from None
    header = [name.strip() for name in lines[0]] if lines else []
    for name in needed:
        if name not in header:
            raise UsageError(f"{path} has no column {name}; its columns are {', '.join(header) or 'none'}: add one.")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if not any(field.strip() for field in line):
            continue  # an empty line, or one of separators alone
        if len(line) != len(header):
            raise DataError(
                f"{path}, line {number} has {len(line)} fields and the header {len(header)}; mend the line."
            )
        rows.append(dict(zip(header, line, strict=True)))
    return header, rows


def _separator(text: str) -> str:
    """What stands between the fields: the semicolon if it alone finds a column of labels in the header."""
    first = io.StringIO(text, newline="").readline()
    found = {mark for mark in ",;" if "label" in map(str.strip, next(csv.reader([first], delimiter=mark), []))}
    return ";" if found == {";"} else ","


def read_labels(paths: Sequence[Path], scored: Scored) -> Labels:
    """(N,) labels of all sheets together, UNKNOWN where there is none; two that differ for one example are an error."""
    labels = np.full(scored.scores.n_examples, UNKNOWN, np.int64)
    said: dict[int, str] = {}
    for path in paths:
        for place, i, label in _labelled(path, scored):
            if labels[i] not in (UNKNOWN, label):
                raise UsageError(
                    f"{place}: example {i} is labelled {label}, and {labels[i]} in {said[i]}; keep one of them."
                )
            labels[i], said[i] = label, place
    return labels


def _labelled(path: Path, scored: Scored) -> Iterator[tuple[str, int, int]]:
    header, rows = read_sheet(path, ["label"])
    if not {"index", "id"} & set(header):
        raise UsageError(
            f"{path} has no column index or id; its columns are {', '.join(header)}: name the examples by one of them."
        )
    for number, row in enumerate(rows, 2):
        place, text = f"{path}, row {number}", row["label"].strip()
        label = UNKNOWN if text.lower() == SKIP else scored.label(text, place)
        if label != UNKNOWN:
            yield place, scored.example(row, place), label


def sheet_text(header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """A sheet as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([row.get(name, "") for name in header] for row in rows)
    return out.getvalue()
