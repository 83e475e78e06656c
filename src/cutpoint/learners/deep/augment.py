"""RandAugment (Cubuk et al. 2020) as in torchvision, for a batch at a time.

Torchvision's own draws for each call, so that a batch would have to be sent through it picture by picture: hundreds of
small kernels. Of N operations in a row, each is drawn for each picture; those that drew the same one go through it
together. The operations and their strengths are torchvision's, of 31 levels; two kinds are done in another way, to the
same result, since torchvision's make a GPU wait: those that move pixels, and `Equalize`.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch.nn import functional

from cutpoint.learners.deep.devices import sent
from cutpoint.learners.deep.vision import import_torchvision

LEVELS = 31


class Operation(NamedTuple):
    """`apply(pictures, strength)` on (b, 3, H, W) uint8; signed: with either sign, at random."""

    apply: Callable[[torch.Tensor, float], torch.Tensor]
    strength: float
    signed: bool


def rand_augment(pictures: torch.Tensor, count: int = 3, level: int = 5) -> torch.Tensor:
    """Pictures (b, H, W, 3) uint8, each changed by `count` operations of that level, drawn from the global generator.

    What is moved out of a picture leaves black behind. In whole numbers and single precision, also where the rest is
    mixed: 8 bits do not say where a pixel comes from.
    """
    changed = pictures.permute(0, 3, 1, 2).contiguous()
    choices = list(operations(changed.shape[2], changed.shape[3], level).values())
    signed = torch.tensor([operation.signed for operation in choices])
    kinds = [(operation, sign * operation.strength) for operation in choices for sign in (1, -1)]
    drawn = [_drawn(len(changed), signed) for _ in range(count)]
    orders = sent(torch.stack([kind.argsort() for kind in drawn]), pictures.device)  # at once: a copy is waited for
    with torch.autocast(pictures.device.type, enabled=False):
        for kind, order in zip(drawn, orders, strict=True):
            sizes = torch.bincount(kind, minlength=len(kinds)).tolist()
            for (operation, strength), rows in zip(kinds, order.split(sizes), strict=True):
                if len(rows):
                    changed[rows] = operation.apply(changed[rows], strength)
    return changed.permute(0, 2, 3, 1)


def _drawn(n: int, signed: torch.Tensor) -> torch.Tensor:
    """For each of n pictures the number of an operation, twice, plus 1 if that is signed (K,) and turned round."""
    drawn, turned = torch.randint(len(signed), (n,)), torch.randint(2, (n,))
    return 2 * drawn + turned * signed[drawn]


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
        "ShearX": Operation(_moving(lambda p, s: f.affine(p, **moved(shear_x=s), center=[0, 0])), 0.3 * part, True),
        "ShearY": Operation(_moving(lambda p, s: f.affine(p, **moved(shear_y=s), center=[0, 0])), 0.3 * part, True),
        "TranslateX": Operation(_moving(lambda p, s: f.affine(p, **moved(x=s))), 150 / 331 * width * part, True),
        "TranslateY": Operation(_moving(lambda p, s: f.affine(p, **moved(y=s))), 150 / 331 * height * part, True),
        "Rotate": Operation(_moving(f.rotate), 30.0 * part, True),
        "Brightness": Operation(lambda p, s: f.adjust_brightness(p, 1 + s), 0.9 * part, True),
        "Color": Operation(lambda p, s: f.adjust_saturation(p, 1 + s), 0.9 * part, True),
        "Contrast": Operation(lambda p, s: f.adjust_contrast(p, 1 + s), 0.9 * part, True),
        "Sharpness": Operation(lambda p, s: f.adjust_sharpness(p, 1 + s), 0.9 * part, True),
        "Posterize": Operation(lambda p, s: f.posterize(p, int(s)), 8 - round(4 * part), False),
        "Solarize": Operation(lambda p, s: f.solarize(p, s), 255.0 * (1 - part), False),
        "AutoContrast": Operation(lambda p, _: f.autocontrast(p), plain, False),
        "Equalize": Operation(lambda p, _: _equalised(p), plain, False),
    }


def _moving(move: Callable[[torch.Tensor, float], torch.Tensor]) -> Callable[[torch.Tensor, float], torch.Tensor]:
    """The same as one gather: `move` takes each pixel from one place, and says it once, of numbered pixels."""

    @cache
    def places(height: int, width: int, strength: float, device: torch.device) -> torch.Tensor:
        numbered = torch.arange(1.0, height * width + 1).reshape(1, 1, height, width)
        return move(numbered, strength).flatten().long().to(device)  # 0: from outside

    def moved(pictures: torch.Tensor, strength: float) -> torch.Tensor:
        before = functional.pad(pictures.flatten(2), (1, 0))  # a black pixel 0
        return before.index_select(2, places(*pictures.shape[2:], strength, pictures.device)).view_as(pictures)

    return moved


def _equalised(pictures: torch.Tensor) -> torch.Tensor:
    """Each channel of (b, 3, H, W) uint8 with its histogram as flat as can be; one of too few values stays."""
    values = pictures.flatten(2).flatten(0, 1).long()
    ones = torch.ones((), dtype=torch.int32, device=values.device).expand_as(values)
    counts = torch.zeros(len(values), 256, dtype=torch.int32, device=values.device).scatter_add_(1, values, ones)
    brightest = counts.gather(1, values.amax(dim=1, keepdim=True))
    step = (values.shape[1] - brightest) // 255
    table = (counts.cumsum(1) + step // 2) // step.clamp(min=1)
    table = functional.pad(table, (1, 0))[:, :-1].clamp(max=255)
    table = torch.where(step > 0, table, torch.arange(256, device=values.device))
    return table.to(torch.uint8).gather(1, values).view_as(pictures)
