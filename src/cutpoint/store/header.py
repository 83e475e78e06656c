"""By what a campaign's file is known before SQLite opens it: a number of ours in the header."""

from __future__ import annotations

import os
from pathlib import Path

BEGINS = b"SQLite format 3\0"
LENGTH = 100  # bytes of a header
APPLICATION = 0x43557450  # "CUtP", big-endian, at byte 68 of the header


def is_ours(header: bytes) -> bool:
    """Whether it is the header of a campaign."""
    return header.startswith(BEGINS) and int.from_bytes(header[68:72], "big") == APPLICATION


def is_campaign(path: Path) -> bool:
    """Whether there is a campaign's file; one that may not be read is taken for it, as whoever opens it says so."""
    if not os.path.isfile(path):  # nor one whose name cannot be
        return False
    try:
        with path.open("rb") as file:
            return is_ours(file.read(LENGTH))
    except OSError:
        return True
