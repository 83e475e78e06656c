"""How long a store takes: a large pool, single items, appends alone and from twenty threads, a long log read.

python benchmarks/store.py [--items 1000000] [--events 100000] [--postgres postgresql://user@host/empty_database]
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

from cutpoint.store.base import Item, Store
from cutpoint.store.events import New
from cutpoint.store.opening import open_store

THREADS, APPENDS = 20, 50


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long something took."""
    start = time.perf_counter()
    yield
    print(f"  {what:<52} {time.perf_counter() - start:9.3f} s")


def spread(what: str, seconds: list[float]) -> None:
    """Print the median and the 99th percentile of times."""
    ordered = sorted(seconds)
    half, most = (1000 * ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
    print(f"  {what:<52} {half:9.2f} ms, 99 %: {most:.2f} ms")


def measured(call: Callable[[int], object], times: int) -> list[float]:
    """Seconds of each of so many calls."""
    seconds = []
    for turn in range(times):
        start = time.perf_counter()
        call(turn)
        seconds.append(time.perf_counter() - start)
    return seconds


def together(store: Store) -> list[float]:
    """Seconds of each append of twenty threads at a time."""
    seconds: list[float] = []

    def write() -> None:
        seconds.extend(measured(lambda i: store.append([answer(i)]), APPENDS))

    threads = [threading.Thread(target=write) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def answer(item: int) -> New:
    """An answer, as the desk stores it."""
    return New("answered", {"item": item, "annotator": "one", "label": 1, "lease": str(item), "late": False})


def measure(url: str | Path, n_items: int, n_events: int) -> None:
    """Measure a new campaign at an address."""
    with closing(open_store(url, create=True)) as store:
        items = (Item(i, f"picture {i:07}.jpg", {"text": f"a short text, the one of item {i}"}) for i in range(n_items))
        with timed(f"{n_items:,} items added"):
            store.add_items(items, New("pool_added", {"first": 0, "count": n_items, "source": "x", "features": None}))
        spread("an item by its index", measured(lambda i: store.item(i * 7919 % n_items), 1000))
        spread("an append", measured(lambda i: store.append([answer(i)]), 200))
        spread(f"an append while {THREADS} threads append", together(store))
        with timed(f"{n_events:,} events appended, 1000 at a time"):
            for start in range(0, n_events, 1000):
                store.append([answer(i) for i in range(start, min(start + 1000, n_events))])
    with timed(f"opened with {n_items:,} items and {n_events:,} events"):
        store = open_store(url, create=False)
    with closing(store), timed(f"{store.last():,} events read"):
        for _ in store.events():
            pass


def main() -> None:
    """Measure one file and, if an address is given, a server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--postgres", help="the address of an empty database")
    options = parser.parse_args()
    if find_spec("sqlalchemy") is None or find_spec("alembic") is None:
        print("the store is not measured: it needs the extra serve (pip install 'cutpoint[serve]')")
        return
    with tempfile.TemporaryDirectory(dir=".") as folder:  # on a disk: a folder for temporary files may be memory
        print("SQLite")
        measure(Path(folder) / "store.db", options.items, options.events)
    if options.postgres:
        print("PostgreSQL")
        measure(options.postgres, options.items, options.events)


if __name__ == "__main__":
    main()
