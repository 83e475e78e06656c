"""Cutpoint: active learning for classes that are rare and labels that are wrong."""

from cutpoint.errors import CutpointError, DataError, ReplayError, UsageError
from cutpoint.plans import interleave, one_shot
from cutpoint.session import Session, run
from cutpoint.strategies import STRATEGIES
from cutpoint.types import UNKNOWN, Entry, Index, Known, Labels, Plan, Round, Scores, Strategy

__version__ = "0.1.0"

__all__ = [
    "STRATEGIES",
    "UNKNOWN",
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
    "interleave",
    "one_shot",
    "run",
]
