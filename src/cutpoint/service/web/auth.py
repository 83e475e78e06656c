"""Who may come in: one unguessable link per person, and nothing else; no passwords, no self-registration.

A link carries a token of 256 random bits. The browser keeps a session made from it, and the log keeps the hash of that
session: so neither the log nor a copy of it lets anybody in, revoking a link ends its sessions, and no key has to be
kept. One round of SHA-256 is enough for a secret that cannot be guessed or listed; slow hashes protect passwords.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

MOST_SENDERS = 10_000  # buckets kept at one time: a stranger with many addresses must not fill the memory


@dataclass(frozen=True)
class Person:
    """Somebody with a link: an annotator, or an admin."""

    name: str
    admin: bool


@dataclass(frozen=True)
class Link:
    """A live link: the hash that the log keeps, and whose it is."""

    hash: str
    person: Person


def new_token() -> str:
    """A fresh token for a link: 256 bits, safe in an address."""
    return secrets.token_urlsafe(32)


def session_of(token: str) -> str:
    """The session that a link's token opens: what the cookie holds."""
    return sha256(b"cutpoint session " + token.encode()).hexdigest()


def hash_of(token: str) -> str:
    """What the log keeps of a token."""
    return _hash(session_of(token))


def _hash(session: str) -> str:
    return sha256(session.encode()).hexdigest()


def holder(session: str, links: Iterable[Link]) -> Person | None:
    """Whose live link made this session; None for a stranger.

    Every link is compared, each in constant time, so that the time taken says nothing about any of them.
    """
    seen, found = _hash(session), None
    for link in links:
        if hmac.compare_digest(seen, link.hash):
            found = link.person
    return found


class Limit:
    """So many requests per second for each sender, with a reserve for bursts: a token bucket each. Thread-safe."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_second, float(burst), clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, sender: str) -> float:
        """0 where the request may go on, and it is counted; otherwise the seconds until the next one may."""
        now = self._clock()
        with self._lock:
            left, since = self._buckets.pop(sender, (self._burst, now))
            left = min(self._burst, left + (now - since) * self._rate)
            allowed = left >= 1
            self._buckets[sender] = (left - 1 if allowed else left, now)
            if len(self._buckets) > MOST_SENDERS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._rate
