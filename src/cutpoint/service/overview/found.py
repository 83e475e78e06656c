"""What the questions so far say of a class: how many there may be, and what labelling at random would have taken.

Only the questions that were drawn at random, before the first model, say how frequent a class is; those chosen since
say how well they were chosen. Neither say anything of a class that was added after them. Both bounds follow from the
95 % interval of the share among the first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cutpoint.core.measures import share_interval
from cutpoint.service.desk.status import Status


@dataclass(frozen=True)
class Rate:
    """One class. found: settled items of it, imported ones among them.

    at_random, chosen: its share of the questions drawn at random and of those chosen since; None without any.
    in_pool: bounds of how many the pool has. asked: questions labelled so far. random_needs: bounds of how many items
    labelling at random would need to find as many as these questions found, at most the whole pool; the upper one None
    where there is no bound. Both None where nothing can be said.
    """

    name: str
    found: int
    at_random: float | None
    chosen: float | None
    in_pool: tuple[int, int] | None
    asked: int
    random_needs: tuple[int, int | None] | None


def rate(name: str, k: int, status: Status, drawn: Sequence[int], chosen: Sequence[int]) -> Rate:
    """Class k by the labels of the questions drawn at random and of those chosen since."""
    hits, more = drawn.count(k), chosen.count(k)
    in_pool = random_needs = None
    if drawn:
        low, high = share_interval(hits, len(drawn))
        least = max(status.found[k], math.floor(low * status.items))
        in_pool = least, max(least, math.ceil(high * status.items))
        if hits + more:
            last = None if low == 0 else min(status.items, math.ceil((hits + more) / low))
            random_needs = min(status.items, math.floor((hits + more) / high)), last
    return Rate(
        name=name,
        found=status.found[k],
        at_random=hits / len(drawn) if drawn else None,
        chosen=more / len(chosen) if chosen else None,
        in_pool=in_pool,
        asked=len(drawn) + len(chosen),
        random_needs=random_needs,
    )


def between(bounds: tuple[int, int | None] | None) -> str:
    """Bounds as people read them."""
    if bounds is None:
        return "–"
    low, high = bounds
    if high is None:
        return f"{low:,} or more"
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


NOTE = (
    "At random: the class's share of the questions that were drawn at random, before the first model. Chosen: its "
    "share of those that the strategy chose since. In the pool: 95 % bounds by the questions drawn at random. Random "
    "needs: how many items labelling at random would take to find as many as the {asked} labelled so far did, by the "
    "same bounds. Of a class that was added later, only what was asked since is counted."
)
"""How to read the table."""
