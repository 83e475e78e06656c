"""A network built as CLIP is and small enough for tests, and pools of pictures that it can learn to tell apart."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest

from cutpoint.data import Benchmark, Pool
from cutpoint.data.captions import captions
from cutpoint.learners import make_learner
from cutpoint.learners.base import equipped
from cutpoint.types import UNKNOWN

NAME = "tiny-clip"
SIDE, WIDTH = 16, 24
_CONFIG = {
    "embed_dim": WIDTH,
    "vision_cfg": {"image_size": SIDE, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@cache
def tiny_clip() -> str:
    """The name by which open_clip knows the architecture, which is made known to it."""
    from cutpoint.learners.deep.vision import import_open_clip

    path = Path(mkdtemp()) / f"{NAME}.json"
    path.write_text(json.dumps(_CONFIG))
    import_open_clip().add_model_config(path)
    return NAME


def weights_of(seed: int, path: Path) -> Path:
    """Write weights of that architecture, at random, as published ones are."""
    import torch
    from safetensors.torch import save_file

    from cutpoint.learners.deep.vision import import_open_clip

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        open_clip: Any = import_open_clip()
        network = open_clip.CLIP(**open_clip.get_model_config(tiny_clip()))
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path)
    return path


def coloured(n: int = 120, n_classes: int = 3, side: int = SIDE) -> Benchmark:
    """Noisy pictures whose class is which colour is strong; labels run 0, 1, 2, 0, ..."""
    rng = np.random.default_rng(0)
    labels = np.arange(n + 30) % n_classes
    pictures = rng.integers(0, 120, (n + 30, side, side, 3))
    pictures[np.arange(n + 30), :, :, labels % 3] += 100
    pictures = pictures.astype(np.uint8)
    names = ("red", "green", "blue")[:n_classes]
    return Benchmark("coloured", Pool(pictures[:n]), labels[:n], pictures[n:], labels[n:], names)


TOY = coloured()
LABELS = np.where(np.arange(120) < 60, TOY.labels, UNKNOWN)  # half of the pool


@pytest.fixture(autouse=True)
def no_weights_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data root and no cache but empty ones."""
    for name in ("CUTPOINT_DATA", "TORCH_HOME", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def clip(options: str = "", scratch: Path | None = None, n_classes: int = 3) -> Any:
    """A learner with the small network, of the toy's classes."""
    weights = "" if "weights=" in options else ":weights=none"
    learner = make_learner(f"clip:model={tiny_clip()}:device=cpu{weights}{options and ':' + options}", n_classes)
    return equipped(learner, root=None, scratch=scratch, captions=captions(TOY)[:n_classes])
