"""Bounds of what the pool has hold as often as they say, whatever else is known of it, and whenever that came."""

from __future__ import annotations

import numpy as np
import pytest

from cutpoint import Campaign
from cutpoint.service.overview.found import Rate
from cutpoint.service.overview.standing import read
from cutpoint.store.memory import MemoryStore

ITEMS, RARE, DRAWN, REPEATS = 400, 200, 60, 100


def sought(seed: int) -> list[int]:
    """Items that somebody labelled elsewhere, who looked for the rare class and found 180 of it."""
    return [int(item) for item in np.random.default_rng((seed, 1)).choice(RARE, 180, replace=False)]


def asked_at_random(seed: int, when: int | None) -> Rate:
    """What is said of the rare class, the first items, after a random round; imported before answer `when`: 180."""
    store = MemoryStore()
    with Campaign(store, classes=["other", "rare"], seed=seed, train="off", first=DRAWN) as campaign:
        campaign.add_pool(ids=[f"item {i}" for i in range(ITEMS)])
        for turn in range(DRAWN):
            if turn == when:
                items = sought(seed)
                campaign.import_labels(items, [int(item < RARE) for item in items])
            (ask,) = campaign.ask(1, annotator="ann")
            campaign.tell(ask, int(ask.item < RARE), annotator="ann")
    return read(store)[1].rates[1]


@pytest.mark.parametrize("when", [None, 0, 30, DRAWN - 1])
def test_imported_labels_do_not_move_the_bounds_from_what_is_there(when: int | None) -> None:
    said = [asked_at_random(seed, when) for seed in range(REPEATS)]
    pools = [rate.in_pool for rate in said if rate.in_pool is not None]
    assert len(pools) == REPEATS
    held = [low <= RARE <= high for low, high in pools]
    assert sum(held) >= 0.93 * REPEATS
    assert np.mean([high - low for low, high in pools]) < 110, "and they are bounds"
