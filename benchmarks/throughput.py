"""Where the time of a round goes, what scoring costs beside the bare network, and what seeds side by side are worth.

`python benchmarks/throughput.py [--device cuda] [--learner clip:semi=flexmatch] [--pool 50000] [--labels 1000]
[--epochs 500] [--jobs 4]`: pictures are drawn (32 x 32, of CLIP 224 x 224), a network that begins at random is trained
on some, the pool is scored, the next batch is chosen, all as in `cutpoint bench run`. The yardstick of scoring is a
loop over the same network on pictures that lie on the device, in the same precision, with nothing around it, and in the
best of several sizes of batches. With `--jobs`, the same fit is then made by as many processes at a time as by one.

All ratios are taken in one process, those of jobs by the clock. Where the device is the processor, other seconds are of
processor time, which other load on the machine hardly lengthens; elsewhere the clock's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from cutpoint import STRATEGIES, UNKNOWN, Labels, Round, run
from cutpoint.data import Pool
from cutpoint.data.side_by_side import Job, become
from cutpoint.learners import make_learner
from cutpoint.learners.base import Learner, Model, equipped
from cutpoint.learners.deep.devices import choose_device, half, is_full
from cutpoint.learners.deep.examples import every_example
from cutpoint.learners.deep.model import DeepModel, batch_size
from cutpoint.learners.registry import with_options

LIGHT = ("direct", "random", "confidence", "margin", "entropy", "most_likely_positive")
OTHERS = ("galaxy", "badge", "bait", "base", "cluster_margin", "coreset", "similar")
BUDGET = 100
CAPTIONS = (("a photo of something rare.",), ("a photo of something else.",))
SIZES = (1 / 16, 1 / 4, 1 / 2, 1, 2, 4)  # of the bare loop's batches, times that of ours


class Case(NamedTuple):
    """What is measured: a learner by name, without its epochs; sizes; where."""

    learner: str
    device: str
    pool: int
    labels: int
    epochs: int

    def made(self, epochs: int) -> Learner:
        """The learner, with a network at random."""
        name = with_options(self.learner, [f"epochs={epochs}", "weights=none", f"device={self.device}"])
        return equipped(make_learner(name, 2), root=None, scratch=None, captions=CAPTIONS)

    def drawn(self) -> tuple[Pool, Labels, Labels]:
        """Pictures of two classes, of which one in ten is rare and a little redder; truth (n,) and labels (n,)."""
        rng, side = np.random.default_rng(0), 224 if self.learner.startswith("clip") else 32
        truth = (rng.random(self.pool) > 0.1).astype(np.int64)
        pictures = rng.integers(0, 200, (self.pool, side, side, 3), dtype=np.uint8)
        pictures[truth == 0, :, :, 0] += 40
        labels = np.full(self.pool, UNKNOWN)
        given = rng.choice(self.pool, self.labels, replace=False)
        labels[given] = truth[given]
        return Pool(pictures), truth, labels

    def warm(self, pool: Pool, labels: Labels) -> None:
        """Imports and first calls."""
        self.made(1).fit(pool, np.where(np.cumsum(labels >= 0) <= 20, labels, UNKNOWN), seed=0)


def waited(device: torch.device) -> None:
    """Wait until the device has done all it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of `work()`, the device waited for: of the processor where that is the device, else of the clock."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    start = clock()
    work()
    waited(device)
    return clock() - start


def bare(model: DeepModel, pictures: torch.Tensor, size: int) -> None:
    """The network over pictures that lie on the device, batch by batch."""
    weights = torch.from_numpy(model.head).to(model.device)
    with torch.inference_mode():
        for inputs in torch.split(pictures, size):
            with half(model.device):
                embedding = model.body(inputs)
            torch.softmax(embedding.float() @ weights[:, :-1].T + weights[:, -1], dim=1)


def bare_sizes(model: DeepModel, whole: torch.Tensor, ours: int) -> list[int]:
    """The sizes of batches that a bare loop is tried with: those that the memory of the device can take."""
    sizes = sorted({min(max(1, int(ours * times)), len(whole)) for times in SIZES})
    taken = []
    for size in sizes:
        try:
            bare(model, whole[:size], size)
        except (RuntimeError, MemoryError) as error:
            if not is_full(error):
                raise
            break
        taken.append(size)
    return taken


