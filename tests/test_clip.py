"""The learner `clip` from end to end with a small network: zero-shot head, fine-tuning, FlexMatch, what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from cutpoint.cli import run_cli
from cutpoint.data import Benchmark, Pool
from cutpoint.data.captions import TEMPLATES, captions
from cutpoint.data.pictures import Files, Pictures
from cutpoint.data.table_1 import Row
from cutpoint.data.wilds import FMOW_CLASSES
from cutpoint.errors import CutpointError, DataError, UsageError
from cutpoint.experiment.results import read_results
from cutpoint.learners import Model, make_learner
from cutpoint.learners.deep import clip_tuning, frozen
from cutpoint.learners.deep.clip import ClipLearner
from cutpoint.learners.deep.clip_network import PictureEncoder
from cutpoint.learners.deep.clip_tuning import held_out
from cutpoint.learners.deep.loop import Progress
from cutpoint.learners.deep.supervised import checkpoint_of, logged
from cutpoint.learners.deep.vision import import_open_clip
from cutpoint.testing import check_learner
from cutpoint.types import UNKNOWN
from tiny_clip import LABELS, NAME, SIDE, TOY, clip, coloured, no_weights_of_the_user, tiny_clip, weights_of  # noqa: F401
from toy_sets import cifar10_archive, encoded, shrink

EVERYTHING = frozenset({"probs", "embedding", "head"})
SUPERVISED = "epochs=12:lr=3e-3:smoothing=0.1"
FLEXMATCH = "semi=flexmatch:epochs=12:lr=3e-3:batch=20"


class Killed(Exception):
    """Stands for a kill."""


def written(folder: Path) -> list[str]:
    """The toy's pictures as files; their names."""
    names = [f"{i}.png" for i in range(len(TOY.pool.features))]
    for name, picture in zip(names, TOY.pool.features, strict=True):
        (folder / name).write_bytes(encoded(picture))
    return names


def accuracy(model: Model, benchmark: Benchmark = TOY) -> float:
    return float(np.mean(model.predict(benchmark.test_features) == benchmark.test_labels))


def agrees_with_itself(model: Model, pool: Pool) -> None:
    """Probabilities are those of the head on the embedding, however they are asked for."""
    scores = model.score(pool, EVERYTHING)
    assert scores.embedding is not None
    assert scores.head is not None
    assert np.allclose(np.linalg.norm(scores.embedding, axis=1), 1, atol=1e-5)
    logits = scores.embedding @ scores.head[:, :-1].T + scores.head[:, -1]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    assert np.allclose(powers / powers.sum(axis=1, keepdims=True), scores.probs, atol=1e-4)
    assert np.allclose(model.predict_probs(pool.features), scores.probs, atol=1e-6)


def test_the_zero_shot_head_is_its_definition(tmp_path: Path) -> None:
    """With labels of one class nothing is trained, so that the model is what the texts say."""
    file = weights_of(3, tmp_path / "weights.safetensors")
    model = clip(f"weights={file}").fit(TOY.pool, np.where(TOY.labels == 1, 1, UNKNOWN), seed=0)
    open_clip: Any = import_open_clip()
    network = open_clip.create_model(NAME, pretrained=str(file))
    rows = []
    with torch.inference_mode():
        for of_class in captions(TOY):
            texts = network.encode_text(open_clip.get_tokenizer(NAME)(list(of_class)))
            mean = torch.stack([text / text.norm() for text in texts]).mean(dim=0)
            rows.append(mean / mean.norm() * network.logit_scale.exp())
        values = torch.from_numpy(np.array(TOY.pool.features)).permute(0, 3, 1, 2) / 255
        published = network.visual.image_mean, network.visual.image_std
        mean, spread = (torch.tensor(each)[:, None, None] for each in published)
        embedding = network.encode_image((values - mean) / spread)
        embedding = embedding / embedding.norm(dim=1, keepdim=True)
        expected = torch.softmax(embedding @ torch.stack(rows).T, dim=1)
    scores = model.score(TOY.pool, EVERYTHING)
    assert np.allclose(scores.embedding, embedding, atol=1e-5)
    assert np.allclose(scores.head, torch.cat((torch.stack(rows), torch.zeros(3, 1)), dim=1), atol=1e-5)
    assert np.allclose(scores.probs, expected, atol=1e-5)
    assert model.notes == {}


