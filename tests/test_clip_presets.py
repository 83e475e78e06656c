"""The learners of figures 14 and 23, as their presets name them, on small files in the formats of WILDS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from cutpoint.data.table_1 import Row
from cutpoint.experiment.config import make_config
from cutpoint.experiment.results import read_results
from cutpoint.experiment.runner import run_benchmark
from cutpoint.learners.deep import clip_tuning
from cutpoint.learners.deep.clip_tuning import Tuning
from cutpoint.learners.deep.model import DeepModel
from cutpoint.learners.deep.supervised import Task
from cutpoint.paper import fig14, fig23
from cutpoint.paper.campaigns import options_of
from cutpoint.paper.figure import Campaign
from tiny_clip import tiny_clip
from toy_sets import fmow_files, iwildcam_files, put, shrink

CAPTIONS = {"fmow": "zoo.", "iwildcam": "other in the wild."}
BATCH_AND_DECAY = {"fig14a": (50, 3e-5), "fig14b": (50, 3e-5), "fig23a": (400, 0.005), "fig23b": (512, 0.001)}
CAMPAIGNS = [fig14.FMOW_RUNS, fig14.IWILDCAM_RUNS, fig23.FMOW_RUNS, fig23.IWILDCAM_RUNS]


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.name)
def test_a_preset_trains_as_it_says(campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, iwildcam=Row(32, 14, ".3333"), fmow=Row(62, 62, "1.00"))
    put(tmp_path / "iwildcam_v2.0", iwildcam_files())
    put(tmp_path / "fmow_v1.1", fmow_files())
    begun: list[tuple[Task, Tuning]] = []
    tuned = clip_tuning.tuned

    def noted(task: Task, tuning: Tuning, *arguments: Any) -> DeepModel:
        begun.append((task, tuning))
        return tuned(task, tuning, *arguments)

    monkeypatch.setattr(clip_tuning, "tuned", noted)
    options = options_of(campaign, seeds=1)
    options |= {"first": 16, "budget": 6, "rounds": 1, "strategies": ["direct", "coreset"], "parallel": [5]}
    options["learner"] += f":model={tiny_clip()}:weights=none:device=cpu:epochs=2"
    said: list[str] = []
    assert run_benchmark(make_config(options), tmp_path / "out", root=tmp_path, warn=said.append) == 2
    assert any("in 2 runs: clip begins with weights at random" in sentence for sentence in said)
    _, rows = read_results(tmp_path / "out")
    assert {row.metric for row in rows} >= {"pool_balanced_accuracy", "balanced_accuracy", "epochs", "training_loss"}
    assert all(np.isfinite(row.value) for row in rows)
    assert len(begun) == 4
    for task, tuning in begun:
        assert (task.settings.batch, task.settings.decay) == BATCH_AND_DECAY[campaign.name]
        assert (tuning.flexmatch, task.smoothing) == ((True, 0) if campaign.noise == "0" else (False, 0.1))
        assert tuning.captions[-1][-1] == CAPTIONS[campaign.dataset]
