"""What the questions so far say of a class: how many there may be, what random would have taken, and what it will take.

Only the questions that were drawn at random, before the first model, say how frequent a class is, and that of the items
that could be drawn: what was labelled before, or is imported, is counted and not drawn. Those chosen since say how well
they were chosen. Neither say anything of a class that was added after them. All bounds follow from those of how many of
the items that could be drawn are of the class, which hold in 95 of 100 cases or more.

The forecast takes one thing for granted: that questions go on finding the class as often as those chosen last did.
Where it runs out they find it more rarely, and after a better model more often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cutpoint.core.measures import count_bounds, share_bounds
from cutpoint.service.desk.status import Status
from cutpoint.words import count


@dataclass(frozen=True)
class Said:
    """Labels by how they came to be known. drawn: of questions drawn at random.  chosen: of those chosen since.

    known: of items that were no such questions, since they were labelled before the first, or are imported. The first
    two in the order in which they were asked.
    """

    drawn: Sequence[int] = ()
    chosen: Sequence[int] = ()
    known: Sequence[int] = ()


@dataclass(frozen=True)
class Rate:
    """One class. found: settled items of it, imported ones among them.

    at_random, chosen: its share of the questions drawn at random and of those chosen since; None without any.
    in_pool: bounds of how many the pool has. asked: questions labelled so far. random_needs: bounds of how many items
    labelling at random would need to find as many as these questions found, at most all that could be drawn; the upper
    one None where there is no bound. next_needs, rest_needs: how many more questions it takes to find the next of the
    class, on average, and all that the pool may have, at most all items that are left; the upper one of the next None
    where there is no bound. Each None where nothing can be said.
    """

    name: str
    found: int
    at_random: float | None
    chosen: float | None
    in_pool: tuple[int, int] | None
    asked: int
    random_needs: tuple[int, int | None] | None
    next_needs: tuple[int, int | None] | None
    rest_needs: tuple[int, int] | None


def rate(name: str, k: int, status: Status, said: Said) -> Rate:
    """Class k by what is known of it."""
    hits, more = said.drawn.count(k), said.chosen.count(k)
    in_pool = random_needs = None
    if said.drawn:
        found, others, rest = said.known.count(k), status.labelled - status.found[k], status.items - len(said.known)
        low, high = count_bounds(hits, len(said.drawn), rest)
        least, most = (min(max(status.found[k], found + bound), status.items - others) for bound in (low, high))
        in_pool = least, most
        if hits + more:
            last = None if low == 0 else min(rest, -(-(hits + more) * rest // low))
            random_needs = (hits + more) * rest // max(most - found, hits + more), last
    following, rest_needs = _forecast(k, status, said, in_pool)
    return Rate(
        name=name,
        found=status.found[k],
        at_random=hits / len(said.drawn) if said.drawn else None,
        chosen=more / len(said.chosen) if said.chosen else None,
        in_pool=in_pool,
        asked=len(said.drawn) + len(said.chosen),
        random_needs=random_needs,
        next_needs=following,
        rest_needs=rest_needs,
    )


def _forecast(
    k: int, status: Status, said: Said, in_pool: tuple[int, int] | None
) -> tuple[tuple[int, int | None] | None, tuple[int, int] | None]:
    """How many more questions find the next of class k, and the rest, if they find it as often as the latest did."""
    latest, left, found = said.chosen[-LATEST:], status.items - status.labelled, status.found[k]
    if in_pool is not None and in_pool[1] == found:
        return None, (0, 0)
    if not latest:
        return None, None
    low, high = share_bounds(latest.count(k), len(latest))
    following = math.floor(1 / high), None if low == 0 else math.ceil(1 / low)
    if in_pool is None:
        return following, None
    least, most = (bound - found for bound in in_pool)
    return following, (min(left, math.floor(least / high)), left if low == 0 else min(left, math.ceil(most / low)))


def between(bounds: tuple[int, int | None] | None) -> str:
    """Bounds as people read them."""
    if bounds is None:
        return "–"
    low, high = bounds
    if high is None:
        return f"{low:,} or more"
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


LATEST = 100  # chosen questions that the forecast goes by: enough for bounds, and all of the last models
TITLES = ("class", "found", "at random", "chosen", "in the pool", "random needs", "next needs", "rest needs")
_NOTE = (
    "At random: the class's share of the questions that were drawn at random, before the first model. Chosen: its "
    "share of those that the strategy chose since. In the pool: 95 % bounds, by the questions drawn at random for all "
    "that could be drawn, and as counted for what was imported or labelled before. Random needs: how many items "
    "labelling at random would take to find as many as the {asked} labelled so far did, by the same bounds. Next "
    "needs: how many more questions find the next of the class on average; rest needs: all that the pool may have; "
    "both if they find it as often as the last {latest} that were chosen, with 95 % bounds of that share. A class that "
    "runs out is found more rarely. Of a class that was added later, only what was asked since is counted."
)


def row_of(rate: Rate) -> tuple[str | int, ...]:
    """A class's row of the table with these titles."""
    shares = per_cent(rate.at_random), per_cent(rate.chosen)
    bounds = rate.in_pool, rate.random_needs, rate.next_needs, rate.rest_needs
    return rate.name, rate.found, *shares, *map(between, bounds)


def note_of(rates: Sequence[Rate]) -> str:
    """How to read the table."""
    return _NOTE.format(asked=count(rates[0].asked, "question"), latest=LATEST)


def per_cent(share: float | None) -> str:
    """A share as people read it."""
    return "–" if share is None else f"{100 * share:.0f} %"