@pytest.mark.parametrize("options", [SUPERVISED, SUPERVISED + ":weighted=yes", FLEXMATCH])
def test_fine_tuning_learns_repeats_itself_and_leaves_everything_else_alone(options: str) -> None:
    before = torch.get_rng_state(), TOY.pool.features.copy(), LABELS.copy()
    learner = clip(options)
    assert accuracy(clip().fit(TOY.pool, np.where(TOY.labels == 1, 1, UNKNOWN), seed=0)) < 0.6
    model = learner.fit(TOY.pool, LABELS, seed=4)
    assert accuracy(model) > 0.9
    agrees_with_itself(model, TOY.pool)
    again, other = (learner.fit(TOY.pool, LABELS, seed=seed).predict_probs(TOY.test_features) for seed in (4, 5))
    assert np.array_equal(again, model.predict_probs(TOY.test_features))
    assert not np.array_equal(again, other)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], TOY.pool.features)
    assert np.array_equal(before[2], LABELS)


@pytest.mark.parametrize("options", [SUPERVISED, FLEXMATCH, "tune=frozen"])
def test_it_obeys_the_laws_of_learners(options: str) -> None:
    check_learner(clip(options), 3, side=SIDE)


def test_flexmatch_learns_from_pictures_without_a_label() -> None:
    few = np.where(np.arange(120) < 30, TOY.labels, UNKNOWN)
    alone = replace_pool(TOY, 30)
    with_others = clip(FLEXMATCH).fit(TOY.pool, few, seed=0)
    without = clip(FLEXMATCH).fit(alone.pool, few[:30], seed=0)
    assert set(with_others.notes) == {"epochs", "training_loss", "validation_loss"}
    assert not np.array_equal(with_others.predict_probs(TOY.test_features), without.predict_probs(TOY.test_features))


def replace_pool(benchmark: Benchmark, n: int) -> Benchmark:
    """The same with the first n pictures alone."""
    pool, labels = Pool(benchmark.pool.features[:n]), benchmark.labels[:n]
    return Benchmark("part", pool, labels, benchmark.test_features, benchmark.test_labels, benchmark.classes)


def test_a_class_without_a_label_is_known_by_its_name_and_one_with_a_single_label_is_trained() -> None:
    labels = np.where((np.arange(120) < 60) & (TOY.labels < 2), TOY.labels, UNKNOWN)
    for options in (SUPERVISED, FLEXMATCH, "weighted=yes:epochs=3"):
        model = clip(options).fit(TOY.pool, labels, seed=0)
        assert (model.score(TOY.pool).probs[:, 2] > 0).all()
    labels[2] = 2
    assert accuracy(clip(SUPERVISED + ":weighted=yes").fit(TOY.pool, labels, seed=0)) > 0.6


def test_of_each_class_a_tenth_is_held_out_and_of_a_rare_one_none() -> None:
    given = np.repeat([0, 1, 2], [40, 19, 9])
    kept, held = held_out(given, 3)
    assert np.bincount(given[held], minlength=3).tolist() == [4, 1, 0]
    assert sorted([*kept, *held]) == list(range(len(given)))
    assert held.tolist() == held_out(given, 3)[1].tolist()
    assert held.tolist() != held_out(given, 4)[1].tolist()


def test_without_enough_labels_to_hold_out_all_epochs_are_trained() -> None:
    labels = np.where(np.arange(120) < 20, TOY.labels, UNKNOWN)
    notes = clip(FLEXMATCH).fit(TOY.pool, labels, seed=0).notes
    assert notes["epochs"] == 12
    assert "validation_loss" not in notes


