"""Fetches a published file so that nothing is lost: resumed where it stopped, checked, and only then given its name.

What has come is in `NAME.part`, written without a buffer: however the process ends, the same call goes on from there,
unless the source gives files in one piece only. A file that is already there is never touched.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import http.client
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

from cutpoint import __version__
from cutpoint.data.sources import Remote
from cutpoint.errors import DataError, UsageError

TIMEOUT = 30.0  # seconds without a byte
PATIENCE = 600.0  # the same of a server that packs what it sends: it may be long before it begins, and must not anew
WAITS = (1.0, 2.0, 5.0, 10.0)  # seconds before going on after a broken connection; each that brought bytes counts anew
CLOSED = "it was closed"
NO_RANGES = (400, 405, 501)  # how a server may refuse to give bytes from the middle on; 416 is: not these bytes
_CHUNK = 1 << 18
_MARGIN = 100 << 20  # bytes of the disk that are left alone


class Progress(NamedTuple):
    """How far a file is: bytes that are here, bytes in all (about, where nobody says it)."""

    done: int
    total: int


Show = Callable[[Progress], None]


def fetch(remote: Remote, folder: Path, *, spare: int = 0, show: Show = lambda _: None) -> Path:
    """The path of the file in a folder, fetched if it is not there.

    `spare`: bytes of disk that must be free besides. DataError, in one sentence, if the server cannot be reached or
    has another file, if the connection breaks again and again, if the disk is full, or if the checksum is wrong; what
    has come is kept if it can be gone on with. An interrupt (Ctrl-C) passes through.
    """
    target = folder / remote.name
    if target.exists():
        wrong = differs(target, remote)
        if wrong:
            raise DataError(f"{wrong}; it was left as it is: move it away, and fetch again.")
        return target
    part = folder / f"{remote.name}.part"
    with _kept(part, remote) as file:
        resumed = file.tell() > 0
        _fill(file, part, remote, spare, show)
        wrong = differs(part, remote)
        if wrong and resumed:  # perhaps it was begun with another file: once more, from the start
            _emptied(file)
            _fill(file, part, remote, spare, show)
            wrong = differs(part, remote)
        if wrong:
            damaged = folder / f"{remote.name}.damaged"
            os.replace(part, damaged)
            raise DataError(
                f"{wrong}; what {remote.url} gave is kept as {damaged.name}: fetch again, and if it comes again, the "
                "server has another file."
            )
        os.fsync(file.fileno())
        os.replace(part, target)
    return target


def differs(path: Path, remote: Remote) -> str:
    """What is wrong with a file that claims to be the published one, or ""; the size counts where the md5 is known."""
    if remote.md5 is None:
        return ""
    size = path.stat().st_size
    if size != remote.size:
        return f"{path} has {size} bytes and must have {remote.size}"
    found = md5_of(path)
    return "" if found == remote.md5 else f"the checksum (md5) of {path} is {found} and must be {remote.md5}"


def md5_of(path: Path) -> str:
    """The md5 of a file, in hex; not for security, but it is what is published."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


