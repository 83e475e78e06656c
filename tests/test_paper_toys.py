"""Every preset of the paper's figures from end to end on toy data, and what is drawn of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench_command import refused
from cutpoint.cli import run_cli
from cutpoint.data.table_1 import TABLE_1
from cutpoint.errors import UsageError
from cutpoint.experiment import runner
from cutpoint.experiment.folder import scratch_path
from cutpoint.experiment.results import read_config
from cutpoint.experiment.statistics import Arm, Runs
from cutpoint.learners.registry import with_options
from cutpoint.paper import FIGURES
from cutpoint.paper.campaigns import config_of, other_options, read_campaigns
from cutpoint.paper.figure import METRICS
from cutpoint.paper.panels import WINDOW, drawn, smoothed
from cutpoint.paper.settings import shortened


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which all toy campaigns of this file are run, each once."""
    return tmp_path_factory.mktemp("toys")


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in ("fig01", "fig03", "fig04", "fig05")])
def test_every_preset_runs_from_end_to_end_on_toy_data(name: str, toys: Path) -> None:
    assert run_cli(["paper", "run", name, "--toy", "-q", "-o", str(toys)]) == 0
    assert run_cli(["paper", "plot", name, "-q", "-o", str(toys)]) == 0
    check_pictures(toys, name)
    for campaign in FIGURES[name].campaigns:
        stored = read_config(toys / campaign.name)
        assert stored["preset"] == f"{campaign.name} (toy)"
        (data,) = stored["data"].values()
        assert len(data["classes"]) == TABLE_1[campaign.dataset].classes


