"""The two ways in which the paper trains, as options of a campaign: what most of its figures share.

Section 5.1 and appendix B; what they leave open (epochs, rates, labels a round) is from the authors' public code.
"""

from __future__ import annotations

from cutpoint.data.table_1 import TABLE_1
from cutpoint.paper.figure import Campaign

PARALLEL = [1, 5, 20]
"""B_parallel of DIRECT; the other strategies run once."""
TRIALS = 4
RESNET_STRATEGIES = [
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
]
"""Under noise the paper keeps those that did well without; here all of them are run."""
CLIP_STRATEGIES = ["direct", "galaxy", "badge", "margin", "coreset", "random"]
RESNET = "resnet18:epochs=500:batch=100:lr=0.01:decay=5e-5"
FLEXMATCH = "clip:tune=full:semi=flexmatch:batch=50:lr=1e-5:decay=3e-5"
SUPERVISED = "clip:tune=full:semi=none:lr=3e-5"
SMOOTHING = ":smoothing=0.1"  # wherever labels are wrong


def resnet18(name: str, dataset: str, noise: str = "0") -> Campaign:
    """ResNet-18, 50 rounds of 100 labels; with three classes the first has 99."""
    return Campaign(
        name,
        {
            "suites": [{"datasets": [dataset], "noise": [noise]}],
            "strategies": RESNET_STRATEGIES,
            "parallel": PARALLEL,
            "seeds": TRIALS,
            "first": 99 if TABLE_1[dataset].classes == 3 else 100,
            "budget": 100,
            "rounds": 49,
            "learner": RESNET + (SMOOTHING if noise != "0" else ""),
        },
    )


def clip(name: str, dataset: str, noise: str = "0", *, rounds: int) -> Campaign:
    """CLIP ViT-B/32, rounds of 3000 labels, the first included; FlexMatch, which noise would mislead, without it."""
    return Campaign(
        name,
        {
            "suites": [{"datasets": [dataset], "noise": [noise]}],
            "strategies": CLIP_STRATEGIES,
            "parallel": PARALLEL,
            "seeds": TRIALS,
            "first": 3000,
            "budget": 3000,
            "rounds": rounds - 1,
            "learner": SUPERVISED + SMOOTHING if noise != "0" else FLEXMATCH,
        },
    )
