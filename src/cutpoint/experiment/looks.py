"""How every strategy is drawn, the same in all figures: colour, dashes and marker; direct is the strong one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cutpoint.experiment.statistics import Arm, main_arm


class Look(NamedTuple):
    """How an arm is drawn: colour, matplotlib dash pattern, line width, order (higher is nearer), marker."""

    colour: str
    dash: tuple[float, tuple[float, ...]]
    width: float
    order: int
    marker: str = "o"


# Mid-lightness colours: at least 3:1 on white and on near-black alike. Thirteen hues cannot all be told apart, least
# of all by colour-blind readers, so dashes differ too, and crowded panels set each strategy's marker on its line.
LOOKS: Mapping[str, Look] = {
    "direct": Look("#e8480c", (0, ()), 2.8, 15),
    "galaxy": Look("#2f7fdb", (0, ()), 1.8, 14, "s"),
    "random": Look("#7a828c", (0, (5, 2)), 1.8, 13, "D"),
    "margin": Look("#8e6fd8", (0, (1, 1)), 1.5, 12, "v"),
    "confidence": Look("#0f9d8f", (0, (4, 1.2, 1, 1.2)), 1.3, 11, "^"),
    "entropy": Look("#ad7c05", (0, (7, 1.5)), 1.3, 10, "P"),
    "most_likely_positive": Look("#cf4f98", (0, (3, 1.2, 1, 1.2, 1, 1.2)), 1.3, 9, "X"),
    "badge": Look("#30903c", (0, ()), 1.3, 8, "p"),
    "bait": Look("#486c9c", (0, (3, 1)), 1.3, 7, "h"),
    "base": Look("#906024", (0, (1, 1.6)), 1.5, 6, "<"),
    "cluster_margin": Look("#9c546c", (0, (6, 1, 2, 1)), 1.3, 5, ">"),
    "similar": Look("#b45fd6", (0, (9, 2)), 1.3, 4, "d"),
    "coreset": Look("#007860", (0, (2, 1.4)), 1.3, 3, "*"),
}
CROWD = 8
"""With more arms than this in a figure, lines carry markers, and only the main arm, GALAXY and random a band."""
MARK_EVERY = 4
"""In a crowd, one of so many points of a line has its marker; more would hide the lines."""
DIRECT_SHADES = ("#db7f43", "#e8480c", "#a8380d")
SPARE = ("#5a8f29", "#00838f", "#7b5d4a", "#b3475c", "#5468c9")


def looks(arms: Iterable[Arm]) -> dict[Arm, Look]:
    """The look of every arm: fixed per strategy; those of direct share a hue, the main one is strongest."""
    known = sorted(set(arms), key=lambda arm: (arm.strategy, arm.parallel))
    spare = sorted({arm.strategy for arm in known} - LOOKS.keys())
    found = {}
    for arm in known:
        look = LOOKS.get(arm.strategy) or Look(SPARE[spare.index(arm.strategy) % len(SPARE)], (0, ()), 1.4, 2)
        family = [other for other in known if other.strategy == arm.strategy]
        if len(family) > 1:
            place, middle = family.index(arm), family.index(main_arm(family))
            if place != middle:
                shade = DIRECT_SHADES[0 if place < middle else 2] if arm.strategy == "direct" else look.colour
                look = Look(shade, (0, (2, 0.8)) if place < middle else (0, (6, 1)), 1.8, look.order - 1, look.marker)
        found[arm] = look
    return found


def class_name(arm: Arm) -> str:
    """The arm as a name that is safe in SVG, CSS and file names, such as "arm-direct-5"."""
    return "arm-" + re.sub(r"[^a-z0-9]+", "-", f"{arm.strategy}-{arm.parallel}".lower())


def banded(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """The arms that keep their band in a crowded panel: the main one, GALAXY and random sampling."""
    known = list(arms)
    return (main_arm(known), *(arm for arm in known if arm.strategy in ("galaxy", "random")))


def stacked(styles: Mapping[Arm, Look]) -> dict[Arm, int]:
    """The height of every arm's line: those that would hide most lie lowest, so that equal curves are all seen.

    Solid ones below dashed ones, and of the same dashes wide ones below thin ones.
    """

    def hides(arm: Arm) -> tuple[float, float]:
        dashes = styles[arm].dash[1]
        return sum(dashes[::2]) / sum(dashes) if dashes else 1.0, styles[arm].width

    return {arm: height for height, arm in enumerate(sorted(styles, key=hides, reverse=True))}


def reading_order(styles: Mapping[Arm, Look]) -> list[Arm]:
    """The arms as legends list them: those of direct by `parallel`, then the others, the stronger look first."""
    return sorted(styles, key=lambda arm: (0 if arm.strategy == "direct" else 99 - styles[arm].order, arm.parallel))
