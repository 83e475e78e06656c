"""How long a choice takes, beside scikit-activeml's on the same arrays: `python benchmarks/selection.py [--quick]`.

One drawn pool: N = 50 000, d = 512, K = 10, float32, a linear head, 600 labelled (500 of them not of the majority),
B = 100. A time is a median of several, or of one where that takes long, and includes `Scores` and `Round`. Memory is
the peak of `tracemalloc` in a run apart from the timing, beyond the pool's own: it sees the arrays of numpy, not the
small buffers that a linear algebra library keeps for itself. Bars are printed with whether they are reached, and the
exit code is 0 all the same: it measures.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutpoint import STRATEGIES, UNKNOWN, Index, Labels, Round, Scores, Strategy, run
from cutpoint.strategies.bait import COLUMNS
from cutpoint.strategies.cluster_margin import clustered_by
from cutpoint.strategies.clusters import clusters_of

ACTIVEML = "1.0.1"  # the version that the bars are set against
REPEATS, PATIENCE = 5, 10.0  # no measurement is begun again after so many seconds
FIRST_ONES = 3  # questions of scikit-activeml's BADGE that see its peak of memory: it forms all gradients before them
LEAST = 1000  # examples in a pool
CLUSTERED, PAIR = "cluster_margin, clustered", "bait, K = 2"
COPY = 2.0  # embeddings: what a copy in double precision takes; N x K x d takes K, and N x N takes N / d

Floats = NDArray[np.float32]


class Time(NamedTuple):
    """Seconds on the clock and seconds of the processors, all threads together."""

    clock: float
    processor: float


@dataclass(frozen=True)
class Sizes:
    """N, d, how many examples of the rare classes and of the majority are labelled, B."""

    n: int
    width: int
    rare: int
    common: int
    budget: int


FULL, QUICK = Sizes(50_000, 512, 500, 100, 100), Sizes(2000, 32, 50, 20, 10)


@dataclass(frozen=True)
class Pool:
    """(N, D) embedding, (K, D + 1) head with the bias last, (N, K) probabilities that follow, (N,) truth and labels."""

    embedding: Floats
    head: Floats
    probs: Floats
    truth: Labels
    labels: Labels
    budget: int

    @classmethod
    def drawn(cls, sizes: Sizes, n_classes: int, seed: int = 0) -> Pool:
        """Normal classes of equal spread, nine tenths of all in the last; the head is the one that knows them."""
        rng = np.random.default_rng(seed)
        share = np.full(n_classes, 0.1 / (n_classes - 1))
        share[-1] = 0.9
        truth = rng.choice(n_classes, sizes.n, p=share)
        centres = rng.standard_normal((n_classes, sizes.width), dtype=np.float32) * np.float32(2.5 / sizes.width**0.5)
        embedding = rng.standard_normal((sizes.n, sizes.width), dtype=np.float32)
        embedding += centres[truth]
        bias = np.log(share) - (centres**2).sum(axis=1) / 2
        logits = embedding @ centres.T + bias.astype(np.float32)
        probs = np.exp(logits - logits.max(axis=1, keepdims=True))
        probs /= probs.sum(axis=1, keepdims=True)
        is_common = truth == n_classes - 1
        given = [*np.flatnonzero(~is_common)[: sizes.rare], *np.flatnonzero(is_common)[: sizes.common]]
        labels = np.full(sizes.n, UNKNOWN)
        labels[given] = truth[given]
        head = np.column_stack([centres, bias]).astype(np.float32)
        return cls(embedding, head, probs, truth, labels, sizes.budget)

    def choose(self, strategy: Strategy) -> Index:
        """(budget,) ascending: what a strategy asks in one round, every answer being right."""
        now = Round(Scores(self.probs, self.embedding, self.head), self.labels, self.budget, seed=1)
        return np.flatnonzero(run(strategy, now, lambda i: self.truth[i]) != now.labels)


class Activeml:
    """scikit-activeml's BADGE and CoreSet on a pool's own arrays."""

    def __init__(self, pool: Pool) -> None:
        """ImportError where it is not installed."""
        base: Any = importlib.import_module("skactiveml.base")
        self._pool = pool
        self._strategies: Any = importlib.import_module("skactiveml.pool")
        self._labels = np.where(pool.labels == UNKNOWN, np.nan, pool.labels)
        given = pool.probs[pool.labels == UNKNOWN]

        class Given(base.SkactivemlClassifier):  # type: ignore[misc]  # a class of a library that ships no types
            """A classifier that was fitted long ago: the probabilities of the unlabelled are here."""

            def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Given:
                return self

            def predict_proba(self, X: Any) -> tuple[Floats, Floats]:
                """Called with the rows of the unlabelled, which are their embedding."""
                return given, X

        self._classifier = Given(classes=list(range(pool.probs.shape[1])))

    def badge(self, budget: int) -> list[int]:
        """The indices it asks."""
        strategy = self._strategies.Badge(random_state=1)
        chosen: list[int] = strategy.query(
            self._pool.embedding, self._labels, self._classifier, fit_clf=False, batch_size=budget
        )
        return chosen

    def coreset(self, budget: int) -> Index:
        """The indices it asks."""
        chosen: Index = self._strategies.CoreSet(random_state=1).query(
            self._pool.embedding, self._labels, batch_size=budget
        )
        return chosen


def time_of(work: Callable[[], object]) -> Time:
    """The median of up to five times, after one call to warm up; of one where it alone takes ten seconds."""
    times: list[Time] = []
    began = time.perf_counter()
    while not times or (len(times) <= REPEATS and time.perf_counter() - began < PATIENCE):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        times.append(Time(time.perf_counter() - clock, time.process_time() - processor))
    clocks, processors = zip(*(times[1:] or times), strict=True)
    return Time(float(np.median(clocks)), float(np.median(processors)))


def peak_bytes(work: Callable[[], object]) -> int:
    """The most that `work()` held at one time beyond what was there before it."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def verdict(reached: bool) -> str:
    """The last word of a line with a bar."""
    return "reached" if reached else "MISSED"


