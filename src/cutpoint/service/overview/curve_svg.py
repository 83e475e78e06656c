"""The learning curve as SVG, coloured by the page's own sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDE, HIGH = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 14, 30  # room around the curve


def curve_svg(points: Sequence[tuple[int, float]], name: str) -> str:
    """A measure against answers; points (answers, value in 0..1), at least one, answers not descending."""
    points = list(dict(points).items())  # of several models with the same answers, the last
    first, last = points[0][0], max(points[-1][0], points[0][0] + 1)
    low = min(value for _, value in points)
    floor = max(0.0, min(0.9, int(low * 10) / 10))

    def x(answers: float) -> float:
        return LEFT + (answers - first) / (last - first) * (WIDE - LEFT - RIGHT)

    def y(value: float) -> float:
        return HIGH - BOTTOM - (value - floor) / (1 - floor) * (HIGH - TOP - BOTTOM)

    parts = []
    for value in dict.fromkeys((floor, (floor + 1) / 2, 1.0)):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{100 * value:.0f} %</text>')
    for answers, anchor in {points[-1][0]: "end", points[0][0]: "start"}.items():
        parts.append(f'<text x="{x(answers):.1f}" y="{HIGH - 8}" text-anchor="{anchor}">{answers:,} answers</text>')
    line = " ".join(f"{x(answers):.1f},{y(value):.1f}" for answers, value in points)
    parts.append(f'<polyline class="line" points="{line}"/>')
    parts.append(f'<circle class="spot" cx="{x(points[-1][0]):.1f}" cy="{y(points[-1][1]):.1f}" r="4.5"/>')
    words = f"{name}: {100 * points[0][1]:.0f} % at {points[0][0]:,} answers, {100 * points[-1][1]:.0f} % at"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="curve" viewBox="0 0 {WIDE} {HIGH}" role="img">'
        f"<title>{escape(f'{words} {points[-1][0]:,}')}</title>{''.join(parts)}</svg>"
    )
