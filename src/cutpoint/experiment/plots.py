"""Curves of finished runs as matplotlib figures: raw means with a band of one standard error, never smoothed.

Figures are made without pyplot, so nothing global is touched. Import this module late: matplotlib is slow to load.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cutpoint.experiment.looks import CROWD, MARK_EVERY, Look, banded, class_name, looks, reading_order, stacked
from cutpoint.experiment.pictures import FAINT, INK
from cutpoint.experiment.statistics import Arm, Curves, Reach, Runs, Setting, noise_label, standard_error


def draw_curves(ax: Axes, arms: Mapping[Arm, Runs], styles: Mapping[Arm, Look]) -> None:
    """Draw every arm's mean over seeds against the number of labels, with a band of one standard error.

    In a crowd (`CROWD`) few have a band, and all have markers, each line at other places.
    """
    crowded = len(styles) > CROWD
    heights = stacked(styles)
    for place, (arm, runs) in enumerate(arms.items()):
        look = styles[arm]
        error = standard_error(runs.values)
        if np.isfinite(error).all() and not (crowded and arm not in banded(styles)):
            low, high = runs.mean - error, runs.mean + error
            band = ax.fill_between(runs.n_labels, low, high, color=look.colour, alpha=0.16, linewidth=0)
            band.set_gid(class_name(arm))
        (line,) = ax.plot(runs.n_labels, runs.mean, color=look.colour, linestyle=look.dash, linewidth=look.width)
        if crowded or len(runs.n_labels) == 1:
            line.set(marker=look.marker, markersize=4.5, markeredgewidth=0)
            line.set_markevery((place % MARK_EVERY, MARK_EVERY) if len(runs.n_labels) > MARK_EVERY else None)
        line.set_zorder(10 + heights[arm])
        line.set_gid(class_name(arm))
    dress(ax)


def dress(ax: Axes) -> None:
    """The common look of all panels: no box, faint horizontal lines, few round ticks."""
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_color(INK)
    ax.grid(axis="y", color=FAINT, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(colors=INK, length=0, labelsize=9)
    ax.tick_params(axis="x", length=3)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.margins(x=0.02)


def panel(
    arms: Mapping[Arm, Runs], styles: Mapping[Arm, Look], ylabel: str, span: tuple[float, float] | None = None
) -> Figure:
    """One panel alone, for pages, which have their own title and legend."""
    figure = Figure(figsize=(4.4, 3.6 if len(styles) > CROWD else 3.0), layout="constrained")
    ax = figure.subplots()
    draw_curves(ax, arms, styles)
    ax.set_xlabel("labels", color=INK, fontsize=9)
    ax.set_ylabel(ylabel, color=INK, fontsize=9)
    if span is not None:
        ax.set_ylim(span)
    return figure


def span_of(settings: Iterable[Mapping[Arm, Runs]]) -> tuple[float, float]:
    """One vertical range for all given panels, bands included, so that they can be compared by eye."""
    lows, highs = [], []
    for arms in settings:
        shown = banded(arms) if len(arms) > CROWD else arms
        for arm, runs in arms.items():
            error = np.nan_to_num(standard_error(runs.values)) * (arm in shown)
            lows.append(np.nanmin(runs.mean - error))
            highs.append(np.nanmax(runs.mean + error))
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    room = 0.04 * (high - low) or 0.05
    return float(low - room), float(high + room)


def curves_figure(curves: Curves, ylabel: str) -> Figure:
    """One panel per setting: a row with one vertical range per data set, its noise from left to right."""
    rows: dict[str, list[Setting]] = {}
    for setting in curves:
        rows.setdefault(setting.dataset, []).append(setting)
    cells = [
        [(noise_label(setting.noise), curves[setting], span_of(curves[s] for s in settings)) for setting in settings]
        for settings in rows.values()
    ]
    return _grid(cells, list(rows), ylabel)


def classes_figure(by_class: Sequence[Curves], names: Sequence[str], dataset: str, ylabel: str) -> Figure:
    """One panel per label noise (rows) and class (columns) of one data set."""
    settings = [setting for setting in by_class[0] if setting.dataset == dataset]
    cells = [
        [
            (name, curves[setting], span_of(c[setting] for c in by_class if setting in c))
            for name, curves in zip(names, by_class, strict=True)
            if setting in curves
        ]
        for setting in settings
    ]
    return _grid(cells, [setting.label for setting in settings], ylabel)


Cell = tuple[str, Mapping[Arm, Runs], tuple[float, float]]


def _grid(cells: Sequence[Sequence[Cell]], titles: Sequence[str], ylabel: str) -> Figure:
    styles = looks(arm for row in cells for _, arms, _ in row for arm in arms)
    wide, high = max(len(row) for row in cells), len(cells)
    width, height = (3.9, 3.4) if len(styles) > CROWD else (3.0, 2.6)
    legend_rows = -(-len(styles) // max(1, int(wide * width // 1.55)))
    size = max(4.4, width * wide + 0.4), height * high + 0.3 + 0.22 * legend_rows
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(high, wide, squeeze=False)
    for below, axes, row, title in zip(range(high - 1, -1, -1), grid, cells, titles, strict=True):
        for column, ax in enumerate(axes):
            if column >= len(row):
                ax.set_visible(False)
                continue
            name, arms, span = row[column]
            draw_curves(ax, arms, styles)
            ax.set_ylim(span)
            ax.set_title(f"{title} · {name}", loc="left", fontsize=9.5, color=INK, fontweight="bold")
            ax.set_xlabel("" if below else "labels", color=INK, fontsize=9)
            if column == 0:
                ax.set_ylabel(ylabel, color=INK, fontsize=9)
    legend(figure, styles, columns=-(-len(styles) // legend_rows))
    return figure


def legend(figure: Figure, styles: Mapping[Arm, Look], columns: int, *, markers: bool = False) -> None:
    """One legend above all panels, direct first: of lines, with their markers in a crowd, or of markers alone."""
    order = reading_order(styles)
    handles = []
    for look in (styles[arm] for arm in order):
        line = Line2D([], [], color=look.colour, linestyle=look.dash, linewidth=look.width)
        if markers:
            line.set(linestyle="", marker=look.marker, markersize=8 if look.width > 2 else 6)
        elif len(styles) > CROWD:
            line.set(marker=look.marker, markersize=5, markeredgewidth=0)
        handles.append(line)
    figure.legend(
        handles,
        [arm.label for arm in order],
        loc="outside upper left",
        ncols=columns,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=1.2 if markers else 3.2 if len(styles) > CROWD else 2.4,
        columnspacing=1.4,
    )


def sample(look: Look) -> Figure:
    """A short piece of a line with its marker, for the legends of pages."""
    figure = Figure(figsize=(0.62, 0.2))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    ax.plot([0, 1, 2], [0, 0, 0], color=look.colour, linestyle=look.dash, linewidth=look.width * 1.2)
    ax.plot([1], [0], color=look.colour, linestyle="", marker=look.marker, markersize=8 if look.width > 2 else 6.5)
    return figure


def reach_figure(
    reaches: Mapping[Setting, Mapping[Arm, Reach]], styles: Mapping[Arm, Look], most: int, *, alone: bool = True
) -> Figure:
    """Labels of the mean curve to each setting's target, a row per setting; what is not reached is past the line.

    most: the number of labels at which the runs end; alone: with a legend, as pages have their own. In a crowd
    (`CROWD`) every arm has a height of its own in each row, in the order of the legend, so that none hides another.
    """
    crowded, order = len(styles) > CROWD, reading_order(styles)
    figure = Figure(figsize=(7.6, (0.95 if crowded else 0.42) * len(reaches) + 1.4), layout="constrained")
    ax = figure.subplots()
    for place, arms in enumerate(reaches.values()):
        ax.axhline(place + 0.5 if crowded else place, color=FAINT, linewidth=0.8, zorder=0)
        for arm, found in arms.items():
            look, known = styles[arm], found.of_mean is not None
            where = most * 1.06 if found.of_mean is None else found.of_mean
            lane = 0.8 * (order.index(arm) / (len(order) - 1) - 0.5) if crowded else 0.0
            (dot,) = ax.plot([where], [place + lane], marker=look.marker, linestyle="")
            dot.set(
                color=look.colour,
                markersize=(7.5 if crowded else 10) if look.width > 2 else (5 if crowded else 6.5),
                markerfacecolor=look.colour if known else "none",
                zorder=10 + look.order,
                gid=class_name(arm),
            )
    dress(ax)
    ax.grid(visible=False)
    if crowded:
        ax.grid(axis="x", color=FAINT, linewidth=0.8)
    ax.axvline(most, color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
    ax.set_xlim(0, most * 1.1)
    ax.set_ylim(len(reaches) - 0.5, -0.5)
    ax.set_yticks(range(len(reaches)), [setting.label for setting in reaches])
    ax.set_xlabel("labels needed (hollow, right of the line: not reached)", color=INK, fontsize=9)
    if alone:
        rows = -(-len(styles) // 5)
        legend(figure, styles, columns=-(-len(styles) // rows), markers=True)
    return figure
