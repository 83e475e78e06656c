"""The labels that the oracle of a benchmark will give: clean ones, with the stated noise on them.

A noise is written `0`, `0.1` (uniform flips at that rate), `human:aggre` (a second label column) or
`matrix:FILE` (a .npy or .csv of K x K: row k is the distribution of what is seen when the class is k).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cutpoint.core.noise import flip_by_matrix, flip_uniform
from cutpoint.data.arrays import read_array
from cutpoint.data.options import no_human
from cutpoint.data.pool import Benchmark
from cutpoint.errors import DataError, UsageError
from cutpoint.experiment.seeds import NOISE, generator
from cutpoint.types import Labels

HUMAN, MATRIX = "human:", "matrix:"


def canonical_noise(text: str) -> str:
    """The one way to write this noise, or a UsageError: `0.10` becomes `0.1`."""
    text = text.strip()
    for prefix in (HUMAN, MATRIX):
        if text.startswith(prefix):
            if text == prefix:
                raise UsageError(f"the noise '{text}' names nothing; write {HUMAN}COLUMN or {MATRIX}FILE.")
            return text
    try:
        rate = float(text)
    except ValueError:
        raise UsageError(
            f"the noise '{text}' is unknown; give a rate such as 0.1, {HUMAN}COLUMN or {MATRIX}FILE."
        ) from None
    if not 0 <= rate <= 1:
        raise UsageError(f"the noise rate is {text}; it must lie in 0..1.")
    return repr(rate + 0.0).removesuffix(".0")  # -0 and 0 are one noise


def human_columns(noises: tuple[str, ...]) -> tuple[str, ...]:
    """The second label columns that these noises need."""
    return tuple(noise.removeprefix(HUMAN) for noise in noises if noise.startswith(HUMAN))


def observed_labels(benchmark: Benchmark, noise: str, seed: int) -> Labels:
    """What would be answered for each example of the pool, (N,) int64; drawn anew for each seed."""
    k = benchmark.n_classes
    if noise.startswith(HUMAN):
        column = noise.removeprefix(HUMAN)
        if column not in benchmark.human:
            raise no_human(benchmark.name, column, benchmark.human)
        return benchmark.human[column]
    if noise.startswith(MATRIX):
        matrix = _read_matrix(Path(noise.removeprefix(MATRIX)))
        if matrix.shape != (k, k):
            raise UsageError(
                f"the matrix of {noise} has shape {matrix.shape}; data set {benchmark.name} needs ({k}, {k})."
            )
        return flip_by_matrix(benchmark.labels, matrix, generator(seed, NOISE))
    return flip_uniform(benchmark.labels, float(noise), k, generator(seed, NOISE))


def _read_matrix(path: Path) -> np.ndarray:
    remedy = "the noise matrix must be a .npy or a .csv of K x K numbers."
    if path.suffix == ".npy":
        return np.atleast_2d(read_array(path, remedy))
    try:
        return np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); {remedy}") from None
