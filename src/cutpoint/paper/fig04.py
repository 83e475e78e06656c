"""Figure 4: 10 % label noise; the panels of figures 15, 16, 17, 20, 21, 22 and 23.

The pictures of (a) and (b) are two of figures 15 to 22, and (c) is one half of figure 23; the text does not say which.
All of them with 10 % noise are here.
"""

from __future__ import annotations

from cutpoint.paper import fig15, fig16, fig17, fig20, fig21, fig22, fig23
from cutpoint.paper.figure import Figure

FIGURE = Figure(
    "10 % label noise: six sets with ResNet-18, FMoW and iWildCam with CLIP",
    (
        fig15.ACCURACY,
        fig16.ACCURACY,
        fig17.ACCURACY,
        fig20.ACCURACY,
        fig21.ACCURACY,
        fig22.ACCURACY,
        fig23.FMOW,
        fig23.IWILDCAM,
    ),
    wide=4,
)
