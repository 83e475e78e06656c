"""The state of a fit on disk: written whole, read back without pickle.

The last state stays, so that nothing is trained again if what comes after the fit is stopped; whoever keeps what came
of the fit removes it.
"""

from __future__ import annotations

import hashlib
import math
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cutpoint.data.whole import write_atomically
from cutpoint.errors import DataError, UsageError

SECONDS = 30.0  # between two writes, at least: of what a kill loses
TIMES = 50  # as long as a write takes, at least: so that writing takes 2 % of the time (CLIP's state has 1.4 GB)


@dataclass(frozen=True)
class Checkpoint:
    """Where the state of one fit is kept.

    identity: says which fit it is, as `identity` makes it; the state of another one is refused.
    seconds: the least time between two writes; 0 writes after each epoch, however long that takes.
    """

    path: Path
    identity: str
    seconds: float = SECONDS

    def read(self) -> dict[str, Any] | None:
        """The stored state on the CPU, or None if there is none; UsageError if it is another fit's."""
        if not self.path.is_file():
            return None
        try:
            stored = torch.load(self.path, map_location="cpu", weights_only=True)
            identity, state = stored["identity"], stored["state"]
        except (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, pickle.UnpicklingError):
            raise DataError(f"{self.path} is no whole checkpoint; delete it, and the fit begins anew.") from None
        if identity != self.identity:
            raise UsageError(
                f"{self.path} belongs to a fit with other labels, options, data or seed; give another folder, or "
                "delete it if that fit is not to be gone on with."
            )
        return dict(state)

    def write(self, state: Mapping[str, Any]) -> None:
        """Replace the stored state; DataError, the one before still there, if the disk refuses."""
        stored = {"identity": self.identity, "state": dict(state)}
        try:
            write_atomically(self.path, lambda file: torch.save(stored, file))
        except (OSError, RuntimeError) as error:  # torch's writer turns a full disk into a RuntimeError
            said = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise DataError(
                f"the checkpoint {self.path} cannot be written ({said}); make room there, and the same command goes on."
            ) from None


class Writing:
    """When the states of a fit that begins now are written; never without a checkpoint."""

    def __init__(self, checkpoint: Checkpoint | None) -> None:
        self._checkpoint = checkpoint
        self._began = monotonic()
        self._due = self._began + checkpoint.seconds if checkpoint else math.inf

    def if_due(self, state: Callable[[], Mapping[str, Any]]) -> None:
        """Write the state if the last time is long enough ago."""
        start = monotonic()
        if self._checkpoint is None or start < self._due:
            return
        self._checkpoint.write(state())
        end = monotonic()
        self._due = end + (max(self._checkpoint.seconds, TIMES * (end - start)) if self._checkpoint.seconds else 0)

    def last(self, state: Callable[[], Mapping[str, Any]]) -> None:
        """Write the state at the end of the fit if that took as long as one may lose."""
        if self._checkpoint is not None and monotonic() - self._began >= self._checkpoint.seconds:
            self._checkpoint.write(state())


def identity(*parts: str | int | float | NDArray[Any] | torch.nn.Module | None) -> str:
    """A name for what these parts say together: settings, labels, some of the data, the weights at the start."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, torch.nn.Module):
            for name, tensor in part.state_dict().items():
                digest.update(name.encode())
                digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
        elif isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(f"{type(part).__name__}:{part}\0".encode())
    return digest.hexdigest()
