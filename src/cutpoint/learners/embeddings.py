"""Embeddings of pictures by a frozen network, computed once: kept in memory, and on disk for the next process.

    FOLDER/<encoder>/<pictures>.npz       the embedding, and both keys once more
    FOLDER/<encoder>/<files>.txt          which pictures, by their content, these files were when last read
    FOLDER/<encoder>/lock                 held by the process that computes; others wait for it

The key of an encoder is a checksum of its weights, that of pictures one of all their bytes. A file appears whole or not
at all, and its checksums are compared when it is read; a damaged one is said and computed anew.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.arrays import read_archive
from cutpoint.data.content import content_key, quick_key
from cutpoint.data.whole import write_atomically
from cutpoint.errors import DataError

Floats = NDArray[np.float32]

_KEPT: dict[tuple[int, str], tuple[weakref.ref[Any], Floats]] = {}
_log = logging.getLogger("cutpoint.learners")


def default_folder() -> Path:
    """Where embeddings are kept if nobody says where: `cutpoint/embeddings` in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cutpoint" / "embeddings"


def embedded(pictures: Any, encoder: str, embed: Callable[[Any], Floats], folder: Path | None) -> Floats:
    """`embed(pictures)` (N, D) float32, read-only; from memory while the pictures live, or from the folder.

    encoder: the key of what embeds. DataError if the folder cannot be written.
    """
    key = id(pictures), encoder
    if key not in _KEPT:
        found = embed(pictures) if folder is None else _on_disk(pictures, encoder, embed, folder / encoder)
        found.flags.writeable = False
        _KEPT[key] = weakref.ref(pictures, lambda _: _KEPT.pop(key, None)), found
    return _KEPT[key][1]


def _on_disk(pictures: Any, encoder: str, embed: Callable[[Any], Floats], folder: Path) -> Floats:
    """The embedding from its file, or computed and put there, by one process at a time."""
    try:
        with _locked(folder):
            path = folder / f"{_content(pictures, folder)}.npz"
            found = _read(path, encoder, len(pictures))
            if found is None:
                found = embed(pictures)
                _write(path, encoder, found)
            return found
    except OSError as error:
        raise _not_kept(folder, error) from None


def check_folder(folder: Path) -> None:
    """DataError if nothing can be kept in that folder, which is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _not_kept(folder, error) from None


def _not_kept(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"the embedding cannot be kept in {folder} ({error.strerror}); make room, or give another folder with "
        "cache=FOLDER, or none."
    )


def _write(path: Path, encoder: str, embedding: Floats) -> None:
    write_atomically(path, lambda file: np.savez(file, embedding=embedding, encoder=encoder, pictures=path.stem))


def _content(pictures: Any, folder: Path) -> str:
    """The key of the pictures' content, as remembered for these files, or computed from all their bytes."""
    quick = quick_key(pictures)
    if quick is None:
        return content_key(pictures)
    path = folder / f"{quick}.txt"
    with contextlib.suppress(FileNotFoundError):
        remembered = path.read_text()
        if re.fullmatch("[0-9a-f]{32}", remembered):
            return remembered
    content = content_key(pictures)
    write_atomically(path, lambda file: file.write(content.encode()))
    return content


def _read(path: Path, encoder: str, n: int) -> Floats | None:
    """The embedding in a file; None if there is none, or, said in the log, if it is damaged."""
    if not path.is_file():
        return None
    try:
        stored = read_archive(path, "the embedding is computed anew.")
        keys = str(stored["encoder"]), str(stored["pictures"])
        embedding = stored["embedding"]
        if keys == (encoder, path.stem) and embedding.dtype == np.float32 and embedding.shape[:1] == (n,):
            return embedding
        said = f"{path} is not the embedding that its name says; it is computed anew."
    except KeyError:
        said = f"{path} is no embedding; it is computed anew."
    except DataError as error:
        said = str(error)
    _log.warning("%s", said)
    return None


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make the folder and hold it, after whoever holds it now; it ends with the process."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
