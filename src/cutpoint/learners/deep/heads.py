"""Heads on frozen features: `torch-linear` and `torch-mlp`, the workhorses where there is no GPU.

Features are centred and divided by one number, as for `logistic`. Training ends when the weighted cross entropy falls
no more; it is `decay` that keeps a head from learning single labels by heart. Its default is the one that did best on
digits and on frozen features of CIFAR-10 (JPEG), with 100 to 3000 labels, without noise and with 10 % of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from cutpoint.data.pool import Pool
from cutpoint.learners.base import EVERYTHING, Model
from cutpoint.learners.scaling import scaled
from cutpoint.types import Labels

if TYPE_CHECKING:
    from torch import nn

PATIENCE = 10


@dataclass(frozen=True)
class HeadLearner:
    """A linear head of `n_classes` classes on features, below it `hidden` units if there are any.

    `epochs` at most; `lr` falls to 0 along half a cosine; `decay` is Adam's L2 penalty; `smoothing` of labels.
    `device`: "auto", "cpu", "cuda" or "mps". `scratch`: a folder for unfinished fits, which are then gone on with.
    """

    n_classes: int
    hidden: int = 0
    epochs: int = 200
    lr: float = 1e-2
    decay: float = 0.1
    batch: int = 100
    smoothing: float = 0.0
    device: str = "auto"
    scratch: Path | None = field(default=None, repr=False, compare=False)
    gives: ClassVar[frozenset[str]] = EVERYTHING

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
        """A head trained anew on the labelled rows."""
        from cutpoint.learners.deep.loop import Settings
        from cutpoint.learners.deep.supervised import Task, trained

        settings = Settings(self.epochs, self.batch, self.lr, self.decay, cosine=True, patience=PATIENCE)
        task = Task(repr(self), self.n_classes, settings, self.smoothing, self.device, self.scratch)
        return trained(task, pool, labels, lambda: self._body(pool), seed)

    def check(self) -> None:
        """UsageError if its device is not here."""
        from cutpoint.learners.deep.devices import choose_device

        choose_device(self.device)

    def _body(self, pool: Pool) -> tuple[nn.Module, int]:
        """From features (b, d) to the scaled features, or to the hidden units above them; and their number."""
        from torch import nn

        from cutpoint.learners.deep.layers import Standardised

        scale = scaled(pool)
        start = Standardised(scale.centre, scale.spread)
        if not self.hidden:
            return start, scale.centre.size
        return nn.Sequential(start, nn.Linear(scale.centre.size, self.hidden), nn.ReLU()), self.hidden


@dataclass(frozen=True)
class NetworkHeadLearner(HeadLearner):
    """The same with a hidden layer."""

    hidden: int = 64
    lr: float = 3e-3
