"""Where all chance of a campaign comes from: (seed, purpose, round), and nothing else.

The strategy plays no part, so that every strategy meets the same first batch, the same noise and the same
folds.
"""

from __future__ import annotations

import numpy as np

NOISE, ASK, FIT = 0, 1, 2  # purposes


def _sequence(seed: int, purpose: int, round_: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(purpose, round_))


def generator(seed: int, purpose: int, round_: int = 0) -> np.random.Generator:
    """A generator of its own for each (seed, purpose, round)."""
    return np.random.default_rng(_sequence(seed, purpose, round_))


def number(seed: int, purpose: int, round_: int = 0) -> int:
    """A seed of 32 bits for each (seed, purpose, round), for those who take a number."""
    return int(_sequence(seed, purpose, round_).generate_state(1)[0])
