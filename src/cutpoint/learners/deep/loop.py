"""The one training loop of all torch learners.

    network = ...                                    an nn.Module on the device, changed in place
    found = fit(network, examples(pool.features, known, device), targets, loss, settings, seed=seed)

What differs between learners comes in through three of the arguments:

- `loss(network, batch) -> scalar tensor` is called once for each batch, under mixed precision where the device has
  it. `batch.inputs` are the raw examples on the device (pictures uint8 (b, H, W, 3)), so scaling and augmentation are
  the network's or the loss's affair. A loss may use `batch.rows`, `batch.epoch` and `batch.step`, hold further
  examples of its own (the unlabelled ones of FlexMatch: `every_example`), and draw from torch's global generators:
  they are the loop's own, seeded anew in each epoch from (seed, epoch). A loss that remembers something from batch to
  batch is an `nn.Module` whose buffers hold it: its `state_dict` is kept in the checkpoint.
- `settings` name the optimizer and its rate; only parameters that require a gradient are trained.
- `watch(network) -> float`, if given, is what early stopping looks at after each epoch in place of the mean training
  loss, such as the loss on a validation part.

Nothing is printed and no global random state is left changed. All chance of an epoch comes from (seed, epoch), so a
fit that was killed goes on from its checkpoint to the identical model (on the CPU; on CUDA as far as its kernels
repeat themselves: the gradients of max pooling and of attention add up in any order).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from cutpoint.errors import CutpointError
from cutpoint.learners.deep.checkpoint import Checkpoint, Writing
from cutpoint.learners.deep.devices import derived, half, half_type, memory_named, not_finite, own_chance, reseed
from cutpoint.learners.deep.examples import Examples
from cutpoint.types import Labels

SCALE = 2.0**16  # of the loss in float16, to begin with; halved with each step that is left out
FAR = 2.0  # times the loss of guessing, and of the beginning: no network that has learnt anything ends above both

_log = logging.getLogger("cutpoint.learners")


class Batch(NamedTuple):
    """What a loss is handed: inputs and targets (b,) int64 on the device.

    rows (b,): positions among the examples that are fitted, on the CPU. step: batches before this one, all in all.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    rows: torch.Tensor
    epoch: int
    step: int


Loss = Callable[[nn.Module, Batch], torch.Tensor]


class Progress(NamedTuple):
    """After an epoch: how many are done, of how many at most, and the mean training loss of the last."""

    done: int
    epochs: int
    loss: float


@dataclass(frozen=True)
class Settings:
    """How to train.

    optimizer: "adam" (its weight decay is an L2 penalty) or "adamw" (decoupled). cosine: the rate falls from `rate` to
    0 along half a cosine over all epochs. patience: stop after so many epochs in which what is watched did not fall
    below its lowest by `least`; None: never. best: at the end, the network is what it was after the epoch in which what
    is watched was lowest.
    """

    epochs: int
    batch: int
    rate: float
    decay: float = 0.0
    optimizer: str = "adam"
    cosine: bool = False
    patience: int | None = None
    least: float = 1e-3
    best: bool = False

    def rate_at(self, part: float) -> float:
        """The learning rate when that part of all steps, 0 to 1, is done."""
        return self.rate * (1 + math.cos(math.pi * part)) / 2 if self.cosine else self.rate


@dataclass
class Fitted:
    """What a fit has to tell: the mean training loss of each epoch, and what was watched (the same, or `watch`'s)."""

    losses: list[float] = field(default_factory=list)
    watched: list[float] = field(default_factory=list)

    def is_over(self, settings: Settings) -> bool:
        """True after the last epoch, or when patience has run out."""
        if len(self.losses) >= settings.epochs:
            return True
        lowest, since = math.inf, 0
        for value in self.watched:
            lowest, since = (value, 0) if value < lowest - settings.least else (lowest, since + 1)
        return settings.patience is not None and since >= settings.patience


def fit(
    network: nn.Module,
    given: Examples,
    targets: Labels,
    loss: Loss,
    settings: Settings,
    *,
    seed: int,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[nn.Module], float] | None = None,
    progress: Callable[[Progress], object] = lambda _: None,
) -> Fitted:
    """Train the network in place on its examples and their targets (n,); it is left in evaluation mode.

    CutpointError for a loss or gradients that are not finite, with the epoch, for a memory that is too small, with a
    batch size to try, and for weights that are not finite at the end; a loss that ends far above its beginning is
    logged. With a checkpoint, a state that is there is gone on with; the last one is left there if the fit took as
    long as its `seconds`.
    """
    run = _Run(network, given, torch.from_numpy(targets).to(given.device), loss, settings, seed)
    with own_chance(given.device, seed), memory_named(given.device, settings.batch):
        fitted = run.resumed(checkpoint)
        writing, found = Writing(checkpoint), len(fitted.losses)
        while not fitted.is_over(settings):
            run.epoch(fitted)
            network.eval()
            fitted.watched.append(fitted.losses[-1] if watch is None else watch(network))
            run.keep(fitted)
            progress(Progress(len(fitted.losses), settings.epochs, fitted.losses[-1]))
            if not fitted.is_over(settings):
                writing.if_due(lambda: run.state(fitted))
        run.finish(fitted)
        if len(fitted.losses) > found:
            writing.last(lambda: run.state(fitted))
    if fitted.losses[-1] > FAR * max(math.log(max(2, len(np.unique(targets)))), float(run.first)):
        _log.warning(
            "the training loss of a network ended far above that of its beginning, so it has learnt nothing; lower "
            "the learning rate (lr=%g).",
            settings.rate,
        )
    return fitted


