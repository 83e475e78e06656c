"""FlexMatch (Zhang et al. 2021, Algorithm 1): unlabelled pictures that a network is sure of, enough for their class.

An unlabelled picture as it is gets a pseudo-label if its largest probability is above the threshold of that class; the
network is then to say the same of the picture strongly changed. The threshold of a class is lower the fewer pictures
the network has become sure of as that class. Here the weak change is none, as in LabelBench.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn import functional

from cutpoint.learners.deep.devices import sent
from cutpoint.learners.deep.examples import Examples
from cutpoint.learners.deep.loop import Batch, Loss
from cutpoint.types import UNKNOWN, Index

CUTOFF = 0.95  # tau: what a network is sure of
RATIO = 4  # mu: unlabelled pictures of a batch for each labelled one

Augment = Callable[[torch.Tensor], torch.Tensor]


def learning_effects(sure: torch.Tensor, n_classes: int) -> torch.Tensor:
    """How far each class is learnt, beta (K,) in 0..1, beside the furthest.

    sure (M,): the class that each unlabelled picture was last sure to be, -1 if it never was. The counts sigma of the
    classes, divided by the largest of them, or, as a warm-up, by how many are still at -1 if these are more.
    """
    counts = torch.zeros(n_classes + 1, dtype=torch.int64, device=sure.device)  # those at -1 first
    counts.scatter_add_(0, sure - UNKNOWN, torch.ones_like(sure))  # bincount would ask the device how many classes
    return counts[1:] / counts.max()


def thresholds(sure: torch.Tensor, n_classes: int, cutoff: float = CUTOFF) -> torch.Tensor:
    """The threshold T (K,) of each class: the cutoff times beta / (2 - beta), the convex mapping."""
    beta = learning_effects(sure, n_classes)
    return cutoff * beta / (2 - beta)


def pseudo_labels(probs: torch.Tensor, thresholds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The most probable class (b,) of each row of (b, K), and (b,) whether it is above the threshold (K,) of it."""
    largest, labels = probs.max(dim=1)
    return labels, largest > thresholds[labels]


def now_sure(sure: torch.Tensor, rows: torch.Tensor, probs: torch.Tensor, cutoff: float = CUTOFF) -> torch.Tensor:
    """`sure` (M,) after these rows (b,), all different, got probabilities (b, K): the class of each above the cutoff.

    What the network is less sure of now stays as it was.
    """
    largest, labels = probs.max(dim=1)
    return sure.index_put((rows,), torch.where(largest > cutoff, labels, sure[rows]))


class FlexMatch(nn.Module):
    """The loss of a batch: that of its labelled examples, plus the mean over as many unlabelled ones as `size`.

    pictures: the whole pool; rows (M,): which of it are unlabelled. `sure` is the memory of the loss, which a
    checkpoint keeps. Each epoch goes through the unlabelled ones in an order of its own, and again if it needs more.
    Nothing in a step asks the device for a number, so that nobody waits for it.
    """

    sure: torch.Tensor

    def __init__(
        self, supervised: Loss, pictures: Examples, rows: Index, n_classes: int, *, size: int, augment: Augment
    ) -> None:
        super().__init__()
        self.supervised, self.pictures, self.augment = supervised, pictures, augment
        self.rows = torch.from_numpy(rows)
        self.n_classes, self.size = n_classes, min(size, len(rows))
        self.register_buffer("sure", torch.full((len(rows),), UNKNOWN, device=pictures.device))
        self._epoch = -1
        self._batches: Iterator[tuple[torch.Tensor, torch.Tensor]] = iter(())

    def forward(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """The loss of one step; `sure` follows."""
        loss = self.supervised(network, batch)  # before what has no gradient: autocast keeps the weights it made first
        if not self.size:
            return loss
        if batch.epoch != self._epoch:
            self._epoch, self._batches = batch.epoch, self._drawn()
        rows, pictures = next(self._batches)
        with torch.no_grad():
            probs = torch.softmax(network(pictures).float(), dim=1)
        labels, taken = pseudo_labels(probs, thresholds(self.sure, self.n_classes))
        self.sure = now_sure(self.sure, rows, probs)
        logits = network(self.augment(pictures)).float()  # of all, since to know how many are taken one has to wait
        return loss + (functional.cross_entropy(logits, labels, reduction="none") * taken).mean()

    def _drawn(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(rows, pictures) without end, in an order drawn from a number of the global generator."""
        chance = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        waiting: list[torch.Tensor] = []

        def positions() -> Iterator[torch.Tensor]:
            while True:
                for part in torch.split(torch.randperm(len(self.rows), generator=chance), self.size):
                    waiting.append(part)
                    yield self.rows[part]

        for pictures in self.pictures.batches(positions()):
            yield sent(waiting.pop(0), pictures.device), pictures
