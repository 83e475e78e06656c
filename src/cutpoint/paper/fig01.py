"""Figure 1: (a) is figure 6's balanced accuracy, (b) figure 19's, (c) figure 14a."""

from __future__ import annotations

from cutpoint.paper import fig06, fig14, fig19
from cutpoint.paper.figure import Figure

FIGURE = Figure(
    "few labels, with and without label noise",
    (fig06.ACCURACY, fig19.ACCURACY, fig14.FMOW),
    wide=3,
    lettered=True,
)
