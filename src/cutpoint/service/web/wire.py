"""The connections below the pages: how many there may be, and how long one may keep the server waiting.

uvicorn itself closes a connection that is silent after an answer, and never one that asked for nothing yet, or for half
of something: enough of these, and the process has no handle left for the people.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

WHOLE = 20.0  # seconds in which a request must be there, from its connection or its first byte on
STUCK = 60.0  # seconds in which the rest of an answer must have been read, once its connection is closed
BACKLOG = 64  # connections that are taken at a time
HANDLES = 8_192  # files and connections that are asked for: of each person's browser, six at most
MOST = 4_000  # connections at a time; each takes some 20 KB


def take_handles() -> None:
    """Let this process have as many files and connections open as it needs, if the system lets it."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        allowed = HANDLES if hard == resource.RLIM_INFINITY else min(hard, HANDLES)
        if soft != resource.RLIM_INFINITY and soft < allowed:
            with suppress(OSError, ValueError):  # then it goes on with what there is
                resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def most_connections() -> int:
    """How many there may be, so that handles are left for the store, the pictures and the training."""
    if sys.platform == "win32":
        return MOST
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, max(soft - 256, soft // 2))


class Connection(H11Protocol):
    """A connection that ends where a request is not whole in time, or where there are too many beside it."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it, if there is room; the first request is waited for from now on."""
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            transport.abort()
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        self._rest()

    def data_received(self, data: bytes) -> None:
        """Read on; what is not whole now is waited for from its first byte on, however often more of it comes."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._watch()
        else:
            self._rest()

    def timeout_keep_alive_handler(self) -> None:
        """Close it after a long silence, also where its last answer is not read."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(STUCK, self.transport.abort)

    def _watch(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(WHOLE, self.transport.abort)

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
