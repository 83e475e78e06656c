"""Figure 10: Imb CIFAR-100, ten classes, no label noise; ResNet-18."""

from __future__ import annotations

from cutpoint.paper.figure import Figure, Panel
from cutpoint.paper.settings import resnet18

RUNS = resnet18("fig10", "imb-cifar100-10")
ACCURACY = Panel(RUNS, "balanced_accuracy")
MINORITY = Panel(RUNS, "minority_found")
FIGURE = Figure("Imb CIFAR-100, ten classes, no label noise", (ACCURACY, MINORITY))
