"""What the report's page says of the data: sizes, and how wrong people's labels are, class by class."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench_folder import write_folder
from cutpoint.cli import run_cli


def page_with(tmp_path: Path, noise: Any) -> str:
    """The text of a report whose data set has these human noises."""
    out = write_folder(tmp_path / "out", datasets=["digits-2"], noises=["0"], arms=[("direct", 5)], seeds=1, rounds=2)
    config = json.loads((out / "config.json").read_text())
    config["data"]["digits-2"]["noise"] = noise
    (out / "config.json").write_text(json.dumps(config))
    assert run_cli(["bench", "report", str(out), "--quiet"]) == 0
    return (out / "report" / "index.html").read_text(encoding="utf-8")


def test_the_noise_of_people_is_said_for_each_class_and_overall(tmp_path: Path) -> None:
    text = page_with(
        tmp_path,
        {
            "human:aggre": {"overall": 0.01768, "per_class": [0.057, 0.013311]},
            "human:worse": {"overall": 0.07614, "per_class": [0.3498, float("nan")]},
        },
    )
    rows = [re.findall(r">([^<>]+)</t[hd]>", row) for row in re.findall(r"<tr.*?</tr>", text)]
    assert ["class", "pool", "test", "wrong, human: aggre", "wrong, human: worse"] in rows
    assert ["0", "60", "20", "5.7 %", "35.0 %"] in rows
    assert ["other", "60", "20", "1.3 %", "–"] in rows
    assert "human: aggre: 1.8 % of the pool&#x27;s labels are wrong; human: worse: 7.6 %" in text


@pytest.mark.parametrize("noise", [{}, None, 3, {"human:a": 0.1}, {"human:a": {"overall": 0.1, "per_class": [0.1]}}])
def test_a_page_without_rates_or_with_damaged_ones_is_made(tmp_path: Path, noise: Any) -> None:
    text = page_with(tmp_path, noise)
    assert "wrong," not in text
    assert ("<figcaption>digits-2</figcaption>" in text) == (noise == {})
