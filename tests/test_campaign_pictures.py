"""Campaigns on pictures: the right learner or one sentence, and test parts without some class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from cutpoint.cli import run_cli
from cutpoint.data import Benchmark, Pool
from cutpoint.data.table_1 import Row
from cutpoint.errors import UsageError
from cutpoint.experiment.campaign import Schedule, run_campaign
from cutpoint.learners import Learner, make_learner, wrap
from cutpoint.learners.base import Model
from cutpoint.learners.deep.resnet import ResNetLearner
from cutpoint.types import Labels, Scores
from toy_sets import cifar10_archive, pictures, shrink


@dataclass(frozen=True)
class Brightness:
    """Reads pictures: what is brighter than the middle is class 1. A model of itself."""

    reads: ClassVar[str] = "pictures"
    gives: ClassVar[frozenset[str]] = frozenset({"probs"})
    notes: ClassVar[Mapping[str, float]] = {}

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
        """Itself: there is nothing to learn."""
        assert pool.is_pictures
        return self

    def predict_probs(self, features: Any) -> NDArray[np.float32]:
        """Probabilities (M, 2) of pictures."""
        bright = features[:].mean(axis=(1, 2, 3)) / 255
        return np.stack((1 - bright, bright), axis=1).astype(np.float32)

    def predict(self, features: Any) -> Labels:
        """The more probable class of each picture."""
        return np.asarray(self.predict_probs(features).argmax(axis=1), dtype=np.int64)

    def score(self, pool: Pool, needs: frozenset[str] = frozenset({"probs"})) -> Scores:
        """Probabilities alone."""
        return Scores(self.predict_probs(pool.pictures))


def benchmark(**changes: Any) -> Benchmark:
    """Twenty dark and twenty bright pictures in the pool, and the same in the test."""
    labels = np.arange(40) % 2
    shade = (pictures(40, 8) // 4 + labels[:, None, None, None] * 128).astype(np.uint8)
    parts: dict[str, Any] = {"test_features": shade, "test_labels": labels} | changes
    return Benchmark(name="shades", pool=Pool(shade), labels=labels, classes=("dark", "bright"), **parts)


SCHEDULE = Schedule(first=5, budget=5, rounds=2)


def test_a_campaign_runs_on_pictures() -> None:
    whole = benchmark()
    measures, _ = run_campaign(whole, whole.labels, "direct", Brightness(), SCHEDULE, seed=0)
    last = {m.metric: m.value for m in measures if m.round == 2}
    assert last["balanced_accuracy"] == last["pool_balanced_accuracy"] == 1


def test_a_class_without_test_examples_is_left_out() -> None:
    half = benchmark(test_features=pictures(3, 8) // 4, test_labels=np.zeros(3, int), untested=True)
    measures, _ = run_campaign(half, half.labels, "random", Brightness(), SCHEDULE, seed=0)
    last = {m.metric: m.value for m in measures if m.round == 2}
    assert last["balanced_accuracy"] == last["recall_0"] == 1
    assert "recall_1" not in last
    assert all(np.isfinite(m.value) for m in measures)


def sklearn_tree() -> Learner:
    """A wrapped classifier."""
    from sklearn.tree import DecisionTreeClassifier

    return wrap(DecisionTreeClassifier(), 2)


@pytest.mark.parametrize("learner", [make_learner("logistic", 2), make_learner("mlp", 2), sklearn_tree()])
def test_a_learner_of_features_refuses_pictures_before_the_first_question(learner: Learner) -> None:
    whole = benchmark()
    name = type(learner).__name__
    said = (
        f"the pool holds pictures, and the learner {name} reads features; take a learner of pictures, such as resnet18"
    )
    with pytest.raises(UsageError, match=said):
        run_campaign(whole, whole.labels, "random", learner, SCHEDULE, seed=0)
    with pytest.raises(UsageError, match=r"holds pictures of 8 x 8, and features \(N, d\) are needed"):
        learner.fit(whole.pool, whole.labels, seed=0)


def test_a_learner_of_pictures_refuses_features() -> None:
    x = np.zeros((4, 2), np.float32)
    table = Benchmark("t", Pool(x), np.arange(4) % 2, x, np.arange(4) % 2, ("a", "b"))
    with pytest.raises(
        UsageError, match=r"the pool holds features, and the learner Brightness reads pictures; .*logistic"
    ):
        run_campaign(table, table.labels, "random", Brightness(), SCHEDULE, seed=0)


def test_bench_run_says_which_learner_to_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shrink(monkeypatch, imb_cifar10_2=Row(40, 2, ".1111", (4, 36), 20))
    cifar10_archive(tmp_path)
    sizes = ["--first", "5", "--budget", "5", "--rounds", "1", "--data-root", str(tmp_path)]
    call = ["bench", "run", "--dataset", "imb-cifar10-2", *sizes, "-o", str(tmp_path / "out")]
    assert run_cli(call) == 2
    assert "the learner logistic reads features; take a learner of pictures" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_dry_run_trains_no_network_of_pictures_and_says_what_it_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    shrink(monkeypatch, imb_cifar10_2=Row(40, 2, ".1111", (4, 36), 20))
    cifar10_archive(tmp_path)
    monkeypatch.setattr(ResNetLearner, "fit", None)
    monkeypatch.setattr("cutpoint.learners.deep.devices.described", lambda _: "cpu")
    sizes = ["--first", "5", "--budget", "4", "--rounds", "2", "--seeds", "3", "--data-root", str(tmp_path)]
    call = ["bench", "run", "--dataset", "imb-cifar10-2", *sizes, "--strategies", "random,margin", "--dry-run"]
    assert run_cli([*call, "--learner", "resnet18:weights=none"]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("warning: resnet18 trains a whole network in every round, and torch finds the proc")
    told = " ".join(captured.out.split())
    assert "6 runs of 3 rounds: resnet18:weights=none is fitted 18 times, on 5 to 13 labels, and scores 60" in told
    assert "nothing was trained to find out" in told
