"""The presets of the paper's figures: as its table has them; and what their commands refuse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench_command import refused
from cutpoint import cli_run
from cutpoint.cli import run_cli
from cutpoint.data import DATASETS
from cutpoint.data.table_1 import TABLE_1
from cutpoint.experiment.config import BenchConfig, make_config
from cutpoint.learners import make_learner
from cutpoint.learners.base import check_gives
from cutpoint.learners.deep.clip import ClipLearner
from cutpoint.learners.deep.resnet import ResNetLearner
from cutpoint.learners.registry import LEARNERS, needs
from cutpoint.paper import FIGURES, fig02, figure_name
from cutpoint.paper.campaigns import config_of, options_of
from cutpoint.paper.figure import METRICS, Campaign
from cutpoint.paper.settings import shortened
from cutpoint.types import UNKNOWN

CAMPAIGNS = {campaign.name: campaign for figure in FIGURES.values() for campaign in figure.campaigns}
RESNET = [f"fig{n:02d}" for n in (*range(6, 14), *range(15, 23))]
CLIP = ["fig14a", "fig14b", "fig23a", "fig23b"]
PAPER = (Path(__file__).parent.parent / "docs" / "paper.md").read_text()


def test_every_figure_has_a_preset_and_its_row_in_the_docs() -> None:
    assert list(FIGURES) == [f"fig{n:02d}" for n in range(1, 24)]
    for name in FIGURES:
        rows = re.findall(rf"^\| Figure {int(name[3:])} \|.*$", PAPER, re.MULTILINE)
        assert len(rows) == 1, name
        assert f"`paper/{name}.py: FIGURE`" in rows[0], name


def test_the_data_and_the_noise_are_the_papers() -> None:
    resnet = {name: (CAMPAIGNS[name].dataset, CAMPAIGNS[name].noise) for name in RESNET}
    assert resnet == {
        "fig06": ("imb-cifar10-2", "0"),
        "fig07": ("imb-cifar10-3", "0"),
        "fig08": ("imb-cifar100-2", "0"),
        "fig09": ("imb-cifar100-3", "0"),
        "fig10": ("imb-cifar100-10", "0"),
        "fig11": ("imb-svhn-2", "0"),
        "fig12": ("imb-svhn-3", "0"),
        "fig13": ("pathmnist-2", "0"),
        "fig15": ("imb-cifar10-2", "0.1"),
        "fig16": ("imb-cifar10-3", "0.1"),
        "fig17": ("imb-cifar100-2", "0.1"),
        "fig18": ("imb-cifar100-2", "0.15"),
        "fig19": ("imb-cifar100-2", "0.2"),
        "fig20": ("imb-cifar100-3", "0.1"),
        "fig21": ("imb-svhn-2", "0.1"),
        "fig22": ("imb-svhn-3", "0.1"),
    }
    clip = [(CAMPAIGNS[name].dataset, CAMPAIGNS[name].noise) for name in CLIP]
    assert clip == [("fmow", "0"), ("iwildcam", "0"), ("fmow", "0.1"), ("iwildcam", "0.1")]
    assert sorted(CAMPAIGNS) == sorted(RESNET + CLIP)
    for campaign in CAMPAIGNS.values():
        assert campaign.dataset in TABLE_1
        assert campaign.dataset in DATASETS or campaign.dataset.rpartition("-")[0] in DATASETS


@pytest.mark.parametrize("name", RESNET)
def test_resnet_figures_have_the_papers_schedule(name: str) -> None:
    options = CAMPAIGNS[name].options
    three = CAMPAIGNS[name].dataset.endswith("-3")
    assert (options["first"], options["budget"], options["rounds"]) == (99 if three else 100, 100, 49)
    assert (options["parallel"], options["seeds"]) == ([1, 5, 20], 4)
    assert len(options["strategies"]) == 10
    assert options["strategies"] == CAMPAIGNS["fig06"].options["strategies"]
    assert ("smoothing=0.1" in options["learner"]) == (CAMPAIGNS[name].noise != "0")
    assert options["learner"].removesuffix(":smoothing=0.1") == CAMPAIGNS["fig06"].options["learner"]
    assert FIGURES[name].metrics == ("balanced_accuracy", "minority_found")


@pytest.mark.parametrize("name", CLIP)
def test_clip_figures_have_the_papers_schedule(name: str) -> None:
    options, noisy = CAMPAIGNS[name].options, CAMPAIGNS[name].noise != "0"
    assert options["first"] == options["budget"] == 3000
    assert options["rounds"] == (6 if name == "fig14b" else 9)
    assert (options["parallel"], options["seeds"]) == ([1, 5, 20], 4)
    assert set(options["strategies"]) == {"direct", "galaxy", "badge", "margin", "coreset", "random"}
    assert ("semi=flexmatch" in options["learner"], "smoothing=0.1" in options["learner"]) == (not noisy, noisy)
    trained = {
        "fig14a": "batch=50:lr=1e-5:decay=3e-5",
        "fig14b": "batch=50:lr=1e-5:decay=3e-5",
        "fig23a": "batch=400:lr=3e-5:decay=0.005",
        "fig23b": "batch=512:lr=3e-5:decay=0.001",
    }
    assert trained[name] in options["learner"]
    assert FIGURES[name[:5]].metrics == ("pool_balanced_accuracy",)


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_options_can_be_meant_and_the_learner_gives_what_is_read(name: str) -> None:
    kind = CAMPAIGNS[name].options["learner"].partition(":")[0]
    if kind not in LEARNERS:
        pytest.skip(f"the learner {kind} is not there yet")
    if needs(kind):
        pytest.importorskip("torch")
    config = config_of(CAMPAIGNS[name])
    for strategy in config.strategies:
        check_gives(strategy, make_learner(config.learner, 2), config.learner)


def test_all_other_options_can_be_meant_whatever_the_learner() -> None:
    for campaign in CAMPAIGNS.values():
        config = make_config(options_of(campaign) | {"learner": "logistic"})
        row = TABLE_1[campaign.dataset]
        assert config.first + config.rounds * config.budget <= row.pool
        assert len(config.runs()) == 4 * (len(config.strategies) + 2)


@pytest.mark.parametrize("name", [*RESNET, "fig05"])
def test_the_short_schedule_changes_the_schedule_and_the_folder_alone(name: str) -> None:
    pytest.importorskip("torch")
    figure, short = FIGURES[name], shortened(FIGURES[name])
    assert [panel.metric for panel in short.panels] == [panel.metric for panel in figure.panels]
    assert len(short.campaigns) == len(figure.campaigns)
    assert (figure.short, short.short) == (False, True)
    for theirs, ours in zip(figure.campaigns, short.campaigns, strict=True):
        assert (ours.name, ours.learner) == (f"{theirs.name}-short", "resnet18, short")
        learner = theirs.options["learner"].replace("epochs=500", "schedule=short")
        assert {**theirs.options, "learner": learner} == ours.options
        config_of(ours)


@pytest.mark.parametrize("command", ["run", "plot"])
def test_the_short_schedule_is_refused_where_it_means_nothing(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, ["paper", command, "fig01", "--schedule", "short"])
    assert "the short schedule is ResNet-18's, and CLIP runs in fig14a; leave --schedule out, or take a figure" in said
    said = refused(capsys, ["paper", command, "fig06", "--toy", "--schedule", "short"])
    assert "--toy trains no ResNet-18, so --schedule short means nothing with it" in said


def test_options_of_the_learner_are_set_over_the_papers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    began: list[str] = []
    monkeypatch.setattr(cli_run, "run_shown", lambda config, *_, **__: began.append(config.learner))
    monkeypatch.setattr("cutpoint.paper.campaigns.data_here", lambda *_: {})
    for learner in (ResNetLearner, ClipLearner):
        monkeypatch.setattr(learner, "check", lambda _: None)

    def run(figure: str, *options: str) -> list[str]:
        given = [word for option in options for word in ("--learner-option", option)]
        return ["paper", "run", figure, "-o", str(tmp_path), *given]

    assert run_cli(run("fig11", "batch=50", "device=cpu")) == 0
    assert run_cli([*run("fig11", "batch=50"), "--schedule", "short"]) == 0
    assert run_cli(run("fig01", "device=cpu")) == 0  # of both learners
    assert began[0] == "resnet18:epochs=500:lr=0.01:decay=5e-5:batch=50:device=cpu"
    assert began[1] == "resnet18:schedule=short:lr=0.01:decay=5e-5:batch=50"
    assert all(learner.endswith(":device=cpu") for learner in began[2:])
    capsys.readouterr()
    for options, said in (
        (["batch"], "the learner's option is 'batch'; it must be KEY=VALUE, such as batch=50"),
        (["bach=50"], "learner resnet18 has no option 'bach'; it has epochs, lr, decay, batch,"),
        (["batch=many"], "learner resnet18: batch is 'many', which is not meant; give a whole number"),
        (["batch=50", "batch=60"], "learner resnet18: batch is given twice; give it once"),
        (["schedule=short"], "ResNet-18's schedule has folders of its own; give --schedule short"),
    ):
        assert said in refused(capsys, run("fig11", *options))
    said = refused(capsys, [*run("fig11", "batch=50"), "--toy"])
    assert "--toy trains a logistic regression, so --learner-option means nothing with it; leave one" in said


@pytest.mark.parametrize(
    ("figure", "device", "given", "expected"),
    [
        ("fig11", "cpu", [], 3),
        ("fig11", "cuda, bfloat16", [], 1),
        ("fig01", "mps", [], 1),
        ("fig11", "cuda, bfloat16", ["--jobs", "2"], 2),
        ("fig11", "cpu", ["--jobs", "1"], 1),
        ("fig11", "cpu", ["--toy"], 1),
    ],
)
def test_as_many_jobs_as_cores_and_one_where_they_would_share_a_device(
    figure: str, device: str, given: list[str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    asked: list[int] = []
    monkeypatch.setattr(cli_run, "run_shown", lambda *_, jobs, **__: asked.append(jobs))
    monkeypatch.setattr("cutpoint.paper.campaigns.data_here", lambda *_: {})
    monkeypatch.setattr("cutpoint.learners.deep.devices.described", lambda _: device)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    for learner in (ResNetLearner, ClipLearner):
        monkeypatch.setattr(learner, "check", lambda _: None)
    assert run_cli(["paper", "run", figure, "-o", str(tmp_path), *given]) == 0
    assert set(asked) == {expected}


def test_short_runs_are_stored_and_drawn_beside_the_papers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    began: list[tuple[str, Path, str | None]] = []

    def begun(config: BenchConfig, out: Path, *, preset: str | None, **_: object) -> None:
        began.append((config.learner, out, preset))

    monkeypatch.setattr(cli_run, "run_shown", begun)
    monkeypatch.setattr(ResNetLearner, "check", lambda _: None)
    for file in ("train_32x32.mat", "test_32x32.mat"):
        (tmp_path / file).touch()
    where = ["--data-root", str(tmp_path), "-o", str(tmp_path)]
    for schedule in ("paper", "short"):
        assert run_cli(["paper", "run", "fig11", "--schedule", schedule, *where]) == 0
    tail = "batch=100:lr=0.01:decay=5e-5"
    assert began == [
        (f"resnet18:epochs=500:{tail}", tmp_path / "fig11", "fig11"),
        (f"resnet18:schedule=short:{tail}", tmp_path / "fig11-short", "fig11-short"),
    ]
    assert f"cutpoint paper plot fig11 --schedule short -o {tmp_path}" in capsys.readouterr().out
    said = refused(capsys, ["paper", "plot", "fig11", "--schedule", "short", "-o", str(tmp_path)])
    assert f"needs the runs of fig11-short and {tmp_path} does not hold them" in said
    assert f"`cutpoint paper run fig11 --schedule short -o {tmp_path}`" in said


def test_composite_figures_share_the_runs_of_the_single_ones() -> None:
    shared = {"fig01": ["fig06", "fig19", "fig14a"], "fig05": ["fig08", "fig17", "fig18"]}
    shared["fig03"] = [*(f"fig{n:02d}" for n in range(7, 14)), "fig14a"]
    shared["fig04"] = ["fig15", "fig16", "fig17", "fig20", "fig21", "fig22", "fig23a", "fig23b"]
    for name, campaigns in shared.items():
        assert [campaign.name for campaign in FIGURES[name].campaigns] == campaigns
    assert [panel.metric for panel in FIGURES["fig01"].panels] == [*["balanced_accuracy"] * 2, "pool_balanced_accuracy"]
    assert FIGURES["fig03"].panels[-1].metric == "minority_found"
    assert {panel.metric for figure in FIGURES.values() for panel in figure.panels} == set(METRICS)


@pytest.mark.parametrize("given", ["fig06", "fig6", "6", "06", "Figure6", " fig06 "])
def test_a_figure_may_be_written_in_several_ways(given: str) -> None:
    assert figure_name(given) == "fig06"


@pytest.mark.parametrize("command", ["run", "plot"])
@pytest.mark.parametrize("given", ["fig24", "fig0", "0", "table1", "", "6a", "-6x"])
def test_an_unknown_figure_is_refused(command: str, given: str, capsys: pytest.CaptureFixture[str]) -> None:
    expected = f"there is no figure '{given}'; choose one of fig01 to fig23"
    assert expected in refused(capsys, ["paper", command, "--", given])


def test_missing_data_is_one_sentence_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUTPOINT_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    said = refused(capsys, ["paper", "run", "fig01"])
    assert "fig01 needs imb-cifar10-2, imb-cifar100-2, fmow, and no data root is set" in said
    assert "`cutpoint data fetch imb-cifar10-2 imb-cifar100-2 fmow --data-root FOLDER`" in said
    assert "`cutpoint paper run fig01 --toy`" in said
    (tmp_path / "data").mkdir()
    said = refused(capsys, ["paper", "run", "15", "--data-root", "data"])
    assert "fig15 needs imb-cifar10-2, and data does not hold it; fetch with `cutpoint data fetch" in said
    assert "fetch imb-cifar10-2 --data-root data`" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_learner_that_lacks_its_weights_is_said_before_another_one_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    for cache in ("XDG_CACHE_HOME", "HF_HOME", "TORCH_HOME"):
        monkeypatch.setenv(cache, str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setattr("cutpoint.paper.campaigns.data_here", lambda *_: {})
    monkeypatch.setattr(ResNetLearner, "check", lambda _: None)
    said = refused(capsys, ["paper", "run", "fig01", "--data-root", str(tmp_path), "-o", str(tmp_path / "out")])
    assert said.startswith("error: the weights of CLIP ViT-B/32 are not here; put https://huggingface.co/")
    assert not (tmp_path / "out").exists()


def test_the_list_has_every_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in ("train_32x32.mat", "test_32x32.mat"):
        (tmp_path / file).touch()
    assert run_cli(["paper", "list", "--data-root", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[:-3])) <= 100
    assert lines[-1] == "Without data or GPU, in seconds: cutpoint paper run fig06 --toy"
    here = {name: line.split("│")[-2].strip() for name in FIGURES for line in lines if line.startswith(f"│ {name}")}
    assert list(here) == list(FIGURES)
    assert (here["fig02"], here["fig03"], here["fig06"], here["fig11"], here["fig22"]) == (
        "-",
        "2 of 8",
        "no",
        "yes",
        "yes",
    )


def test_figure_2_needs_no_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["paper", "run", "fig02"]) == 0
    assert capsys.readouterr().out == "fig02 is drawn and needs no runs: cutpoint paper plot fig02\n"


def test_figure_2_shows_what_it_says() -> None:
    clean = fig02.truth()
    done = {name: fig02.answered(name) for name in ("confidence", "galaxy", "direct")}
    for answered in done.values():
        assert len(set(answered.asked)) == fig02.BUDGET
        assert not set(answered.asked) & set(fig02.KNOWN)
        known = answered.labels != UNKNOWN
        assert np.array_equal(answered.labels[known], clean[known])
    galaxy, direct, confidence = done["galaxy"], done["direct"], done["confidence"]
    assert len(galaxy.cuts) > 5  # many cuts ...
    assert direct.threshold == fig02.true_threshold()  # ... beside the one threshold
    assert confidence.found < galaxy.found < direct.found
    assert abs(clean[direct.asked - 1].mean() - 0.5) < 0.1  # balanced: as many of the rare class


def test_a_campaign_of_two_data_sets_would_be_seen() -> None:
    """The presets rely on it: one data set under one noise, so that a panel is a folder."""
    for campaign in CAMPAIGNS.values():
        (suite,) = campaign.options["suites"]
        assert len(suite["datasets"]) == len(suite["noise"]) == 1


def arms_of(campaigns: Sequence[Campaign]) -> set[str]:
    return {strategy for campaign in campaigns for strategy in campaign.options["strategies"]}


def test_toy_options_change_nothing_but_size_and_learner() -> None:
    for campaign in CAMPAIGNS.values():
        real, toy = options_of(campaign), options_of(campaign, toy=True)
        for kept in ("strategies", "parallel"):
            assert toy[kept] == real[kept]
        assert toy["suites"][0]["noise"] == real["suites"][0]["noise"]
        assert options_of(replace(campaign), toy=True) == toy
    assert len(arms_of(list(CAMPAIGNS.values()))) == 12
