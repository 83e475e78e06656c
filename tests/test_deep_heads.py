"""Torch heads on frozen features: what they reach, their scale, and the stopping rule. The laws are in test_laws.py."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from bench_command import SIZES, rows_without_times
from cutpoint.cli import run_cli
from cutpoint.core.measures import balanced_accuracy
from cutpoint.data import Benchmark, load_benchmark
from cutpoint.errors import UsageError
from cutpoint.experiment.machine import slow_here
from cutpoint.experiment.results import read_config
from cutpoint.learners import make_learner
from cutpoint.learners.deep import devices
from cutpoint.learners.deep.heads import HeadLearner, NetworkHeadLearner
from cutpoint.learners.scaling import scaled
from cutpoint.types import Labels

ALL = frozenset({"probs", "embedding", "head"})
HEADS = ("torch-linear", "torch-mlp")


@pytest.fixture(scope="module")
def digits() -> Benchmark:
    return load_benchmark("digits-3")


def labels_of(digits: Benchmark, n: int) -> Labels:
    chosen = np.random.default_rng(0).choice(digits.labels.size, n, replace=False)
    labels = np.full(digits.labels.size, -1)
    labels[chosen] = digits.labels[chosen]
    return labels


@pytest.mark.parametrize(("name", "less"), [("torch-linear", 0.06), ("torch-mlp", 0.01)])
def test_a_head_reaches_about_what_logistic_regression_reaches(name: str, less: float, digits: Benchmark) -> None:
    reached = {}
    for learner in (name, "logistic"):
        model = make_learner(learner, 3).fit(digits.pool, labels_of(digits, 300), seed=0)
        reached[learner] = balanced_accuracy(digits.test_labels, model.predict(digits.test_features), 3)
    assert reached[name] > reached["logistic"] - less > 0.9


def test_the_embedding_is_the_scaled_features_or_the_hidden_layer(digits: Benchmark) -> None:
    labels = labels_of(digits, 60)
    linear, hidden = (make_learner(name, 3).fit(digits.pool, labels, seed=0).score(digits.pool, ALL) for name in HEADS)
    assert np.array_equal(linear.embedding, scaled(digits.pool).pool)  # type: ignore[arg-type]
    assert linear.head is not None
    assert linear.head.shape == (3, digits.pool.table.shape[1] + 1)
    assert hidden.embedding is not None
    assert hidden.embedding.shape == (digits.pool.n_examples, 64)
    assert hidden.embedding.min() == 0  # after a ReLU


def test_training_ends_when_its_loss_falls_no_more(digits: Benchmark) -> None:
    labels = labels_of(digits, 60)
    notes = make_learner("torch-linear:decay=1", 3).fit(digits.pool, labels, seed=0).notes
    assert 10 < notes["epochs"] < 200
    short = make_learner("torch-linear:epochs=3", 3).fit(digits.pool, labels, seed=0).notes
    assert short["epochs"] == 3
    assert short["training_loss"] > notes["training_loss"]


def test_a_stronger_decay_and_smoothing_make_a_head_less_certain(digits: Benchmark) -> None:
    labels = labels_of(digits, 60)

    def certainty(options: str) -> float:
        model = make_learner(f"torch-linear{options}", 3).fit(digits.pool, labels, seed=0)
        return float(model.predict_probs(digits.pool.features).max(axis=1).mean())

    assert certainty(":decay=0") > certainty(":decay=1") + 0.05
    assert certainty(":decay=0") > certainty(":decay=0:smoothing=0.3") + 0.05


def test_heads_by_name() -> None:
    assert make_learner("torch-linear", 3) == HeadLearner(3)
    options = "hidden=32:epochs=7:lr=0.1:decay=0:batch=9:smoothing=0.2:device=cpu"
    assert make_learner(f"torch-mlp:{options}", 3) == NetworkHeadLearner(3, 32, 7, 0.1, 0.0, 9, 0.2, "cpu")
    for name, message in (
        ("torch-linear:hidden=3", "has no option 'hidden'"),
        ("torch-mlp:smoothing=1", "smoothing is '1', which is not meant; give a number from 0 to below 1"),
        ("torch-mlp:decay=-1", "decay is '-1', which is not meant; give 0 or a positive number"),
        ("torch-mlp:batch=0.5", "give a whole number of at least 1"),
        ("torch-mlp:lr=nan", "lr is 'nan', which is not meant; give a positive number"),
        ("torch-mlp:device=gpu", "give one of auto, cpu, cuda, mps"),
    ):
        with pytest.raises(UsageError, match=message):
            make_learner(name, 2)


def test_a_device_that_is_not_there_is_one_sentence(digits: Benchmark) -> None:
    import torch

    absent = next(name for name in ("cuda", "mps") if not getattr(torch, name).is_available())
    with pytest.raises(UsageError, match=f"the device is '{absent}', and torch finds"):
        make_learner(f"torch-mlp:device={absent}", 3).fit(digits.pool, labels_of(digits, 60), seed=0)


def test_a_benchmark_that_goes_on_on_another_device_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["bench", "run", "--dataset", "drawn:n=200:test=40:d=4", "--strategies", "random", *SIZES]
    given += ["--learner", "torch-linear:epochs=2:device=cpu", "--out", str(tmp_path)]
    assert run_cli(given) == 0
    assert "warning" not in capsys.readouterr().err
    assert read_config(tmp_path)["versions"]["device"] == "cpu"
    min((tmp_path / "runs").glob("*.csv")).unlink()
    monkeypatch.setattr(devices, "described", lambda _: "cuda, bfloat16, a card")
    assert run_cli(given) == 0
    said = f"warning: {tmp_path} was begun with device cpu (now cuda, bfloat16, a card); runs may differ between them"
    assert capsys.readouterr().err.startswith(said)
    assert read_config(tmp_path)["later_versions"][0]["device"] == "cuda, bfloat16, a card"


def test_a_device_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "half_type", lambda _: torch.bfloat16)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "a card")
    assert devices.described(torch.device("cuda", 1)) == "cuda, bfloat16, a card"
    assert devices.described(torch.device("cpu")) == "cpu"


@pytest.mark.parametrize(
    ("learner", "found", "said"),
    [
        ("resnet18", "cpu", "schedule=short"),
        ("clip", "cpu", "lower epochs (paper run --learner-option epochs=2)"),
        ("resnet18", "cpu", "device=cpu (paper run --learner-option device=cpu) says that it is meant"),
        ("resnet18", "cuda", None),
        ("resnet18:device=cpu", "cpu", None),
        ("clip:tune=frozen", "cpu", None),
        ("torch-mlp", "cpu", None),
        ("logistic", "cpu", None),
    ],
)
def test_a_network_of_pictures_that_the_processor_would_train_unasked_is_warned_of(
    learner: str, found: str, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(find_spec(module) is None for module in ("timm", "open_clip")):
        pytest.skip("not every learner of the extra deep is here")
    monkeypatch.setattr(devices, "described", lambda _: found)
    told = slow_here(learner)
    assert (told is None) == (said is None)
    assert told is None or (said or "") in told


def test_a_benchmark_of_a_head_is_the_same_in_one_process_and_in_two(tmp_path: Path) -> None:
    options = ["--dataset", "digits-2", "--strategies", "direct,badge", "--learner", "torch-mlp:epochs=20:device=cpu"]
    sizes = [*SIZES[:-2], "--quiet"]
    for jobs in ("1", "2"):
        assert run_cli(["bench", "run", *options, *sizes, "--jobs", jobs, "-o", str(tmp_path / jobs)]) == 0
    one, two = (rows_without_times(tmp_path / jobs) for jobs in ("1", "2"))
    assert one == two
    assert {row.metric for row in one} >= {"balanced_accuracy", "epochs", "training_loss"}
    assert sorted(path.name for path in (tmp_path / "1").iterdir()) == ["config.json", "lock", "runs", "snapshots"]
