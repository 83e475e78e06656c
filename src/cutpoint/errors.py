"""What can go wrong, divided by whose fault it is.

Every message says what is, what must be and what to do about it, with the numbers in.
"""

from __future__ import annotations

from collections.abc import Iterable


class CutpointError(Exception):
    """Base of all errors raised on purpose; by itself: a strategy or a part of Cutpoint broke its contract."""


class UsageError(CutpointError):
    """The caller handed in something that cannot be meant; nothing was changed."""


class DataError(CutpointError):
    """A file or a data set is missing, damaged or not what it claims to be."""


class RunError(CutpointError):
    """Some runs of a benchmark failed; all others are done and kept."""


class ReplayError(CutpointError):
    """A log does not fit the strategy and round that it is replayed against."""


def no_such(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not among the known ones: the nearest of them, if one is near, and all."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'? Choose" if near else "choose"
    return UsageError(f"there is no {kind} '{name}'; {hint} from {', '.join(names)}.")
