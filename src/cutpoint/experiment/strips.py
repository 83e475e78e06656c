"""The signature picture: one strip per class, the pool in that class's order, before and after a round.

The pool lies from left (surely this class) to right (surely another): its density is a soft band, every
answer a dot (filled: the class; hollow: another), the thresholds still possible a shaded bracket, the best one now a
line, and the true cut, which no strategy sees, a small mark. Import this module late: matplotlib is slow to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cutpoint.core.strip import between, density, ends, positions, scatter
from cutpoint.core.thresholds import best_threshold, losses, optimal_threshold, order_by_margin, version_space
from cutpoint.experiment.pictures import INK
from cutpoint.experiment.snapshots import Snapshot
from cutpoint.experiment.statistics import Floats
from cutpoint.types import UNKNOWN, Labels
from cutpoint.words import count

SPACE = "#f5b942"
"""Colour of the version space."""
CUT = "#e8480c"
"""Colour of the threshold: that of direct in every other picture."""
CLASS_COLOURS = (
    "#2f7fdb",
    "#0f9d8f",
    "#8e6fd8",
    "#cf4f98",
    "#5a8f29",
    "#b3475c",
    "#00838f",
    "#7b5d4a",
    "#5468c9",
    "#ad7c05",
)


@dataclass(frozen=True, eq=False)
class Strip:
    """One class's order at one moment, ready to draw. Everything along the strip is a position in -1..1.

    pool: (N,) every example, ascending; answers: (n,) those labelled; ours: (n,) bool, labelled this class;
    new: (n,) bool, asked in this round; space: first and last threshold possible; left: how many those are;
    threshold: the best one now, with its place; truth: the true cut, with its place.
    """

    pool: Floats
    answers: Floats
    ours: NDArray[np.bool_]
    new: NDArray[np.bool_]
    space: tuple[float, float]
    left: int
    threshold: float
    place: int
    truth: float
    true_place: int


def strip(snapshot: Snapshot, labels: Labels, k: int) -> Strip:
    """Class k's strip for `labels`, which are the snapshot's labels before or after the round."""
    order = order_by_margin(snapshot.probs, k)
    pool = positions(snapshot.probs, k)[order]
    y = labels[order]
    loss = losses(y, k)
    low, high = version_space(y, k)
    threshold = best_threshold(loss)
    counts = np.bincount(snapshot.clean[snapshot.clean >= 0], minlength=snapshot.probs.shape[1])
    true_cut = optimal_threshold(snapshot.clean[order], k, minority=bool(counts[k] < counts.max()))
    labelled = np.flatnonzero(y != UNKNOWN)
    return Strip(
        pool,
        pool[labelled],
        y[labelled] == k,
        np.isin(order[labelled], snapshot.asked),
        (between(pool, low), between(pool, high)),
        high - low + 1,
        between(pool, threshold),
        threshold,
        between(pool, true_cut),
        true_cut,
    )


def draw_strip(ax: Axes, drawn: Strip, colour: str) -> None:
    """Draw one strip; the panel shows the pool's range and runs from -1 to 1 upwards."""
    left, right = ends(drawn.pool)
    hook = 0.012 * (right - left)
    x, height = density(drawn.pool)
    ax.fill_between(x, -0.62 * height, 0.62 * height, color=colour, alpha=0.15, linewidth=0, zorder=1)
    low, high = drawn.space
    ax.axvspan(low, high, color=SPACE, alpha=0.28, linewidth=0, zorder=2)
    for end, turn in ((low, hook), (high, -hook)):
        ax.plot(
            [end + turn, end, end, end + turn],
            [-0.97, -0.97, 0.97, 0.97],
            color=SPACE,
            linewidth=1.6,
            zorder=3,
        )
    ax.axvline(drawn.threshold, color=CUT, linewidth=2.2, zorder=6)
    ax.plot([drawn.truth], [-0.97], marker="^", markersize=7, color=INK, zorder=7, clip_on=False)
    heights = scatter(np.arange(len(drawn.answers)))
    marker = 5.5 if len(heights) < 200 else 3.8
    for new, size, alpha in ((False, 0.62, 0.55), (True, 1.0, 1.0)):
        for ours, face in ((False, "none"), (True, colour)):
            pick = (drawn.new == new) & (drawn.ours == ours)
            ax.plot(
                drawn.answers[pick],
                heights[pick],
                linestyle="",
                marker="o",
                markersize=marker * size,
                markerfacecolor=face,
                markeredgecolor=colour if ours else INK,
                markeredgewidth=0.9,
                alpha=alpha,
                zorder=9 if new else 8,
            )
    ax.set_xlim(left, right)
    ax.set_ylim(-1.05, 1.05)
    ax.set_axis_off()


def moment_figure(snapshot: Snapshot, labels: Labels) -> Figure:
    """All classes' strips at one moment, one below the other; for pages, which have their own titles."""
    k = snapshot.probs.shape[1]
    figure = Figure(figsize=(4.9, 0.98 * k + 0.1))
    axes = figure.subplots(k, 1, squeeze=False)[:, 0].tolist()
    _moment(axes, snapshot, labels)
    figure.subplots_adjust(left=0.01, right=0.99, top=1 - 0.24 / (0.98 * k + 0.1), bottom=0.03, hspace=0.42)
    return figure


def snapshot_figure(snapshot: Snapshot) -> Figure:
    """The whole picture: a row per class, the moment before the round on the left, after it on the right."""
    k = snapshot.probs.shape[1]
    high = 0.98 * k + 1.1
    figure = Figure(figsize=(11.2, high))
    axes = figure.subplots(k, 2, squeeze=False)
    figure.subplots_adjust(left=0.015, right=0.985, top=1 - 0.5 / high, bottom=0.55 / high, hspace=0.42, wspace=0.05)
    for column, (labels, title) in enumerate(moments(snapshot)):
        _moment(axes[:, column].tolist(), snapshot, labels)
        figure.text(
            0.018 + 0.49 * column,
            1 - 0.18 / high,
            title,
            color=INK,
            fontsize=11,
            fontweight="bold",
            va="center",
        )
    figure.text(0.018, 0.24 / high, CAPTION, color=INK, fontsize=8.5, va="center")
    return figure


def moments(snapshot: Snapshot) -> Sequence[tuple[Labels, str]]:
    """The labels and the title of both moments."""
    known = int((snapshot.before != UNKNOWN).sum())
    return (
        (snapshot.before, f"before the round: {count(known, 'label')}"),
        (snapshot.after, f"after it: {count(len(snapshot.asked), 'more answer')}"),
    )


CAPTION = (
    "band: the pool, most surely of the class at left · dot: an answer; filled = the class, hollow = another,"
    " large = this round\nbracket: thresholds that the answers leave possible · line: best threshold now"
    " · triangle: the true cut, which no strategy sees"
)
"""How to read the picture."""


def _moment(axes: Sequence[Axes], snapshot: Snapshot, labels: Labels) -> None:
    for k, ax in enumerate(axes):
        drawn = strip(snapshot, labels, k)
        draw_strip(ax, drawn, CLASS_COLOURS[k % len(CLASS_COLOURS)])
        words = f"{drawn.left:,} thresholds possible" if drawn.left > 1 else "1 threshold left"
        places = f"{words} · cut at {drawn.place:,} (true {drawn.true_place:,})"
        above: dict[str, Any] = {"y": 1.02, "transform": ax.transAxes, "color": INK, "va": "bottom"}
        ax.text(0, s=snapshot.classes[k], fontsize=9.5, fontweight="bold", **above)
        ax.text(1, s=places, fontsize=8.5, ha="right", **above)
