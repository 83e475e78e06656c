"""Figures and strips: what they place is right, what they write is whole, and looks stay apart."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.lines import Line2D

from bench_folder import write_snapshot
from cutpoint.core.strip import density, positions
from cutpoint.core.thresholds import order_by_margin, version_space
from cutpoint.errors import DataError
from cutpoint.experiment import looks, pictures, plots, strips
from cutpoint.experiment.snapshots import Snapshot, read_snapshot
from cutpoint.experiment.statistics import Arm, Runs, Setting, reach

ARMS = [
    Arm("direct", 1),
    Arm("direct", 5),
    Arm("direct", 20),
    *(Arm(name, 1) for name in looks.LOOKS if name != "direct"),
]
SVG = "{http://www.w3.org/2000/svg}"


def runs(seed: int, seeds: int = 4) -> Runs:
    rng = np.random.default_rng(seed)
    values = 0.5 + np.cumsum(rng.random((seeds, 6)) * 0.07, axis=1)
    return Runs(np.arange(seeds), np.arange(20, 140, 20), values)


def curves() -> dict[Setting, dict[Arm, Runs]]:
    settings = [Setting("digits-2", "0"), Setting("digits-2", "0.1"), Setting("digits-3", "human:worse")]
    return {
        setting: {arm: runs(hash((s, a)) % 1000) for a, arm in enumerate(ARMS)} for s, setting in enumerate(settings)
    }


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    wide, high = struct.unpack(">II", png[16:24])
    return wide, high


def test_figures_are_whole_pictures_of_a_sane_size() -> None:
    found = curves()
    reaches = {setting: {arm: reach(r, 0.7) for arm, r in arms.items()} for setting, arms in found.items()}
    figures = [
        plots.curves_figure(found, "balanced accuracy"),
        plots.classes_figure([found, found], ["0", "other"], "digits-2", "recall"),
        plots.reach_figure(reaches, looks.looks(ARMS), 120),
        plots.panel(found[Setting("digits-2", "0")], looks.looks(ARMS), "recall"),
    ]
    for figure in figures:
        content = pictures.png(figure)
        wide, high = size(content)
        assert 300 < wide < 4000
        assert 150 < high < 4000
        assert 5_000 < len(content) < 2_000_000
        root = ElementTree.fromstring(pictures.svg(figure, "a"))
        assert root.tag == f"{SVG}svg"
        assert any(element.text and "labels" in element.text for element in root.iter(f"{SVG}text"))


def test_a_page_figure_takes_the_colours_of_the_page() -> None:
    figure = plots.panel(curves()[Setting("digits-2", "0")], looks.looks(ARMS), "recall")
    text = pictures.page_svg(figure, "a", "recall, digits-2")
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "recall, digits-2"
    assert root.get("width") is None
    assert pictures.INK not in text
    assert pictures.FAINT not in text
    assert "font-family" not in text
    classes = {element.get("class") for element in root.iter() if element.get("class")}
    assert classes == {looks.class_name(arm) for arm in ARMS}


def test_ids_of_different_figures_never_meet() -> None:
    def ids(name: str) -> set[str]:
        figure = plots.panel(curves()[Setting("digits-2", "0")], looks.looks(ARMS), "recall")
        root = ElementTree.fromstring(pictures.page_svg(figure, name, "x"))
        return {element.get("id", "") for element in root.iter() if element.get("id")}

    assert ids("a")
    assert not ids("a") & ids("b")


def test_every_arm_has_its_own_look_and_the_main_one_is_strongest() -> None:
    styles = looks.looks([*ARMS, Arm("new", 1), Arm("newer", 1)])
    seen = {(look.colour, look.dash) for look in styles.values()}
    assert len(seen) == len(styles)
    widest = max(styles, key=lambda arm: styles[arm].width)
    assert widest == Arm("direct", 5)
    assert styles[widest] == looks.LOOKS["direct"]


def test_markers_tell_strategies_apart_too() -> None:
    markers = [look.marker for look in looks.LOOKS.values()]
    assert len(set(markers)) == len(markers)


def ink(line: Line2D) -> float:
    """The share of a line that is not gaps."""
    styles = {looks.class_name(arm): look for arm, look in looks.looks(ARMS).items()}
    dashes = styles[str(line.get_gid())].dash[1]
    return sum(dashes[::2]) / sum(dashes) if dashes else 1.0


def test_of_equal_curves_each_is_seen() -> None:
    lines = plots.panel(dict.fromkeys(ARMS, runs(0)), looks.looks(ARMS), "recall").axes[0].lines
    for below, above in pairwise(sorted(lines, key=lambda line: line.get_zorder())):
        assert below.get_zorder() < above.get_zorder()
        assert ink(below) >= ink(above)  # through the gaps of what is above
        assert ink(below) > ink(above) or below.get_linewidth() >= above.get_linewidth()  # or on both sides of it


def test_in_a_crowd_few_have_bands_and_none_hides_another() -> None:
    styles = looks.looks(ARMS)
    assert len(styles) > looks.CROWD
    found = curves()
    ax = plots.panel(found[Setting("digits-2", "0")], styles, "recall").axes[0]
    assert {band.get_gid() for band in ax.collections} == {"arm-direct-5", "arm-galaxy-1", "arm-random-1"}
    assert {line.get_marker() for line in ax.lines} == {look.marker for look in looks.LOOKS.values()}
    same = {setting: {arm: reach(runs(0), 0.7) for arm in ARMS} for setting in found}
    ax = plots.reach_figure(same, styles, 120).axes[0]
    dots = [line for line in ax.lines if line.get_gid()]
    heights = [float(np.asarray(dot.get_ydata())[0]) for dot in dots]
    assert len(set(heights)) == len(dots) == len(same) * len(ARMS)
    for dot, height in zip(dots, heights, strict=True):
        assert abs(height - dots.index(dot) // len(ARMS)) < 0.5  # within its setting's row


@pytest.mark.parametrize("arms", [ARMS, ARMS[:4]])
def test_the_legend_covers_no_panel(arms: list[Arm]) -> None:
    found = {setting: {arm: everyone[arm] for arm in arms} for setting, everyone in curves().items()}
    reaches = {setting: {arm: reach(r, 0.7) for arm, r in known.items()} for setting, known in found.items()}
    for figure in (plots.curves_figure(found, "recall"), plots.reach_figure(reaches, looks.looks(arms), 120)):
        pictures.png(figure)
        box = figure.legends[0].get_window_extent()
        assert len(figure.legends[0].get_texts()) == len(arms)
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
        for ax in figure.axes:
            assert not box.overlaps(ax.get_window_extent())


def contrast(colour: str, ground: str) -> float:
    def luminance(text: str) -> float:
        parts = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    one, two = luminance(colour), luminance(ground)
    return (max(one, two) + 0.05) / (min(one, two) + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#181d24"])
def test_lines_stand_out_on_light_and_dark_pages(ground: str) -> None:
    for name, look in looks.LOOKS.items():
        assert contrast(look.colour, ground) >= 3.0, name


def test_one_seed_draws_no_band_and_undefined_values_no_error() -> None:
    one = Runs(np.array([0]), np.array([20, 40]), np.array([[0.5, np.nan]]))
    styles = looks.looks(ARMS)
    assert size(pictures.png(plots.panel({ARMS[1]: one}, styles, "recall", plots.span_of([{ARMS[1]: one}]))))


@st.composite
def pools(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    n, k = draw(st.integers(1, 30)), draw(st.integers(1, 4))
    counts = draw(st.lists(st.lists(st.integers(0, 6), min_size=k, max_size=k), min_size=n, max_size=n))
    weights = np.array(counts, np.float64) + (np.array(counts).sum(axis=1, keepdims=True) == 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32), draw(st.integers(0, k - 1))


@given(pools())
def test_positions_follow_the_order_of_the_class(pool: tuple[np.ndarray, int]) -> None:
    probs, k = pool
    along = positions(probs, k)[order_by_margin(probs, k)]
    assert (np.diff(along) >= 0).all()
    assert (np.abs(along) <= 1).all()


@given(pools(), st.integers(0, 2**32 - 1))
def test_a_strip_shows_what_the_labels_say(pool: tuple[np.ndarray, int], seed: int) -> None:
    probs, k = pool
    n, n_classes = probs.shape
    rng = np.random.default_rng(seed)
    clean = np.asarray(rng.integers(0, n_classes, n), np.int64)
    labels = np.where(rng.random(n) < 0.5, clean, np.int64(-1))
    asked = np.flatnonzero(labels >= 0)[:3]
    snapshot = Snapshot(probs, np.full(n, -1), labels, asked, clean, tuple(map(str, range(n_classes))))
    drawn = strips.strip(snapshot, labels, k)
    order = order_by_margin(probs, k)
    low, high = version_space(labels[order], k)
    assert drawn.left == high - low + 1
    assert drawn.space[0] <= drawn.space[1]
    assert drawn.ours.sum() == (labels == k).sum()
    assert drawn.new.sum() == len(asked)
    assert len(drawn.answers) == (labels >= 0).sum()
    assert 0 <= drawn.place <= n
    _, height = density(drawn.pool)
    assert height.min() >= 0
    assert height.max() <= 1 + 1e-9


def test_the_strips_of_a_round_are_drawn(tmp_path: Path) -> None:
    snapshot = read_snapshot(write_snapshot(tmp_path / "a.npz", n_classes=3))
    assert snapshot.classes == ("digit 0", "digit 1", "others")
    wide, high = size(pictures.png(strips.snapshot_figure(snapshot)))
    assert wide > 2 * high
    for labels, title in strips.moments(snapshot):
        text = pictures.page_svg(strips.moment_figure(snapshot, labels), title, title)
        words = [element.text or "" for element in ElementTree.fromstring(text).iter(f"{SVG}text")]
        assert sum("cut at" in word for word in words) == 3
        assert "digit 0" in words


def test_one_label_and_one_answer_are_said_in_the_singular() -> None:
    before, after = np.array([0, -1, -1]), np.array([0, -1, 1])
    snapshot = Snapshot(np.full((3, 2), 0.5, np.float32), before, after, np.array([2]), np.array([0, 1, 1]), ("a", "b"))
    assert [title for _, title in strips.moments(snapshot)] == ["before the round: 1 label", "after it: 1 more answer"]


def test_a_snapshot_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", birds=np.arange(3))
    with pytest.raises(DataError, match=r"a\.npz is no snapshot"):
        read_snapshot(tmp_path / "a.npz")
    with pytest.raises(DataError, match="cannot be read"):
        read_snapshot(tmp_path / "gone.npz")
