"""From what somebody names on a command line to a pool with features: which file is read how, and embedded how."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from cutpoint.data.pools.brought import Brought, Embedded, Progress, ignored
from cutpoint.data.pools.folder import pictures
from cutpoint.data.pools.records import CSV, JSONL, PARQUET, TASKS
from cutpoint.data.pools.sheets_of_items import listed_pictures, rows, texts
from cutpoint.data.pools.vectors import NPY, features_column, numbered, read_embeddings, read_features
from cutpoint.errors import DataError, UsageError
from cutpoint.words import count

ENDINGS = {"--csv": CSV, "--jsonl": JSONL, "--parquet": PARQUET, "--npy": NPY, "--tasks": TASKS}
"""How the names of the files end that each option reads."""


@dataclass(frozen=True)
class Wish:
    """Where the items are, and what else is known: a folder of pictures, a file, or both (a file that lists them).

    file: CSV, JSONL, parquet, tasks or .npy; text, picture, id: its columns; embeddings: features to use as they are;
    encoder: an ONNX file to make them with.
    """

    images: Path | None = None
    file: Path | None = None
    text: str | None = None
    picture: str | None = None
    id: str | None = None
    embeddings: Path | None = None
    encoder: Path | None = None


def check_wish(wish: Wish) -> None:
    """UsageError or DataError for what is seen to be wrong before anything is read."""
    if wish.images is None and wish.file is None:
        raise UsageError("no pool is given; name a folder with --images, or a file with --csv, --jsonl or --parquet.")
    if wish.text and wish.picture:
        raise UsageError("both --text and --picture are given; an item is one or the other: leave one out.")
    if wish.embeddings and wish.encoder:
        raise UsageError("both --embeddings and --encoder are given; leave one out.")
    columns = {"--text": wish.text, "--picture": wish.picture, "--id": wish.id}
    given = ", ".join(option for option, column in columns.items() if column)
    if wish.file is None and (wish.text or wish.picture):
        raise UsageError(f"{given} names a column, and there is no file with one; give it with --csv, or leave it out.")
    if _is_npy(wish.file) and (given or wish.images):
        raise UsageError(
            f"{wish.file} holds features alone, and {given or '--images'} says what people see; give the features "
            "with --embeddings beside the items, or leave the other out."
        )
    if wish.file is not None and bool(wish.picture) != bool(wish.images):
        raise UsageError("pictures listed in a file need both --picture COLUMN and --images FOLDER; give both.")
    if wish.images is not None and not wish.images.is_dir():
        raise DataError(f"there is no folder {wish.images}; give the path of a folder of pictures.")
    check_files(wish.file, wish.embeddings, wish.encoder)


def check_files(*paths: Path | None) -> None:
    """UsageError or DataError unless each of these is a file."""
    for path in paths:
        if path is None:
            continue
        if path.is_dir():
            raise UsageError(f"{path} is a folder; give the path of a file.")
        if not path.is_file():
            raise DataError(f"there is no file {path}; give the path of a file that exists.")


def bring(wish: Wish, progress: Progress = ignored) -> Brought:
    """The pool, checked whole; a parquet file with a column of lists brings its features along."""
    check_wish(wish)
    if wish.file is None:
        assert wish.images is not None
        return pictures(wish.images)
    if _is_npy(wish.file):
        return numbered(wish.file)
    column = features_column(wish.file)
    pool = _of_file(wish, wish.file, column, progress)
    return pool if column is None else replace(pool, features=read_features(wish.file, column))


def _is_npy(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() in NPY


def _of_file(wish: Wish, file: Path, features: str | None, progress: Progress) -> Brought:
    if wish.picture and wish.images:
        return listed_pictures(file, wish.picture, wish.images, wish.id, progress)
    if wish.text:
        return texts(file, wish.text, wish.id, progress)
    return rows(file, wish.id, frozenset({features} if features else ()), progress)


def embed(pool: Brought, wish: Wish, seed: int = 0, progress: Progress = ignored) -> Embedded:
    """Features for the first model: those given, an encoder's, those brought along, else the kind's default."""
    if wish.encoder and pool.kind != "picture":
        raise UsageError(f"--encoder reads pictures, and the items are {pool.kind}s; leave it out.")
    if wish.embeddings:
        return read_embeddings(wish.embeddings, pool.ids, wish.id)
    if wish.encoder:
        from cutpoint.data.pools.encoder import encode_pictures

        return encode_pictures(pool, wish.encoder, progress)
    if pool.features is not None:
        return Embedded(pool.features, f"the {pool.features.shape[1]} numbers of each item in {Path(pool.source).name}")
    return _by_default(pool, seed, progress)


def _by_default(pool: Brought, seed: int, progress: Progress) -> Embedded:
    if pool.kind == "picture":
        from cutpoint.data.pools.embed_pictures import embed_pictures

        return embed_pictures(pool, seed, progress)
    if pool.kind == "text":
        from cutpoint.data.pools.embed_texts import embed_texts

        return embed_texts(pool, seed, progress)
    from cutpoint.data.pools.embed_rows import embed_rows

    return embed_rows(pool, progress)


def listed(text: str) -> list[str]:
    """The names in a comma-separated list, empty ones among them; one with a comma in it stands in quotes."""
    try:
        return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])] or [""]
    except csv.Error:  # a line end
        raise UsageError(f"the names are {text!r}; it must be one line, with commas between the names.") from None


def class_names(text: str) -> list[str]:
    """The names in a comma-separated list (one with a comma in it in quotes), each once, none empty."""
    names = listed(text) if text else []
    for name in names:
        if not name or names.count(name) > 1:
            said = f"holds {name!r} twice" if name else "holds an empty name"
            raise UsageError(f"--classes {said}; give each class once, such as --classes other,heron,crane.")
    if len(names) < 2:
        found = count(len(names), "class")
        raise UsageError(f"--classes names {found}; give at least two, such as --classes other,heron.")
    return names
