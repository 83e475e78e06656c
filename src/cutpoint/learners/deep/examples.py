"""Examples as a network reads them: on the device as a whole where they fit, decoded batch by batch elsewhere.

Pictures stay uint8 (n, H, W, 3) until the network has them; a batch that is decoded is made ready while the one before
it is computed with.
"""

from __future__ import annotations

import logging
import warnings
import weakref
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from cutpoint.learners.deep.devices import is_full, pinned, room_on, sent
from cutpoint.types import Index

RESIDENT_BYTES = 2 << 30  # of one set of examples, but on CUDA: more than any set of small pictures, a fifth of FMoW
_PIECE = 1 << 25  # bytes that are copied at a time

_log = logging.getLogger("cutpoint.learners")

_KEPT: dict[tuple[int, str], tuple[weakref.ref[Any], torch.Tensor]] = {}


class Examples(NamedTuple):
    """Rows of features, of an array or of pictures still to be decoded.

    `whole` has them on the device, or is None; with `places` (n,), there too, they are those of its rows.
    """

    features: Any
    rows: Index
    device: torch.device
    whole: torch.Tensor | None
    places: torch.Tensor | None = None

    def __len__(self) -> int:
        """n, how many they are."""
        return len(self.rows)

    def batches(self, parts: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Inputs of each part, an int64 tensor of positions in 0..n-1, in order, on the device."""
        if self.whole is not None:
            there = (sent(part, self.device) for part in parts)
            yield from (self.whole[part if self.places is None else self.places[part]] for part in there)
            return
        with ThreadPoolExecutor(1) as ahead:
            waiting = None
            for part in parts:
                coming = ahead.submit(self._read, part)
                if waiting is not None:
                    yield sent(waiting.result(), self.device)
                waiting = coming
            if waiting is not None:
                yield sent(waiting.result(), self.device)

    def in_order(self, size: int) -> Iterator[torch.Tensor]:
        """All inputs in their order, so many at a time, on the device."""
        if self.whole is not None and self.places is None:
            yield from torch.split(self.whole, size)
        else:
            yield from self.batches(torch.split(torch.arange(len(self)), size))

    def _read(self, part: torch.Tensor) -> torch.Tensor:
        read = torch.from_numpy(np.ascontiguousarray(self.features[self.rows[part.numpy()]]))
        return pinned(read, self.device)


def examples(features: Any, rows: Index, device: torch.device) -> Examples:
    """The rows (n,) of features, on the device if they fit: those to be trained with.

    Where all of `features` fit, they are kept there, and no row is read or copied for these.
    """
    pool = every_example(features, device)
    if pool.whole is not None:
        return Examples(features, rows, device, pool.whole, torch.from_numpy(rows).to(device))
    return Examples(features, rows, device, _whole(features, rows, device))


def every_example(features: Any, device: torch.device) -> Examples:
    """All rows; if they fit, they are put on the device once and kept there as long as `features` live.

    An array and the processor share their memory.
    """
    rows = np.arange(len(features))
    if device.type == "cpu" and isinstance(features, np.ndarray):
        return Examples(features, rows, device, _shared(features))
    key = id(features), str(device)
    if key not in _KEPT:
        whole = _whole(features, rows, device)
        if whole is None:
            return Examples(features, rows, device, None)
        _KEPT[key] = weakref.ref(features, lambda _: _KEPT.pop(key, None)), whole
    return Examples(features, rows, device, _KEPT[key][1])


def _shared(array: NDArray[Any]) -> torch.Tensor:
    """The array as a tensor over the same memory, which nobody writes into."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array)


def bytes_of_one(features: Any) -> int:
    """Bytes of one example."""
    return int(np.prod(features.shape[1:])) * int(np.dtype(features.dtype).itemsize)


def _fits(size: int, device: torch.device) -> bool:
    """True if so many bytes may stay on the device."""
    return size <= (room_on(device) if device.type == "cuda" else RESIDENT_BYTES)


def _whole(features: Any, rows: Index, device: torch.device) -> torch.Tensor | None:
    """Those rows on the device, or None if they do not fit there, though there seemed to be room for them."""
    if not _fits(len(rows) * bytes_of_one(features), device):
        return None
    try:
        return _copied(features, rows, device)
    except (RuntimeError, MemoryError) as error:
        if not is_full(error):
            raise
    _log.info("the memory of %s is too small to hold %d examples; they are read batch by batch", device, len(rows))
    return None


def _copied(features: Any, rows: Index, device: torch.device) -> torch.Tensor:
    """Those rows on the device, copied piece by piece."""
    kind = torch.from_numpy(np.empty(0, features.dtype)).dtype
    whole = torch.empty((len(rows), *features.shape[1:]), dtype=kind, device=device)
    step = max(1, _PIECE // bytes_of_one(features))
    for first in range(0, len(rows), step):
        piece: NDArray[Any] = features[rows[first : first + step]]
        whole[first : first + step] = torch.from_numpy(piece).to(device)
    return whole
