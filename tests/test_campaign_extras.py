"""Without the extra `serve`, the commands of campaigns are one sentence that says what to install."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaign_command import command


@pytest.mark.parametrize(
    "line",
    [
        ["init", "birds", "--images", "photos", "--classes", "a,b"],
        ["serve", "birds"],
        ["status", "birds"],
        ["doctor", "birds"],
        ["export", "birds", "-o", "out.csv"],
        ["replay", "birds"],
    ],
    ids=lambda line: line[0],
)
def test_what_is_missing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for module in ("cutpoint.service.place", "cutpoint.store.opening"):
        monkeypatch.setattr(f"{module}.find_spec", lambda name: None)
    assert "pip install 'cutpoint[serve]'" in command(capsys, *line, code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
