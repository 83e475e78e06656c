"""Figure 23: (a) FMoW and (b) iWildCam, 10 % label noise; CLIP ViT-B/32, supervised."""

from __future__ import annotations

from cutpoint.paper.figure import Figure, Panel
from cutpoint.paper.settings import clip

FMOW_RUNS = clip("fig23a", "fmow", "0.1", rounds=10)
IWILDCAM_RUNS = clip("fig23b", "iwildcam", "0.1", rounds=10)
FMOW = Panel(FMOW_RUNS, "pool_balanced_accuracy")
IWILDCAM = Panel(IWILDCAM_RUNS, "pool_balanced_accuracy")
FIGURE = Figure("FMoW and iWildCam, 10 % label noise", (FMOW, IWILDCAM), lettered=True)
