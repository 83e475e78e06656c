"""A frozen encoder below a light head, and the embeddings it keeps: computed once, checked, never another's."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from cutpoint.data import Pool
from cutpoint.data.content import content_key, quick_key
from cutpoint.data.pictures import Files, Packed, Pictures
from cutpoint.errors import DataError
from cutpoint.learners import Model, embeddings, make_learner
from cutpoint.learners.deep import devices
from cutpoint.learners.deep import frozen as encoders
from cutpoint.learners.deep.model import DeepModel
from cutpoint.learners.embeddings import default_folder, embedded
from cutpoint.types import UNKNOWN
from embed_once import embed, one_of_two
from tiny_clip import SIDE, coloured, tiny_clip, weights_of
from toy_sets import encoded

TOY = coloured()
LABELS = np.where(np.arange(120) < 60, TOY.labels, UNKNOWN)
HEADS = ["logistic", "torch-linear", "torch-mlp"]


@pytest.fixture(autouse=True)
def nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache on disk, and what other tests have embedded forgotten."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(embeddings, "_KEPT", {})


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures were embedded, each time that any were."""
    sizes: list[int] = []
    embed = DeepModel.embed

    def counted(self: DeepModel, features: Any) -> Any:
        sizes.append(len(features))
        return embed(self, features)

    monkeypatch.setattr(DeepModel, "embed", counted)
    return sizes


def frozen(options: str = "", seed: int = 0, pool: Pool | None = None) -> Model:
    """A model of the toy with a frozen encoder, whose weights are at random unless given."""
    weights = "" if "weights=" in options else ":weights=none"
    learner = make_learner(f"clip:tune=frozen:device=cpu:model={tiny_clip()}{weights}{options and ':' + options}", 3)
    return learner.fit(pool or Pool(TOY.pool.features.copy()), LABELS, seed=seed)


@pytest.mark.parametrize("head", HEADS)
def test_a_head_on_a_frozen_encoder_learns_and_repeats_itself(head: str) -> None:
    model = frozen(f"head={head}", seed=3)
    assert np.mean(model.predict(TOY.test_features) == TOY.test_labels) > 0.9
    scores = model.score(TOY.pool, frozenset({"probs", "embedding", "head"}))
    assert scores.embedding is not None
    assert scores.head is not None
    logits = scores.embedding @ scores.head[:, :-1].T + scores.head[:, -1]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    assert np.allclose(powers / powers.sum(axis=1, keepdims=True), scores.probs, atol=1e-5)
    again = frozen(f"head={head}", seed=3)
    assert np.array_equal(again.predict_probs(TOY.test_features), model.predict_probs(TOY.test_features))


def test_it_is_the_learner_of_features_on_the_encoders_embedding() -> None:
    from cutpoint.learners.deep.frozen import frozen_encoder

    encoder = frozen_encoder(tiny_clip(), None, torch.device("cpu"), None)
    embedding = encoder(TOY.pool.features)
    assert np.allclose(np.linalg.norm(embedding, axis=1), 1, atol=1e-5)
    plain = make_learner("logistic", 3).fit(Pool(embedding), LABELS, seed=0)
    model = frozen()
    assert np.array_equal(model.score(TOY.pool).probs, plain.predict_probs(embedding))
    assert model.notes == plain.notes
    single = make_learner(f"clip:tune=frozen:model={tiny_clip()}:weights=none", 3)
    probs = single.fit(TOY.pool, np.where(np.arange(120) == 4, TOY.labels, UNKNOWN), seed=0).score(TOY.pool).probs
    assert np.array_equal(probs, np.tile([0, 1, 0], (120, 1)))


