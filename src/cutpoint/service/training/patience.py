"""How long to wait after trainings that failed, as the log tells it, so that no restart of the process forgets it.

The pause doubles with every failure in a row, however it failed. A success ends the row, and so does a change that
makes the next training another one: a class, items or settings that changed, or twice as many labels as there were at
the row's first failure.
"""

from __future__ import annotations

import math

from cutpoint.service.desk.clock import Clock, pause_after
from cutpoint.store.events import Event

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0  # seconds after one failure, and after many in a row
ANEW = frozenset({"training_finished", "class_added", "pool_added", "settings_changed"})


class Patience:
    """The failures in a row, by the events in order."""

    def __init__(self, clock: Clock) -> None:
        """None yet."""
        self._clock = clock
        self._failures = 0
        self._labels = 0  # when the first of them failed
        self._until = -math.inf  # on the clock that never jumps

    def heed(self, event: Event, labels: int) -> None:
        """Take in an event, after which there are so many labels."""
        if event.kind in ANEW:
            self._failures = 0
        if event.kind != "training_failed":
            return
        if not self._failures or self._more_than_doubled(labels):
            self._failures, self._labels = 0, labels
        self._failures += 1
        since = max(0.0, self._clock.time() - event.at)  # whoever put the clock back waits no longer for it
        pause = pause_after(self._failures, FIRST_PAUSE, LONGEST_PAUSE)
        self._until = self._clock.monotonic() + max(0.0, pause - since)

    def waits(self, labels: int) -> bool:
        """Whether the next training, with so many labels, has to wait."""
        row = self._failures and not self._more_than_doubled(labels)
        return bool(row) and self._clock.monotonic() < self._until

    def _more_than_doubled(self, labels: int) -> bool:
        return labels >= 2 * max(1, self._labels)
