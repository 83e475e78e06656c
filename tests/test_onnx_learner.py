"""The learner `onnx`: an encoder of one's own below a light head, and what is said where it is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from cutpoint.cli import run_cli
from cutpoint.data import Pool
from cutpoint.data.table_1 import Row
from cutpoint.errors import DataError, UsageError
from cutpoint.experiment.results import read_results
from cutpoint.learners import make_learner
from cutpoint.learners.base import reads
from cutpoint.learners.embeddings import default_folder
from cutpoint.learners.registry import needs
from cutpoint.testing import check_learner
from cutpoint.types import UNKNOWN
from tiny_clip import coloured
from tiny_onnx import averaging
from toy_sets import cifar10_archive, shrink

TOY = coloured()
LABELS = np.where(np.arange(120) < 30, TOY.labels, UNKNOWN)


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An encoder whose embedding is the mean of each colour; an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "mean.onnx"
    path.write_bytes(averaging(side=16))
    return path


def test_it_obeys_the_laws_of_learners(encoder: Path) -> None:
    learner = make_learner(f"onnx:encoder={encoder}", 3)
    assert reads(learner) == "pictures"
    check_learner(learner, 3, side=12)


def test_the_embedding_is_the_encoders_of_pictures_at_its_own_size(encoder: Path) -> None:
    model = make_learner(f"onnx:encoder={encoder}:cache=none", 3).fit(TOY.pool, LABELS, seed=0)
    means = TOY.pool.features.mean(axis=(1, 2), dtype=np.float64) / 127.5 - 1
    plain = make_learner("logistic", 3).fit(Pool(means.astype(np.float32)), LABELS, seed=0)
    assert np.allclose(model.score(TOY.pool).probs, plain.predict_probs(means.astype(np.float32)), atol=1e-4)
    assert np.mean(model.predict(TOY.test_features) == TOY.test_labels) > 0.9
    assert not default_folder().exists()


def test_another_encoder_at_the_same_path_has_embeddings_of_its_own(encoder: Path) -> None:
    pool = Pool(TOY.pool.features.copy())  # one that no other test has embedded
    for side in (16, 8, 16):
        encoder.write_bytes(averaging(side=side))
        make_learner(f"onnx:encoder={encoder}", 3).fit(pool, LABELS, seed=0)
    assert len(list(default_folder().glob("*/*.npz"))) == 2


def test_a_missing_or_foreign_encoder_is_one_sentence(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"needs an encoder; write onnx:encoder=PATH"):
        make_learner("onnx", 3)
    (tmp_path / "bad.onnx").write_bytes(b"no")
    for path, said in ((tmp_path / "none.onnx", "there is no file"), (tmp_path / "bad.onnx", "no encoder that")):
        learner: Any = make_learner(f"onnx:encoder={path}", 3)
        for call in (learner.check, lambda learner=learner: learner.fit(TOY.pool, LABELS, seed=0)):
            with pytest.raises(DataError, match=said):
                call()
    with pytest.raises(UsageError, match="and pictures are needed"):
        make_learner(f"onnx:encoder={encoder}", 2).fit(Pool(np.eye(2, dtype=np.float32)), np.array([0, 1]), seed=0)


def test_a_campaign_with_it_embeds_each_split_once(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, imb_cifar10_2=Row(40, 2, ".1111"))
    cifar10_archive(tmp_path)
    call = ["bench", "run", "--dataset", "imb-cifar10-2", "--strategies", "direct,badge", "--seeds", "2", "--jobs", "1"]
    call += ["-q", "--first", "20", "--budget", "4", "--rounds", "2", "--data-root", str(tmp_path)]
    assert run_cli([*call, "--learner", f"onnx:encoder={encoder}", "-o", str(tmp_path / "out")]) == 0
    assert len(read_results(tmp_path / "out")[1]) > 0
    assert len(list(default_folder().glob("*/*.npz"))) == 2


def test_what_a_head_needs_is_needed() -> None:
    assert needs("onnx:encoder=x:head=logistic") == ("onnxruntime",)
    assert needs("onnx:encoder=x:head=torch-mlp") == ("onnxruntime", "torch")
    assert needs("clip:tune=frozen:head=torch-mlp").count("torch") == 1
