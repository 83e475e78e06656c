"""What a learner gives and what a strategy reads: told apart before the first question."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from bench_command import SIZES, TINY, refused
from cutpoint import STRATEGIES, Scores
from cutpoint.data import Benchmark, Pool, load_benchmark
from cutpoint.errors import UsageError
from cutpoint.experiment import campaign
from cutpoint.experiment.campaign import Oracle, Schedule, run_campaign
from cutpoint.experiment.config import make_config
from cutpoint.experiment.runner import prepare, run_benchmark
from cutpoint.learners import LEARNERS, make_learner, registry, wrap
from cutpoint.learners.base import Learner, Model, gives
from cutpoint.testing import check_learner
from cutpoint.types import Labels
from learner_kinds import HERE, OF_FEATURES, marked

READERS = [name for name, entry in STRATEGIES.items() if entry.needs & {"embedding", "head"}]


def neighbours(n_classes: int) -> Learner:
    from sklearn.neighbors import KNeighborsClassifier

    return wrap(KNeighborsClassifier(1), n_classes)


@dataclass(frozen=True)
class Silent:
    """A learner of somebody's own that does not say what it gives: probabilities."""

    n_classes: int

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
        return neighbours(self.n_classes).fit(pool, labels, seed=seed)


@pytest.fixture(scope="module")
def drawn() -> Benchmark:
    return load_benchmark("drawn:n=200:test=40:d=4")


def test_learners_say_what_they_give() -> None:
    assert {name: gives(make_learner(name, 2)) for name in HERE} == dict.fromkeys(
        HERE, frozenset({"probs", "embedding", "head"})
    )
    assert gives(neighbours(2)) == frozenset({"probs"})
    assert gives(Silent(2)) is None
    check_learner(Silent(3), 3)


@pytest.mark.parametrize("strategy", READERS)
def test_a_campaign_is_refused_before_its_first_question(
    strategy: str, drawn: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: Oracle, __: Any) -> Labels:
        raise AssertionError("a question was asked")

    monkeypatch.setattr(campaign.Oracle, "__call__", never)
    with pytest.raises(
        UsageError, match=rf"{strategy} reads .*embedding.* the learner WrappedLearner gives probs only"
    ):
        run_campaign(drawn, drawn.labels, strategy, neighbours(2), Schedule(10, 5, 1), seed=0)


@pytest.mark.parametrize("strategy", READERS)
def test_a_learner_that_does_not_say_is_found_out_in_the_first_round(strategy: str, drawn: Benchmark) -> None:
    with pytest.raises(UsageError, match=f"{strategy} reads the (embedding|head) of the scores, and there is none"):
        run_campaign(drawn, drawn.labels, strategy, Silent(2), Schedule(10, 5, 1), seed=0)
    run_campaign(drawn, drawn.labels, "margin", Silent(2), Schedule(10, 5, 1), seed=0)


def test_a_benchmark_is_refused_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "LEARNERS", {**LEARNERS, "neighbours": neighbours})
    monkeypatch.setattr(registry, "_OPTIONS", {**registry._OPTIONS, "neighbours": {}})
    said = "badge reads embedding of the scores, and the learner neighbours gives probs only"
    config = make_config({**TINY, "strategies": ["random", "badge"], "learner": "neighbours"})
    with pytest.raises(UsageError, match=said):
        prepare(config, None)
    options = ["--dataset", "digits-2", "--strategies", "random,badge", "--learner", "neighbours", *SIZES]
    assert said in refused(capsys, ["bench", "run", *options, "-o", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
    prepare(make_config({**TINY, "strategies": ["random", "coreset"], "learner": "logistic"}), None)


@pytest.mark.parametrize("learner", marked(OF_FEATURES))
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_bears_a_campaign_that_begins_with_a_single_class(
    strategy: str, learner: str, drawn: Benchmark
) -> None:
    first = Schedule(1, 6, 2, 2)
    measures, _ = run_campaign(drawn, drawn.labels, strategy, make_learner(learner, 2), first, seed=0)
    assert next(m.value for m in measures if m.metric == "balanced_accuracy") == 0.5
    assert max(m.n_labels for m in measures) == 13


def test_a_single_class_gives_an_embedding_and_a_head_that_fit_the_probabilities() -> None:
    pool = Pool(np.random.default_rng(0).normal(5, 3, (20, 4)).astype(np.float32))
    labels = np.where(np.arange(20) < 3, 2, -1)
    everything = frozenset({"probs", "embedding", "head"})
    scores = make_learner("mlp", 3).fit(pool, labels, seed=0).score(pool, everything)
    assert scores.embedding is not None
    assert scores.head is not None
    assert scores.head.shape == (3, scores.embedding.shape[1] + 1)
    assert np.abs(scores.embedding.mean(axis=0)).max() < 1e-5  # centred, as what the network is trained on
    logits = scores.embedding @ scores.head[:, :-1].T + scores.head[:, -1]
    assert np.array_equal(np.exp(logits), scores.probs)
    wrapped = neighbours(3).fit(pool, labels, seed=0).score(pool, everything)
    assert wrapped.embedding is None  # it will have none in the next round either
    assert wrapped.head is None


@dataclass(frozen=True)
class Boastful:
    """A learner that says it gives an embedding, and does not."""

    n_classes: int
    gives: ClassVar[frozenset[str]] = frozenset({"probs", "embedding"})

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
        return neighbours(self.n_classes).fit(pool, labels, seed=seed)


def test_a_learner_that_gives_less_than_it_says_breaks_a_law() -> None:
    with pytest.raises(AssertionError, match="says that it gives embedding"):
        check_learner(Boastful(3), 3)


def test_the_embedding_of_a_model_is_the_same_on_a_copy_of_the_pool() -> None:
    features: NDArray[np.float32] = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    for labels in (np.where(np.arange(30) < 9, 1, -1), np.where(np.arange(30) < 9, np.arange(30) % 3, -1)):
        for name in HERE:
            model = make_learner(name, 3).fit(Pool(features), labels, seed=0)
            one, other = (model.score(Pool(f), frozenset({"embedding"})) for f in (features, features.copy()))
            assert isinstance(one, Scores)
            assert np.array_equal(one.embedding, other.embedding)  # type: ignore[arg-type]


def test_what_strategies_log_is_said_once_for_all_runs(tmp_path: Path) -> None:
    said: list[str] = []
    config = make_config({**TINY, "strategies": ["similar"], "parallel": [1], "first": 1, "rounds": 1})
    assert run_benchmark(config, tmp_path, warn=said.append) == 4
    assert said == [
        "in 4 runs: similar: no example of a minority class is labelled yet, so most_likely_positive chooses."
    ]
    logged = json.loads((tmp_path / "config.json").read_text())["logged"]
    assert logged == {path.stem: [said[0].removeprefix("in 4 runs: ")] for path in (tmp_path / "runs").iterdir()}


def test_a_model_that_ends_by_calling_all_one_class_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    from sklearn.dummy import DummyClassifier

    drawn = load_benchmark("drawn-3:n=200:test=40:d=4")
    for learner, said in ((wrap(DummyClassifier(), 3), 1), (neighbours(3), 0)):
        caplog.clear()
        run_campaign(drawn, drawn.labels, "random", learner, Schedule(30, 10, 2), seed=0)
        found = [record.getMessage() for record in caplog.records]
        assert len(found) == said
        assert all(text.startswith("the last model calls the whole pool one class, though it was") for text in found)
