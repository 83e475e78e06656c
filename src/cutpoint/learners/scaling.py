"""Features centred and scaled, once for each pool; labels play no part in it.

One number for all columns keeps the relative sizes that an encoder or a PCA gave them; column by column, as
tables with columns of different units need it, would amplify a PCA's noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.pool import Features, Pool

_CACHE: WeakKeyDictionary[Pool, dict[bool, Scaled]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Scaled:
    """(features - centre) / spread; centre (d,), spread (d,) float32, often one number d times."""

    pool_features: Features
    centre: NDArray[np.float32]
    spread: NDArray[np.float32]

    def apply(self, features: Features) -> Features:
        """Features (M, d) on the pool's scale."""
        scaled_M_d: Features = features - self.centre
        scaled_M_d /= self.spread
        return scaled_M_d

    @cached_property
    def pool(self) -> Features:
        """The whole pool (N, d) on its scale; made at the first use and kept."""
        scaled_N_d = self.apply(self.pool_features)
        scaled_N_d.flags.writeable = False
        return scaled_N_d


def scaled(pool: Pool, by_column: bool = False) -> Scaled:
    """The scale of a pool, kept as long as the pool lives.

    The spread is the root mean square of all deviations from the column means; `by_column` takes each
    column's own. A column without any deviation is divided by 1.
    """
    kept = _CACHE.setdefault(pool, {})
    if by_column not in kept:
        features = pool.table
        centre_d = features.mean(axis=0, dtype=np.float64)
        squares_d = np.array([np.square(column - m).mean() for column, m in zip(features.T, centre_d, strict=True)])
        spread_d = np.sqrt(squares_d if by_column else np.full_like(squares_d, squares_d.mean()))
        spread_d[spread_d == 0] = 1.0
        kept[by_column] = Scaled(features, centre_d.astype(np.float32), spread_d.astype(np.float32))
    return kept[by_column]
