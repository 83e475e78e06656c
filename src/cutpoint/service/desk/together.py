"""Requests that come at the same time are served together, so that one write to the disk does for all of them.

Whoever gets the lock first serves everybody who waits for it; the others find that they have been served.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from cutpoint.store.base import MaybeStored

_INTERRUPTED = "it was interrupted, and may be stored; send it again with the same key."

T = TypeVar("T")
R = TypeVar("R")


class Request(Generic[T, R]):
    """What somebody wants, and what became of it."""

    def __init__(self, wish: T) -> None:
        """Not served yet."""
        self.wish = wish
        self.served = False
        self._result: R | None = None
        self._error: Exception | None = None

    def finish(self, result: R) -> None:
        """It went well."""
        self._result, self.served = result, True

    def fail(self, error: Exception) -> None:
        """It did not."""
        self._error, self.served = error, True

    def do(self, work: Callable[[], R]) -> None:
        """It is what `work` returns, or raises."""
        try:
            self.finish(work())
        except Exception as error:
            self.fail(error)

    @property
    def outcome(self) -> R:
        """What became of it: the result, or the error is raised."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value] # R may be None


class Together(Generic[T, R]):
    """Gathers requests and hands them to `serve`, all that are there at a time, under a lock.

    `serve` must finish every request; one that it leaves, because it failed, gets its error.
    """

    def __init__(self, lock: threading.RLock, serve: Callable[[list[Request[T, R]]], None]) -> None:
        """Nobody waits yet."""
        self._lock = lock
        self._serve = serve
        self._waiting: deque[Request[T, R]] = deque()

    def submit(self, wish: T) -> R:
        """Have a wish served, with those of others if they wait at the same time."""
        request: Request[T, R] = Request(wish)
        self._waiting.append(request)
        with self._lock:
            if not request.served:
                self._serve_all()
        return request.outcome

    def _serve_all(self) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            self._serve(batch)
        except BaseException as error:
            said = error if isinstance(error, Exception) else MaybeStored(_INTERRUPTED)
            for request in batch:
                if not request.served:
                    request.fail(said)
            if said is not error:  # of this thread alone: Ctrl-C
                raise
