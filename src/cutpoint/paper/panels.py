"""The figures of the paper from results: a panel for each of theirs, raw curves, smoothed ones only beside them.

Mean over trials with a band of one standard error, against the number of labels. Import this module late: matplotlib
is slow to load.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import fill

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from cutpoint.errors import UsageError
from cutpoint.experiment.looks import Look, banded, looks
from cutpoint.experiment.pictures import INK
from cutpoint.experiment.plots import draw_curves, legend
from cutpoint.experiment.statistics import Arm, Runs, noise_label, standard_error
from cutpoint.paper.campaigns import TOY_IMBALANCE, Results
from cutpoint.paper.figure import METRICS, Campaign, Figure, Panel
from cutpoint.words import count

WINDOW = 10
"""Points of a moving average, as in the authors' public scripts for ResNet-18."""


def smoothed(runs: Runs) -> Runs:
    """Every seed's mean over each round and the nine before it; round 0 stands in for those before it."""
    padded = np.concatenate([np.repeat(runs.values[:, :1], WINDOW - 1, axis=1), runs.values], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1)
    return replace(runs, values=windows.mean(axis=2))


def drawn(
    name: str, figure: Figure, results: Mapping[Campaign, Results], *, smooth: bool = False
) -> matplotlib.figure.Figure:
    """The figure of that name, a panel for each of its own.

    smooth: below each row of raw panels, the same as moving averages where there are points enough; UsageError if there
    are nowhere.
    """
    styles = looks(arm for panel in figure.panels for arm in _arms(panel, results))
    rows = [figure.panels[i : i + figure.wide] for i in range(0, len(figure.panels), figure.wide)]
    lines: list[tuple[Sequence[Panel], bool]] = [(row, False) for row in rows]
    if smooth:
        lines = [line for row in rows for line in ((row, False), (row, True)) if not line[1] or _long(row, results)]
        if len(lines) == len(rows):
            raise UsageError(f"no curve has {2 * WINDOW} points, so there is nothing to smooth; draw the raw ones.")
    width = max(4.3 * figure.wide, 8.6)
    legend_rows = -(-len(styles) // max(1, int(width // 1.75)))
    size = width, 3.5 * len(lines) + 0.7 + 0.22 * legend_rows
    page = matplotlib.figure.Figure(figsize=size, layout="constrained")
    grid = page.subplots(len(lines), figure.wide, squeeze=False)
    for (row, smoothing), axes in zip(lines, grid, strict=True):
        for ax in axes[len(row) :]:
            ax.set_visible(False)
        for panel, ax in zip(row, axes, strict=False):
            arms = {a: smoothed(runs) if smoothing else runs for a, runs in _arms(panel, results).items()}
            _draw_panel(ax, arms, styles)
            ax.set_title(_title(figure, panel, results, smoothing), loc="left", fontsize=9.5, color=INK)
            ax.set_ylabel(METRICS[panel.metric], color=INK, fontsize=9)
    legend(page, styles, columns=-(-len(styles) // legend_rows))
    caption = f"Figure {int(name[3:])}: {figure.shows}\n" + fill(_caption(results), width=int(16 * width))
    page.supxlabel(caption, color=INK, fontsize=8.5, x=0.01, ha="left")
    return page


def _arms(panel: Panel, results: Mapping[Campaign, Results]) -> dict[Arm, Runs]:
    return results[panel.campaign].curves[panel.metric]


def _long(row: Sequence[Panel], results: Mapping[Campaign, Results]) -> bool:
    """True if all curves of a row have points enough for a moving average."""
    return all(len(runs.n_labels) >= 2 * WINDOW for panel in row for runs in _arms(panel, results).values())


def _draw_panel(ax: Axes, arms: Mapping[Arm, Runs], styles: Mapping[Arm, Look]) -> None:
    """The curves, every one with its band: those of many strategies fainter, so that the lines stay legible."""
    strong = banded(styles)
    draw_curves(ax, arms, styles)
    if len(ax.collections) < len(arms):  # in a crowd few have one
        for arm, runs in arms.items():
            error = standard_error(runs.values)
            if arm not in strong and np.isfinite(error).all():
                low, high = runs.mean - error, runs.mean + error
                ax.fill_between(runs.n_labels, low, high, color=styles[arm].colour, alpha=0.09, linewidth=0)
    ax.set_xlabel("labels", color=INK, fontsize=9)


def _title(figure: Figure, panel: Panel, results: Mapping[Campaign, Results], smoothing: bool) -> str:
    letter = f"({chr(ord('a') + figure.panels.index(panel))}) " if figure.lettered else ""
    toy = " (toy)" if results[panel.campaign].toy else ""
    average = f"\nmoving average of {WINDOW} rounds" if smoothing else ""
    return f"{letter}{panel.campaign.dataset}{toy} · {noise_label(panel.campaign.noise)}{average}"


def _caption(results: Mapping[Campaign, Results]) -> str:
    """What the curves are, and what they are not yet."""
    seeds = sorted({found.seeds for found in results.values()})
    words = [
        f"mean of {' or '.join(map(str, seeds))} {'trial' if seeds == [1] else 'trials'}, band: one standard error",
        "direct (B): B questions at a time (B_parallel)",
    ]
    if any(campaign.short for campaign in results):
        words.append("ResNet-18's short schedule (60 epochs, a falling rate) and not the paper's 500 epochs")
    if options := dict.fromkeys(option for found in results.values() for option in found.options):
        words.append(f"the learner with {', '.join(options)} in place of the paper's")
    done, total = sum(r.done for r in results.values()), sum(r.total for r in results.values())
    if done < total:
        words.append(f"unfinished: {done} of {count(total, 'run')}")
    if any(found.toy for found in results.values()):
        words.append(f"toy: drawn pools (imbalance {TOY_IMBALANCE:g}), logistic regression; nothing of the paper")
    return " · ".join(words)
