"""ResNet-18 from end to end on small pictures: the laws, lazy pictures, a benchmark that is killed, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from bench_command import refused, rows_without_times
from cutpoint.cli import run_cli
from cutpoint.data import Pictures, Pool
from cutpoint.data.table_1 import Row
from cutpoint.errors import CutpointError, DataError, UsageError
from cutpoint.experiment.results import read_config
from cutpoint.learners import make_learner
from cutpoint.learners.base import EVERYTHING, equipped
from cutpoint.learners.deep import devices, examples, loop, model, resnet, supervised, vision
from cutpoint.learners.deep.resnet import SCHEDULES, ResNetLearner
from cutpoint.testing import check_learner
from toy_sets import cifar10_archive, encoded, pictures, shrink

FAST = "resnet18:weights=none:lr=0.001:device=cpu"
K, N, SIDE = 3, 24, 16
CPU = torch.device("cpu")
TRUTH = np.arange(N) % K
SOME = np.where(np.arange(N) < 15, TRUTH, -1)


class Encodings:
    """Picture files in memory."""

    def __init__(self, images: Any) -> None:
        self.files = [encoded(image) for image in images]
        self.reads = [0] * len(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def read(self, i: int) -> bytes:
        self.reads[i] += 1
        return self.files[i]

    def name(self, i: int) -> str:
        return f"picture {i}"


def test_the_laws_hold() -> None:
    check_learner(make_learner(f"{FAST}:epochs=4:batch=20:smoothing=0.1", K), K)


def test_the_embedding_has_512_columns_and_the_head_a_bias_of_minus_infinity_for_an_absent_class() -> None:
    pool = Pool(pictures(N, SIDE))
    scores = make_learner(f"{FAST}:epochs=1:batch=8", 4).fit(pool, SOME, seed=0).score(pool, EVERYTHING)
    assert scores.embedding is not None
    assert scores.head is not None
    assert scores.embedding.shape == (N, 512)
    assert scores.head.shape == (4, 513)
    assert scores.head[3, -1] == -np.inf
    assert not scores.probs[:, 3].any()


def test_no_step_is_spent_on_counting_steps(tmp_path: Path) -> None:
    """Each layer would count its batches, for a mean over all that have been; a running one has no use for it."""
    with torch.random.fork_rng(devices=[]):
        published = vision.import_timm().create_model("resnet18", pretrained=False).state_dict()
    torch.save(published, tmp_path / "weights.pth")
    for file in (None, tmp_path / "weights.pth"):
        body = resnet._body(file)
        normal = [layer for layer in body.modules() if isinstance(layer, nn.BatchNorm2d)]
        assert len(normal) == 20
        assert all(layer.num_batches_tracked is None and layer.momentum == 0.1 for layer in normal)
    assert "num_batches_tracked" in " ".join(published)


def test_labels_of_one_class_leave_the_embedding_of_the_network_as_it_began() -> None:
    pool = Pool(pictures(N, SIDE))
    labels = np.where(np.arange(N) < 3, 1, -1)
    found = make_learner(FAST, K).fit(pool, labels, seed=0)
    scores = found.score(pool, EVERYTHING)
    assert np.array_equal(scores.probs, np.eye(K)[np.ones(N, int)])
    assert scores.embedding is not None
    assert scores.embedding.std(axis=0).max() > 0  # of use for a strategy that reads it
    assert found.notes == {"epochs": 0.0, "training_loss": 0.0}


def test_pictures_decoded_when_asked_for_give_the_same_model_as_those_on_the_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = pictures(N, SIDE)
    learner = make_learner(f"{FAST}:epochs=2:batch=8", K)
    told = learner.fit(Pool(images), SOME, seed=0).score(Pool(images), EVERYTHING)
    lazy = Pool(Pictures(Encodings(images), SIDE, SIDE))
    for resident in (examples.RESIDENT_BYTES, 0):
        monkeypatch.setattr(examples, "RESIDENT_BYTES", resident)
        monkeypatch.setattr(model, "_MOST", 16 if resident else 5)  # in other batches, too
        found = learner.fit(lazy, SOME, seed=0).score(lazy, EVERYTHING)
        assert (examples.every_example(lazy.features, torch.device("cpu")).whole is None) == (resident == 0)
        assert np.allclose(found.probs, told.probs, atol=1e-5)
        assert np.array_equal(found.head, told.head)  # type: ignore[arg-type]
        examples._KEPT.clear()


def test_pictures_that_stay_on_the_device_are_decoded_once_over_all_rounds(tmp_path: Path) -> None:
    encodings = Encodings(pictures(N, SIDE))
    pool = Pool(Pictures(encodings, SIDE, SIDE))
    learner = equipped(make_learner(f"{FAST}:epochs=1:batch=8", K), root=None, scratch=tmp_path)
    for n in (10, 15, 20):
        learner.fit(pool, np.where(np.arange(N) < n, TRUTH, -1), seed=0).score(pool)
    assert encodings.reads == [1] * N


@pytest.mark.parametrize("resident", [0, examples.RESIDENT_BYTES])
def test_a_damaged_picture_is_named(resident: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "RESIDENT_BYTES", resident)
    encodings = Encodings(pictures(N, SIDE))
    encodings.files[13] = encodings.files[13][:100]
    pool = Pool(Pictures(encodings, SIDE, SIDE))
    with pytest.raises(DataError, match="picture 13 cannot be decoded"):
        make_learner(f"{FAST}:epochs=2:batch=8", K).fit(pool, SOME, seed=0)


def test_a_class_with_a_single_label_is_learnt_with_the_others() -> None:
    labels = np.where((np.arange(N) < 15) & ((TRUTH < 2) | (np.arange(N) == 5)), TRUTH, -1)
    pool = Pool(pictures(N, SIDE))
    probs = make_learner(f"{FAST}:epochs=2:batch=4", K).fit(pool, labels, seed=0).score(pool).probs
    assert (labels == 2).sum() == 1
    assert np.isfinite(probs).all()
    assert probs[:, 2].min() > 0


@pytest.mark.parametrize("where", ["create_model", "examples"])
def test_a_memory_that_is_too_small_to_begin_is_one_sentence(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(*{"create_model": (vision.import_timm(), where), "examples": (supervised, where)}[where], full)
    with pytest.raises(CutpointError, match="memory of cpu is too small to train with batches of 100; try batch=50"):
        make_learner(FAST, K).fit(Pool(pictures(N, SIDE)), SOME, seed=0)


def test_the_short_schedule_has_fewer_epochs_and_a_rate_that_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[loop.Settings] = []

    def stop(*args: Any, **_: Any) -> Any:
        seen.append(args[4])
        raise KeyboardInterrupt

    monkeypatch.setattr(supervised, "fit", stop)
    pool = Pool(pictures(N, SIDE))
    for options in ("", ":schedule=short", ":schedule=short:epochs=9", ":epochs=500:batch=100:lr=0.01:decay=5e-5"):
        with pytest.raises(KeyboardInterrupt):
            make_learner(f"resnet18:weights=none{options}", K).fit(pool, SOME, seed=0)
    papers = loop.Settings(500, 100, 1e-2, 5e-5)
    epochs = SCHEDULES["short"].epochs
    short = replace(papers, epochs=epochs, cosine=True)
    assert seen == [papers, short, replace(short, epochs=9), papers]
    assert epochs < 100


def test_resnet_by_name() -> None:
    options = "epochs=500:batch=100:lr=0.01:decay=5e-5:smoothing=0.1:weights=none:schedule=short:device=cpu"
    expected = ResNetLearner(3, 500, 100, 0.01, 5e-5, 0.1, "none", "short", "cpu")
    assert make_learner(f"resnet18:{options}", 3) == expected
    for name, message in (
        ("resnet18:schedule=long", "schedule is 'long', which is not meant; give one of paper, short"),
        ("resnet18:weights=", "weights is '', which is not meant; give auto, none or the path of a file"),
        ("resnet18:batch=2", "batch is 2; .* it must be at least 3"),
        ("resnet18:hidden=2", "no option 'hidden'"),
    ):
        with pytest.raises(UsageError, match=message):
            make_learner(name, 2)


def test_a_pool_of_features_is_refused() -> None:
    with pytest.raises(UsageError, match="the pool holds features of 5 columns, and pictures are needed"):
        make_learner(FAST, 2).fit(Pool(np.zeros((9, 5), np.float32)), np.arange(9) % 2, seed=0)


def test_a_loss_that_is_not_a_number_is_one_sentence(tmp_path: Path) -> None:
    pool = Pool(pictures(N, SIDE))
    learner = equipped(make_learner("resnet18:weights=none:lr=1e30:epochs=9", K), root=None, scratch=tmp_path)
    with pytest.raises(CutpointError, match=r"loss is (nan|inf) in epoch \d of 9; lower the learning rate"):
        learner.fit(pool, SOME, seed=0)


def test_answers_that_are_no_numbers_are_one_sentence() -> None:
    """After one step of such a rate the weights are still numbers, and what they give is none."""
    pool = Pool(pictures(N, SIDE))
    found = make_learner("resnet18:weights=none:lr=1e30:epochs=1:device=cpu", K).fit(pool, SOME, seed=0)
    for ask in (lambda: found.score(pool), lambda: found.predict(pool.features)):
        with pytest.raises(CutpointError, match=r"the trained network gives nan .*; lower the learning rate"):
            ask()


def test_pictures_that_do_not_fit_on_the_device_after_all_are_read_batch_by_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []

    def full(features: Any, rows: Any, device: torch.device) -> Any:
        tried.append(len(rows))
        raise torch.OutOfMemoryError("CUDA out of memory.")

    learner = make_learner(f"{FAST}:epochs=1:batch=8", K)
    pools = [Pool(Pictures(Encodings(pictures(N, SIDE)), SIDE, SIDE)) for _ in range(2)]
    told = learner.fit(pools[0], SOME, seed=0).score(pools[0]).probs
    monkeypatch.setattr(examples, "_copied", full)
    assert np.allclose(learner.fit(pools[1], SOME, seed=0).score(pools[1]).probs, told, atol=1e-6)
    assert tried == [N, np.count_nonzero(SOME != -1), N]


def test_a_fit_on_another_device_or_in_other_numbers_has_another_checkpoint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    task = supervised.Task("a learner", K, loop.Settings(1, 1, 1.0), 0.0, "auto", tmp_path)
    pool, network, names = Pool(pictures(N, SIDE)), nn.Linear(1, 1), set()
    kinds = [("cpu", None), ("mps", None), ("cuda", torch.bfloat16), ("cuda", torch.float16), ("cpu", None)]
    for device, numbers in kinds:
        monkeypatch.setattr(supervised, "choose_device", lambda _, device=device: torch.device(device))
        monkeypatch.setattr(supervised, "examples", lambda features, rows, _: examples.examples(features, rows, CPU))
        monkeypatch.setattr(devices, "half_type", lambda _, numbers=numbers: numbers)
        checkpoint = supervised.checkpoint_of(task, pool, SOME, network, 0)
        assert checkpoint is not None
        names.add((checkpoint.path, checkpoint.identity))
    assert len(names) == 4


def test_scoring_takes_smaller_batches_where_the_memory_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(pictures(N, SIDE))
    found = make_learner(f"{FAST}:epochs=1:batch=8", K).fit(pool, SOME, seed=0)
    told = found.score(pool).probs
    sizes: list[int] = []
    most = 5
    forward = nn.Sequential.forward

    def small(self: nn.Sequential, inputs: torch.Tensor) -> torch.Tensor:
        if inputs.dtype == torch.uint8:
            sizes.append(len(inputs))
            if len(inputs) > most:
                raise torch.OutOfMemoryError("CUDA out of memory.")
        result: torch.Tensor = forward(self, inputs)  # type: ignore[no-untyped-call]
        return result

    monkeypatch.setattr(nn.Sequential, "forward", small)
    assert np.allclose(found.score(pool).probs, told, atol=1e-5)
    assert sizes == [24, 12, 6, *[3] * 8]
    most = 0
    with pytest.raises(CutpointError, match="memory of cpu is too small to score one example at a time"):
        found.score(pool)


@pytest.fixture
def toy_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with 40 + 20 pictures of CIFAR-10."""
    shrink(monkeypatch, imb_cifar10_2=Row(40, 2, ".1111", (4, 36), 20))
    cifar10_archive(tmp_path)
    return tmp_path


