"""What pictures are known by: a checksum of all their bytes, and a quick one of their files.

The checksum of the bytes is the truth, and reading a large set takes minutes. The quick key is what git and rsync go
by, names, sizes and times of change; whoever remembers which bytes a quick key stood for need not read them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cutpoint.data.pictures import Files, PictureArray, Pictures

_THREADS = 8  # that read; more keep no disk busier


def content_key(pictures: PictureArray | Pictures) -> str:
    """32 digits that are others if any picture, their order or their size is another one."""
    if isinstance(pictures, np.ndarray):
        return _digest([str(pictures.shape).encode(), np.ascontiguousarray(pictures).data])
    source = pictures.source
    with ThreadPoolExecutor(_THREADS) as pool:
        each = pool.map(lambda i: hashlib.blake2b(source.read(i), digest_size=16).digest(), range(len(source)))
        return _digest([str(pictures.shape).encode(), *each])


def quick_key(pictures: PictureArray | Pictures) -> str | None:
    """32 digits that are others if names, sizes or times of change of the files are; None if they are in no files.

    None, too, if a file is not there.
    """
    if isinstance(pictures, np.ndarray) or not isinstance(pictures.source, Files):
        return None
    said = [f"{pictures.source.folder.resolve()} {pictures.shape}"]
    for name in pictures.source.names:
        try:
            status = (pictures.source.folder / name).stat()
        except OSError:
            return None
        said.append(f"{name}\0{status.st_size} {status.st_mtime_ns}")
    return _digest(line.encode() for line in said)


def _digest(parts: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
