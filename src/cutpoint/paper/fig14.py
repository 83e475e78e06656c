"""Figure 14: (a) FMoW and (b) iWildCam, no label noise; CLIP ViT-B/32, FlexMatch."""

from __future__ import annotations

from cutpoint.paper.figure import Figure, Panel
from cutpoint.paper.settings import clip

FMOW_RUNS = clip("fig14a", "fmow", rounds=10)
IWILDCAM_RUNS = clip("fig14b", "iwildcam", rounds=7)
FMOW = Panel(FMOW_RUNS, "pool_balanced_accuracy")
IWILDCAM = Panel(IWILDCAM_RUNS, "pool_balanced_accuracy")
FIGURE = Figure("FMoW and iWildCam, no label noise", (FMOW, IWILDCAM), lettered=True)
