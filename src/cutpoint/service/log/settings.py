"""What a campaign is set to: classes, strategy, seed, sizes. Made once, checked, and changed by events alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass, replace
from typing import Any

from cutpoint.errors import UsageError, no_such
from cutpoint.service.log.names import check_new_classes
from cutpoint.store.events import New
from cutpoint.types import seconds_above_zero, whole_number
from cutpoint.words import count

LEASE_SECONDS = 900.0
LEAST_BUDGET = 20  # questions of a round, and between two trainings, while there are few labels
SHARE = 0.05  # of the labels so far, once that is more
KINDS_OF_ITEM = ("row", "text", "picture")
DAY = 86_400.0  # seconds
LIMITS: Mapping[str, tuple[float, float]] = {
    "first": (1, 1_000_000),
    "budget": (1, 1_000_000),
    "parallel": (1, 10_000),
    "overlap": (1, 100),
    "lease_seconds": (0.001, 30 * DAY),
}
"""What may be set, at least and at most, by whatever way. A log keeps what it has."""
BEGUN = "begin: campaign"  # the key of `campaign_created`, of which a log has one


@dataclass(frozen=True)
class Settings:
    """The settings of a campaign. Its strategy and its learner may be of another Cutpoint, which a log must survive.

    parallel: B_parallel.  first: questions of the first batch, which is random.
    budget: questions of a round and between two trainings; None for 5 % of the labels, and at least 20.
    overlap: how many people are to answer each item.  lease_seconds: how long a question is kept for somebody.
    """

    name: str
    classes: tuple[str, ...]
    strategy: str = "direct"
    seed: int = 0
    parallel: int = 1
    first: int = LEAST_BUDGET
    budget: int | None = None
    overlap: int = 1
    lease_seconds: float = LEASE_SECONDS
    learner: str = "logistic"
    kind: str = "row"
    guideline: str = ""

    def __post_init__(self) -> None:
        """Check everything else; UsageError."""
        object.__setattr__(self, "classes", checked_classes(self.classes))
        for name, least in (("seed", 0), ("parallel", 1), ("first", 1), ("overlap", 1)):
            object.__setattr__(self, name, whole_number(getattr(self, name), name, least))
        if self.budget is not None:
            object.__setattr__(self, "budget", whole_number(self.budget, "budget", 1))
        object.__setattr__(self, "lease_seconds", seconds_above_zero(self.lease_seconds, "lease_seconds"))
        if self.kind not in KINDS_OF_ITEM:
            raise no_such("kind of item", str(self.kind), KINDS_OF_ITEM)

    def interval(self, n_labels: int) -> int:
        """Questions of the next round, and closed questions until the next training, at so many labels."""
        return self.budget if self.budget is not None else max(LEAST_BUDGET, math.ceil(SHARE * n_labels))

    def unreachable(self, left: int, *, trained: bool) -> str:
        """What to say of models that never come, as so few items are left to be done; trained: whether there is one."""
        if not trained and self.first > left:
            return (
                f"the first model comes after {count(self.first, 'item')}, and there are {left:,}, so that it never"
                " comes and all questions are drawn at random: begin with fewer."
            )
        after = left if trained else left - self.first
        if self.budget is None or self.budget <= after:
            return ""
        return (
            f"the next model comes after {count(self.budget, 'more item')}, and {after:,} will be left, so that it"
            " never comes: take fewer, or none, which is 5 % of the labels and at least 20."
        )

    def created(self) -> New:
        """The event with which a campaign begins."""
        return New("campaign_created", asdict(self) | {"classes": list(self.classes)})

    def with_class(self, name: str) -> Settings:
        """With one class more, the last; UsageError if it is there, or cannot be the name of one."""
        check_new_classes([name], self.classes)
        return replace(self, classes=(*self.classes, name))

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """With some of them changed."""
        return replace(self, **changes)


def check_limits(settings: Mapping[str, Any]) -> None:
    """UsageError for the first of these new values that is not within its limits; they are numbers already."""
    for name, (least, most) in LIMITS.items():
        value = settings.get(name)
        if value is not None and not least <= value <= most:
            raise UsageError(f"{name} is {value!r}; it must be from {least:,} to {most:,.0f}.")


def settings_of(data: Mapping[str, Any]) -> Settings:
    """The settings that `campaign_created` holds."""
    return Settings(**{**data, "classes": tuple(data["classes"])})


def checked_classes(classes: Iterable[str]) -> tuple[str, ...]:
    """The names of the classes in their order: at least one, each of them text and there once; UsageError."""
    told: object = classes
    names = tuple(told) if isinstance(told, Iterable) and not isinstance(told, str | Set) else ()
    if not names:
        raise UsageError(f"classes is {classes!r}; it must be a list of names, such as ['other', 'heron'].")
    for place, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"class {place} is {name!r}; a class needs a name.")
        if name in names[:place]:
            raise UsageError(f"class {name!r} is there twice; every class must have a name of its own.")
    return names