@pytest.mark.parametrize("name", ["fig01", "fig03", "fig04", "fig05"])
def test_a_composite_figure_runs_nothing_that_is_there(
    name: str, toys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for campaign in FIGURES[name].campaigns:  # there already, unless this test runs alone
        assert run_cli(["paper", "run", campaign.name[:5], "--toy", "-q", "-o", str(toys)]) == 0
    assert run_cli(["paper", "run", name, "--toy", "-o", str(toys)]) == 0
    said = capsys.readouterr().out
    assert said.count("0 runs done, ") == len(FIGURES[name].campaigns)
    assert f"Draw it with: cutpoint paper plot {name} --toy -o {toys}" in said
    assert run_cli(["paper", "plot", name, "--toy", "-o", str(toys)]) == 0
    check_pictures(toys, name)


def test_a_run_that_fails_keeps_no_other_campaign_of_a_figure_from_being_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, *others = FIGURES["fig01"].campaigns
    config = config_of(one, seeds=1, toy=True)
    damaged = scratch_path(tmp_path / one.name, config, config.runs()[0]) / "rounds.npz"
    damaged.parent.mkdir(parents=True)
    damaged.touch()
    assert run_cli(["paper", "run", "fig01", "--toy", "--seeds", "1", "-q", "-o", str(tmp_path)]) == 1
    said, n = capsys.readouterr().err, len(config.runs())
    assert said.startswith(f"error: {one.name}: {n - 1} of {n} runs done; 1 failed: ")
    assert said.count("\n") == 1
    for campaign in others:
        assert list((tmp_path / campaign.name / "runs").glob("*.csv"))


def check_pictures(folder: Path, name: str) -> None:
    """Both files are there, and the drawing says of what it is."""
    assert (folder / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    text = (folder / "figures" / f"{name}.svg").read_text()
    for panel in FIGURES[name].panels:
        assert f"{panel.campaign.dataset} (toy)" in text
        assert METRICS[panel.metric] in text
    if FIGURES[name].panels:
        assert f"Figure {int(name[3:])}: " in text
        assert "toy: drawn pools" in text
        assert "mean of 2 trials" in text


def test_curves_are_drawn_as_they_are_with_a_band_for_every_strategy(toys: Path) -> None:
    assert run_cli(["paper", "run", "fig06", "--toy", "-q", "-o", str(toys)]) == 0
    results = read_campaigns("fig06", FIGURES["fig06"], toys)
    page = drawn("fig06", FIGURES["fig06"], results)
    (found,) = results.values()
    for ax, metric in zip(page.axes, FIGURES["fig06"].metrics, strict=True):
        curves = found.curves[metric]
        assert len(ax.collections) == len(ax.lines) == len(curves) == 12
        for line, runs in zip(ax.lines, curves.values(), strict=True):
            assert np.allclose(np.asarray(line.get_ydata(), float), runs.mean)
            assert np.array_equal(np.asarray(line.get_xdata(), int), runs.n_labels)
        assert ax.get_xlabel() == "labels"
        assert ax.get_ylabel() == METRICS[metric]


def curves_of(points: int) -> Runs:
    values = np.random.default_rng(0).random((4, points))
    return Runs(np.arange(4), 100 * np.arange(1, points + 1), values)


def test_a_moving_average_is_that_of_the_public_scripts() -> None:
    runs = curves_of(30)
    for seed, curve in zip(runs.values, smoothed(runs).values, strict=True):
        for r, value in enumerate(curve):
            assert value == pytest.approx(np.mean([seed[max(0, i)] for i in range(r - WINDOW + 1, r + 1)]))


def test_smoothed_curves_stand_below_raw_ones_and_need_points(toys: Path) -> None:
    assert run_cli(["paper", "run", "fig06", "--toy", "-q", "-o", str(toys)]) == 0
    figure = FIGURES["fig06"]
    ((campaign, found),) = read_campaigns("fig06", figure, toys).items()
    many = {metric: {Arm("direct", 5): curves_of(30)} for metric in figure.metrics}
    page = drawn("fig06", figure, {campaign: found._replace(curves=many)}, smooth=True)
    assert ["moving average" in ax.get_title(loc="left") for ax in page.axes] == [False, False, True, True]
    raw, average = (np.asarray(page.axes[i].lines[0].get_ydata(), float) for i in (0, 2))
    assert np.allclose(raw, curves_of(30).mean)
    assert np.allclose(average, smoothed(curves_of(30)).mean)
    with pytest.raises(UsageError, match="no curve has 20 points"):
        drawn("fig06", figure, {campaign: found}, smooth=True)


def test_an_unfinished_figure_says_so(toys: Path) -> None:
    assert run_cli(["paper", "run", "fig06", "--toy", "-q", "-o", str(toys)]) == 0
    ((campaign, found),) = read_campaigns("fig06", FIGURES["fig06"], toys).items()
    assert (found.done, found.total, found.seeds, found.toy) == (24, 24, 2, True)
    page = drawn("fig06", FIGURES["fig06"], {campaign: found._replace(done=5)})
    assert "unfinished: 5 of 24 runs" in " ".join(page.get_supxlabel().split())


def test_a_figure_of_the_short_schedule_says_so(toys: Path) -> None:
    assert run_cli(["paper", "run", "fig06", "--toy", "-q", "-o", str(toys)]) == 0
    (found,) = read_campaigns("fig06", FIGURES["fig06"], toys).values()
    for figure, said in ((FIGURES["fig06"], False), (shortened(FIGURES["fig06"]), True)):
        page = drawn("fig06", figure, dict.fromkeys(figure.campaigns, found))
        assert ("ResNet-18's short schedule (60 epochs" in " ".join(page.get_supxlabel().split())) == said


def test_a_figure_of_other_options_of_the_learner_says_so(toys: Path) -> None:
    assert run_cli(["paper", "run", "fig06", "--toy", "-q", "-o", str(toys)]) == 0
    figure = FIGURES["fig06"]
    (found,) = read_campaigns("fig06", figure, toys).values()
    assert found.options == ()  # a toy has a learner of its own
    for options in ((), ("batch=50", "lr=0.001")):
        page = drawn("fig06", figure, dict.fromkeys(figure.campaigns, found._replace(options=options)))
        said = "the learner with batch=50, lr=0.001 in place of the paper's"
        assert (said in " ".join(page.get_supxlabel().split())) == bool(options)


def test_options_differ_from_the_papers_but_for_where_it_is_run() -> None:
    (campaign,) = FIGURES["fig06"].campaigns
    papers = "resnet18:epochs=500:batch=100:lr=0.01:decay=5e-5"
    for learner, options in (
        (papers, ()),
        (f"{papers}:device=cpu", ()),
        (with_options(papers, ["epochs=9", "weights=none"]), ("epochs=9", "weights=none")),
    ):
        assert other_options(campaign, learner) == options


def test_a_warning_is_said_once_in_a_figure_of_several_campaigns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "slow_here", lambda _: "this will take days")
    assert run_cli(["paper", "run", "fig05", "--toy", "--seeds", "1", "-o", str(tmp_path)]) == 0
    assert len(FIGURES["fig05"].campaigns) > 1
    assert capsys.readouterr().err.count("warning: this will take days") == 1


def test_seeds_are_the_users_and_can_be_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = ["run", "fig13", "--toy", "-q", "-o", str(tmp_path)]
    assert run_cli(["paper", *one, "--seeds", "1"]) == 0
    assert read_config(tmp_path / "fig13")["options"]["seeds"] == 1
    assert run_cli(["paper", "plot", "fig13", "-q", "-o", str(tmp_path)]) == 0
    assert "mean of 1 trial," in (tmp_path / "figures" / "fig13.svg").read_text()
    assert run_cli(["paper", *one]) == 0
    assert read_config(tmp_path / "fig13")["options"]["seeds"] == 2
    assert "begun with seeds = 2 and not 1" in refused(capsys, ["paper", *one, "--seeds", "1"])
    assert "seeds is 0; it must be at least 1" in refused(capsys, ["paper", *one, "--seeds", "0"])
    assert "jobs is 0; it must be at least 1" in refused(capsys, ["paper", *one, "--jobs", "0"])


def test_missing_results_are_one_sentence(tmp_path: Path, toys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, ["paper", "plot", "fig14", "-o", str(tmp_path)])
    assert f"fig14 needs the runs of fig14a, fig14b and {tmp_path} does not hold them" in said
    assert f"`cutpoint paper run fig14 -o {tmp_path}`" in said
    said = refused(capsys, ["paper", "plot", "fig14", "--toy", "-o", str(tmp_path)])
    assert f"`cutpoint paper run fig14 --toy -o {tmp_path}`" in said
    assert run_cli(["paper", "run", "fig06", "--toy", "-q", "-o", str(toys)]) == 0
    (tmp_path / "fig07").symlink_to(toys / "fig06")
    said = refused(capsys, ["paper", "plot", "fig07", "-o", str(tmp_path)])
    assert "and not those of fig07, on imb-cifar10-3" in said
    assert not (tmp_path / "figures").exists()
