"""When to try again to begin a round that could not: at once if something has changed, else after a growing pause."""

from __future__ import annotations

from cutpoint.service.desk.clock import Clock, pause_after

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds: a file may be unreadable for a moment, a strategy be wrong for ever


class Setback:
    """The failures in a row of one epoch: rounds that would all have begun with the same."""

    def __init__(self, clock: Clock) -> None:
        """None yet."""
        self._clock = clock
        self._epoch, self._failures, self._until = -1, 0, 0.0

    def note(self, epoch: int) -> None:
        """A round of this epoch could not be made."""
        self._failures = self._failures + 1 if epoch == self._epoch else 1
        self._epoch = epoch
        self._until = self._clock.monotonic() + pause_after(self._failures, FIRST_PAUSE, LONGEST_PAUSE)

    def waits(self, epoch: int) -> bool:
        """Whether it is too early to try again in this epoch."""
        return epoch == self._epoch and self._clock.monotonic() < self._until
