"""The learner of the ResNet-18 figures, as their presets name it, on small files of the published formats.

One epoch from weights at random; all else is the preset's. The figures of CLIP are in test_clip_presets.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from cutpoint.data.table_1 import Row
from cutpoint.experiment.config import make_config
from cutpoint.experiment.results import read_results
from cutpoint.experiment.runner import run_benchmark
from cutpoint.learners.deep import supervised
from cutpoint.learners.deep.loop import Settings
from cutpoint.learners.deep.supervised import Task
from cutpoint.paper import FIGURES, fig06, fig11, fig13, fig17
from cutpoint.paper.campaigns import options_of
from cutpoint.paper.figure import Campaign
from cutpoint.paper.settings import shortened
from toy_sets import cifar10_archive, cifar100_archive, pathmnist_file, shrink, svhn_files

SHORT = shortened(FIGURES["fig06"]).campaigns[0]
CASES: list[tuple[Campaign, Row, Callable[[Path], object]]] = [
    (fig06.ACCURACY.campaign, Row(40, 2, ".1111", (4, 36), 20), cifar10_archive),
    (SHORT, Row(40, 2, ".1111", (4, 36), 20), cifar10_archive),
    (fig11.ACCURACY.campaign, Row(30, 2, ".1111", (3, 27), 20), svhn_files),
    (fig13.ACCURACY.campaign, Row(45, 2, ".1250", (5, 40), 18), pathmnist_file),
    (fig17.ACCURACY.campaign, Row(200, 2, ".0101", (2, 198), 100), cifar100_archive),
]


@pytest.mark.parametrize(("campaign", "row", "write"), CASES, ids=[campaign.name for campaign, _, _ in CASES])
def test_a_preset_trains_as_it_says(
    campaign: Campaign, row: Row, write: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, **{campaign.dataset.replace("-", "_"): row})
    write(tmp_path)
    tasks: list[Task] = []
    trained = supervised.trained

    def noted(task: Task, *arguments: Any) -> Any:
        tasks.append(task)
        return trained(task, *arguments)

    monkeypatch.setattr(supervised, "trained", noted)
    options = options_of(campaign, seeds=1)
    learner = options["learner"].replace("epochs=500:", "") + ":epochs=1:weights=none:device=cpu"
    options |= {"learner": learner, "strategies": ["direct", "base"], "first": 20, "budget": 4, "rounds": 1}
    config, said = make_config(options | {"parallel": [5]}), list[str]()  # after an epoch it may call all one class
    assert run_benchmark(config, tmp_path / "out", root=tmp_path, warn=said.append) == 2
    _, rows = read_results(tmp_path / "out")
    assert {row.metric for row in rows} >= {"balanced_accuracy", "minority_found", "epochs", "seconds_measure"}
    assert all(np.isfinite(row.value) for row in rows)
    settings = Settings(1, 100, 0.01, 5e-5, cosine=campaign is SHORT)
    assert [(task.settings, task.smoothing) for task in tasks] == [(settings, 0.1 if campaign.noise != "0" else 0)] * 4
