"""CLIP ViT-B/32: learner `clip`, fine-tuned from end to end, or frozen below a light head (selection by proxy).

`tune=full`: the setting of LabelBench in the paper's section 5.1, with FlexMatch where labels are clean and supervised
where they are noisy. `tune=frozen`: the pictures are embedded once, and each round trains a head in seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from cutpoint.data.captions import Captions
from cutpoint.data.pool import Pool
from cutpoint.errors import UsageError
from cutpoint.learners.base import EVERYTHING, Learner, Model
from cutpoint.learners.deep.weights import Published, check_name, find_weights
from cutpoint.learners.proxy import HEADS, LIGHT, cache_folder, check_cache, proxy
from cutpoint.types import Labels

MODEL = "ViT-B-32-quickgelu"
OPENAI = Published(
    what="weights of CLIP ViT-B/32",
    file="vit_base_patch32_clip_224.openai/open_clip_model.safetensors",
    url="https://huggingface.co/timm/vit_base_patch32_clip_224.openai/resolve/main/open_clip_model.safetensors",
    hub="timm/vit_base_patch32_clip_224.openai",
    hub_file="open_clip_model.safetensors",
)
PATIENCE = 3  # epochs, with the loss on what FlexMatch holds out
_RANDOM = "clip begins with weights at random (weights=none), which is for tests: it knows nothing of pictures yet."
_TRAINING = ("epochs", "batch", "lr", "decay", "smoothing")

_log = logging.getLogger("cutpoint.learners")


@dataclass(frozen=True)
class ClipLearner:
    """CLIP of `n_classes` classes on pictures.

    `tune`: "full" or "frozen". `semi`: "none" or "flexmatch" (full). `head`: a learner of features, by name (frozen).
    `epochs`, `batch`, `lr`, `decay`, `smoothing`: of full tuning 10, 50, 1e-5, 3e-5 and 0 if not given, of a frozen
    encoder's torch head its own. `weighted`: by inverse labelled counts (full). `weights`: "auto", a path, or "none"
    (at random, for tests). `model`: an architecture of open_clip. `cache`: a folder for embeddings, "auto" or "none".

    `captions`: what one would write below a picture of each class; full tuning begins with them. `root`: a folder in
    which "auto" looks first. `scratch`: a folder for unfinished fits, which are then gone on with.
    """

    n_classes: int
    tune: str = "full"
    semi: str = "none"
    head: str | None = None
    epochs: int | None = None
    batch: int | None = None
    lr: float | None = None
    decay: float | None = None
    smoothing: float | None = None
    weighted: bool = False
    weights: str = "auto"
    model: str = MODEL
    cache: str = "auto"
    device: str = "auto"
    captions: Captions = field(default=(), repr=False, compare=False)
    root: Path | None = field(default=None, repr=False, compare=False)
    scratch: Path | None = field(default=None, repr=False, compare=False)
    gives: ClassVar[frozenset[str]] = EVERYTHING
    reads: ClassVar[str] = "pictures"

    def __post_init__(self) -> None:
        """Refuse options that the others make meaningless."""
        if self.tune == "full":
            self._refuse({"head": self.head}, "tune=full, whose head is the text encoder's")
            return
        self._refuse({"semi": self.semi != "none" or None, "weighted": self.weighted or None}, "tune=frozen")
        if (self.head or LIGHT) == LIGHT:
            self._refuse(self._training(), "tune=frozen with head=logistic, which chooses its own")

    def _refuse(self, options: Mapping[str, object], setting: str) -> None:
        given = [name for name, value in options.items() if value is not None]
        if given:
            raise UsageError(f"learner clip: {given[0]} means nothing with {setting}; leave it out.")

    def _training(self) -> dict[str, Any]:
        """The options of training that were given."""
        return {name: getattr(self, name) for name in _TRAINING if getattr(self, name) is not None}

    @property
    def knows_classes(self) -> bool:
        """True of full tuning, which begins with what texts say of each class."""
        return self.tune == "full"

    def check(self) -> None:
        """UsageError if its device or architecture is not here, DataError if the weights are not or are other ones."""
        file = self._weights()
        from cutpoint.learners.deep.clip_network import check_architecture, clip_with
        from cutpoint.learners.deep.devices import choose_device

        choose_device(self.device)
        check_architecture(self.model)
        if self.tune == "frozen":
            check_cache(self.cache)
        if file is not None:
            check_name(file)
            clip_with(self.model, file)

    def _weights(self) -> Path | None:
        """The file to begin with, None for none."""
        if self.weights == "auto" and self.model != MODEL:
            raise UsageError(f"weights=auto are those of {MODEL}, and the model is {self.model}; give weights=PATH.")
        return None if self.weights == "none" else find_weights(OPENAI, self.weights, self.root)

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
        """A model that begins with the published weights; DataError if they are not there or other ones."""
        _ = pool.pictures  # refuses features
        file = self._weights()
        if file is None:
            _log.warning(_RANDOM)
        return self._frozen(file, pool, labels, seed) if self.tune == "frozen" else self._full(file, pool, labels, seed)

    def _full(self, file: Path | None, pool: Pool, labels: Labels, seed: int) -> Model:
        if len(self.captions) != self.n_classes:
            raise UsageError(
                f"clip has captions of {len(self.captions)} classes and there are {self.n_classes}; give "
                "make_learner(..., captions=captions(benchmark)), or one tuple of sentences for each class."
            )
        from cutpoint.learners.deep.clip_tuning import Tuning, tuned
        from cutpoint.learners.deep.loop import Settings
        from cutpoint.learners.deep.supervised import Task

        options = {"epochs": 10, "batch": 50, "lr": 1e-5, "decay": 3e-5, "smoothing": 0.0} | self._training()
        flexmatch = self.semi == "flexmatch"
        settings = Settings(
            options["epochs"],
            options["batch"],
            options["lr"],
            options["decay"],
            optimizer="adamw",
            cosine=True,
            patience=PATIENCE if flexmatch else None,
            best=flexmatch,
        )
        task = Task(repr(self), self.n_classes, settings, options["smoothing"], self.device, self.scratch)
        tuning = Tuning(self.model, file, self.captions, flexmatch, self.weighted)
        return tuned(task, tuning, pool, labels, seed)

    def _frozen(self, file: Path | None, pool: Pool, labels: Labels, seed: int) -> Model:
        from cutpoint.learners.deep.devices import choose_device
        from cutpoint.learners.deep.frozen import frozen_encoder

        encoder = frozen_encoder(self.model, file, choose_device(self.device), cache_folder(self.cache))
        return proxy(encoder, self._head(), pool, labels, seed)

    def _head(self) -> Learner:
        """The learner of features behind a frozen encoder."""
        name = self.head or LIGHT
        if name == LIGHT:
            return HEADS[LIGHT](self.n_classes)
        return HEADS[name](self.n_classes, device=self.device, scratch=self.scratch, **self._training())