def ours(pool: Pool, arms: dict[str, Strategy]) -> tuple[dict[str, Time], dict[str, float]]:
    """Print a line for each strategy; return their times, and their peaks of memory in embeddings."""
    times, peaks = {}, {}
    for name, strategy in arms.items():
        work = partial(pool.choose, strategy)
        times[name] = time_of(work)
        peaks[name] = peak_bytes(work) / pool.embedding.nbytes
        clock, processor = times[name]
        memory = f"memory {peaks[name]:5.2f} of the embedding"
        print(f"  {name:26} {clock:8.3f} s ({processor:.3f} of the processors), {memory}", flush=True)
    return times, peaks


def times_faster(name: str, own: Time, other: Time, bar: float, of: str) -> None:
    """Print how many times faster than `of` a strategy is."""
    ratio = other.clock / own.clock
    print(
        f"{name}: {ratio:.1f} times faster than scikit-activeml's {of}"
        f" ({other.processor / own.processor:.1f} by the processors' time);"
        f" bar: at least {bar:g}: {verdict(ratio >= bar)}"
    )


def against_activeml(pool: Pool, times: dict[str, Time], peaks: dict[str, float]) -> None:
    """Measure scikit-activeml and print what is compared with it."""
    try:
        other = Activeml(pool)
    except ImportError:
        print(
            "Left out: BADGE, CORESET, SIMILAR and Cluster-Margin beside scikit-activeml, which is not installed;"
            f" pip install scikit-activeml=={ACTIVEML}"
        )
        return
    found = importlib.metadata.version("scikit-activeml")
    print(f"scikit-activeml {found}" + ("" if found == ACTIVEML else f"; the bars are set against {ACTIVEML}"))
    coreset = time_of(lambda: other.coreset(pool.budget))
    same = len(np.intersect1d(other.coreset(pool.budget), pool.choose(STRATEGIES["coreset"].strategy)))
    print(f"  CoreSet {coreset.clock:.2f} s; {same} of its {pool.budget} are also CORESET's", flush=True)
    badge = time_of(lambda: other.badge(pool.budget))
    peak = peak_bytes(lambda: other.badge(FIRST_ONES)) / pool.embedding.nbytes
    print(f"  Badge {badge.clock:.2f} s; memory {peak:.1f} of the embedding, seen in its first {FIRST_ONES} questions")
    times_faster("BADGE", times["badge"], badge, 20, "Badge")
    share = peaks["badge"] / peak
    print(f"BADGE: {share:.3f} of its extra memory; bar: under 0.1: {verdict(share < 0.1)}")
    times_faster("CORESET", times["coreset"], coreset, 3, "CoreSet")
    times_faster("SIMILAR", times["similar"], badge, 5, "Badge")
    times_faster("Cluster-Margin", times[CLUSTERED], badge, 5, "Badge")