def scoring(model: DeepModel, pool: Pool, repeats: int) -> None:
    """Print the throughput of scoring with and without an embedding, as a ratio to the best bare loop."""
    whole = every_example(pool.features, model.device).whole
    assert whole is not None, "the pool does not fit on the device: take a smaller one"
    size = min(batch_size(pool.features, model.device), pool.n_examples)
    ours: dict[str, Callable[[], object]] = {
        f"probabilities, batches of {size}": lambda: model.score(pool),
        f"with embedding, batches of {size}": lambda: model.score(pool, frozenset({"probs", "embedding", "head"})),
    }
    loops: dict[str, Callable[[], object]] = {
        f"bare loop, batches of {each}": partial(bare, model, whole, each) for each in bare_sizes(model, whole, size)
    }
    turns = [{name: timed(work, model.device) for name, work in (loops | ours).items()} for _ in range(repeats)]
    least = {name: min(turn[name] for turn in turns) for name in turns[0]}  # in turn: other load meets all alike
    yardstick = min(least[name] for name in loops)
    for name, seconds in least.items():
        print(f"scoring, {name}: {pool.n_examples / seconds:,.0f} pictures a second, {yardstick / seconds:.2f}")


def phases(case: Case, device: torch.device, repeats: int) -> None:
    """Print the seconds of a round by phase, of every choice, and the throughput of scoring."""
    pool, truth, labels = case.drawn()
    case.warm(pool, labels)
    models: list[Model] = []
    fit = timed(lambda: models.append(case.made(case.epochs).fit(pool, labels, seed=0)), device)
    model = models[0]
    assert isinstance(model, DeepModel), "the learner trains no network of pictures"
    fresh = Pool(pool.features.copy())
    handling = timed(lambda: every_example(fresh.features, device), device)  # onto the device: once in a campaign
    needs = frozenset({"probs", "embedding", "head"})
    scores = [model.score(pool, needs)]
    score = timed(lambda: scores.append(model.score(pool, needs)), device)
    print(f"a round of {case.epochs} epochs: fit {fit:.2f} s, score {score:.2f} s, data handling {handling:.3f} s")
    now = Round(scores[0], labels, BUDGET, 5, 0)
    for strategy in (*LIGHT, *OTHERS):
        select = timed(partial(run, STRATEGIES[strategy].strategy, now, truth.__getitem__), device)
        share = (select + handling) / (fit + score + select + handling)
        print(f"selection, {strategy}: {select:.3f} s; with data handling {share:.1%} of such a round")
    scoring(model, pool, repeats)


def fitted(case: Case, number: int, jobs: int, begin: Any) -> float:
    """Seconds of one fit by the clock, begun when all processes are ready."""
    torch.set_num_threads(1)
    become(Job(number, jobs))
    pool, _, labels = case.drawn()
    case.warm(pool, labels)
    begin.wait()
    start = time.perf_counter()
    case.made(case.epochs).fit(pool, labels, seed=number)
    waited(choose_device(case.device))
    return time.perf_counter() - start


def side_by_side(case: Case, jobs: int) -> None:
    """Print how many labelled pictures one process trains with a second, and several at a time, of one thread each."""
    context = multiprocessing.get_context("spawn")
    rates = []
    for n in (1, jobs):
        with context.Manager() as manager, context.Pool(n) as pool:
            begin = manager.Barrier(n)
            seconds = pool.starmap(fitted, [(case, number, n, begin) for number in range(n)], chunksize=1)
        rates.append(n * case.labels * case.epochs / max(seconds))
        print(f"training, fits at a time: {n}: {rates[-1]:,.0f} labelled pictures a second, {rates[-1] / rates[0]:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--learner", default="resnet18:lr=0.001", help="resnet18 or clip, with options behind it")
    parser.add_argument("--pool", type=int, default=5000, help="pictures in the pool; the paper's sets have 50 000")
    parser.add_argument("--labels", type=int, default=200, help="labelled ones; the paper's runs go up to 5000")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of the fit; the paper's schedule has 500")
    parser.add_argument("--repeats", type=int, default=3, help="of the scoring; the best of them counts")
    parser.add_argument("--jobs", type=int, default=1, help="so many processes at a time, beside one")
    options = parser.parse_args()
    device = choose_device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    case = Case(options.learner, options.device, options.pool, options.labels, options.epochs)
    print(f"torch {torch.__version__} on {device} ({name}); {case.learner}, pool {case.pool:,}, labels {case.labels:,}")
    phases(case, device, options.repeats)
    if options.jobs > 1:
        side_by_side(case, options.jobs)


if __name__ == "__main__":
    main()
