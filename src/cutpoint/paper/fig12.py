"""Figure 12: Imb SVHN, three classes, no label noise; ResNet-18."""

from __future__ import annotations

from cutpoint.paper.figure import Figure, Panel
from cutpoint.paper.settings import resnet18

RUNS = resnet18("fig12", "imb-svhn-3")
ACCURACY = Panel(RUNS, "balanced_accuracy")
MINORITY = Panel(RUNS, "minority_found")
FIGURE = Figure("Imb SVHN, three classes, no label noise", (ACCURACY, MINORITY))
