"""Pools drawn from normal clouds, with the imbalance and the overlap that one states.

The last class is the majority, as after grouping; its cloud is at the origin. Every other class has its
centre at the same distance from it, in a drawn direction. All clouds have unit variance in every column.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from cutpoint.data.options import DataOptions
from cutpoint.data.pool import Benchmark, Pool
from cutpoint.errors import UsageError


@dataclass(frozen=True)
class Drawn:
    """What to draw.

    `n` and `test`: sizes of pool and test; `d`: columns; `imbalance`: smallest over largest class, 0 < gamma
    <= 1; `overlap`: error of the best cut between a class and the majority if both were equally frequent, 0 <
    overlap <= 0.5.
    """

    n: int = 5000
    test: int = 2000
    d: int = 16
    classes: int = 2
    imbalance: float = 0.1
    overlap: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check that such clouds exist."""
        for name, low, high in (("classes", 2, 1000), ("d", 1, 10**6), ("n", 2, 10**9), ("test", 2, 10**9)):
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"drawn: {name} is {getattr(self, name)}; it must lie in {low}..{high}.")
        for name, top in (("imbalance", 1.0), ("overlap", 0.5)):
            if not 0 < getattr(self, name) <= top:
                raise UsageError(f"drawn: {name} is {getattr(self, name)}; it must be above 0 and at most {top}.")
        if self.seed < 0:
            raise UsageError(f"drawn: seed is {self.seed}; it must be 0 or more.")


def load_drawn(name: str, n_classes: int | None, _options: DataOptions) -> Benchmark:
    """The pool of a name such as `drawn`, `drawn-3` or `drawn:n=2000:imbalance=0.05:overlap=0.2`."""
    return draw(name, parse_drawn(name, n_classes))


def parse_drawn(name: str, n_classes: int | None) -> Drawn:
    """The parameters in a name, after its first colon: `key=value`, separated by colons."""
    kinds = {f.name: (float if f.name in ("imbalance", "overlap") else int) for f in fields(Drawn)}
    given: dict[str, float | int] = {} if n_classes is None else {"classes": n_classes}
    parts = [part for part in name.partition(":")[2].split(":") if part]
    for i, part in enumerate(parts):
        key, _, value = part.partition("=")
        if key not in kinds:
            raise UsageError(f"drawn: unknown parameter '{key}'; the parameters are {', '.join(kinds)}.")
        if key in [part.partition("=")[0] for part in parts[:i]]:
            raise UsageError(f"drawn: {key} is given twice; give it once.")
        try:
            given[key] = kinds[key](value)
        except ValueError:
            raise UsageError(
                f"drawn: {key} is '{value}'; it must be a number, as in drawn:n=2000:overlap=0.2."
            ) from None
    return Drawn(**given)  # type: ignore[arg-type]  # each value was made by its field's kind


def draw(name: str, drawn: Drawn) -> Benchmark:
    """The benchmark of these parameters; the same ones give the same arrays."""
    from scipy.special import ndtri

    rng = np.random.default_rng(drawn.seed)
    directions_K_d = rng.standard_normal((drawn.classes, drawn.d))
    directions_K_d /= np.linalg.norm(directions_K_d, axis=1, keepdims=True)
    directions_K_d[-1] = 0
    centres_K_d = directions_K_d * (-2 * ndtri(drawn.overlap))
    sides = []
    for size in (drawn.n, drawn.test):
        counts = class_sizes(size, drawn.classes, drawn.imbalance)
        labels = rng.permutation(np.repeat(np.arange(drawn.classes), counts))
        sides.append((centres_K_d[labels] + rng.standard_normal((size, drawn.d)), labels))
    (features, labels), (test_features, test_labels) = sides
    return Benchmark(
        name=name,
        pool=Pool(features.astype(np.float32)),
        labels=labels,
        test_features=test_features.astype(np.float32),
        test_labels=test_labels,
        classes=(*(f"rare {k}" for k in range(drawn.classes - 1)), "other"),
    )


def class_sizes(size: int, n_classes: int, imbalance: float) -> list[int]:
    """How many examples each class has: the rare ones `imbalance` times the majority, at least one."""
    rare = max(1, round(size * imbalance / (1 + (n_classes - 1) * imbalance)))
    rest = size - rare * (n_classes - 1)
    if rest < 1:
        raise UsageError(f"drawn: {size} examples are too few for {n_classes} classes; draw more or use fewer classes.")
    return [rare] * (n_classes - 1) + [rest]
