"""Fine-tuning of CLIP's image encoder from end to end, below the head that its text encoder gives: as in LabelBench.

Every round begins with the published weights and that head, which is trained with the encoder. Its classes are known
by their names, so a class that nobody has labelled yet has probabilities, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from cutpoint.data.captions import Captions
from cutpoint.data.pool import Pool
from cutpoint.learners.base import labelled
from cutpoint.learners.deep.augment import rand_augment
from cutpoint.learners.deep.clip_network import picture_encoder, text_head
from cutpoint.learners.deep.devices import choose_device, derived, half, memory_named
from cutpoint.learners.deep.examples import every_example, examples
from cutpoint.learners.deep.flexmatch import RATIO, FlexMatch
from cutpoint.learners.deep.loop import Loss, fit
from cutpoint.learners.deep.losses import cross_entropy, weighted_cross_entropy
from cutpoint.learners.deep.model import Classifier, DeepModel, head_rows
from cutpoint.learners.deep.supervised import Task, checkpoint_of, logged
from cutpoint.types import UNKNOWN, Index, Labels

HELD_OUT = 10  # of so many labels of a class one is held out to see when to stop
_HOLD, _FIT = 1, 2  # what the seed is for


class Tuning(NamedTuple):
    """What a round begins with and how it goes on.

    model: an architecture of open_clip; file: its weights, or None; captions: of each class. flexmatch: with pictures
    that have no label, too. weighted: labels by the inverse of their class's count.
    """

    model: str
    file: Path | None
    captions: Captions
    flexmatch: bool
    weighted: bool


def tuned(task: Task, tuning: Tuning, pool: Pool, labels: Labels, seed: int) -> DeepModel:
    """A model of the labelled pictures; with FlexMatch, of the others, too, and stopped by labels that are held out.

    Labels of a single class train nothing: what the text encoder knows stays.
    """
    device = choose_device(task.device)
    with memory_named(device, task.settings.batch):
        return _tuned(task, tuning, pool, labels, seed)


def _tuned(task: Task, tuning: Tuning, pool: Pool, labels: Labels, seed: int) -> DeepModel:
    known, given = labelled(pool, labels, task.n_classes)
    device = choose_device(task.device)
    network = zero_shot(tuning, device)
    notes: dict[str, float] = {}
    if (given != given[0]).any():
        kept, held = held_out(given, derived(seed, _HOLD)) if tuning.flexmatch else (np.arange(len(known)), known[:0])
        fitted = fit(
            network,
            examples(pool.features, known[kept], device),
            given[kept],
            _loss(task, tuning, pool, labels, given[kept]),
            # without a validation part there is nothing to stop by
            task.settings if held.size else replace(task.settings, patience=None, best=False),
            seed=derived(seed, _FIT),
            checkpoint=checkpoint_of(task, pool, labels, network, seed),
            watch=_validation(task, pool, known[held], given[held]) if held.size else None,
            progress=logged,
        )
        notes = {"epochs": float(len(fitted.losses)), "training_loss": fitted.losses[-1]}
        notes |= {"validation_loss": min(fitted.watched)} if held.size else {}
    head_K_D = head_rows(network.head, np.arange(task.n_classes), task.n_classes)
    return DeepModel(network.body.eval(), head_K_D, device, notes)


def zero_shot(tuning: Tuning, device: torch.device) -> Classifier:
    """The network that a round begins with, on the device."""
    rows = text_head(tuning.model, tuning.file, tuning.captions, device)
    head = nn.Linear(rows.shape[1], rows.shape[0], device="meta").to_empty(device="cpu")  # draws nothing
    with torch.no_grad():
        head.weight.copy_(rows)
        head.bias.zero_()
    return Classifier(picture_encoder(tuning.model, tuning.file), head).to(device)


def held_out(given: Labels, seed: int) -> tuple[Index, Index]:
    """Ascending places of the labels (n,) that are trained with, and of those held out: of each class a tenth.

    Rounded down, so that of a rare class none is.
    """
    rng = np.random.default_rng(seed)
    is_held = np.zeros(len(given), dtype=bool)
    for k in np.unique(given):
        places = np.flatnonzero(given == k)
        is_held[rng.permutation(places)[: len(places) // HELD_OUT]] = True
    return np.flatnonzero(~is_held), np.flatnonzero(is_held)


def _loss(task: Task, tuning: Tuning, pool: Pool, labels: Labels, given: Labels) -> Loss:
    """The loss of labels `given`; with FlexMatch also of all pictures without one, strongly changed."""
    device = choose_device(task.device)
    loss = cross_entropy(task.smoothing)
    if tuning.weighted:
        loss = weighted_cross_entropy(given, task.n_classes, task.smoothing, device)
    if not tuning.flexmatch:
        return loss
    pictures, unlabelled = every_example(pool.features, device), np.flatnonzero(labels == UNKNOWN)
    size = RATIO * task.settings.batch
    return FlexMatch(loss, pictures, unlabelled, task.n_classes, size=size, augment=rand_augment)


def _validation(task: Task, pool: Pool, rows: Index, expected: Labels) -> Callable[[nn.Module], float]:
    """The mean cross entropy of these rows (m,) with labels (m,), without weights or smoothing."""
    device, size = choose_device(task.device), task.settings.batch
    held, targets = examples(pool.features, rows, device), torch.from_numpy(expected).to(device)

    def loss(network: nn.Module) -> float:
        with torch.inference_mode(), half(device):
            logits = torch.cat([network(inputs).float() for inputs in held.in_order(size)])
        return float(functional.cross_entropy(logits, targets))

    return loss
