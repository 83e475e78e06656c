"""The signature picture for pages: one class's strip as SVG, coloured by the page's own sheet.

The pool's density is a soft band, every labelled item a dot (filled: the class; hollow: another; ringed: people
disagree), the thresholds still possible a shaded bracket, the best one now a line, and an item asked about a mark with
a stem.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.strip import Cut, Floats, Lie, ends, scatter
from cutpoint.types import Index, Labels
from cutpoint.words import count

WIDE, HIGH = 400, 76
MIDDLE, REACH = 42.0, 30.0  # of the band; above it is room for the mark of an item
AXIS = "the model's score"
"""What lies along a strip, as it stands below it between its two ends."""
LEGEND = (
    "from left to right: the model's score for the class; a place is an item in this order, counted from the left",
    "band: the pool, surely of the class at left",
    "dot: a labelled item; filled, of the class; hollow, of another; ringed, disputed",
    "bracket: the places where the class may still end",
    "line: where it ends best now",
)
MOST_DOTS = 1500  # of a class and of the others together: the latest; more would be a smear, and a heavy page


@dataclass(frozen=True, eq=False)
class Answers:
    """What people said so far. items, labels: (n,) in the order in which they came; disputed: (n,) bool.

    own: whether they are one person's alone, who is told nothing of the others'.
    """

    items: Index
    labels: Labels
    disputed: NDArray[np.bool_]
    own: bool = False

    def latest(self, n: int) -> Answers:
        """The last n."""
        return replace(self, items=self.items[-n:], labels=self.labels[-n:], disputed=self.disputed[-n:])


def strip_svg(lie: Lie, cut: Cut, answers: Answers, name: str, here: int | None = None) -> str:
    """A class's strip. `here` is the item that is asked about; `name` the class's, for those who hear the page."""
    left, right = ends(lie.pool)
    scale = WIDE / (right - left)

    def x(position: float) -> str:
        return f"{(position - left) * scale:.1f}"

    parts = [_band(lie, left, scale), *_space(x(cut.space[0]), x(cut.space[1])), *_dots(lie, answers, left, scale)]
    top, bottom = f"{MIDDLE - REACH:.0f}", f"{MIDDLE + REACH:.0f}"
    words = f"end of “{name}”, in places from the left: {places(cut, len(lie), own=answers.own)}"
    if cut.ours:
        at = x(cut.at)
        parts.append(f'<line class="cut" x1="{at}" x2="{at}" y1="{top}" y2="{bottom}"/>')
        words += f"; the best so far is {cut.threshold:,}"
    if here is not None:
        spot = float(lie.along(np.array([here]))[0])
        parts += _mark(x(spot), bottom)
        words += f"; this item at place {int(lie.place[here]):,}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="strip c{lie.k % 10}" viewBox="0 0 {WIDE} {HIGH}" role="img">'
        f"<title>{escape(words)}</title>{''.join(parts)}</svg>"
    )


def places(cut: Cut, n: int, *, own: bool) -> str:
    """Where a class may end in its order of n examples, by the answers so far; own: by those of who is told."""
    if not cut.ours:
        return "you have named no example yet" if own else "no example is known yet"
    range_ = f"{cut.low:,} to {cut.high:,}" if cut.left > 1 else f"{cut.low:,}"
    return f"{count(cut.left, 'place')} possible, {range_} of {n:,}"


def ends_of(name: str) -> str:
    """What stands below the strip of a class, as HTML: what is at its ends, and what lies along it."""
    ours = f"<span>surely <bdi>{escape(name)}</bdi></span>"
    return f'<p class="ends">{ours}<span>{AXIS}</span><span>surely another</span></p>'


def _band(lie: Lie, left: float, scale: float) -> str:
    x, height = lie.band
    points = [f"{(a - left) * scale:.1f} {MIDDLE - 0.62 * REACH * h:.1f}" for a, h in zip(x, height, strict=True)]
    mirrored = [
        f"{(a - left) * scale:.1f} {MIDDLE + 0.62 * REACH * h:.1f}" for a, h in zip(x[::-1], height[::-1], strict=True)
    ]
    return f'<path class="band" d="M{"L".join(points + mirrored)}Z"/>'


def _space(low: str, high: str) -> Iterator[str]:
    """The version space: shaded, between two brackets that turn inwards."""
    top = f"{MIDDLE - REACH:.0f}"
    width = max(0.0, float(high) - float(low))
    yield f'<rect class="space" x="{low}" y="{top}" width="{width:.1f}" height="{2 * REACH:.0f}"/>'
    for at, turn in ((low, 4), (high, -4)):
        yield f'<path class="hook" d="M{at} {top}m{turn} 0h{-turn}v{2 * REACH:.0f}h{turn}"/>'


def _dots(lie: Lie, answers: Answers, left: float, scale: float) -> Iterator[str]:
    shown = answers.latest(MOST_DOTS)
    x: Floats = (lie.along(shown.items) - left) * scale
    y: Floats = MIDDLE - scatter(shown.items) * 1.7 * REACH
    radius = 2.7 if len(shown.items) < 200 else 1.9
    ours = shown.labels == lie.k
    for kind, picked in (("other", ~ours), ("ours", ours)):
        spots = zip(x[picked], y[picked], strict=True)
        drawn = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius}"/>' for a, b in spots)
        yield f'<g class="{kind}">{drawn}</g>'
    spots = zip(x[shown.disputed], y[shown.disputed], strict=True)
    drawn = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius + 2.2:.1f}"/>' for a, b in spots)
    yield f'<g class="ring">{drawn}</g>'


def _mark(at: str, bottom: str) -> Iterator[str]:
    yield f'<line class="stem" x1="{at}" x2="{at}" y1="8" y2="{bottom}"/>'
    yield f'<path class="here" d="M{at} 11l-5.5 -9h11z"/>'
