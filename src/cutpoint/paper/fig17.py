"""Figure 17: Imb CIFAR-100, two classes, 10 % label noise; ResNet-18."""

from __future__ import annotations

from cutpoint.paper.figure import Campaign, Figure, Panel

RUNS = Campaign(
    "fig17",
    {
        "suites": [{"datasets": ["imb-cifar100-2"], "noise": ["0.1"]}],
        "strategies": [
            "direct",
            "galaxy",
            "similar",
            "badge",
            "base",
            "bait",
            "cluster_margin",
            "confidence",
            "most_likely_positive",
            "random",
        ],
        "parallel": [1, 5, 20],
        "seeds": 4,
        "first": 100,
        "budget": 100,
        "rounds": 49,
        "learner": "resnet18:epochs=500:batch=100:lr=0.01:decay=5e-5:smoothing=0.1",
    },
)
ACCURACY = Panel(RUNS, "balanced_accuracy")
MINORITY = Panel(RUNS, "minority_found")
FIGURE = Figure("Imb CIFAR-100, two classes, 10 % label noise", (ACCURACY, MINORITY))