def test_pictures_are_embedded_once_for_all_rounds_heads_and_processes(
    computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool(TOY.pool.features.copy())
    for head in HEADS:
        model = frozen(f"head={head}", pool=pool)
        model.score(pool)
        model.predict(TOY.test_features)
    assert computed == [120, 30]
    monkeypatch.setattr(embeddings, "_KEPT", {})  # as in another process
    again = frozen()
    assert np.array_equal(again.predict_probs(TOY.test_features), frozen(pool=pool).predict_probs(TOY.test_features))
    assert computed == [120, 30]
    assert [path.suffix for path in sorted(default_folder().rglob("*")) if path.is_file()].count(".npz") == 2


def test_an_embedding_in_other_numbers_is_another_one(computed: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cards of one kind of device may compute in different 16-bit types; the processor stands for both."""
    monkeypatch.setattr(encoders, "_on_device", encoders._on_device.__wrapped__)
    for numbers in (torch.bfloat16, None, torch.bfloat16):
        monkeypatch.setattr(devices, "half_type", lambda _, numbers=numbers: numbers)
        frozen()
    assert computed == [120, 120]


def test_without_a_cache_nothing_is_written(computed: list[int]) -> None:
    frozen("cache=none")
    assert computed == [120]
    assert not default_folder().exists()


def test_other_weights_and_other_pictures_have_embeddings_of_their_own(computed: list[int], tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    frozen(f"cache={folder}:weights={weights_of(1, tmp_path / 'one.safetensors')}")
    frozen(f"cache={folder}:weights={weights_of(2, tmp_path / 'two.safetensors')}")
    changed = TOY.pool.features.copy()
    changed[5, 0, 0, 0] += 1
    frozen(f"cache={folder}:weights={tmp_path / 'one.safetensors'}", pool=Pool(changed))
    assert computed == [120, 120, 120]
    shutil.copy(tmp_path / "one.safetensors", tmp_path / "same.safetensors")
    frozen(f"cache={folder}:weights={tmp_path / 'same.safetensors'}")
    assert computed == [120, 120, 120]
    assert len(list(folder.glob("*/*.npz"))) == 3


def stored(folder: Path) -> Path:
    (path,) = (folder / "key").glob("*.npz")
    return path


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(flipped(path.read_bytes())),
        lambda path: path.write_bytes(b""),
        lambda path: np.savez(path, embedding=np.zeros((9, 3), np.float32)),
        lambda path: np.savez(path, embedding=np.zeros((9, 3), np.float32), encoder="other", pictures=path.stem),
        lambda path: np.savez(path, embedding=np.zeros((8, 3), np.float32), encoder="key", pictures=path.stem),
    ],
)
def test_a_damaged_or_foreign_embedding_is_said_and_computed_anew(
    damage: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = TOY.pool.features[:9].copy()
    expected = embedded(pictures, "key", embed, tmp_path).copy()
    whole = stored(tmp_path).read_bytes()
    damage(stored(tmp_path))
    monkeypatch.setattr(embeddings, "_KEPT", {})
    caplog.clear()
    with caplog.at_level(logging.WARNING, "cutpoint.learners"):
        assert np.array_equal(embedded(pictures, "key", embed, tmp_path), expected)
    (said,) = caplog.messages
    assert said.startswith(f"{stored(tmp_path)} ")
    assert "computed anew" in said
    assert stored(tmp_path).read_bytes() == whole


def flipped(data: bytes) -> bytes:
    """One bit of the first number changed."""
    place = data.index(b"\n", data.index(b"\x93NUMPY")) + 1
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def in_files(folder: Path, n: int = 9) -> Pictures:
    folder.mkdir(exist_ok=True)
    for i in range(n):
        (folder / f"{i}.png").write_bytes(encoded(TOY.pool.features[i]))
    return Pictures(Files(folder, [f"{i}.png" for i in range(n)]), SIDE, SIDE)


def test_files_are_read_again_only_if_they_look_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()

    def counted(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def call(pictures: Any) -> Any:
            calls[function.__name__] += 1
            return function(pictures)

        return call

    def once_more() -> tuple[int, int]:
        """How often all bytes were read, and how often pictures were embedded, after another process."""
        monkeypatch.setattr(embeddings, "_KEPT", {})
        embedded(Pictures(pictures.source, SIDE, SIDE), "key", counted(embed), tmp_path / "kept")
        return calls["content_key"], calls["embed"]

    monkeypatch.setattr(embeddings, "content_key", counted(content_key))
    pictures = in_files(tmp_path / "pictures")
    assert once_more() == (1, 1)
    assert once_more() == (1, 1)
    os.utime(tmp_path / "pictures" / "3.png", ns=(0, 0))  # looks changed, and is not
    assert once_more() == (2, 1)
    assert once_more() == (2, 1)
    (tmp_path / "pictures" / "3.png").write_bytes(encoded(TOY.pool.features[50]))
    assert once_more() == (3, 2)


def test_the_content_is_all_bytes_their_order_and_their_size(tmp_path: Path) -> None:
    pictures = in_files(tmp_path / "pictures")
    keys = [content_key(pictures), content_key(Pictures(pictures.source, SIDE, SIDE + 1))]
    for order in ([1, 0, *range(2, 9)], range(8)):
        files = Files(tmp_path / "pictures", [f"{i}.png" for i in order])
        keys.append(content_key(Pictures(files, SIDE, SIDE)))
    array = TOY.pool.features[:9].copy()
    keys += [content_key(array), content_key(array[::-1]), content_key(array.reshape(9, SIDE * 2, SIDE // 2, 3))]
    assert len(set(keys)) == len(keys)
    assert content_key(pictures) == keys[0]
    assert content_key(array) == keys[4]
    packed = Packed(Path("x"), np.arange(9, dtype=np.uint8), np.array([0, 4, 9]), b"", np.arange(2))
    assert content_key(Pictures(packed, 2, 2)) != content_key(Pictures(packed, 2, 3))
    assert quick_key(array) is None
    assert quick_key(Pictures(packed, 2, 2)) is None
    assert quick_key(pictures) == quick_key(Pictures(pictures.source, SIDE, SIDE)) is not None
    assert quick_key(Pictures(Files(tmp_path, ["none.png"]), 2, 2)) is None


def test_of_two_processes_one_computes_and_the_other_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDED", str(tmp_path / "log"))
    context = multiprocessing.get_context("spawn")
    both, pictures = context.Barrier(2), TOY.pool.features[:9].copy()
    processes = [context.Process(target=one_of_two, args=(both, pictures, tmp_path / "kept")) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert (tmp_path / "log").read_text() == "once\n"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"embedding cannot be kept in .*; make room, or give another folder"):
        embedded(TOY.pool.features, "key", embed, tmp_path / "file")


def test_embeddings_cannot_be_written_to_and_are_let_go_with_the_pictures() -> None:
    pictures = TOY.pool.features.copy()
    found = embedded(pictures, "key", embed, None)
    assert embedded(pictures, "key", embed, None) is found
    assert not found.flags.writeable
    del pictures
    assert embeddings._KEPT == {}
