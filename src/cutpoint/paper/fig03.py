"""Figure 3: no label noise; panels of figures 7 to 13, figure 14a, and the minority labels found in one of them.

The pictures of (a) to (d) are four of figures 7 to 13, and the text says only that (c) is of SVHN: all seven are
here. Nor does it say of which data set (f) is; here it is SVHN with two classes.
"""

from __future__ import annotations

from cutpoint.paper import fig07, fig08, fig09, fig10, fig11, fig12, fig13, fig14
from cutpoint.paper.figure import Figure

FIGURE = Figure(
    "no label noise: seven sets with ResNet-18, FMoW with CLIP, minority labels found",
    (
        fig07.ACCURACY,
        fig08.ACCURACY,
        fig09.ACCURACY,
        fig10.ACCURACY,
        fig11.ACCURACY,
        fig12.ACCURACY,
        fig13.ACCURACY,
        fig14.FMOW,
        fig11.MINORITY,
    ),
    wide=3,
)
