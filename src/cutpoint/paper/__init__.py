"""The experiments of the paper: one file for each of its figures, all of them in `FIGURES`.

Figures 6 to 23 hold what is run; 1, 3, 4 and 5 show panels of them, and 2 is drawn. Settings are those of section 5
and appendix B; what they leave open (epochs, batches, rates, labels a round) is from the authors' public code as far as
the learners have an option for it (docs/paper.md says what is left out).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cutpoint.errors import UsageError
from cutpoint.paper import (
    fig01,
    fig02,
    fig03,
    fig04,
    fig05,
    fig06,
    fig07,
    fig08,
    fig09,
    fig10,
    fig11,
    fig12,
    fig13,
    fig14,
    fig15,
    fig16,
    fig17,
    fig18,
    fig19,
    fig20,
    fig21,
    fig22,
    fig23,
)
from cutpoint.paper.figure import Figure

FIGURES: Mapping[str, Figure] = {
    "fig01": fig01.FIGURE,
    "fig02": fig02.FIGURE,
    "fig03": fig03.FIGURE,
    "fig04": fig04.FIGURE,
    "fig05": fig05.FIGURE,
    "fig06": fig06.FIGURE,
    "fig07": fig07.FIGURE,
    "fig08": fig08.FIGURE,
    "fig09": fig09.FIGURE,
    "fig10": fig10.FIGURE,
    "fig11": fig11.FIGURE,
    "fig12": fig12.FIGURE,
    "fig13": fig13.FIGURE,
    "fig14": fig14.FIGURE,
    "fig15": fig15.FIGURE,
    "fig16": fig16.FIGURE,
    "fig17": fig17.FIGURE,
    "fig18": fig18.FIGURE,
    "fig19": fig19.FIGURE,
    "fig20": fig20.FIGURE,
    "fig21": fig21.FIGURE,
    "fig22": fig22.FIGURE,
    "fig23": fig23.FIGURE,
}


def figure_name(given: str) -> str:
    """The name of a figure written as `fig06`, `fig6` or `6`; UsageError if the paper has no such figure."""
    matched = re.fullmatch(r"(?:fig(?:ure)?)?0*(\d{1,3})", given.strip().lower())
    name = f"fig{int(matched.group(1)):02d}" if matched else given
    if name not in FIGURES:
        raise UsageError(f"there is no figure '{given}'; choose one of fig01 to fig23, see `cutpoint paper list`.")
    return name
