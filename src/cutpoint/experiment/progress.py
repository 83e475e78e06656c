"""How far a benchmark is, counted in rounds, which a worker notes where the process that shows it can read them.

Each run has two numbers of its own and one writer, so nobody waits for anybody, and a worker that is killed harms
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.sharedctypes import RawArray
from typing import Any, NamedTuple

ENOUGH = 0.01  # of the rounds that were left: from then on their pace says something


class Progress(NamedTuple):
    """How far a benchmark is.

    `done`: runs that are finished, those found so included; `total`: runs in all; `found`: runs found finished; `each`:
    rounds of a run. Of the runs that were not found: `begun`, rounds done by an earlier command; `fresh`, done now.
    """

    done: int
    total: int
    found: int
    each: int
    begun: int = 0
    fresh: int = 0

    @property
    def rounds(self) -> int:
        """Rounds that are done."""
        return self.found * self.each + self.begun + self.fresh

    @property
    def all_rounds(self) -> int:
        """Rounds of all runs."""
        return self.total * self.each


class Forecast:
    """How long the rest takes, by the rounds since the first was seen: processes start, and data is read, only once."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def left(self, now: Progress, at: float) -> float | None:
        """Seconds from `at`, by the clock, on; None while too few rounds are done to say."""
        if self._first is None and now.fresh:
            self._first = at, now.fresh
        began, before = self._first or (at, now.fresh)
        done, rest = now.fresh - before, now.all_rounds - now.rounds
        return (at - began) / done * rest if done and done >= ENOUGH * (done + rest) else None


class Rounds:
    """The rounds of `runs` runs, shown whenever they are looked at; `shared`: what `note` writes into."""

    def __init__(self, runs: int, start: Progress, shown: Callable[[Progress], object]) -> None:
        self.shared = RawArray("i", 2 * max(1, runs))
        self._start, self._shown, self._new = start, shown, 0

    def note(self, run: int, begun: int, fresh: int) -> None:
        """Note the rounds of a run of this process, and show them."""
        note(self.shared, run, begun, fresh)
        self.show()

    def show(self, new: int | None = None) -> None:
        """Show how far it is; `new`: runs that are finished now."""
        self._new = self._new if new is None else new
        begun, fresh = sum(self.shared[::2]), sum(self.shared[1::2])
        self._shown(self._start._replace(done=self._start.done + self._new, begun=begun, fresh=fresh))


def note(shared: Any, run: int, begun: int, fresh: int) -> None:
    """Of the run of that number, `begun` rounds were done by an earlier command and `fresh` are done now."""
    shared[2 * run : 2 * run + 2] = (begun, fresh)
