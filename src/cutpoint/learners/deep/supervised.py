"""Supervised training of a network on the labelled examples alone: section 5.1, whatever the network is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cutpoint.data.pool import Pool
from cutpoint.learners.base import labelled
from cutpoint.learners.deep.checkpoint import SECONDS, Checkpoint, identity
from cutpoint.learners.deep.devices import choose_device, derived, memory_named, numbers, own_chance
from cutpoint.learners.deep.examples import examples
from cutpoint.learners.deep.loop import Fitted, Progress, Settings, fit
from cutpoint.learners.deep.losses import weighted_cross_entropy
from cutpoint.learners.deep.model import Classifier, DeepModel, head_of_one, head_rows
from cutpoint.types import Labels

_INIT, _FIT = 1, 2  # what the seed is for
_SAMPLE = 16  # labelled examples that a checkpoint knows its data by

_log = logging.getLogger("cutpoint.learners")


@dataclass(frozen=True)
class Task:
    """What is trained: `learner` names all its options; `scratch`: the folder of unfinished fits, or None."""

    learner: str
    n_classes: int
    settings: Settings
    smoothing: float
    device: str
    scratch: Path | None


def trained(
    task: Task, pool: Pool, labels: Labels, make_body: Callable[[], tuple[nn.Module, int]], seed: int
) -> DeepModel:
    """A model of the labelled examples, the body made anew: `make_body()` gives it and the width of its embedding.

    The head has a row for each class seen and none for the others, so that no label is smoothed towards a class that
    nobody has given. Labels of a single class train nothing: the embedding is the body's as it was made.
    """
    known, given = labelled(pool, labels, task.n_classes)
    device = choose_device(task.device)
    seen, targets = np.unique(given, return_inverse=True)
    with memory_named(device, task.settings.batch):
        with own_chance(torch.device("cpu"), derived(seed, _INIT)):
            body, width = make_body()
            network = Classifier(body, nn.Linear(width, seen.size)).to(device)
        if seen.size == 1:
            return DeepModel(body.eval(), head_of_one(int(seen[0]), task.n_classes, width), device, _notes(Fitted()))
        fitted = fit(
            network,
            examples(pool.features, known, device),
            targets.astype(np.int64),
            weighted_cross_entropy(targets, seen.size, task.smoothing, device),
            task.settings,
            seed=derived(seed, _FIT),
            checkpoint=checkpoint_of(task, pool, labels, network, seed),
            progress=logged,
        )
    return DeepModel(body, head_rows(network.head, seen, task.n_classes), device, _notes(fitted))


def _notes(fitted: Fitted) -> dict[str, float]:
    """What is recorded of every fit, also of one that had nothing to learn: it says its one class with certainty."""
    return {"epochs": float(len(fitted.losses)), "training_loss": fitted.losses[-1] if fitted.losses else 0.0}


def checkpoint_of(task: Task, pool: Pool, labels: Labels, network: nn.Module, seed: int) -> Checkpoint | None:
    """Where this fit is kept while it is unfinished; its file is named after all that it depends on."""
    if task.scratch is None:
        return None
    device = choose_device(task.device)
    known = examples(pool.features, np.flatnonzero(labels >= 0)[:_SAMPLE], device)
    sample = next(known.in_order(_SAMPLE)).cpu().numpy()
    name = identity(task.learner, task.n_classes, seed, numbers(device), np.asarray(labels, np.int64), sample, network)
    return Checkpoint(task.scratch / f"{name}.pt", name, SECONDS)


def logged(now: Progress) -> None:
    """Say how far a fit is, to whoever listens."""
    _log.debug("epoch %d of at most %d: training loss %.4g", *now)
