"""Campaigns that lack something: their strategy or learner, which labels do not need, or the scores of a model."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from html import escape
from pathlib import Path

import pytest

from campaign_command import NAME, answer, command, printed
from cutpoint.errors import ReplayError
from cutpoint.service.doctor_sqlite import Finding

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

OWN = "balanced_margin"  # somebody's own strategy, in a Cutpoint of theirs


def rewrite(folder: Path, old: str, new: str) -> None:
    """Let the log say something else, as it would if another Cutpoint had written it."""
    with closing(sqlite3.connect(folder / f"{NAME}.db")) as connection:
        connection.execute("UPDATE events SET data = replace(data, ?, ?)", (old, new))
        connection.commit()


def trained(name: str) -> None:
    """Let a model learn, and people answer five questions that it chose."""
    from cutpoint.service.place import opened
    from cutpoint.service.training.trainer import Trainer

    with opened(name) as (store, files):
        assert Trainer(store, files).step()
    answer(name, 5)


@pytest.fixture
def own(campaign_folder: Path) -> Path:
    """A campaign that asks by a strategy that is not here, in its last round, too."""
    trained(NAME)
    rewrite(campaign_folder, '"direct"', f'"{OWN}"')
    return campaign_folder


@pytest.fixture
def other_learner(campaign_folder: Path) -> Path:
    """A campaign whose learner is not here."""
    rewrite(campaign_folder, '"logistic"', '"forest"')
    return campaign_folder


@pytest.mark.parametrize("lacking", ["own", "other_learner"])
def test_labels_history_status_report_and_copies_need_neither(
    request: pytest.FixtureRequest, lacking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    request.getfixturevalue(lacking)
    labelled = printed(capsys, "status", NAME)["status"]["labelled"]
    assert labelled > 30
    assert printed(capsys, "export", NAME, "-o", "out.csv")["rows"] >= labelled
    assert printed(capsys, "export", NAME, "-o", "history.jsonl", "--history")["rows"] >= labelled
    assert "report: " in command(capsys, "report", NAME)
    assert printed(capsys, "copy", NAME, "elsewhere")["events"] > labelled
    assert command(capsys, "classes", "list", NAME).split() == ["other", "zero"]


def doctor(capsys: pytest.CaptureFixture[str], code: int = 1) -> dict[str, Finding]:
    findings = json.loads(command(capsys, "doctor", NAME, "--json", code=code))
    return {found["part"]: Finding(**found) for found in findings}


def test_the_doctor_says_which_strategy_is_lacking_and_calls_nothing_damaged(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = doctor(capsys)
    assert [part for part, each in found.items() if each.mark == "wrong"] == ["strategy"]
    assert found["strategy"].said == f"this Cutpoint has no strategy '{OWN}'"
    assert "use the Cutpoint that has it" in found["strategy"].do
    assert "cutpoint strategy" in found["strategy"].do
    assert "backup" not in str(found)


def test_the_doctor_says_which_learner_is_lacking(other_learner: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = doctor(capsys)
    assert [part for part, each in found.items() if each.mark == "wrong"] == ["learner"]
    assert "there is no learner 'forest'" in found["learner"].said
    assert "no model is trained" in found["learner"].do
    assert "backup" not in str(found)


def test_a_replay_makes_the_rounds_again_that_can_be_made_and_names_the_others(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds = printed(capsys, "status", NAME)["status"]["round"]["number"]
    assert rounds > 2
    said = command(capsys, "replay", NAME, code=1)
    lines = said.splitlines()
    lack = f"this Cutpoint has no strategy '{OWN}'; use the one that has it."
    assert lines[0] == f"round {rounds} cannot be made again: {lack}"
    end = f"the questions of {rounds - 1} other rounds are the same again, and no label is touched by this"
    assert lines[1].endswith(end)
    assert len(lines) == 2
    done = json.loads(command(capsys, "replay", NAME, "--json", code=1))
    assert [number for number, _ in done["broken"]] == [rounds]
    assert done["differences"] == []


@pytest.mark.parametrize("options", [[], ["--new-round"]])
def test_serve_says_what_is_lacking_and_what_to_do(
    own: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("fastapi")
    said = command(capsys, "serve", NAME, "--port", "0", *options, code=2)
    assert f"this Cutpoint has no strategy '{OWN}'" in said
    assert "use the one that has it, or let the campaign go on by another: cutpoint strategy" in said


def test_another_strategy_is_chosen_without_a_server_and_every_answer_stays(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = printed(capsys, "status", NAME)["status"]["labelled"]
    assert command(capsys, "strategy", NAME) == f"{OWN}, which this Cutpoint lacks\n"
    assert "there is no strategy 'guess'" in command(capsys, "strategy", NAME, "guess", code=2)
    changed = command(capsys, "strategy", NAME, "margin")
    assert changed == f"questions are chosen by margin from now on; before by {OWN}\n"
    assert command(capsys, "strategy", NAME) == "margin\n"
    assert command(capsys, "strategy", NAME, "margin") == "margin: nothing to change\n"
    answer(NAME, 5)
    status = printed(capsys, "status", NAME)["status"]
    assert (status["labelled"], status["round"]["strategy"]) == (labelled + 5, "margin")
    found = doctor(capsys, code=0)
    assert found["strategy"].mark == "note"
    assert OWN in found["strategy"].said
    assert f"no strategy '{OWN}'" in command(capsys, "replay", NAME, code=1)


def test_a_desk_whose_strategy_goes_missing_while_it_works_says_so_and_goes_on_by_another(tmp_path: Path) -> None:
    from cutpoint.service.desk.desk import Desk
    from cutpoint.service.training.trainer import Trainer
    from cutpoint.store.events import New
    from cutpoint.store.files import ArrayFiles
    from desks import FakeClock, events_of
    from trained import a_store_with_features
    from trained import answer as label

    files, clock = ArrayFiles(tmp_path), FakeClock()
    store = a_store_with_features(files, first=12, budget=8)
    desk = Desk(store, files, clock=clock)
    label(desk, 12)
    assert Trainer(store, files, clock).step()
    store.append([New("settings_changed", {"strategy": OWN})])  # by a process of another Cutpoint
    assert not desk.ask("two", 1)
    assert f"this Cutpoint has no strategy '{OWN}'" in desk.status().trouble
    with pytest.raises(ReplayError, match=OWN):
        Trainer(store, files, clock).step()
    desk.change(strategy="margin")
    label(desk, 1)
    assert events_of(store, "round_opened")[-1].data["strategy"] == "margin"
    assert desk.status().trouble == ""
    desk.close()


def test_a_learner_that_is_lacking_fails_its_trainings_and_stops_nobody(
    other_learner: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(NAME)
    status = printed(capsys, "status", NAME)["status"]
    assert "there is no learner 'forest'" in status["last_error"]


def test_a_campaign_does_not_begin_with_a_strategy_that_is_not_there(tmp_path: Path) -> None:
    from cutpoint.errors import UsageError
    from cutpoint.service.campaign import Campaign

    for train in ("off", "process"):
        with pytest.raises(UsageError, match="there is no strategy 'direkt'; did you mean 'direct'"):
            Campaign(tmp_path / "birds.db", ["other", "heron"], strategy="direkt", train=train)
    assert not (tmp_path / "birds.db").exists()


# scores that are gone


def test_a_report_without_the_newest_scores_draws_the_rest_and_says_so(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(NAME)
    (probs,) = (campaign_folder / f"{NAME}.files").glob("probs-*")
    command(capsys, "report", NAME, "-o", "whole.html")
    probs.unlink()
    command(capsys, "report", NAME, "-o", "page.html")
    whole, page = (Path(name).read_text() for name in ("whole.html", "page.html"))
    assert "the scores of model 1 cannot be read" not in whole
    assert f"the scores of model 1 cannot be read: {escape(str(probs))} is gone" in page
    assert 'id="people"' in page
    assert "surely another" in whole
    assert "surely another" not in page


def test_the_doctor_says_how_to_go_on_without_scores_that_are_gone(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(NAME)
    (probs,) = (campaign_folder / f"{NAME}.files").glob("probs-*")
    probs.unlink()
    (wrong,) = [
        Finding(**found)
        for found in json.loads(command(capsys, "doctor", NAME, "--json", code=1))
        if found["mark"] == "wrong"
    ]
    assert wrong.said == f"probs of scores 1: {probs} is gone; restore it from a backup."
    assert wrong.do == "or go on without it: `cutpoint serve --new-round`"


def test_a_replay_compares_the_rounds_after_one_whose_scores_are_gone(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cutpoint.service.desk.desk import Desk
    from cutpoint.service.place import opened

    trained(NAME)
    (probs,) = (campaign_folder / f"{NAME}.files").glob("probs-*")
    lost = printed(capsys, "status", NAME)["status"]["round"]["number"]
    probs.unlink()
    with opened(NAME) as (store, files):
        Desk(store, files, new_round=True).close()
    answer(NAME, 3)
    assert printed(capsys, "status", NAME)["status"]["round"]["number"] == lost + 1
    first, last = command(capsys, "replay", NAME, code=1).splitlines()
    assert first == f"round {lost} cannot be made again: {probs} is gone; restore it from a backup."
    assert last.endswith(f"the questions of {lost} other rounds are the same again, and no label is touched by this")
