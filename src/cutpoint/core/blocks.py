"""One pass over many rows, block by block, on all cores where the pool is large.

numpy lets go of the interpreter lock inside its loops, so plain threads are enough. A block is
small enough to stay in a core's cache while several operations read it.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

BLOCK = 8192  # rows; times ten classes and four bytes this is a third of a megabyte: inside a level-two cache
THREADED_FROM = 200_000  # rows; below, starting threads costs more than they save


def for_blocks(n_rows: int, work: Callable[[int, int], None], block: int = BLOCK) -> None:
    """Call `work(first, after)` once for every block of rows; calls may run at the same time on several cores.

    `first` is a multiple of `block`.
    """
    cores = os.cpu_count() or 1
    if n_rows < THREADED_FROM or cores == 1:
        for first in range(0, n_rows, block):
            work(first, min(first + block, n_rows))
        return

    def stripe(first_row: int, after_row: int) -> None:
        for first in range(first_row, after_row, block):
            work(first, min(first + block, after_row))

    blocks = -(-n_rows // block)
    bounds = [min(n_rows, blocks * part // cores * block) for part in range(cores + 1)]
    with ThreadPoolExecutor(cores) as pool:
        for done in [pool.submit(stripe, a, b) for a, b in pairwise(bounds)]:
            done.result()


def for_each(n_items: int, work: Callable[[int], None], *, rows: int) -> None:
    """Call `work(item)` for every item, on several cores where each item is `rows` >= 200 000 rows of work."""
    cores = os.cpu_count() or 1
    if rows < THREADED_FROM or cores == 1:
        for item in range(n_items):
            work(item)
        return
    with ThreadPoolExecutor(cores) as pool:
        for done in [pool.submit(work, item) for item in range(n_items)]:
            done.result()
