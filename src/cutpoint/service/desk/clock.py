"""The two clocks of a desk: one for leases, that never jumps, and the wall's, for people and over restarts."""

from __future__ import annotations

import time
from typing import Protocol


def pause_after(failures: int, first: float, longest: float) -> float:
    """Seconds to wait after so many failures in a row: `first`, then twice as long each time, up to `longest`."""
    return float(min(first * 2.0 ** min(max(failures - 1, 0), 60), longest))


class Clock(Protocol):
    """What tells the time; tests and simulations bring their own."""

    def monotonic(self) -> float:
        """Seconds that only ever go forward, from any origin."""
        ...

    def time(self) -> float:
        """Seconds since 1970, by the wall clock; it may jump."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time()
