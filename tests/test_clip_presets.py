"""The learners of figures 14 and 23, as their presets name them, on small files in the format of iWildCam."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from cutpoint.data.table_1 import Row
from cutpoint.experiment.config import make_config
from cutpoint.experiment.results import read_results
from cutpoint.experiment.runner import run_benchmark
from cutpoint.learners.deep import clip_tuning
from cutpoint.learners.deep.clip_tuning import Tuning
from cutpoint.learners.deep.model import Classifier
from cutpoint.paper import fig14, fig23
from cutpoint.paper.campaigns import options_of
from cutpoint.paper.figure import Campaign
from tiny_clip import tiny_clip
from toy_sets import iwildcam_files, put, shrink


@pytest.mark.parametrize("campaign", [fig14.IWILDCAM_RUNS, fig23.IWILDCAM_RUNS], ids=lambda c: c.name)
def test_a_preset_trains_as_it_says(campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, iwildcam=Row(32, 14, ".3333"))
    put(tmp_path / "iwildcam_v2.0", iwildcam_files())
    begun: list[Tuning] = []
    zero_shot = clip_tuning.zero_shot

    def noted(tuning: Tuning, *arguments: object) -> Classifier:
        begun.append(tuning)
        return zero_shot(tuning, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(clip_tuning, "zero_shot", noted)
    options = options_of(campaign, seeds=1)
    options |= {"first": 16, "budget": 6, "rounds": 1, "strategies": ["direct", "coreset"], "parallel": [5]}
    options["learner"] += f":model={tiny_clip()}:weights=none:device=cpu:epochs=2"
    with pytest.warns(UserWarning, match="in 2 runs: clip begins with weights at random"):
        assert run_benchmark(make_config(options), tmp_path / "out", root=tmp_path) == 2
    _, rows = read_results(tmp_path / "out")
    assert {row.metric for row in rows} >= {"pool_balanced_accuracy", "balanced_accuracy", "epochs", "training_loss"}
    assert all(np.isfinite(row.value) for row in rows)
    assert {tuning.flexmatch for tuning in begun} == {campaign is fig14.IWILDCAM_RUNS}
    assert {tuning.captions[13] for tuning in begun} == {("a photo of other.", "other in the wild.")}
    assert len(begun) == 4
