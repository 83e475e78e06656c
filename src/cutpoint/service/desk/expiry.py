"""When leases run out, by a clock that never jumps."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from cutpoint.service.desk.clock import Clock
from cutpoint.service.log.leases import Lease


class Expiry:
    """The deadlines of the live leases; after a restart, what the wall clock says is left of them, if that can be."""

    def __init__(self, clock: Clock, live: Mapping[str, Lease]) -> None:
        """The deadlines of leases from before a restart: until - now, within 0 and the lease's length.

        live: a view of the leases that have not ended; those that have are forgotten here.
        """
        self._clock = clock
        self._live = live
        self._deadline: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        now = clock.time()
        for lease in live.values():
            self.set(lease.lease, min(max(lease.until - now, 0.0), lease.seconds))

    def set(self, lease: str, seconds: float) -> None:
        """Let a lease run out in so many seconds."""
        deadline = self._clock.monotonic() + seconds
        self._deadline[lease] = deadline
        heapq.heappush(self._heap, (deadline, lease))

    def left(self, lease: str) -> float:
        """The seconds that a lease has left, 0 if it has run out."""
        return max(self._deadline.get(lease, 0.0) - self._clock.monotonic(), 0.0)

    def due(self) -> list[str]:
        """The live leases that have run out, the first to run out first; they stay due until the log ends them."""
        now, due = self._clock.monotonic(), []
        self._tidy()
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap))
            self._tidy()
        for entry in due:
            heapq.heappush(self._heap, entry)
        return list(dict.fromkeys(lease for _, lease in due))  # one that was extended at once is there twice

    def next(self) -> float | None:
        """Seconds until the next lease runs out, None if there is none."""
        self._tidy()
        return max(self._heap[0][0] - self._clock.monotonic(), 0.0) if self._heap else None

    def _tidy(self) -> None:
        """Drop what is at the head of the heap and means nothing any more."""
        while self._heap:
            deadline, lease = self._heap[0]
            if lease in self._live and self._deadline[lease] == deadline:
                return
            heapq.heappop(self._heap)
            if lease not in self._live:
                self._deadline.pop(lease, None)
