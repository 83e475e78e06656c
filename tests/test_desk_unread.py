"""Scores that cannot be read: questions go on by older ones or at random, and another model is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cutpoint.errors import CutpointError
from cutpoint.service.desk.desk import Desk
from cutpoint.service.overview.sentences import asking, model, warnings
from cutpoint.service.overview.standing import read
from cutpoint.service.replay import replay
from cutpoint.service.training.trainer import Trainer
from cutpoint.store.files import ArrayFiles
from cutpoint.store.memory import MemoryStore
from desks import FakeClock, events_of
from trained import N, a_store_with_features, answer


@pytest.fixture
def files(tmp_path: Path) -> ArrayFiles:
    return ArrayFiles(tmp_path)


def twice_trained(files: ArrayFiles) -> MemoryStore:
    """A campaign with two models and a round on the newest, closed."""
    store = a_store_with_features(files, first=12, budget=8)
    desk, trainer = Desk(store, files, clock=FakeClock()), Trainer(store, files, FakeClock())
    for n in (12, 8):
        answer(desk, n)
        assert trainer.step()
        desk.tick()
    answer(desk, 1)
    desk.close()
    return store


def probs_of(store: MemoryStore, files: ArrayFiles, version: int) -> Path:
    """The file of a model's probabilities."""
    file: str = events_of(store, "scores_published")[version - 1].data["files"]["probs"]["file"]
    return files.folder / file


def spoil(path: Path, how: str) -> None:
    """Remove a file, cut it, or fill it with what cannot be meant."""
    if how == "gone":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-8])
    else:
        np.save(path, np.full((N, 2), np.nan, np.float32))


@pytest.mark.parametrize("how", ["gone", "cut", "no numbers"])
def test_a_new_round_goes_by_the_last_scores_that_can_be_read_until_the_next_are_trained(
    files: ArrayFiles, how: str
) -> None:
    store = twice_trained(files)
    spoil(probs_of(store, files, 2), how)
    with pytest.raises(CutpointError, match=r"let a new round begin \(new_round=True, serve --new-round\)"):
        Desk(store, files, clock=FakeClock())
    desk = Desk(store, files, clock=FakeClock(), new_round=True)
    assert desk.status().labelled == 21
    assert desk.ask("one", 1)
    opened = events_of(store, "round_opened")[-1].data
    assert (opened["scores"], opened["strategy"]) == (1, "direct")
    assert desk.status().trouble.startswith("the scores of model 2 cannot be read, and questions go without them: ")
    rounds = len(events_of(store, "round_opened"))
    for _ in range(3):
        desk.tick()
    assert len(events_of(store, "round_opened")) == rounds  # the old scores are no news, and the new ones none either
    trainer = Trainer(store, files, FakeClock())
    assert trainer.step()
    assert not trainer.step()
    answer(desk, 2)
    opened = events_of(store, "round_opened")[-1].data
    assert (opened["scores"], opened["strategy"]) == (3, "direct")
    assert desk.status().trouble == ""
    desk.close()
    assert replay(store, files).broken[0][0] == 3  # of what was asked by the lost scores


def test_where_no_scores_can_be_read_questions_are_drawn_at_random(files: ArrayFiles) -> None:
    store = twice_trained(files)
    for version in (1, 2):
        probs_of(store, files, version).unlink()
    desk = Desk(store, files, clock=FakeClock(), new_round=True)
    assert desk.ask("one", 1)
    opened = events_of(store, "round_opened")[-1].data
    assert (opened["scores"], opened["strategy"]) == (None, "random")


def test_scores_that_are_lost_while_people_answer_stop_nobody(files: ArrayFiles) -> None:
    store = twice_trained(files)
    desk = Desk(store, files, clock=FakeClock())
    probs_of(store, files, 2).unlink()
    answer(desk, 12)  # the round is spent on the way
    assert events_of(store, "round_opened")[-1].data["scores"] == 1
    desk.close()
    Desk(store, files, clock=FakeClock()).close()


def test_scores_with_other_bytes_than_were_stored_are_trained_anew(files: ArrayFiles) -> None:
    store = twice_trained(files)
    np.save(probs_of(store, files, 2), np.full((N, 2), 0.5, np.float32))
    assert Trainer(store, files, FakeClock()).step()
    files.open(events_of(store, "scores_published")[2].data["files"]["probs"], verify=True)


def test_features_that_cannot_be_read_are_a_failure_like_others(files: ArrayFiles) -> None:
    store = twice_trained(files)
    probs_of(store, files, 2).unlink()
    next(files.folder.glob("features-*")).unlink()
    assert Trainer(store, files, FakeClock()).step()
    assert "is gone; restore it from a backup" in events_of(store, "training_failed")[-1].data["error"]


def test_whoever_looks_meanwhile_is_told_the_same_and_that_a_model_is_due(files: ArrayFiles) -> None:
    store = twice_trained(files)
    spoil(probs_of(store, files, 2), "gone")
    desk = Desk(store, files, clock=FakeClock(), new_round=True)
    answer(desk, 1)
    said = read(store)[1].status
    assert said.trouble == "the scores of model 2 could not be read, and questions go without them"
    assert "with model 1" in asking(said)
    assert model(said).endswith("the next one is due")
    failed = replace(said, failures=1, last_error="no room")
    assert warnings(failed)[0].endswith("questions are chosen with model 1.")
    trainer = Trainer(store, files, FakeClock())
    assert trainer.step()
    said = read(store)[1].status
    assert said.trouble == ""
    assert model(said).endswith("the next one is trained after 8 more items")
    desk.close()
