"""Pools and benchmarks: one file per source, all of them in `DATASETS`.

A name is a source, with the number of classes behind it where the source is grouped (`digits-2`), parameters
after colons for drawn pools (`drawn-3:n=2000`), or the path of a data file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from cutpoint.data.cifar import load_cifar10, load_cifar100
from cutpoint.data.digits import load_digits
from cutpoint.data.drawn import load_drawn
from cutpoint.data.files import SUFFIXES, load_file
from cutpoint.data.medmnist import load_pathmnist
from cutpoint.data.options import DATA_ROOT_VARIABLE, DataOptions
from cutpoint.data.pictures import Pictures
from cutpoint.data.pool import Benchmark, Pool
from cutpoint.data.stored import (
    load_cifar10_jpeg,
    load_cifar10_jpeg_pictures,
    load_ham10000,
    load_ham10000_pictures,
)
from cutpoint.data.svhn import load_svhn
from cutpoint.data.wilds import load_fmow, load_iwildcam
from cutpoint.errors import UsageError

Loader = Callable[[str, int | None, DataOptions], Benchmark]

DATASETS: Mapping[str, Loader] = {
    "cifar10-jpeg": load_cifar10_jpeg,
    "cifar10-jpeg-pictures": load_cifar10_jpeg_pictures,
    "digits": load_digits,
    "drawn": load_drawn,
    "fmow": load_fmow,
    "ham10000": load_ham10000,
    "ham10000-pictures": load_ham10000_pictures,
    "imb-cifar10": load_cifar10,
    "imb-cifar100": load_cifar100,
    "imb-svhn": load_svhn,
    "iwildcam": load_iwildcam,
    "pathmnist": load_pathmnist,
}

__all__ = [
    "DATASETS",
    "DATA_ROOT_VARIABLE",
    "Benchmark",
    "DataOptions",
    "Pictures",
    "Pool",
    "dataset_name",
    "is_file",
    "load_benchmark",
    "source_of",
]


def load_benchmark(name: str, options: DataOptions | None = None) -> Benchmark:
    """The benchmark of that name, read anew; UsageError for an unknown name, DataError for bad data."""
    options = options or DataOptions()
    if is_file(name):
        return load_file(dataset_name(name, options), Path(name), options)
    matched = re.fullmatch(r"([a-z0-9-]+?)(?:-(\d+))?(:.*)?", name)
    source = matched.group(1) if matched else name
    if Path(name).suffix == ".csv":
        raise UsageError(f"{name}: CSV is not read; save it as .npz, .npy or .parquet and give the path of that file.")
    if matched is None or source not in DATASETS or (matched.group(3) and source != "drawn"):
        known = ", ".join(f"{key}[-K]" for key in DATASETS)
        raise UsageError(
            f"there is no data set '{name}'; choose one of {known}, or the path of a file ({', '.join(SUFFIXES)})."
        )
    _refuse_file_options(name, source, options)
    grouped = int(matched.group(2)) if matched.group(2) else None
    return DATASETS[source](name, grouped, replace(options, group=grouped))


def source_of(name: str) -> str:
    """The key in DATASETS that a name begins with, without its number of classes and its parameters."""
    return re.sub(r"(-\d+)?(:.*)?$", "", name, count=1)


def _refuse_file_options(name: str, source: str, options: DataOptions) -> None:
    """UsageError if an option is given that says how to read a file, for a data set that is none."""
    plain = DataOptions()
    for role in ("features", "label", "split", "group"):
        if getattr(options, role) != getattr(plain, role):
            option = f"--{role}" if role == "group" else f"--{role}-column"
            remedy = f"write the classes into the name, as in {source}-3" if role == "group" else "leave it out"
            raise UsageError(f"{option} is for data files only, and {name} is a data set of its own; {remedy}.")


def is_file(name: str) -> bool:
    """True if the name is that of a data file, and not of a data set of its own."""
    return name.endswith(SUFFIXES)


def dataset_name(name: str, options: DataOptions) -> str:
    """The name as it stands in results: of a file its stem, with the number of classes if grouped."""
    if not is_file(name):
        return name
    stem = Path(name).stem
    return stem if options.group is None else f"{stem}-{options.group}"
