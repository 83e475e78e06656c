"""First layers: from what a pool holds to what a network reads."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


class Standardised(nn.Module):
    """Features (b, d), minus a centre (d,), divided by a spread (d,)."""

    centre: torch.Tensor
    spread: torch.Tensor

    def __init__(self, centre: NDArray[np.float32], spread: NDArray[np.float32]) -> None:
        super().__init__()
        self.register_buffer("centre", torch.tensor(centre))
        self.register_buffer("spread", torch.tensor(spread))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features (b, d) on the scale."""
        return (features - self.centre) / self.spread


class Symmetric(nn.Module):
    """Pictures (b, H, W, 3) uint8 as (b, 3, H, W) in [-1, 1]."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Each value divided by 127.5, minus 1; the channels lie together in memory, which convolutions like."""
        return pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
