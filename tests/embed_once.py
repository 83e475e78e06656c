"""Embedding in a process of its own, without torch: what tests of the kept embeddings call."""

from __future__ import annotations

import os
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.learners.embeddings import embedded


def embed(pictures: Any) -> NDArray[np.float32]:
    """Mean colours."""
    return np.asarray(pictures[:].mean(axis=(1, 2)), np.float32)


def embed_slowly(pictures: Any) -> NDArray[np.float32]:
    """The same; leaves a line for each call, and takes long enough for another process to come."""
    with Path(os.environ["EMBEDDED"]).open("a") as file:
        file.write("once\n")
    sleep(0.5)
    return embed(pictures)


def one_of_two(both: Barrier, pictures: Any, folder: Path) -> None:
    """Embed as soon as both processes are there."""
    both.wait(120)
    assert np.array_equal(embedded(pictures, "key", embed_slowly, folder), embed(pictures))