@pytest.mark.parametrize("options", [SUPERVISED, FLEXMATCH])
def test_a_fit_that_was_killed_goes_on_to_the_identical_model(
    options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = clip(options).fit(TOY.pool, LABELS, seed=0)

    def every_epoch(*arguments: Any) -> Any:
        checkpoint = checkpoint_of(*arguments)
        assert checkpoint is not None
        return replace(checkpoint, seconds=0)

    def kill(now: Progress) -> None:
        if now.done == 4:
            raise Killed

    monkeypatch.setattr(clip_tuning, "checkpoint_of", every_epoch)
    monkeypatch.setattr(clip_tuning, "logged", kill)
    with pytest.raises(Killed):
        clip(options, tmp_path / "scratch").fit(TOY.pool, LABELS, seed=0)
    assert len(list((tmp_path / "scratch").iterdir())) == 1
    monkeypatch.setattr(clip_tuning, "logged", logged)
    resumed = clip(options, tmp_path / "scratch").fit(TOY.pool, LABELS, seed=0)
    assert np.array_equal(resumed.predict_probs(TOY.test_features), straight.predict_probs(TOY.test_features))
    assert resumed.notes == straight.notes
    monkeypatch.setattr(clip_tuning, "logged", kill)
    again = clip(options, tmp_path / "scratch").fit(TOY.pool, LABELS, seed=0)  # of the last state: no epoch is trained
    assert np.array_equal(again.predict_probs(TOY.test_features), straight.predict_probs(TOY.test_features))
    assert again.notes == straight.notes


@pytest.mark.parametrize("where", ["zero_shot", "examples", "every_example"])
def test_a_memory_that_is_too_small_to_begin_is_one_sentence(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")

    monkeypatch.setattr(clip_tuning, where, full)
    with pytest.raises(CutpointError, match="memory of cpu is too small to train with batches of 20; try batch=10"):
        clip(FLEXMATCH).fit(TOY.pool, LABELS, seed=0)


def test_a_memory_that_is_too_small_for_the_encoder_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    frozen._on_device.cache_clear()
    monkeypatch.setattr(PictureEncoder, "to", full)
    with pytest.raises(CutpointError, match="memory of cpu is too small to hold the encoder; take a device with more"):
        clip("tune=frozen:cache=none").fit(TOY.pool, LABELS, seed=0)


def test_pictures_in_files_are_decoded_batch_by_batch_and_a_damaged_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cutpoint.learners.deep import examples

    names = written(tmp_path)
    monkeypatch.setattr(examples, "RESIDENT_BYTES", 0)  # as if there were too many to keep
    for options in (SUPERVISED, FLEXMATCH):
        in_files = clip(options).fit(Pool(Pictures(Files(tmp_path, names), SIDE, SIDE)), LABELS, seed=0)
        in_memory = clip(options).fit(TOY.pool, LABELS, seed=0)
        assert np.array_equal(in_files.predict_probs(TOY.test_features), in_memory.predict_probs(TOY.test_features))
    for i, options in ((7, SUPERVISED), (100, FLEXMATCH)):  # one with a label, and one without
        whole = (tmp_path / f"{i}.png").read_bytes()
        (tmp_path / f"{i}.png").write_bytes(whole[:60])
        with pytest.raises(DataError, match=rf"the picture .*{i}.png cannot be decoded"):
            clip(options).fit(Pool(Pictures(Files(tmp_path, names), SIDE, SIDE)), LABELS, seed=0)
        (tmp_path / f"{i}.png").write_bytes(whole)


def test_what_flexmatch_holds_out_is_decoded_with_the_rest_of_the_pool_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = written(tmp_path)
    reads = [0] * len(names)
    read = Files.read

    def counted(self: Files, i: int) -> bytes:
        reads[i] += 1
        return read(self, i)

    monkeypatch.setattr(Files, "read", counted)
    pool = Pool(Pictures(Files(tmp_path, names), SIDE, SIDE))
    learner = clip("semi=flexmatch:epochs=1:batch=20", tmp_path / "scratch")
    assert "validation_loss" in learner.fit(pool, LABELS, seed=0).notes
    learner.fit(pool, LABELS, seed=1).score(pool)
    assert reads == [1] * len(names)


def test_a_loss_that_is_not_a_number_and_a_pool_of_features_are_one_sentence() -> None:
    with pytest.raises(CutpointError, match=r"training loss is (nan|inf) in epoch .*lower the learning rate"):
        clip("lr=1e20").fit(TOY.pool, LABELS, seed=0)
    with pytest.raises(UsageError, match="holds features of 2 columns, and pictures are needed"):
        clip().fit(Pool(np.eye(2, dtype=np.float32)), np.array([0, 1]), seed=0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("tune=frozen:semi=flexmatch", "semi means nothing with tune=frozen"),
        ("tune=frozen:weighted=yes", "weighted means nothing with tune=frozen"),
        ("tune=frozen:lr=0.1", "lr means nothing with tune=frozen with head=logistic, which chooses its own"),
        ("head=logistic", "head means nothing with tune=full"),
        ("tune=half", "tune is 'half', which is not meant; give one of full, frozen"),
        ("semi=yes", "give one of none, flexmatch"),
    ],
)
def test_options_without_a_meaning_are_refused(options: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make_learner(f"clip:{options}", 2)


def test_architectures_are_openclips_own_of_clips_kind() -> None:
    for model, said in (("ViT-B-33", "did you mean 'ViT-B-32'"), ("coca_ViT-B-32", "is not as CLIP is")):
        with pytest.raises(UsageError, match=said):
            make_learner(f"clip:model={model}:weights=none:tune=frozen:cache=none", 3).fit(TOY.pool, LABELS, seed=0)
    with pytest.raises(UsageError, match=r"weights=auto are those of ViT-B-32-quickgelu, .*give weights=PATH"):
        ClipLearner(3, model="ViT-B-16").check()


def test_classes_must_have_captions() -> None:
    with pytest.raises(UsageError, match="has captions of 0 classes and there are 3"):
        make_learner(f"clip:model={tiny_clip()}:weights=none", 3).fit(TOY.pool, LABELS, seed=0)


def named(name: str, classes: tuple[str, ...]) -> Benchmark:
    labels = np.arange(len(classes))
    features = np.zeros((len(classes), 1), np.float32)
    return Benchmark(name, Pool(features), labels, features, labels, classes)


def test_captions_name_each_class_as_people_say_it() -> None:
    fmow = captions(named("fmow", FMOW_CLASSES))
    assert len(fmow) == 62
    assert {len(each) for each in fmow} == {len(TEMPLATES["fmow"])} == {16}
    assert {"satellite photo of an airport hangar.", "aerial photo of a airport hangar in asia."} < set(fmow[1])
    species = captions(named("iwildcam", ("empty", "leopardus pardalis", "other")))
    assert species[1] == ("a photo of ocelot.", "ocelot in the wild.")
    assert captions(TOY) == (("a photo of a red.",), ("a photo of a green.",), ("a photo of a blue.",))


def test_a_benchmark_tells_the_learner_what_its_classes_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shrink(monkeypatch, imb_cifar10_2=Row(40, 2, ".1111"))
    cifar10_archive(tmp_path)
    call = ["bench", "run", "--dataset", "imb-cifar10-2", "--strategies", "direct,badge", "--seeds", "1", "--jobs", "1"]
    call += ["--first", "20", "--budget", "4", "--rounds", "1", "--data-root", str(tmp_path)]
    learner = f"clip:model={tiny_clip()}:weights=none:device=cpu:epochs=1"
    for kind in ("semi=flexmatch", "smoothing=0.1"):
        assert run_cli([*call, "--learner", f"{learner}:{kind}", "-o", str(tmp_path / kind)]) == 0
        assert "in 2 runs: clip begins with weights at random" in capsys.readouterr().err
        _, rows = read_results(tmp_path / kind)
        assert {row.strategy for row in rows} == {"direct", "badge"}
        assert {row.value for row in rows if row.metric == "epochs"} == {1.0}
