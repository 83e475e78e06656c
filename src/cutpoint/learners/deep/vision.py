"""The one place where torchvision, and timm and open_clip, which import it, are imported.

Torchvision's wheel from PyPI does not import beside a torch without CUDA: its compiled operators do not load, and it
then asks for one of them by name. Declaring those for detection makes the rest work: networks, transforms, data sets.
Whoever calls one of the two is still told that it is not implemented.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

_MISSING = "operator torchvision::nms does not exist"
_DECLARED: list[torch.library.Library] = []  # what is declared lives as long as its library


def import_torchvision() -> ModuleType:
    """Torchvision, also where its compiled operators do not load."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for operator in ("nms", "qnms"):
            schema = f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(schema)  # type: ignore[no-untyped-call]
        _DECLARED.append(library)
        return importlib.import_module("torchvision")


def import_timm() -> ModuleType:
    """Timm, with torchvision before it."""
    import_torchvision()
    return importlib.import_module("timm")


def import_open_clip() -> ModuleType:
    """Open_clip, with torchvision before it."""
    import_torchvision()
    return importlib.import_module("open_clip")
