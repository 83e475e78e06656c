"""The cross entropy of section 5.1: labels smoothed under noise, classes weighted by inverse labelled counts or not."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from cutpoint.learners.base import class_weights
from cutpoint.learners.deep.loop import Batch, Loss
from cutpoint.types import Labels


def weighted_cross_entropy(targets: Labels, n_classes: int, smoothing: float, device: torch.device) -> Loss:
    """The loss of supervised training on these targets (n,) in 0..n_classes-1, each of them there at least once.

    The mean over a batch is the weighted one: the sum of weighted losses over the sum of weights. smoothing: the share
    of a label that is spread evenly over all classes.
    """
    weights_K = torch.from_numpy(class_weights(targets, n_classes)).float().to(device)

    def loss(network: nn.Module, batch: Batch) -> torch.Tensor:
        logits = network(batch.inputs).float()
        return functional.cross_entropy(logits, batch.targets, weight=weights_K, label_smoothing=smoothing)

    return loss


def cross_entropy(smoothing: float) -> Loss:
    """The loss of supervised training without weights."""

    def loss(network: nn.Module, batch: Batch) -> torch.Tensor:
        return functional.cross_entropy(network(batch.inputs).float(), batch.targets, label_smoothing=smoothing)

    return loss
