"""Where the time of a ResNet-18 round goes, and what scoring costs beside the bare network.

`python benchmarks/throughput.py [--device cuda] [--pool 50000] [--labels 1000] [--epochs 500]`: pictures of 32 x 32 are
drawn, a network that begins at random is trained on some, the pool is scored, the next batch is chosen, all as in
`cutpoint bench run`. The yardstick of scoring is a loop over the same network on pictures that lie on the device, in
the same batches and precision, with nothing around it. All ratios are taken in one process. Where the device is the
processor, seconds are of processor time, which other load on the machine hardly lengthens; elsewhere the clock's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from cutpoint import STRATEGIES, UNKNOWN, Labels, Round, run
from cutpoint.data import Pool
from cutpoint.learners.base import Model
from cutpoint.learners.deep.devices import choose_device, half
from cutpoint.learners.deep.examples import every_example
from cutpoint.learners.deep.model import DeepModel, batch_size
from cutpoint.learners.deep.resnet import ResNetLearner

LIGHT = ("direct", "random", "confidence", "margin", "entropy", "most_likely_positive")
OTHERS = ("galaxy", "badge", "bait", "base", "cluster_margin", "coreset", "similar")
BUDGET = 100


def drawn(n: int, n_labels: int) -> tuple[Pool, Labels, Labels]:
    """Pictures of two classes, of which one in ten is rare and a little redder; truth (n,) and labels (n,)."""
    rng = np.random.default_rng(0)
    truth = (rng.random(n) > 0.1).astype(np.int64)
    pictures = rng.integers(0, 200, (n, 32, 32, 3), dtype=np.uint8)
    pictures[truth == 0, :, :, 0] += 40
    labels = np.full(n, UNKNOWN)
    given = rng.choice(n, n_labels, replace=False)
    labels[given] = truth[given]
    return Pool(pictures), truth, labels


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of `work()`, the device waited for: of the processor where that is the device, else of the clock."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    start = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return clock() - start


def bare(model: DeepModel, pictures: torch.Tensor, size: int) -> None:
    """The network over pictures that lie on the device, batch by batch."""
    weights = torch.from_numpy(model.head).to(model.device)
    with torch.inference_mode():
        for inputs in torch.split(pictures, size):
            with half(model.device):
                embedding = model.body(inputs)
            torch.softmax(embedding.float() @ weights[:, :-1].T + weights[:, -1], dim=1)


def scoring(model: DeepModel, pool: Pool, repeats: int) -> None:
    """Print the throughput of scoring with and without an embedding, as a ratio to the bare loop; best of several."""
    whole = every_example(pool.features, model.device).whole
    assert whole is not None, "the pool does not fit on the device: take a smaller one"
    size = batch_size(pool.features, model.device)
    works: dict[str, Callable[[], object]] = {
        "bare loop": lambda: bare(model, whole, size),
        "probabilities": lambda: model.score(pool),
        "with embedding": lambda: model.score(pool, frozenset({"probs", "embedding", "head"})),
    }
    turns = [{name: timed(work, model.device) for name, work in works.items()} for _ in range(repeats)]
    spent = {name: [turn[name] for turn in turns] for name in works}  # in turn, so that other load meets all alike
    yardstick = min(spent["bare loop"])
    for name, seconds in spent.items():
        print(
            f"scoring, {name}: {pool.n_examples / min(seconds):,.0f} pictures a second, {yardstick / min(seconds):.2f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--pool", type=int, default=5000, help="pictures in the pool; the paper's sets have 50 000")
    parser.add_argument("--labels", type=int, default=200, help="labelled ones; the paper's runs go up to 5000")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of the fit; the paper's schedule has 500")
    parser.add_argument("--repeats", type=int, default=3, help="of the scoring; the best of them counts")
    options = parser.parse_args()
    device = choose_device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"torch {torch.__version__} on {device} ({name}); pool {options.pool:,}, labels {options.labels:,}")
    pool, truth, labels = drawn(options.pool, options.labels)
    learner = ResNetLearner(2, epochs=options.epochs, lr=1e-3, weights="none", device=str(device))
    learner.fit(pool, np.where(np.cumsum(labels >= 0) <= 20, labels, UNKNOWN), seed=0)  # imports and first calls
    models: list[Model] = []
    fit = timed(lambda: models.append(learner.fit(pool, labels, seed=0)), device)
    model = models[0]
    assert isinstance(model, DeepModel)
    handling = timed(lambda: every_example(pool.features, device), device)  # onto the device: once in a campaign
    scores = [model.score(pool, frozenset({"probs", "embedding", "head"}))]
    score = timed(lambda: scores.append(model.score(pool, frozenset({"probs", "embedding", "head"}))), device)
    print(f"a round of {options.epochs} epochs: fit {fit:.2f} s, score {score:.2f} s, data handling {handling:.3f} s")
    now = Round(scores[0], labels, BUDGET, 5, 0)
    for strategy in (*LIGHT, *OTHERS):
        select = timed(partial(run, STRATEGIES[strategy].strategy, now, truth.__getitem__), device)
        share = (select + handling) / (fit + score + select + handling)
        print(f"selection, {strategy}: {select:.3f} s; with data handling {share:.1%} of such a round")
    scoring(model, pool, options.repeats)


if __name__ == "__main__":
    main()
