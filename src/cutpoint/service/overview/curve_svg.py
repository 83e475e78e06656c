"""The learning curve as SVG, coloured by the page's own sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cutpoint.words import count

WIDE, HIGH = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 14, 44  # room around the curve
MOST_SPOTS = 40  # models of a curve on which each has a spot


def curve_svg(points: Sequence[tuple[int, float]], name: str) -> str:
    """A measure against labels; points (labels, value in 0..1), at least one, labels not descending."""
    points = list(dict(points).items())  # of several models with the same labels, the last
    first, last = points[0][0], max(points[-1][0], points[0][0] + 1)
    percents = _percents(min(value for _, value in points))
    floor = percents[0] / 100

    def x(labels: float) -> float:
        return LEFT + (labels - first) / (last - first) * (WIDE - LEFT - RIGHT)

    def y(value: float) -> float:
        return HIGH - BOTTOM - (value - floor) / (1 - floor) * (HIGH - TOP - BOTTOM)

    parts = []
    for percent in percents:
        at = y(percent / 100)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{percent} %</text>')
    for labels in _round_numbers(first, last):
        parts.append(f'<text x="{x(labels):.1f}" y="{HIGH - 24}" text-anchor="middle">{labels:,}</text>')
    parts.append(f'<text x="{WIDE - RIGHT}" y="{HIGH - 5}" text-anchor="end">labels</text>')
    line = " ".join(f"{x(labels):.1f},{y(value):.1f}" for labels, value in points)
    parts.append(f'<polyline class="line" points="{line}"/>')
    for labels, value in points if len(points) <= MOST_SPOTS else points[-1:]:
        parts.append(f'<circle class="spot" cx="{x(labels):.1f}" cy="{y(value):.1f}" r="3.5"/>')
    words = f"{name}: {100 * points[0][1]:.0f} % at {count(points[0][0], 'label')}, {100 * points[-1][1]:.0f} % at"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="curve" viewBox="0 0 {WIDE} {HIGH}" role="img">'
        f"<title>{escape(f'{words} {points[-1][0]:,}')}</title>{''.join(parts)}</svg>"
    )


def _percents(low: float) -> range:
    """Per cent to mark, from below the lowest value up to 100: the fewer, the more they span."""
    step = next(step for step, reach in ((5, 80), (10, 50), (25, 0)) if 100 * low >= reach)
    return range(min(int(100 * low + 1e-9) // step * step, 100 - step), 101, step)


def _round_numbers(first: int, last: int) -> range:
    """Two to six multiples of 1, 2 or 5 times a power of ten."""
    step = next(s * 10**k for k in range(19) for s in (1, 2, 5) if (last - first) / (s * 10**k) <= 5)
    return range(-(-first // step) * step, last + 1, step)