@dataclass
class _Run:
    """The parts that change while a network is trained."""

    network: nn.Module
    given: Examples
    targets: torch.Tensor
    loss: Loss
    settings: Settings
    seed: int

    def __post_init__(self) -> None:
        """Make the optimizer, and cut the examples into batches as even as can be."""
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[self.settings.optimizer]
        fused = self.given.device.type in ("cuda", "cpu")
        self.optimizer = kind(trained, lr=self.settings.rate, weight_decay=self.settings.decay, fused=fused)
        is_scaled = half_type(self.given.device) is torch.float16
        self.scaler = torch.amp.GradScaler(self.given.device.type, init_scale=SCALE, enabled=is_scaled)
        self.parts = -(-len(self.given) // self.settings.batch)
        self.best: dict[str, torch.Tensor] | None = None
        self.first = torch.tensor(math.inf)  # the loss of the first batch; of a fit that is gone on with, not known

    def epoch(self, fitted: Fitted) -> None:
        """One pass over all examples in an order of its own; its mean loss is appended."""
        done = len(fitted.losses)
        reseed(self.given.device, derived(self.seed, done))
        self.network.train()
        order = torch.randperm(len(self.given), generator=torch.Generator().manual_seed(derived(self.seed, done, 0)))
        parts = order.tensor_split(self.parts)  # even ones: a rest of a single example has no variance to normalise by
        there = order.to(self.given.device).tensor_split(self.parts)  # at once: a copy for each step would wait for it
        total = torch.zeros((), device=self.given.device)
        for k, inputs in enumerate(self.given.batches(parts if self.given.whole is None else there)):
            targets = self.targets[there[k]]
            batch = Batch(inputs, targets, parts[k], done, done * self.parts + k)
            stepped = self._step(batch)
            self.first = stepped if batch.step == 0 else self.first
            total += stepped * len(targets)
        mean = float(total) / len(self.given)  # the device is waited for once an epoch
        if not math.isfinite(mean):
            raise self._lost(f"the training loss is {mean} in", done + 1)
        if self.scaler.is_enabled() and self.scaler.get_scale() < 1:
            raise self._lost("the gradients are not finite in", done + 1)
        fitted.losses.append(mean)

    def _lost(self, what: str, epoch: int) -> CutpointError:
        """The error for what is not finite, with its epoch."""
        return CutpointError(
            f"{what} epoch {epoch} of {self.settings.epochs}; lower the learning rate (lr={self.settings.rate:g}), or "
            "look for examples that are out of all proportion."
        )

    def _step(self, batch: Batch) -> torch.Tensor:
        """One step of the optimizer; the loss before it."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate_at(batch.step / (self.parts * self.settings.epochs))
        self.optimizer.zero_grad(set_to_none=True)
        with half(self.given.device):
            loss = self.loss(self.network, batch)
        torch.autograd.backward(self.scaler.scale(loss))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach().float()

    def keep(self, fitted: Fitted) -> None:
        """Remember the network if it is to be kept at its best and is that now; of equally good ones the first."""
        if self.settings.best and fitted.watched[-1] < min(fitted.watched[:-1], default=math.inf):
            self.best = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def finish(self, fitted: Fitted) -> None:
        """Leave the network as it is to be used; CutpointError if no step was made, or the last has left no numbers."""
        steps = self.parts * len(fitted.losses)
        if self.scaler.is_enabled() and self.scaler.get_scale() <= SCALE * 0.5**steps:
            raise self._lost("the gradients are not finite in any step up to", len(fitted.losses))
        if self.best is not None:
            self.network.load_state_dict(self.best)
            self.best = None
        self.network.eval()
        if not_finite(self.network.state_dict()):
            raise self._lost("the weights are not finite after", len(fitted.losses))

    def state(self, fitted: Fitted) -> dict[str, Any]:
        """Everything that the next epoch depends on; after the last one the network alone."""
        parts = {"network": self.network} if fitted.is_over(self.settings) else self._stateful()
        told = {"losses": fitted.losses, "watched": fitted.watched, "best": self.best}
        return told | {"parts": {name: part.state_dict() for name, part in parts.items()}}

    def resumed(self, checkpoint: Checkpoint | None) -> Fitted:
        """How far the fit is: as the checkpoint has it, or at its start."""
        state = None if checkpoint is None else checkpoint.read()
        if state is None:
            return Fitted()
        stateful = self._stateful()
        for name, part in state["parts"].items():
            stateful[name].load_state_dict(part)
        self.best = state["best"]
        return Fitted(state["losses"], state["watched"])

    def _stateful(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"network": self.network, "optimizer": self.optimizer, "scaler": self.scaler}
        return parts | ({"loss": self.loss} if isinstance(self.loss, nn.Module) else {})
