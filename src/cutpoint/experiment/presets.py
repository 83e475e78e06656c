"""Named benchmarks, as literal options of `BenchConfig`."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from cutpoint.errors import no_such

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # What a newcomer sees first: seconds, no download.
    "quick": {
        "suites": [{"datasets": ["digits-2", "digits-3"], "noise": ["0", "0.1", "0.2"]}],
        "strategies": ["direct", "galaxy", "margin", "confidence", "most_likely_positive", "random"],
        "parallel": [5],
        "seeds": 5,
        "first": 20,
        "budget": 20,
        "rounds": 10,
    },
    # Real pools with light learners; needs the data root.
    "features": {
        "suites": [
            {
                "datasets": ["cifar10-jpeg-2", "cifar10-jpeg-3"],
                "noise": ["0", "0.1", "0.15", "0.2", "human:aggre", "human:worse"],
            },
            {"datasets": ["ham10000"], "noise": ["0", "0.1", "0.2"]},
        ],
        "strategies": [
            "direct",
            "galaxy",
            "confidence",
            "margin",
            "entropy",
            "most_likely_positive",
            "badge",
            "bait",
            "base",
            "cluster_margin",
            "coreset",
            "similar",
            "random",
        ],
        "parallel": [1, 5, 20],
        "seeds": 10,
        "first": 100,
        "budget": 100,
        "rounds": 10,
    },
}


def preset(name: str) -> dict[str, Any]:
    """The options of a preset, one's own to change."""
    if name not in PRESETS:
        raise no_such("preset", name, PRESETS)
    return copy.deepcopy(dict(PRESETS[name]))
