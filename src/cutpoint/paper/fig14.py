"""Figure 14: (a) FMoW and (b) iWildCam, no label noise; CLIP ViT-B/32, FlexMatch."""

from __future__ import annotations

from cutpoint.paper.figure import Campaign, Figure, Panel

FMOW_RUNS = Campaign(
    "fig14a",
    {
        "suites": [{"datasets": ["fmow"], "noise": ["0"]}],
        "strategies": ["direct", "galaxy", "badge", "margin", "coreset", "random"],
        "parallel": [1, 5, 20],
        "seeds": 4,
        "first": 3000,
        "budget": 3000,
        "rounds": 9,
        "learner": "clip:tune=full:semi=flexmatch:batch=50:lr=1e-5:decay=3e-5",
    },
)
IWILDCAM_RUNS = Campaign(
    "fig14b",
    {
        "suites": [{"datasets": ["iwildcam"], "noise": ["0"]}],
        "strategies": ["direct", "galaxy", "badge", "margin", "coreset", "random"],
        "parallel": [1, 5, 20],
        "seeds": 4,
        "first": 3000,
        "budget": 3000,
        "rounds": 6,
        "learner": "clip:tune=full:semi=flexmatch:batch=50:lr=1e-5:decay=3e-5",
    },
)
FMOW = Panel(FMOW_RUNS, "pool_balanced_accuracy")
IWILDCAM = Panel(IWILDCAM_RUNS, "pool_balanced_accuracy")
FIGURE = Figure("FMoW and iWildCam, no label noise", (FMOW, IWILDCAM), lettered=True)