def options_of(root: Path, learner: str, out: str) -> list[str]:
    sizes = ["--seeds", "1", "--first", "12", "--budget", "6", "--rounds", "1", "--jobs", "1", "--quiet"]
    data = ["--dataset", "imb-cifar10-2", "--data-root", str(root), "--noise", "0.1"]
    strategies = ["--strategies", "base"]
    return ["bench", "run", *data, *strategies, "--learner", learner, *sizes, "-o", str(root / out)]


def test_a_benchmark_that_is_killed_in_mid_fit_goes_on_to_the_same_results(
    toy_cifar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = f"{FAST}:epochs=3:batch=6:smoothing=0.1"
    assert run_cli(options_of(toy_cifar, learner, "straight")) == 0
    real, epochs = loop._Run.epoch, 0

    def dying(run: loop._Run, fitted: loop.Fitted) -> None:
        nonlocal epochs
        epochs += 1
        if epochs == 6:  # two of the three of the second round are done
            raise KeyboardInterrupt
        real(run, fitted)

    monkeypatch.setattr(loop._Run, "epoch", dying)
    with monkeypatch.context() as patch:
        patch.setattr(supervised, "SECONDS", 0.0)
        assert run_cli(options_of(toy_cifar, learner, "killed")) != 0
    (kept,) = (toy_cifar / "killed" / "unfinished").glob("*/*.pt")
    assert "base" in kept.parent.name
    epochs = 100
    assert run_cli(options_of(toy_cifar, learner, "killed")) == 0
    assert epochs == 100 + 1  # the last of the second round
    straight, killed = (rows_without_times(toy_cifar / name) for name in ("straight", "killed"))
    assert straight == killed
    assert not (toy_cifar / "killed" / "unfinished").exists()
    assert read_config(toy_cifar / "killed")["versions"].keys() >= {"torch", "timm", "torchvision", "numpy"}


@pytest.mark.parametrize("schedule", ["epochs=3", "epochs=3:schedule=short"])
def test_a_benchmark_that_is_killed_in_a_score_trains_no_round_twice(
    schedule: str, toy_cifar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = f"{FAST}:{schedule}:batch=6"
    assert run_cli(options_of(toy_cifar, learner, "straight")) == 0
    monkeypatch.setattr(supervised, "SECONDS", 0.0)
    trained: list[int] = []
    epoch, score = loop._Run.epoch, model.DeepModel.score

    def counted(run: loop._Run, fitted: loop.Fitted) -> None:
        trained.append(len(run.given))
        epoch(run, fitted)

    monkeypatch.setattr(loop._Run, "epoch", counted)
    for left in (2, 1):  # rounds whose score is killed; each is reached once
        with monkeypatch.context() as patch:

            def dying(self: model.DeepModel, pool: Pool, needs: Any, left: int = left) -> Any:
                if len(trained) == 3 * (3 - left):
                    raise KeyboardInterrupt
                return score(self, pool, needs)

            patch.setattr(model.DeepModel, "score", dying)
            assert run_cli(options_of(toy_cifar, learner, "killed")) != 0
    assert run_cli(options_of(toy_cifar, learner, "killed")) == 0
    assert trained == [12] * 3 + [18] * 3
    straight, killed = (rows_without_times(toy_cifar / name) for name in ("straight", "killed"))
    assert straight == killed
    assert not (toy_cifar / "killed" / "unfinished").exists()


def test_missing_weights_are_said_before_anything_is_run(
    toy_cifar: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TORCH_HOME", "HF_HOME"):
        monkeypatch.setenv(name, str(toy_cifar / name))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    said = refused(capsys, options_of(toy_cifar, "resnet18:epochs=1", "out"))
    assert f"put https://download.pytorch.org/models/resnet18-f37072fd.pth into {toy_cifar}, or give its path" in said
    assert not (toy_cifar / "out").exists()
    (toy_cifar / "resnet18-f37072fd.pth").write_bytes(b"something else")
    said = refused(capsys, options_of(toy_cifar, "resnet18:epochs=1", "out"))
    assert "resnet18-f37072fd.pth begins with" in said
    assert not (toy_cifar / "out").exists()
