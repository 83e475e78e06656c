"""What a figure of the paper is made of: campaigns that are run once, and panels that show them.

A campaign is one data set under one noise, as options of `experiment/config.py: BenchConfig`, and has a
results folder of its own. Several panels may show it, also those of another figure, and it is still run once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METRICS: Mapping[str, str] = {
    "balanced_accuracy": "balanced accuracy",
    "pool_balanced_accuracy": "balanced pool accuracy",
    "minority_found": "minority labels found",
}
"""What a panel may show, and how its axis is called."""


@dataclass(frozen=True, eq=False)
class Campaign:
    """Runs that are stored in one folder; `name`: of that folder; `options`: of one data set and one noise."""

    name: str
    options: Mapping[str, Any]

    @property
    def dataset(self) -> str:
        """The data set's name."""
        return str(self.options["suites"][0]["datasets"][0])

    @property
    def noise(self) -> str:
        """The noise, as it is written in options."""
        return str(self.options["suites"][0]["noise"][0])

    @property
    def learner(self) -> str:
        """The learner in a word or two, without the numbers behind it."""
        kind, *parts = str(self.options["learner"]).split(":")
        given = dict(part.split("=") for part in parts)
        return ", ".join([kind, *(given[key] for key in ("semi", "schedule") if given.get(key, "none") != "none")])

    @property
    def short(self) -> bool:
        """True if it is run under ResNet-18's short schedule, and not as the paper has it."""
        return "schedule=short" in self.options["learner"]


@dataclass(frozen=True)
class Panel:
    """One metric (see `METRICS`) of one campaign."""

    campaign: Campaign
    metric: str = "balanced_accuracy"


@dataclass(frozen=True)
class Figure:
    """`shows`: in a few words; `panels`: row by row, `wide` in each; `lettered`: the paper letters them so, too."""

    shows: str
    panels: tuple[Panel, ...]
    wide: int = 2
    lettered: bool = False

    @property
    def campaigns(self) -> tuple[Campaign, ...]:
        """What it needs, each once, as the panels have it."""
        return tuple(dict.fromkeys(panel.campaign for panel in self.panels))

    @property
    def short(self) -> bool:
        """True if it is not the paper's, but under ResNet-18's short schedule."""
        return any(campaign.short for campaign in self.campaigns)

    @property
    def metrics(self) -> tuple[str, ...]:
        """What its panels show, each once."""
        return tuple(dict.fromkeys(panel.metric for panel in self.panels))
