"""Brings a published data set into the data root, and checks what is there: files, checksums, Table 1."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cutpoint.data import DATASETS, DataOptions, Pictures, load_benchmark, source_of
from cutpoint.data.download import Progress, differs, fetch, md5_of
from cutpoint.data.pictures import Files
from cutpoint.data.pool import Benchmark
from cutpoint.data.sources import SOURCES, Source, source_for
from cutpoint.data.stored import ABOUT, FILES
from cutpoint.data.table_1 import TABLE_1, gamma
from cutpoint.data.unpack import refuse_folder, unpack
from cutpoint.errors import DataError, UsageError

Step = Callable[[str, Progress], None]


def check_fetchable(data_set: str, root: Path) -> None:
    """UsageError, with what to do in place of it, if there is nothing to fetch for a data set of that name."""
    source = source_of(data_set)
    if source in FILES:
        raise UsageError(f"{data_set} has no address; whoever has its file {FILES[source]} puts it into {root}.")
    if source in DATASETS and source not in SOURCES:
        raise UsageError(f"{data_set} needs no fetch: it is made where it is used; name it with --dataset at once.")
    source_for(data_set)


def absent(data_sets: Iterable[str], root: Path | None) -> list[str]:
    """Those of these data sets of which a data root holds nothing at all, not even a part."""
    return [each for each in data_sets if (kept := _kept(each)) and not any(root and (root / k).exists() for k in kept)]


def check_present(data_sets: Iterable[str], root: Path | None) -> None:
    """DataError, naming all of them, if a data root holds nothing of several of these data sets.

    What is to be said of one, its loader says.
    """
    missing = absent(data_sets, root)
    if len(missing) > 1:
        where = f"{root} does not hold them" if root else "no data root is set"
        raise DataError(f"the data sets {', '.join(missing)} are needed, and {where}; {how_to_get(missing, root)}.")


def _kept(data_set: str) -> tuple[str, ...]:
    """The files and folders of the data root, any of which may hold a data set; none for one that needs no root."""
    name = source_of(data_set)
    if name in FILES:
        return (FILES[name],)
    if name not in SOURCES:
        return ()
    return tuple(filter(None, (*SOURCES[name].kept, SOURCES[name].folder)))


def how_to_get(data_sets: Iterable[str], root: Path | None) -> str:
    """What to type, and what to put where, so that a data root holds these data sets."""
    names, folder = list(data_sets), root or "FOLDER"
    fetched = [each for each in names if source_of(each) in SOURCES]
    files = dict.fromkeys(FILES[source_of(each)] for each in names if source_of(each) in FILES)
    told = [f"fetch with `cutpoint data fetch {' '.join(fetched)} --data-root {folder}`"] if fetched else []
    return " and ".join([*told, f"put {', '.join(files)} into {folder}"] if files else told)


def obtain(data_set: str, root: Path, show: Step = lambda _what, _now: None) -> bool:
    """Bring what a data set is made from into the data root; False if all of it was there.

    `show` is called with what is being done, such as "fetching train_32x32.mat", and how far it is, in bytes. An
    archive of many files is unpacked and then deleted; DataError, before anything is fetched, if its folder is in the
    way.
    """
    source = source_for(data_set)
    if source.is_here(root):
        return False
    if source.unpacked:
        refuse_folder(root / (source.folder or ""), source.table or "")
    for remote in source.files:
        path = fetch(remote, root, spare=source.unpacked, show=partial(show, f"fetching {remote.name}"))
        if source.unpacked:
            _unpack(path, source, show)
    return True


def _unpack(archive: Path, source: Source, show: Step) -> None:
    """Make the folder of a source out of its archive, and delete that."""
    assert source.folder is not None
    assert source.table is not None
    size = archive.stat().st_size
    unpack(
        archive,
        archive.parent / source.folder,
        source.table,
        lambda read: show(f"unpacking {archive.name}", Progress(read, size)),
    )
    archive.unlink()


def check(data_set: str, root: Path) -> str:
    """What was found right about a data set, in a few words; DataError for the first thing that is wrong.

    Published checksums are compared, the pictures that a table names must be there and not be empty, and the loader
    compares Table 1. Pictures are not all decoded.
    """
    compared = _checked_source(data_set, root)
    benchmark = load_benchmark(data_set, DataOptions(root=root))
    for pictures in (benchmark.pool.features, benchmark.test_features):
        if isinstance(pictures, Pictures) and isinstance(pictures.source, Files):
            _check_files(pictures.source)
            compared = "all pictures are there"
    return f"{_described(benchmark)}; {compared}"


class Holding(NamedTuple):
    """A data set as `cutpoint data list` shows it.

    `n`: examples in the pool; `classes`: how many there are or may be; `gamma`: smallest over largest class as Table 1
    prints it, "" where it is not in it; `size`: bytes to fetch, 0 if there is no address; `files`: what belongs into
    the data root; `urls`: where from.
    """

    name: str
    n: int
    classes: str
    gamma: str
    terms: str
    size: int
    here: bool
    files: tuple[str, ...]
    page: str
    urls: tuple[str, ...]


def holdings(root: Path | None) -> list[Holding]:
    """All data sets of a data root: those of Table 1, then the stored ones."""
    published = []
    for name, row in TABLE_1.items():
        source = source_for(name)
        about = (row.pool, str(row.classes), row.gamma, source.terms, source.size, here(name, root))
        urls = tuple(remote.url for remote in source.files)
        published.append(Holding(name, *about, source.kept, source.page, urls))
    stored = [
        Holding(name, n, classes, "", terms, 0, here(name, root), (FILES[name],), "", ())
        for name, (n, classes, terms) in ABOUT.items()
    ]
    return published + stored


def known_sets() -> list[str]:
    """The data sets of a data root by name: those of Table 1, then the stored ones."""
    return [*TABLE_1, *FILES]


def here(data_set: str, root: Path | None) -> bool:
    """True if the data root has what a data set is made from."""
    stored = FILES.get(source_of(data_set))
    if stored is not None:
        return root is not None and (root / stored).is_file()
    return source_for(data_set).is_here(root)


def _checked_source(data_set: str, root: Path) -> str:
    """What was compared of the files; DataError if one differs from what is published."""
    name = source_of(data_set)
    if name not in SOURCES:
        return "no checksum is published"
    source = SOURCES[name]
    for path, wrong in _wrong_files(source, root):
        if wrong:
            raise DataError(
                f"{wrong}; move {path} away, and fetch it again: `cutpoint data fetch {data_set} --data-root {root}`."
            )
    return "checksums as published" if any(file.md5 for file in source.files) else "no checksum is published"


def _wrong_files(source: Source, root: Path) -> Iterator[tuple[Path, str]]:
    """(file, what is wrong or "") of each file that is there, in a whole folder or beside it, and has a checksum."""
    for remote in source.files:
        path = root / remote.name
        if path.is_file():
            yield path, differs(path, remote)
    if not source.is_unpacked(root):
        return
    for member, md5 in source.members.items():
        path = root / (source.folder or "") / member
        found = md5_of(path)
        yield path, "" if found == md5 else f"the checksum (md5) of {path} is {found} and must be {md5}"


def _check_files(files: Files) -> None:
    """DataError, with the first of them, if a file is missing or empty."""
    sizes = {
        folder: {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
        for folder in {(files.folder / name).parent for name in files.names}
        if folder.is_dir()
    }
    paths = [files.folder / name for name in files.names]
    bad = [path for path in paths if not sizes.get(path.parent, {}).get(path.name)]
    if bad:
        raise DataError(
            f"{bad[0]} is missing or empty, and so are {len(bad) - 1} more of {len(paths)} pictures; move the folder "
            "away, and fetch the data set again."
        )


def _described(benchmark: Benchmark) -> str:
    counts = np.bincount(benchmark.labels, minlength=benchmark.n_classes)
    each = (
        "/".join(str(count) for count in counts) if len(counts) <= 10 else f"{counts.min()} to {counts.max()} a class"
    )
    return (
        f"{benchmark.pool.n_examples} examples, {benchmark.n_classes} classes ({each}), gamma {gamma(benchmark):.3g}, "
        f"{len(benchmark.test_labels)} test examples"
    )
