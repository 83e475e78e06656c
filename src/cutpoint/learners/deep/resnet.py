"""ResNet-18 from end to end, as in section 5: learner `resnet18`.

ImageNet weights of the PyTorch library, a new head, pictures at their own size scaled to [-1, 1], no augmentation, the
weights put back before every round. What the paper does not say is as in the authors' public code: Adam, a rate of
0.01, a weight decay of 5e-5, batches of 100, 500 epochs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cutpoint.data.pool import Pool
from cutpoint.errors import UsageError
from cutpoint.learners.base import EVERYTHING, Model
from cutpoint.learners.deep.weights import Published, check_name, find_weights
from cutpoint.types import Labels

if TYPE_CHECKING:
    from torch import nn

WIDTH = 512
LEAST_BATCH = 3  # a batch of one has no variance to normalise by, and batches as even as can be are then never of one
IMAGENET = Published(
    what="ImageNet weights of ResNet-18",
    file="resnet18-f37072fd.pth",
    url="https://download.pytorch.org/models/resnet18-f37072fd.pth",
    hub="timm/resnet18.tv_in1k",
    hub_file="model.safetensors",
)


class Schedule(NamedTuple):
    """Epochs if none are given, and whether the rate falls along half a cosine."""

    epochs: int
    cosine: bool


SCHEDULES: Mapping[str, Schedule] = {
    "paper": Schedule(500, cosine=False),
    "short": Schedule(60, cosine=True),  # to its end: stopped where the loss fell no more, it was worse by .05
}


@dataclass(frozen=True)
class ResNetLearner:
    """ResNet-18 of `n_classes` classes on pictures.

    `schedule`: "paper" (many epochs at one rate) or "short" (fewer, and the rate falls). `epochs`: other ones than the
    schedule's. `weights`: "auto", a path, or "none" (at random).
    `root`: a folder in which "auto" looks first. `scratch`: a folder for unfinished fits, which are then gone on with.
    """

    n_classes: int
    epochs: int | None = None
    batch: int = 100
    lr: float = 1e-2
    decay: float = 5e-5
    smoothing: float = 0.0
    weights: str = "auto"
    schedule: str = "paper"
    device: str = "auto"
    root: Path | None = field(default=None, repr=False, compare=False)
    scratch: Path | None = field(default=None, repr=False, compare=False)
    gives: ClassVar[frozenset[str]] = EVERYTHING
    reads: ClassVar[str] = "pictures"

    def __post_init__(self) -> None:
        """Check the batch."""
        if self.batch < LEAST_BATCH:
            raise UsageError(
                f"batch is {self.batch}; resnet18 normalises over each batch, so it must be at least {LEAST_BATCH}."
            )

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
        """A network trained anew on the labelled pictures; DataError if the weights are not there or other ones."""
        file = self._weights()
        from cutpoint.learners.deep.loop import Settings
        from cutpoint.learners.deep.supervised import Task, trained

        epochs, cosine = SCHEDULES[self.schedule]
        settings = Settings(self.epochs or epochs, self.batch, self.lr, self.decay, cosine=cosine)
        task = Task(repr(self), self.n_classes, settings, self.smoothing, self.device, self.scratch)
        _ = pool.pictures  # refuses features
        return trained(task, pool, labels, lambda: (_body(file), WIDTH), seed)

    def check(self) -> None:
        """UsageError if its device is not here, DataError if the weights are not or are other ones."""
        file = self._weights()
        import torch

        from cutpoint.learners.deep.devices import choose_device, own_chance

        choose_device(self.device)
        if file is None:
            return
        check_name(file)

        with own_chance(torch.device("cpu"), 0):
            _body(file)

    def _weights(self) -> Path | None:
        """The file to begin with, None for none."""
        return None if self.weights == "none" else find_weights(IMAGENET, self.weights, self.root)


def _body(file: Path | None) -> nn.Module:
    """From pictures (b, H, W, 3) uint8 to (b, 512)."""
    import torch
    from torch import nn

    from cutpoint.learners.deep.layers import Symmetric
    from cutpoint.learners.deep.vision import import_timm
    from cutpoint.learners.deep.weights import load_weights

    network = import_timm().create_model("resnet18", pretrained=False, num_classes=0)
    if file is not None:
        load_weights(network, file, ignore=("fc.",))
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.num_batches_tracked = None  # a running mean asks for no count, which costs each layer a kernel a step
    return nn.Sequential(Symmetric(), network.to(memory_format=torch.channels_last))
