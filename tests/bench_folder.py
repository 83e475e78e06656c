"""Writes results folders as `bench run` would, without running anything, for the tests of the report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.experiment.config import RunSpec, run_id

HEADER = "dataset,strategy,seed,noise,parallel,round,n_labels,metric,value"
ARMS = [
    ("direct", 1),
    ("direct", 5),
    ("galaxy", 1),
    ("random", 1),
    ("margin", 1),
    ("most_likely_positive", 1),
]
SPEED = {"direct": 3.0, "galaxy": 2.2, "random": 1.0, "margin": 1.8, "most_likely_positive": 0.7}


def write_folder(
    out: Path,
    *,
    datasets: Sequence[str] = ("digits-2", "digits-3"),
    noises: Sequence[str] = ("0", "0.1"),
    seeds: int = 6,
    arms: Sequence[tuple[str, int]] = tuple(ARMS),
    rounds: int = 10,
) -> Path:
    """A whole campaign's folder at `out`: config.json, a file per run, a snapshot per data set."""
    (out / "runs").mkdir(parents=True)
    (out / "snapshots").mkdir()
    config = {
        "format": "cutpoint-bench/1",
        "preset": "quick",
        "options": {
            "suites": [{"datasets": list(datasets), "noise": list(noises)}],
            "strategies": list(dict.fromkeys(name for name, _ in arms)),
            "parallel": sorted({parallel for name, parallel in arms if name == "direct"}),
            "seeds": seeds,
            "first": 20,
            "budget": 20,
            "rounds": rounds,
            "learner": "logistic",
        },
        "versions": {"cutpoint": "0.1.0", "numpy": "2.4.0"},
        "data": {name: _described(n_classes(name)) for name in datasets},
    }
    (out / "config.json").write_text(json.dumps(config, indent=1))
    for dataset in datasets:
        for noise in noises:
            for arm in arms:
                for seed in range(seeds):
                    write_run(out, dataset, arm, seed=seed, noise=noise, rounds=rounds)
        name = run_id(dataset, RunSpec(dataset, "direct", 0, noises[0], 5))
        write_snapshot(out / "snapshots" / f"{name}.npz", n_classes=n_classes(dataset))
    return out


def _described(k: int) -> dict[str, Any]:
    names = [str(c) for c in range(k - 1)] + ["other"]
    return {"classes": names, "pool": [60] * k, "test": [20] * k, "noise": {}}


def n_classes(dataset: str) -> int:
    return int(dataset.rpartition("-")[2])


def write_run(out: Path, dataset: str, arm: tuple[str, int], *, seed: int, noise: str, rounds: int = 10) -> Path:
    """One run's tidy rows: curves that rise towards a ceiling that noise lowers; arm: strategy and parallel."""
    strategy, parallel = arm
    rng = np.random.default_rng([seed, len(strategy), parallel])
    level = float(noise) if noise.replace(".", "").isdigit() else 0.15
    k = n_classes(dataset)
    path = out / "runs" / f"{run_id(dataset, RunSpec(dataset, strategy, seed, noise, parallel))}.csv"
    lines = [HEADER]
    for t in range(rounds + 1):
        n = 20 * (t + 1)
        height = (0.95 - level) - (0.45 - level) * np.exp(-0.12 * t * SPEED.get(strategy, 1.5))
        recalls = np.clip(height + 0.02 * rng.standard_normal(k) + np.linspace(-0.08, 0.08, k), 0, 1)
        found = np.round(n * (0.1 + 0.4 * (1 - np.exp(-0.1 * t * SPEED.get(strategy, 1.5)))) / max(1, k - 1))
        values = {
            "balanced_accuracy": recalls.mean(),
            "minority_found": found,
            "label_noise": level,
            "C": 0.1,
        }
        values |= {f"recall_{c}": recalls[c] for c in range(k)}
        values |= {f"found_{c}": found if c < k - 1 else n - (k - 1) * found for c in range(k)}
        values |= {"seconds_fit": 0.2, "seconds_score": 0.01} | ({"seconds_select": 0.02} if t < rounds else {})
        lines += [
            f"{dataset},{strategy},{seed},{noise},{parallel},{t},{n},{metric},{value:.6g}"
            for metric, value in values.items()
        ]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_snapshot(path: Path, *, n: int = 600, n_classes: int = 2, seed: int = 0) -> Path:
    """The pool before and after a round: scores of an imbalanced pool, a few labels, twenty more answers."""
    rng = np.random.default_rng(seed)
    share = np.r_[np.full(n_classes - 1, 0.12), 1 - 0.12 * (n_classes - 1)]
    clean = rng.choice(n_classes, n, p=share)
    logits = 2.2 * np.eye(n_classes)[clean] + rng.standard_normal((n, n_classes)) + np.log(share)
    probs: NDArray[np.float32] = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float32)
    probs /= probs.sum(axis=1, keepdims=True)
    before = np.full(n, -1)
    first = rng.choice(n, 20, replace=False)
    before[first] = clean[first]
    asked = rng.permutation(np.flatnonzero(before < 0))[:20]
    after = before.copy()
    after[asked] = clean[asked]
    np.savez(
        path,
        probs=probs,
        labels_before=before,
        labels_after=after,
        asked=asked,
        clean=clean,
        classes=np.array([f"digit {c}" for c in range(n_classes - 1)] + ["others"]),
    )
    return path


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file below a folder with the hash of its bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
