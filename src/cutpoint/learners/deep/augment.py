"""RandAugment (Cubuk et al. 2020) as in torchvision, for a batch at a time.

Torchvision's own draws for each call, so that a batch would have to be sent through it picture by picture: hundreds of
small kernels. Of N operations in a row, each is drawn for each picture; those that drew the same one go through it
together. The operations and their strengths are torchvision's, of 31 levels.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch

from cutpoint.learners.deep.vision import import_torchvision

LEVELS = 31


class Operation(NamedTuple):
    """`apply(pictures, strength)` on (b, 3, H, W) uint8; signed: with either sign, at random."""

    apply: Callable[[torch.Tensor, float], torch.Tensor]
    strength: float
    signed: bool


def rand_augment(pictures: torch.Tensor, count: int = 3, level: int = 5) -> torch.Tensor:
    """Pictures (b, H, W, 3) uint8, each changed by `count` operations of that level, drawn from the global generator.

    What is moved out of a picture leaves black behind.
    """
    changed = pictures.permute(0, 3, 1, 2).contiguous()
    choices = list(operations(changed.shape[2], changed.shape[3], level).values())
    for _ in range(count):
        drawn = torch.randint(len(choices), (len(changed),))
        signs = 1 - 2 * torch.randint(2, (len(changed),))
        for k, operation in enumerate(choices):
            for sign in (1, -1) if operation.signed else (1,):
                together = (drawn == k) & (signs == sign) if operation.signed else drawn == k
                rows = torch.nonzero(together).flatten().to(pictures.device)
                if len(rows):
                    changed[rows] = operation.apply(changed[rows], sign * operation.strength)
    return changed.permute(0, 2, 3, 1)


@cache
def operations(height: int, width: int, level: int) -> dict[str, Operation]:
    """The fourteen operations by their names in torchvision, for pictures of that size."""
    import_torchvision()
    f = importlib.import_module("torchvision.transforms.functional")
    part = level / (LEVELS - 1)

    def moved(x: float = 0, y: float = 0, shear_x: float = 0, shear_y: float = 0) -> dict[str, object]:
        shear = [math.degrees(math.atan(value)) for value in (shear_x, shear_y)]
        return {"angle": 0.0, "translate": [int(x), int(y)], "scale": 1.0, "shear": shear}

    plain = 0.0  # the strength of what has none
    return {
        "Identity": Operation(lambda p, _: p, plain, False),
        "ShearX": Operation(lambda p, s: f.affine(p, **moved(shear_x=s), center=[0, 0]), 0.3 * part, True),
        "ShearY": Operation(lambda p, s: f.affine(p, **moved(shear_y=s), center=[0, 0]), 0.3 * part, True),
        "TranslateX": Operation(lambda p, s: f.affine(p, **moved(x=s)), 150 / 331 * width * part, True),
        "TranslateY": Operation(lambda p, s: f.affine(p, **moved(y=s)), 150 / 331 * height * part, True),
        "Rotate": Operation(lambda p, s: f.rotate(p, s), 30.0 * part, True),
        "Brightness": Operation(lambda p, s: f.adjust_brightness(p, 1 + s), 0.9 * part, True),
        "Color": Operation(lambda p, s: f.adjust_saturation(p, 1 + s), 0.9 * part, True),
        "Contrast": Operation(lambda p, s: f.adjust_contrast(p, 1 + s), 0.9 * part, True),
        "Sharpness": Operation(lambda p, s: f.adjust_sharpness(p, 1 + s), 0.9 * part, True),
        "Posterize": Operation(lambda p, s: f.posterize(p, int(s)), 8 - round(4 * part), False),
        "Solarize": Operation(lambda p, s: f.solarize(p, s), 255.0 * (1 - part), False),
        "AutoContrast": Operation(lambda p, _: f.autocontrast(p), plain, False),
        "Equalize": Operation(lambda p, _: f.equalize(p), plain, False),
    }
