"""The two ways in which the paper trains, as options of a campaign: what most of its figures share.

Section 5.1 and appendix B; what they leave open (epochs, batches, rates, labels a round) is from the authors' public
code as far as the learners have an option for it.
"""

from __future__ import annotations

from dataclasses import replace

from cutpoint.data.table_1 import TABLE_1
from cutpoint.errors import UsageError
from cutpoint.paper.figure import Campaign, Figure

PARALLEL = [1, 5, 20]
"""B_parallel of DIRECT, with CLIP too (section 5.3: "on ResNet-18 and LabelBench setups, and with different B_parallel
values"); the other strategies run once."""
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
EPOCHS = "epochs=500"
RESNET = f"resnet18:{EPOCHS}:batch=100:lr=0.01:decay=5e-5"
FLEXMATCH = "clip:tune=full:semi=flexmatch:batch=50:lr=1e-5:decay=3e-5"
SUPERVISED = {
    "fmow": "clip:tune=full:semi=none:batch=400:lr=3e-5:decay=0.005",
    "iwildcam": "clip:tune=full:semi=none:batch=512:lr=3e-5:decay=0.001",
}
"""Of LabelBench's files for these sets; without their warm-up, mixup, clipping and stopping (docs/deviations.md)."""
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
            "learner": SUPERVISED[dataset] + SMOOTHING if noise != "0" else FLEXMATCH,
        },
    )


def shortened(figure: Figure) -> Figure:
    """The figure under ResNet-18's short schedule; UsageError if CLIP runs in it.

    Its campaigns have names of their own, and so other folders: nothing of it is taken for the paper's.
    """
    others = [campaign.name for campaign in figure.campaigns if EPOCHS not in campaign.options["learner"]]
    if others:
        raise UsageError(
            f"the short schedule is ResNet-18's, and CLIP runs in {', '.join(others)}; leave --schedule out, or take a "
            "figure of ResNet-18 alone, as `cutpoint paper list` shows them."
        )
    made = {
        campaign: replace(
            campaign,
            name=f"{campaign.name}-short",
            options={**campaign.options, "learner": campaign.options["learner"].replace(EPOCHS, "schedule=short")},
        )
        for campaign in figure.campaigns
    }
    return replace(figure, panels=tuple(replace(panel, campaign=made[panel.campaign]) for panel in figure.panels))