def most_memory(peaks: dict[str, float], sizes: Sizes, n_classes: int) -> None:
    """Print which strategy needs most, and whether that leaves room for an array that none may form."""
    name = max(peaks, key=lambda name: peaks[name])
    print(
        f"Memory: at most {peaks[name]:.2f} of the embedding ({name}); bar: under {COPY:g}, a copy in double precision"
        f" (N x K x d is {n_classes}, N x N {sizes.n / sizes.width:.0f}): {verdict(peaks[name] < COPY)}"
    )


def under(name: str, taken: Time, bar: float) -> None:
    """Print whether a time on the clock is under its bar."""
    print(f"{name}: {taken.clock:.1f} s; bar: under {bar:g} s: {verdict(taken.clock < bar)}")


def floors(pool: Pool) -> None:
    """Print what reading the embedding once for each question costs, and one product with the labelled."""
    vector, rows = pool.embedding[0].copy(), pool.embedding[pool.labels != UNKNOWN]
    one, many = time_of(lambda: pool.embedding @ vector), time_of(lambda: pool.embedding @ rows.T)
    print(
        f"Floors: a product of the embedding with one vector {1e3 * one.clock:.1f} ms"
        f" ({pool.embedding.nbytes / one.clock / 1e9:.1f} GB/s), {pool.budget} of them {pool.budget * one.clock:.2f} s;"
        f" with {len(rows)} rows at once {many.clock:.2f} s"
        f" ({2e-9 * pool.embedding.size * len(rows) / many.clock:.0f} GFlop/s)"
    )


def machine() -> str:
    """What the figures depend on."""
    threads = os.environ.get("OPENBLAS_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "all"))
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return f"numpy {np.__version__}, {os.cpu_count()} cores, threads of the linear algebra: {threads}, {load}"


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, help=f"examples in the pool, at least {LEAST} (default: {FULL.n})")
    parser.add_argument("--quick", action="store_true", help="a small pool, a few seconds in all")
    parser.add_argument("--skip-activeml", action="store_true", help="only our own")
    options = parser.parse_args()
    if options.n is not None and options.n < LEAST:
        parser.error(f"--n is {options.n}; it must be at least {LEAST}, so that there is enough to ask.")
    return options


def main() -> None:
    """Measure and print."""
    options = arguments()
    usual = QUICK if options.quick else FULL
    sizes = replace(usual, n=options.n or usual.n)
    print(machine())
    pool, pair = Pool.drawn(sizes, 10), Pool.drawn(sizes, 2)
    print(
        f"N = {sizes.n:,}, d = {sizes.width}, K = 10, float32, B = {sizes.budget};"
        f" {(pool.labels != UNKNOWN).sum()} labelled, {((pool.labels >= 0) & (pool.labels < 9)).sum()} of them in"
        f" SIMILAR's Q; the embedding takes {pool.embedding.nbytes / 2**20:.1f} MiB"
    )
    if sizes != FULL:
        print(f"The bars are meant for N = {FULL.n:,}, d = {FULL.width}; these sizes say nothing about them.")
    clustering = time_of(lambda: clusters_of(pool.embedding))
    print(f"Cluster-Margin's clustering, once for a campaign: {clustering.clock:.2f} s")
    clustered = clustered_by(clusters_of(pool.embedding))
    times, peaks = ours(pool, {name: entry.strategy for name, entry in STRATEGIES.items()} | {CLUSTERED: clustered})
    times_2, peaks_2 = ours(pair, {PAIR: STRATEGIES["bait"].strategy})
    floors(pool)
    most_memory(peaks | peaks_2, sizes, n_classes=10)
    under("BAIT, K = 2", times_2[PAIR], 120)
    under(f"BAIT, K = 10, d reduced to {min(sizes.width, COLUMNS // 9)}", times["bait"], 300)
    if not options.skip_activeml:
        against_activeml(pool, times, peaks)
    print(machine())


if __name__ == "__main__":
    main()
