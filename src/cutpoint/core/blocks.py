"""One pass over many rows, block by block, on all cores where the pool is large.

numpy lets go of the interpreter lock inside its loops, so plain threads are enough; the calling thread takes its share,
since waking one thread is cheap and waking two is not. A block is small enough to stay in a core's cache while several
operations read it.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

BLOCK = 8192  # rows; times ten classes and four bytes this is a third of a megabyte: inside a level-two cache
THREADED_FROM = 200_000  # rows; below, starting threads costs more than they save
PARTS = 8  # pieces of work for each core: enough for the faster one to take from the slower


def for_blocks(n_rows: int, work: Callable[[int, int], None], block: int = BLOCK) -> None:
    """Call `work(first, after)` once for every block of rows; calls may run at the same time on several cores.

    `first` is a multiple of `block`.
    """
    blocks = -(-n_rows // block)
    parts = min(blocks, PARTS * (os.cpu_count() or 1))

    def part(p: int) -> None:
        for b in range(blocks * p // parts, blocks * (p + 1) // parts):
            work(b * block, min((b + 1) * block, n_rows))

    for_each(parts, part, rows=n_rows)


def for_each(n_items: int, work: Callable[[int], None], *, rows: int) -> None:
    """Call `work(item)` for every item, on several cores where each item is one of many, on `rows` >= 200 000 rows."""
    items = iter(range(n_items))  # shared: whoever is free takes the next

    def take() -> None:
        for item in items:
            work(item)

    others = (os.cpu_count() or 1) - 1
    if rows < THREADED_FROM or not others:
        take()
        return
    with ThreadPoolExecutor(others) as pool:
        shares = [pool.submit(take) for _ in range(min(others, n_items - 1))]
        take()
        for share in shares:
            share.result()
