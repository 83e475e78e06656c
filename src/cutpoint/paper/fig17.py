"""Figure 17: Imb CIFAR-100, two classes, 10 % label noise; ResNet-18."""

from __future__ import annotations

from cutpoint.paper.figure import Figure, Panel
from cutpoint.paper.settings import resnet18

RUNS = resnet18("fig17", "imb-cifar100-2", "0.1")
ACCURACY = Panel(RUNS, "balanced_accuracy")
MINORITY = Panel(RUNS, "minority_found")
FIGURE = Figure("Imb CIFAR-100, two classes, 10 % label noise", (ACCURACY, MINORITY))
