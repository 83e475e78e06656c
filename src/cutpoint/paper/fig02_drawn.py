"""The drawing of figure 2: scores above, and below them the list three times, as three strategies leave it.

Import this module late: matplotlib is slow to load.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cutpoint.experiment.looks import LOOKS
from cutpoint.experiment.pictures import FAINT, INK
from cutpoint.paper.fig02 import KNOWN, Answered, answered, sigmoid_scores, true_threshold, truth
from cutpoint.types import UNKNOWN

RARE, COMMON = "#0f9d8f", "#b3475c"
NEAR = 10
"""Places on either side of the best threshold that count as near it."""
TITLES = {
    "confidence": "Uncertainty sampling asks where the score is nearest to ½, and that is inside the majority",
    "galaxy": "GALAXY asks around every cut it finds, and each outlier makes two more",
    "direct": "DIRECT looks for the one threshold that errs least, and asks on both sides of it",
}


def demonstration() -> Figure:
    """Figure 2 as a drawing of what the strategies really ask."""
    figure = Figure(figsize=(11.6, 6.9))
    top, *strips = figure.subplots(4, 1, height_ratios=(1.35, 1, 1, 1), sharex=True)
    _draw_scores(top)
    for ax, (strategy, title) in zip(strips, TITLES.items(), strict=True):
        _draw_list(ax, answered(strategy), title)
    figure.legend(
        handles=_handles(), loc="upper left", bbox_to_anchor=(0.035, 0.995), ncols=6, frameon=False, fontsize=9
    )
    figure.text(0.045, 0.022, _caption(), color=INK, fontsize=9, va="bottom")
    figure.subplots_adjust(left=0.045, right=0.985, top=0.925, bottom=0.1, hspace=0.42)
    return figure


def _draw_scores(ax: Axes) -> None:
    """The score of class 2 along the list, and where it is one half."""
    scores = sigmoid_scores()
    places = np.arange(1, len(scores) + 1)
    half = float(np.interp(0.5, scores, places))
    ax.plot(places, scores, color=INK, linewidth=1.2)
    for label, colour, marker in ((0, RARE, "o"), (1, COMMON, "s")):
        pick = truth() == label
        ax.plot(places[pick], scores[pick], linestyle="", marker=marker, markersize=3.5, color=colour, clip_on=False)
    ax.hlines(0.5, 0, half, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.vlines(half, 0, 0.5, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.text(half + 0.8, 0.06, "score ½", color=INK, fontsize=9)
    cut = true_threshold() + 0.5
    ax.vlines(cut, 0, 0.78, color=INK, linewidth=1.2)
    ax.text(cut, 0.82, "optimal separation threshold j*", color=INK, fontsize=9, ha="center")
    ax.set_ylim(0, 1)
    ax.set_ylabel("score", color=INK, fontsize=9)
    ax.set_yticks([0, 0.5, 1], ["0", "½", "1"])
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.spines["left"].set_color(FAINT)
    ax.tick_params(colors=INK, length=0, labelsize=9)


def _draw_list(ax: Axes, done: Answered, title: str) -> None:
    """The list as one strategy leaves it, with the lines that it goes by."""
    if done.strategy == "galaxy":
        _lines(ax, done.cuts, LOOKS["galaxy"].colour, 1.6)
    if done.strategy == "direct":
        _lines(ax, [done.threshold + 0.5], LOOKS["direct"].colour, 2.8)
    asked = np.isin(np.arange(1, len(done.labels) + 1), done.asked)
    before = (done.labels != UNKNOWN) & ~asked
    for label, colour, marker in ((0, RARE, "o"), (1, COMMON, "s")):
        ours = truth() == label
        for pick, face, alpha in ((asked, colour, 1.0), (before, "0.8", 1.0), (~asked & ~before, "white", 0.55)):
            where = np.flatnonzero(pick & ours) + 1
            dots = ax.plot(where, np.zeros(len(where)), linestyle="", marker=marker, markersize=8.5, alpha=alpha)
            dots[0].set(markerfacecolor=face, markeredgecolor=colour, markeredgewidth=1.3, zorder=5)
    ax.plot([true_threshold() + 0.5], [-0.82], marker="^", markersize=7, color=INK, clip_on=False, zorder=6)
    near = np.count_nonzero(np.abs(done.asked - true_threshold() - 0.5) < NEAR)
    words = f"{len(done.asked)} questions: {done.found} of class 1, {near} within {NEAR} places of j*"
    ax.set_title(title, loc="left", fontsize=10, color=INK, fontweight="bold")
    ax.set_title(words, loc="right", fontsize=9, color=INK)
    ax.set_xlim(0, len(done.labels) + 1)
    ax.set_ylim(-1, 1)
    ax.set_axis_off()


def _lines(ax: Axes, places: Iterable[float], colour: str, width: float) -> None:
    for place in places:
        ax.vlines(place, -0.75, 0.75, color=colour, linewidth=width, zorder=4)


def _handles() -> list[Line2D]:
    """The legend: the classes, what is known of them, and the lines."""

    def mark(label: str, marker: str, face: str, edge: str) -> Line2D:
        line = Line2D([], [], linestyle="", marker=marker, markersize=8, label=label)
        line.set(markerfacecolor=face, markeredgecolor=edge, markeredgewidth=1.3)
        return line

    return [
        mark("class 1, rare", "o", "white", RARE),
        mark("class 2", "s", "white", COMMON),
        mark("filled: asked in this round", "o", RARE, RARE),
        mark("grey: known before it", "o", "0.8", RARE),
        Line2D([], [], color=LOOKS["galaxy"].colour, linewidth=1.6, label="cut"),
        Line2D([], [], color=LOOKS["direct"].colour, linewidth=2.8, label="threshold of least loss"),
    ]


def _caption() -> str:
    return (
        f"A list of {len(truth())} examples, made up to show it, in the order of the score for class 2; the same"
        f" {len(KNOWN)} labels before the round for all.\nA cut: neighbours among the labelled are of different"
        " classes. Triangle: j*, which no strategy sees."
    )
