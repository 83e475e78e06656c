"""Cutpoint: active learning for classes that are rare and labels that are wrong.

The public names are listed here by hand and imported when they are first used, so that the command line answers at
once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cutpoint.errors import CutpointError, DataError, ReplayError, UsageError
    from cutpoint.plans import because, interleave, one_shot
    from cutpoint.service.campaign import Campaign
    from cutpoint.session import Session, run
    from cutpoint.strategies import STRATEGIES
    from cutpoint.types import UNKNOWN, Entry, Index, Known, Labels, Plan, Round, Scores, Strategy, Why

__version__ = "0.1.0"

_HOME = {
    "errors": ("CutpointError", "DataError", "ReplayError", "UsageError"),
    "service.campaign": ("Campaign",),
    "plans": ("because", "interleave", "one_shot"),
    "session": ("Session", "run"),
    "strategies": ("STRATEGIES",),
    "types": ("UNKNOWN", "Entry", "Index", "Known", "Labels", "Plan", "Round", "Scores", "Strategy", "Why"),
}

_PARTS = (
    *("core", "data", "errors", "experiment", "learners", "plans", "service", "session", "store", "strategies"),
    *("testing", "types"),
)

__all__ = [
    "STRATEGIES",
    "UNKNOWN",
    "Campaign",
    "CutpointError",
    "DataError",
    "Entry",
    "Index",
    "Known",
    "Labels",
    "Plan",
    "ReplayError",
    "Round",
    "Scores",
    "Session",
    "Strategy",
    "UsageError",
    "Why",
    "because",
    "interleave",
    "one_shot",
    "run",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            value = getattr(import_module(f"cutpoint.{module}"), name)
            globals()[name] = value
            return value
    if name in _PARTS:
        return import_module(f"cutpoint.{name}")
    raise AttributeError(f"module 'cutpoint' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
