"""FlexMatch as Algorithm 1 of Zhang et al. (2021) has it: with loops, one picture at a time, in plain numbers."""

from __future__ import annotations

import math


def thresholds(sure: list[int], n_classes: int, cutoff: float) -> list[float]:
    """Lines 3 to 12: sigma, beta with its warm-up, and the convex mapping."""
    sigma = [sum(1 for u in sure if u == c) for c in range(n_classes)]
    unused = sum(1 for u in sure if u == -1)
    found = []
    for c in range(n_classes):
        warm_up = max(sigma) < unused
        beta = sigma[c] / (max(max(sigma), len(sure) - sum(sigma)) if warm_up else max(sigma))
        found.append(beta / (2 - beta) * cutoff)
    return found


def softmax(logits: list[float]) -> list[float]:
    """Probabilities of one picture."""
    powers = [math.exp(z - max(logits)) for z in logits]
    return [power / sum(powers) for power in powers]


def unlabelled_loss(
    sure: list[int], rows: list[int], weak: list[list[float]], strong: list[list[float]], cutoff: float
) -> float:
    """The loss of one batch from the logits of both views; `sure` is changed afterwards, as lines 13 to 17 do."""
    limits = thresholds(sure, len(weak[0]), cutoff)
    total = 0.0
    for one, two in zip(weak, strong, strict=True):
        probs = softmax(one)
        said = probs.index(max(probs))
        if max(probs) > limits[said]:
            total += -math.log(softmax(two)[said])
    for row, one in zip(rows, weak, strict=True):
        probs = softmax(one)
        if max(probs) > cutoff:
            sure[row] = probs.index(max(probs))
    return total / len(rows)
