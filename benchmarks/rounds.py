"""How long a round takes, as ratios measured in one process: `python benchmarks/rounds.py [--quick]`.

The yardstick is ten full `np.argsort` calls over one column of the probabilities each. A round includes building
`Scores` and `Round` from a fresh array; an instant oracle answers; nothing is kept from one round to the next.
"""

from __future__ import annotations

import argparse
import os
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cutpoint import STRATEGIES, UNKNOWN, Labels, Round, Scores, Session, run

REPEATS = 5


def drawn_pool(n: int, n_classes: int, n_labels: int, *, seed: int = 0) -> tuple[NDArray[np.float32], Labels, Labels]:
    """(N, K) softmax scores, (N,) noisy truth (90 % one class, a tenth of the labels wrong) and (N,) labels so far."""
    rng = np.random.default_rng(seed)
    share = np.full(n_classes, 0.1 / (n_classes - 1))
    share[-1] = 0.9
    truth = rng.choice(n_classes, n, p=share)
    logits = rng.standard_normal((n, n_classes), dtype=np.float32) * 2
    logits[np.arange(n), truth] += 3
    probs = np.exp(logits)
    probs /= probs.sum(axis=1, keepdims=True)
    wrong = rng.random(n) < 0.1
    observed = np.where(wrong, (truth + rng.integers(1, n_classes, n)) % n_classes, truth)
    labels = np.full(n, UNKNOWN)
    given = rng.choice(n, n_labels, replace=False)
    labels[given] = observed[given]
    return probs, observed, labels


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median time of `work()`, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def one_round(
    name: str, n: int, n_classes: int, *, budget: int, parallel: int, n_labels: int
) -> tuple[float, float, float]:
    """(seconds of a round, seconds of ten argsorts, peak memory of a round over the probabilities' own)."""
    probs, observed, labels = drawn_pool(n, n_classes, n_labels)

    def drive(fresh: NDArray[np.float32]) -> Labels:
        return run(STRATEGIES[name].strategy, Round(Scores(fresh), labels, budget, parallel, 1), lambda i: observed[i])

    copies = [probs.copy() for _ in range(3)]
    turn = iter(range(1 << 30))
    elapsed = seconds(lambda: drive(copies[next(turn) % 3]))
    yardstick = 10 * seconds(lambda: np.argsort(probs[:, next(turn) % n_classes]))
    tracemalloc.start()
    drive(probs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return elapsed, yardstick, peak / probs.nbytes


def resume(n: int, n_classes: int, budget: int, parallel: int, n_labels: int) -> tuple[float, float]:
    """(seconds of a round, seconds to build the session again from its log)."""
    probs, observed, labels = drawn_pool(n, n_classes, n_labels)
    now = Round(Scores(probs), labels, budget, parallel, 1)
    strategy = STRATEGIES["direct"].strategy

    def drive() -> Session:
        session = Session(strategy, now)
        while not session.done:
            for i in session.wanted.tolist():
                session.tell(i, int(observed[i]))
        return session

    log = drive().log
    return seconds(drive), seconds(lambda: Session(strategy, now, log))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller pools, a few seconds in all")
    quick = parser.parse_args().quick
    n = 100_000 if quick else 1_000_000
    print(f"numpy {np.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name, parallel in (("direct", 10), ("galaxy", 1)):
        elapsed, yardstick, memory = one_round(name, n, 10, budget=1000, parallel=parallel, n_labels=5000)
        print(
            f"{name}: N = {n:,}, K = 10, budget 1000, parallel {parallel}, 5000 labels before it:"
            f" {1e3 * elapsed:.0f} ms,"
            f" {elapsed / yardstick:.3f} of ten argsorts ({1e3 * yardstick:.0f} ms);"
            f" peak memory {memory:.2f} of the probabilities'"
        )
    elapsed, again = resume(n, 10, 1000, 10, 5000)
    print(f"direct: resuming from a log of 1000 answers takes {again / elapsed:.2f} of the round's time")
    sizes = [10_000, 100_000] if quick else [100_000, 1_000_000, 10_000_000]
    times = [one_round("direct", size, 2, budget=1000, parallel=10, n_labels=5000)[0] for size in sizes]
    for size, elapsed in zip(sizes, times, strict=True):
        print(f"direct: N = {size:,}, K = 2: {1e3 * elapsed:.0f} ms")
    exponent = np.log(times[-1] / times[0]) / np.log(sizes[-1] / sizes[0])
    print(f"direct: time grows as N^{exponent:.2f} from {sizes[0]:,} to {sizes[-1]:,}")


if __name__ == "__main__":
    main()
