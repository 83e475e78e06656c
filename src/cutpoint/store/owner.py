"""Who has a role of a campaign ("desk", "trainer"), and what to say to whoever wants it, too."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from cutpoint.errors import UsageError


@dataclass(frozen=True)
class Holder:
    """A process, its machine and when it took the role, in seconds since 1970."""

    pid: int
    host: str
    since: float

    @classmethod
    def me(cls) -> Holder:
        """This process, now."""
        return cls(os.getpid(), socket.gethostname(), time.time())

    @classmethod
    def read(cls, text: str | None) -> Holder | None:
        """The holder that `text` is, None if it is none: whoever has the role may not have written it yet."""
        try:
            return cls(**json.loads(text or ""))
        except (ValueError, TypeError):
            return None

    def text(self) -> str:
        """As `read` reads it."""
        return json.dumps(asdict(self))


def check_role(role: str) -> None:
    """UsageError unless a role is a word: it is part of a file's name."""
    if not (role.isascii() and role.isalpha() and role.islower()):
        raise UsageError(f"the role is {role!r}; it must be one word of small letters, such as 'desk'.")


def who(holder: Holder | None) -> str:
    """Who has a role, in words; `holder` is None where it cannot be told."""
    if holder is None:
        return "another process"
    since = datetime.fromtimestamp(holder.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"process {holder.pid} on {holder.host}, since {since}"


def held(role: str, holder: Holder | None) -> UsageError:
    """The error for a role that somebody has; `holder` is None where it cannot be told who."""
    return UsageError(
        f"this campaign has a {role} already: {who(holder)}; there can be one at a time: use that one, or stop it "
        "first."
    )
