"""Figure 23: (a) FMoW and (b) iWildCam, 10 % label noise; CLIP ViT-B/32, supervised."""

from __future__ import annotations

from cutpoint.paper.figure import Campaign, Figure, Panel

FMOW_RUNS = Campaign(
    "fig23a",
    {
        "suites": [{"datasets": ["fmow"], "noise": ["0.1"]}],
        "strategies": ["direct", "galaxy", "badge", "margin", "coreset", "random"],
        "parallel": [1, 5, 20],
        "seeds": 4,
        "first": 3000,
        "budget": 3000,
        "rounds": 9,
        "learner": "clip:tune=full:semi=none:lr=3e-5:smoothing=0.1",
    },
)
IWILDCAM_RUNS = Campaign(
    "fig23b",
    {
        "suites": [{"datasets": ["iwildcam"], "noise": ["0.1"]}],
        "strategies": ["direct", "galaxy", "badge", "margin", "coreset", "random"],
        "parallel": [1, 5, 20],
        "seeds": 4,
        "first": 3000,
        "budget": 3000,
        "rounds": 9,
        "learner": "clip:tune=full:semi=none:lr=3e-5:smoothing=0.1",
    },
)
FMOW = Panel(FMOW_RUNS, "pool_balanced_accuracy")
IWILDCAM = Panel(IWILDCAM_RUNS, "pool_balanced_accuracy")
FIGURE = Figure("FMoW and iWildCam, 10 % label noise", (FMOW, IWILDCAM), lettered=True)