@contextmanager
def _kept(part: Path, remote: Remote) -> Iterator[IO[bytes]]:
    """The partial file, opened at its end and locked against a second fetch; gone if it can be of no use later."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("ab", buffering=0)
    except OSError as error:
        raise DataError(
            f"{part.parent} cannot be written ({error.strerror}); give another folder with --data-root."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another process is fetching {part}; wait for it, or stop it.") from None
        try:
            yield file
        finally:
            if part.exists() and (file.tell() == 0 or not remote.ranges):
                part.unlink()


def _fill(file: IO[bytes], part: Path, remote: Remote, spare: int, show: Show) -> None:
    """Bring the partial file to its end, over as many connections as it takes."""
    came, silent, failures = False, False, 0
    while True:
        before = file.tell() if remote.ranges else _emptied(file)
        if remote.md5 is not None and before == remote.size:
            return
        try:
            if _stream(file, part, remote, spare, show):
                return
            said = CLOSED
        except (http.client.HTTPException, OSError) as error:
            said = _said(error)
            silent = isinstance(error, TimeoutError)  # after it was reached: else it is within another error
        brought = file.tell() > before
        came = came or brought
        failures = 1 if brought and remote.ranges else failures + 1
        if not (came or silent) or failures > len(WAITS):
            raise _unreachable(remote, part, file.tell(), said, came=came, silent=silent)
        time.sleep(WAITS[failures - 1])


def _stream(file: IO[bytes], part: Path, remote: Remote, spare: int, show: Show) -> bool:
    """Add to the partial file what one connection gives; True if that was all."""
    have = file.tell()
    with _opened(remote, have) as response:
        if response.status == 416:  # there are no bytes from here on: this is all, or it was begun with another file
            if response.headers.get("Content-Range") == f"bytes */{have}":
                return True
            _emptied(file)
            return _stream(file, part, remote, spare, show)
        if have and not _goes_on(response, have):
            have = _emptied(file)
        length = response.headers.get("Content-Length")
        total = have + int(length) if length and length.isdecimal() else None
        if total is not None and remote.md5 is not None and total != remote.size:
            raise DataError(
                f"{remote.url} offers {total} bytes, and {remote.name} has {remote.size}: it is another file; look "
                "for its new address, and put the file there by hand."
            )
        _refuse_full(part, remote, max(0, (total or remote.size) - have) + spare)
        while chunk := response.read1(_CHUNK):
            _write(file, chunk, part, remote)
            have += len(chunk)
            show(Progress(have, total or max(have, remote.size)))
            if remote.md5 is not None and have > remote.size:
                break  # a server that did not say how much it gives: more than can be right
    return total is None or have >= total


def _opened(remote: Remote, have: int) -> Any:
    """The server's answer, from byte `have` on, or from the start if it refuses ranges; also that there is no more."""
    headers = {"User-Agent": f"cutpoint/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        request = urllib.request.Request(remote.url, headers=headers)
        return urllib.request.urlopen(request, timeout=TIMEOUT if remote.ranges else PATIENCE)
    except urllib.error.HTTPError as error:
        if have and error.code == 416:
            return error
        if have and error.code in NO_RANGES:
            return _opened(remote, 0)
        raise DataError(
            f"{remote.url} answers {error.code} ({error.reason}); try again later, or look for a new address of "
            f"{remote.name} and put the file there by hand."
        ) from None


def _goes_on(response: Any, have: int) -> bool:
    """True if the answer continues at byte `have`; False if it starts anew, as a server without ranges does."""
    stated = re.match(r"bytes (\d+)-", response.headers.get("Content-Range") or "")
    return response.status == 206 and stated is not None and int(stated.group(1)) == have


def _emptied(file: IO[bytes]) -> int:
    """Forget what has come; 0, the bytes that are left."""
    file.truncate(0)
    return file.seek(0)


def _refuse_full(part: Path, remote: Remote, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed + _MARGIN > free:
        raise DataError(
            f"{part.parent} has {amount(free)} free, and {remote.name} needs {amount(needed + _MARGIN)} more; "
            f"make room, or give another folder with --data-root; {_later(remote)}."
        )


def _write(file: IO[bytes], chunk: bytes, part: Path, remote: Remote) -> None:
    """Write all of a chunk, or say why it cannot be."""
    try:
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "make room, or give another folder with --data-root" if full else "see to the disk"
        raise DataError(f"{part} cannot be written on ({error.strerror}); {remedy}; {_later(remote)}.") from None


def _later(remote: Remote) -> str:
    """What the same command finds of a file that did not come to its end."""
    if remote.ranges:
        return "what has come is kept: the same command goes on from there"
    return f"its server gives {remote.name} in one piece only: the same command begins anew"


def _unreachable(remote: Remote, part: Path, have: int, said: str, *, came: bool, silent: bool) -> DataError:
    host = urlsplit(remote.url).hostname
    what = f"{host} is there and sends nothing" if silent else f"{host} cannot be reached"
    what = f"the connection to {host} broke again and again" if came else what
    if came and not remote.ranges:
        rest = f"{_later(remote)}."
    elif have:
        rest = f"{amount(have)} of {remote.name} are kept: the same command goes on from there."
    else:
        first = "try again later" if silent else "see to the network"
        rest = f"{first}, or bring {remote.url} by other means as {part.with_name(remote.name)}."
    return DataError(f"{what} ({said}); {rest}")


def _said(error: Exception) -> str:
    """What a failed connection says of itself."""
    if isinstance(error, http.client.IncompleteRead):
        return CLOSED
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason or type(error).__name__)


def amount(size: float) -> str:
    """A number of bytes as people read it: "61 bytes", "170.5 MB", "53.9 GB"."""
    if size < 1e5:
        return f"{size:.0f} bytes"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
