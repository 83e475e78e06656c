"""Figure 5: Imb CIFAR-100 with two classes at 0, 10 and 15 % label noise; with figure 19, four levels of noise."""

from __future__ import annotations

from cutpoint.paper import fig08, fig17, fig18
from cutpoint.paper.figure import Figure

FIGURE = Figure(
    "Imb CIFAR-100, two classes, 0, 10 and 15 % label noise",
    (fig08.ACCURACY, fig17.ACCURACY, fig18.ACCURACY),
    wide=3,
    lettered=True,
)
