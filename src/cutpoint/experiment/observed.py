"""The labels that the oracle of a benchmark will give: clean ones, with the stated noise on them.

A noise is written `0`, `0.1` (uniform flips at that rate), `human:aggre` (a second label column),
`matrix:FILE` (a .npy or .csv of K x K: row k is the distribution of what is seen when the class is k) or
`annotators:FILE` (a .npy of m x K x K: such a matrix for each of m people, one of whom is drawn for each label).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cutpoint.core.noise import flip_by_annotator, flip_by_matrix, flip_uniform
from cutpoint.data.arrays import read_array
from cutpoint.data.options import no_human
from cutpoint.data.pool import Benchmark
from cutpoint.errors import DataError, UsageError
from cutpoint.experiment.seeds import NOISE, generator
from cutpoint.types import Labels

HUMAN, MATRIX, ANNOTATORS = "human:", "matrix:", "annotators:"
_NAMED = f"{HUMAN}COLUMN, {MATRIX}FILE or {ANNOTATORS}FILE"


def canonical_noise(text: str) -> str:
    """The one way to write this noise, or a UsageError: `0.10` becomes `0.1`."""
    text = text.strip()
    for prefix in (HUMAN, MATRIX, ANNOTATORS):
        if text.startswith(prefix):
            if text == prefix:
                raise UsageError(f"the noise '{text}' names nothing; write {_NAMED}.")
            return text
    try:
        rate = float(text)
    except ValueError:
        raise UsageError(f"the noise '{text}' is unknown; give a rate such as 0.1, {_NAMED}.") from None
    if not 0 <= rate <= 1:
        raise UsageError(f"the noise rate is {text}; it must lie in 0..1.")
    return repr(rate + 0.0).removesuffix(".0")  # -0 and 0 are one noise


def human_columns(noises: tuple[str, ...]) -> tuple[str, ...]:
    """The second label columns that these noises need."""
    return tuple(noise.removeprefix(HUMAN) for noise in noises if noise.startswith(HUMAN))


def observed_labels(benchmark: Benchmark, noise: str, seed: int) -> Labels:
    """What would be answered for each example of the pool, (N,) int64; drawn anew for each seed."""
    if noise.startswith(HUMAN):
        column = noise.removeprefix(HUMAN)
        if column not in benchmark.human:
            raise no_human(benchmark.name, column, benchmark.human)
        return benchmark.human[column]
    if noise.startswith(MATRIX):
        matrix = _read_matrix(Path(noise.removeprefix(MATRIX)))
        _check_classes(matrix, noise, benchmark)
        return flip_by_matrix(benchmark.labels, matrix, generator(seed, NOISE))
    if noise.startswith(ANNOTATORS):
        remedy = "the noise of m annotators must be a .npy of m x K x K numbers."
        matrices = read_array(Path(noise.removeprefix(ANNOTATORS)), remedy)
        _check_classes(matrices, noise, benchmark)
        return flip_by_annotator(benchmark.labels, matrices, generator(seed, NOISE))
    return flip_uniform(benchmark.labels, float(noise), benchmark.n_classes, generator(seed, NOISE))


def _check_classes(matrices: np.ndarray, noise: str, benchmark: Benchmark) -> None:
    """UsageError unless the shape is (K, K), or that with the number of annotators before it."""
    k = benchmark.n_classes
    before = matrices.shape[:1] if noise.startswith(ANNOTATORS) else ()
    if matrices.shape != (*before, k, k):
        wanted = f"(m, {k}, {k})" if noise.startswith(ANNOTATORS) else f"({k}, {k})"
        raise UsageError(f"the file of {noise} has shape {matrices.shape}; data set {benchmark.name} needs {wanted}.")


def _read_matrix(path: Path) -> np.ndarray:
    remedy = "the noise matrix must be a .npy or a .csv of K x K numbers."
    if path.suffix == ".npy":
        return np.atleast_2d(read_array(path, remedy))
    try:
        return np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); {remedy}") from None
