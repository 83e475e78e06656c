"""Table 1 of the paper: how large the data sets of its experiments are, and how imbalanced. Checked on load.

Two corrections: the paper prints 54448 and .2546 for Imb SVHN with three classes, which are the size of its majority
and the share of class 1 in it; the pool has 73257 examples, and the smallest class has .0909 of the largest.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from cutpoint.data.pool import Benchmark
from cutpoint.errors import DataError


@dataclass(frozen=True)
class Row:
    """One row: N, the number of classes, gamma as it is printed, and what more is published of the set.

    `counts`: examples of each class in the pool, None where only their number is published; `test`: examples of the
    test split, None where it was not found published.
    """

    pool: int
    classes: int
    gamma: str
    counts: tuple[int, ...] | None = None
    test: int | None = None


TABLE_1: dict[str, Row] = {
    "imb-cifar10-2": Row(50000, 2, ".1111", (5000, 45000), 10000),
    "imb-cifar10-3": Row(50000, 3, ".1250", (5000, 5000, 40000), 10000),
    "imb-cifar100-2": Row(50000, 2, ".0101", (500, 49500), 10000),
    "imb-cifar100-3": Row(50000, 3, ".0102", (500, 500, 49000), 10000),
    "imb-cifar100-10": Row(50000, 10, ".0110", (*[500] * 9, 45500), 10000),
    "imb-svhn-2": Row(73257, 2, ".0724", (4948, 68309), 26032),
    "imb-svhn-3": Row(73257, 3, ".0909", (4948, 13861, 54448), 26032),
    "pathmnist-2": Row(89996, 2, ".1166", (9401, 80595), 7180),
    "fmow": Row(76863, 62, ".0049"),
    "iwildcam": Row(129809, 14, "4.57e-5"),
}


def gamma(benchmark: Benchmark) -> float:
    """The imbalance ratio of section 3.1: examples of the smallest class over those of the largest, in the pool."""
    counts_K = np.bincount(benchmark.labels, minlength=benchmark.n_classes)
    return float(counts_K.min() / counts_K.max())


def as_in_table_1(benchmark: Benchmark, where: Path) -> Benchmark:
    """The benchmark as it is; DataError if Table 1 has a row of its name that says otherwise. `where`: its files."""
    row = TABLE_1.get(benchmark.name)
    if row is None:
        return benchmark
    counts = tuple(np.bincount(benchmark.labels, minlength=benchmark.n_classes).tolist())
    check_pool_size(benchmark.name, benchmark.pool.n_examples, where)
    is_and_must_be: list[tuple[str, object, object]] = [("classes", benchmark.n_classes, row.classes)]
    if row.counts is not None:
        is_and_must_be.append(("examples per class", _joined(counts), _joined(row.counts)))
    if row.test is not None:
        is_and_must_be.append(("test examples", len(benchmark.test_labels), row.test))
    for what, found, wanted in is_and_must_be:
        if found != wanted:
            raise _differs(benchmark.name, where, f"{found} {what}", str(wanted))
    if not _is_printed_as(gamma(benchmark), row.gamma):
        raise _differs(benchmark.name, where, f"the imbalance ratio {gamma(benchmark):.3g}", row.gamma)
    return benchmark


def check_pool_size(name: str, n: int, where: Path) -> None:
    """DataError if Table 1 has a row of that name with another size than `n`: before anything else is said of it."""
    row = TABLE_1.get(name)
    if row is not None and n != row.pool:
        raise _differs(name, where, f"{n} examples in the pool", str(row.pool))


def _joined(counts: tuple[int, ...]) -> str:
    return "/".join(str(count) for count in counts)


def _differs(name: str, where: Path, found: str, wanted: str) -> DataError:
    return DataError(
        f"{where} gives {name} with {found}; Table 1 of the paper has {wanted}: it is another set, or not all of it; "
        "put the official files there."
    )


def _is_printed_as(value: float, printed: str) -> bool:
    """True if a number can be printed so: within one unit of the last digit, rounded or cut off."""
    stated = Decimal(printed)
    return abs(Decimal(value) - stated) < Decimal(1).scaleb(int(stated.as_tuple().exponent))
