"""Training beside the desk: when it starts, what it refuses, how it fails, and that a process of it may die or hang."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cutpoint import Campaign, Scores
from cutpoint.errors import UsageError
from cutpoint.service.desk.desk import Desk
from cutpoint.service.log.state import State
from cutpoint.service.overview.sentences import model
from cutpoint.service.training import training
from cutpoint.service.training.patience import FIRST_PAUSE
from cutpoint.service.training.trainer import Trainer
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from desks import FakeClock, events_of, kinds, publish, some_probs, until
from trained import N, a_store_with_features, add, answer

needs_sql = pytest.mark.skipif(importlib.util.find_spec("alembic") is None, reason="the extra serve is not installed")


@pytest.fixture
def files(tmp_path: Path) -> ArrayFiles:
    return ArrayFiles(tmp_path)


def test_a_training_starts_at_the_interval_and_not_before(files: ArrayFiles) -> None:
    store = a_store_with_features(files, first=12, budget=8)
    desk, trainer = Desk(store, files, clock=FakeClock()), Trainer(store, files, FakeClock())
    answer(desk, 11)
    assert not trainer.step()
    answer(desk, 1)
    assert trainer.step()
    assert kinds(store)[-3:] == ["training_started", "scores_published", "training_finished"]
    assert not trainer.step()
    answer(desk, 7)
    assert not trainer.step()
    desk.passed(desk.ask("one", 1)[0], "unsure")  # closed without a label
    assert trainer.step()
    published = events_of(store, "scores_published")[-1].data
    assert (published["version"], published["rows"], published["classes"]) == (2, N, 2)
    assert desk.status().done == 8  # the desk has not looked yet
    desk.tick()
    assert desk.status().done == 0


def test_labels_that_change_make_the_model_stale_and_bring_the_next(files: ArrayFiles) -> None:
    store = a_store_with_features(files, first=12, budget=8)
    desk, trainer = Desk(store, files, clock=FakeClock()), Trainer(store, files, FakeClock())
    answer(desk, 12)
    assert trainer.step()
    desk.tick()
    first = list(desk.state.people.by_name["one"].said)
    for item in first[:7]:
        desk.tell(item, int(item >= 30), annotator="one")
    desk.tell(first[0], int(first[0] < 30), annotator="one")  # as it was
    assert (desk.status().done, desk.status().changed) == (6, 6)
    assert "6 labels are no longer what it learned; the next one is trained after 2 more items" in model(desk.status())
    answer(desk, 1)
    assert not trainer.step()
    desk.adjudicate(first[7], int(first[7] >= 30), by="admin")
    assert (desk.status().done, desk.status().changed) == (8, 7)
    assert trainer.step()
    desk.tick()
    assert (desk.status().done, desk.status().changed) == (0, 0)


def test_one_class_is_not_trained_on(files: ArrayFiles) -> None:
    store = a_store_with_features(files, first=12)
    desk, trainer = Desk(store, files, clock=FakeClock()), Trainer(store, files, FakeClock())
    answer(desk, 30, lambda item: 0)
    assert not trainer.step()
    answer(desk, 1, lambda item: 1)
    assert trainer.step()


def test_items_that_come_later_are_scored_soon(files: ArrayFiles) -> None:
    store = a_store_with_features(files, first=20)
    desk, trainer = Desk(store, files, clock=FakeClock()), Trainer(store, files, FakeClock())
    answer(desk, 20)
    assert trainer.step()
    add(store, files, np.zeros((5, 1), np.float32))
    assert trainer.step()
    assert events_of(store, "scores_published")[-1].data["rows"] == N + 5
    assert not trainer.step()


def test_another_strategy_that_reads_more_is_trained_for_at_once(files: ArrayFiles) -> None:
    store = a_store_with_features(files, first=12)
    desk, trainer = Desk(store, files, clock=FakeClock()), Trainer(store, files, FakeClock())
    answer(desk, 12)
    assert trainer.step()
    assert desk.ask("one", 1)
    desk.change(strategy="badge")
    assert desk.ask("two", 1)  # by the old strategy, as long as the new one has nothing to read
    opened = events_of(store, "round_opened")[-1].data
    assert (opened["strategy"], opened["scores"]) == ("direct", 1)
    assert desk.status().trouble == "questions go by direct until there is a model with what badge reads"
    assert trainer.step()
    assert not trainer.step()
    assert desk.ask("three", 1)
    opened = events_of(store, "round_opened")[-1].data
    assert (opened["strategy"], opened["scores"]) == ("badge", 2)
    assert desk.status().trouble == ""


def test_a_strategy_for_which_neither_the_scores_nor_the_last_round_do_begins_at_random(files: ArrayFiles) -> None:
    store = a_store_with_features(files, first=12, strategy="badge")
    desk = Desk(store, files, clock=FakeClock())
    publish(store, files.folder, some_probs(N))
    assert desk.ask("one", 1)
    opened = events_of(store, "round_opened")[-1].data
    assert (opened["strategy"], opened["scores"]) == ("random", 1)


def test_a_strategy_that_the_learner_cannot_serve_is_refused(
    files: ArrayFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = a_store_with_features(files, first=12)
    desk = Desk(store, files, clock=FakeClock())
    monkeypatch.setattr("cutpoint.learners.make_learner", lambda *_: SimpleNamespace(gives={"probs"}))
    before = kinds(store)
    with pytest.raises(UsageError, match="badge reads embedding of the scores, and the learner logistic gives probs"):
        desk.change(strategy="badge")
    assert kinds(store) == before
    desk.change(strategy="margin")


@pytest.mark.parametrize(
    ("probs", "words"),
    [
        (lambda: np.full((N, 2), np.nan), r"probs\[0\] is"),
        (lambda: np.vstack((np.full((N - 1, 2), 0.5), [[np.inf, 0]])), rf"probs\[{N - 1}\] is"),
        (lambda: np.full((N, 2), 0.5), "the same for all 60 items"),
        (lambda: np.eye(2)[np.arange(N + 1) % 2], r"the scores have shape \(61, 2\)"),
        (lambda: np.full((N, 3), 1 / 3), r"the scores have shape \(60, 3\)"),
    ],
)
def test_scores_that_cannot_be_meant_are_refused_whole_and_the_old_ones_serve(
    files: ArrayFiles, monkeypatch: pytest.MonkeyPatch, probs: Callable[[], Any], words: str
) -> None:
    store = a_store_with_features(files, first=12, budget=8)
    clock = FakeClock()
    desk, trainer = Desk(store, files, clock=FakeClock()), Trainer(store, files, clock)
    answer(desk, 12)
    assert trainer.step()
    before = sorted(files.folder.iterdir())
    answer(desk, 8)

    class Broken:
        def fit(self, *_: Any, **__: Any) -> Broken:
            return self

        def score(self, *_: Any) -> Scores:
            return Scores(probs())

    monkeypatch.setattr("cutpoint.learners.make_learner", lambda *_: Broken())
    assert trainer.step()
    failed = events_of(store, "training_failed")[-1].data
    with pytest.raises(UsageError, match=words):
        raise UsageError(failed["error"])
    assert sorted(files.folder.iterdir()) == before
    answer(desk, 3)
    status = desk.status()
    assert (status.model, status.failures, status.training) == (1, 1, None)
    assert not trainer.step()  # it pauses
    clock.now += FIRST_PAUSE
    assert trainer.step()
    clock.now += 1.5 * FIRST_PAUSE
    assert not trainer.step()  # longer than the first time
    monkeypatch.undo()
    clock.now += FIRST_PAUSE
    assert trainer.step()
    desk.tick()
    assert (desk.status().model, desk.status().failures) == (2, 0)


def test_an_embedding_that_stays_the_same_is_stored_once(files: ArrayFiles) -> None:
    store = a_store_with_features(files, first=12, budget=8, strategy="badge")
    desk, trainer = Desk(store, files, clock=FakeClock()), Trainer(store, files, FakeClock())
    answer(desk, 12)
    assert trainer.step()
    desk.tick()
    answer(desk, 8)
    assert trainer.step()
    first, second = (event.data["files"] for event in events_of(store, "scores_published"))
    assert first["embedding"] == second["embedding"]
    assert first["probs"] != second["probs"]
    assert len(list(files.folder.glob("embedding-*"))) == 1


def test_a_learner_that_does_not_give_what_the_strategy_reads_is_said_to_have_failed(
    files: ArrayFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.naive_bayes import GaussianNB

    from cutpoint.learners import wrap

    store = a_store_with_features(files, first=12, strategy="coreset")
    desk, trainer = Desk(store, files, clock=FakeClock()), Trainer(store, files, FakeClock())
    answer(desk, 12)
    monkeypatch.setattr("cutpoint.learners.make_learner", lambda *_: wrap(GaussianNB(), 2))
    assert trainer.step()
    assert "gives no embedding, and coreset reads it" in events_of(store, "training_failed")[-1].data["error"]
    assert not trainer.step()  # it pauses


def test_what_a_dead_trainer_left_running_is_logged_as_failed(files: ArrayFiles) -> None:
    store = a_store_with_features(files, first=12)
    desk = Desk(store, files, clock=FakeClock())
    answer(desk, 12)
    store.append([New("training_started", {"run": "run-9", "upto": 3, "learner": "logistic"})])
    assert not Trainer(store, files, FakeClock()).step()  # it pauses
    failed = events_of(store, "training_failed")[-1].data
    assert (failed["run"], failed["upto"]) == ("run-9", 3)
    assert failed["error"] == "the training process ended before it did"


def test_training_reads_labels_that_only_some_have_given(files: ArrayFiles) -> None:
    store = a_store_with_features(files, first=12, overlap=2)
    desk = Desk(store, files, clock=FakeClock())
    answer(desk, 3)
    state = State(store.events())
    assert (state.ballots.labels >= 0).sum() == 0
    assert (state.ballots.derived() >= 0).sum() == 3
    assert training.measured(state, files, state.ballots.derived())["labels"] == 3


def test_somebody_who_works_alone_where_two_are_wanted_teaches_the_model(files: ArrayFiles) -> None:
    store = a_store_with_features(files, first=12, overlap=2)
    desk = Desk(store, files, clock=FakeClock())
    answer(desk, 23)
    assert (desk.status().labelled, desk.status().done) == (0, 11)
    assert not training.due(State(store.events()))
    answer(desk, 1)
    state = State(store.events())
    assert (state.n_done, state.ballots.found.total(), training.due(state)) == (12, 0, True)
    assert Trainer(store, files, FakeClock()).step()
    desk.tick()
    assert (desk.status().model, desk.status().done) == (1, 0)


def test_to_want_more_answers_is_no_news_to_the_model(files: ArrayFiles, tmp_path: Path) -> None:
    store = a_store_with_features(files)
    desk = Desk(store, files, clock=FakeClock())
    for item in range(10):
        desk.tell(item, item % 2, annotator="ada")
    publish(store, tmp_path, np.full((N, 2), 0.5, np.float32))
    desk.tick()
    desk.change(overlap=2)
    assert (desk.status().waiting, desk.status().done) == (10, 0)
    desk.tell(20, 0, annotator="ada")
    desk.tell(21, 0, annotator="ada")
    assert desk.status().done == 1


def test_what_a_model_learned_from_half_the_answers_it_has_not_foreseen(files: ArrayFiles, tmp_path: Path) -> None:
    store = a_store_with_features(files, overlap=2)
    desk = Desk(store, files, clock=FakeClock())
    desk.tell(3, 0, annotator="ada")
    publish(store, tmp_path, np.tile(np.array([0.9, 0.1], np.float32), (N, 1)))
    desk.tick()
    desk.tell(3, 0, annotator="ben")  # it is settled by now, and was known before
    assert "foreseen" not in training.measured(desk.state, files, training.labels_of(desk.state))
    desk.tell(5, 1, annotator="ada")  # it waits for ben, and is new
    said = training.measured(desk.state, files, training.labels_of(desk.state))
    assert (said["foreseen"], said["foreseen_classes"]) == (0.0, 1.0)


def test_what_was_foreseen_is_a_mean_of_the_classes_that_came(files: ArrayFiles, tmp_path: Path) -> None:
    store = a_store_with_features(files)
    desk = Desk(store, files, clock=FakeClock())
    first = np.linspace(0.6, 0.9, N, dtype=np.float32)
    publish(store, tmp_path, np.column_stack([first, 1 - first]))
    desk.tick()
    desk.tell(3, 0, annotator="ada")
    said = training.measured(desk.state, files, training.labels_of(desk.state))
    assert (said["foreseen"], said["foreseen_classes"]) == (1.0, 1.0)
    desk.tell(5, 1, annotator="ada")
    said = training.measured(desk.state, files, training.labels_of(desk.state))
    assert (said["foreseen"], said["foreseen_classes"]) == (0.5, 2.0)


def test_training_weighs_answers_where_several_people_give_them(files: ArrayFiles) -> None:
    store = a_store_with_features(files, overlap=2)
    desk = Desk(store, files, clock=FakeClock())
    for item in range(40):  # two who agree, on twenty of each class
        for person in ("ada", "ben"):
            desk.tell(item, int(item < 20), annotator=person)
    for item in range(40, 60):  # and somebody who always says the same, and says it first
        desk.tell(item, 0, annotator="cem")
        desk.tell(item, item % 2, annotator="ada")
    state = desk.state
    assert [state.ballots.label(item) for item in range(40, 60)] == [0] * 20  # of equals what was said first
    assert training.labels_of(state)[40:].tolist() == [item % 2 for item in range(40, 60)]
    desk.adjudicate(41, 0, by="admin")
    assert training.labels_of(state)[41] == 0


# --- the process ------------------------------------------------------------------------------------------


@needs_sql
def test_a_trainer_without_a_campaign_says_so_in_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cutpoint.service.training.trainer", str(tmp_path / "none.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("trainer: there is no campaign at")
    assert done.stderr.count("\n") == 1


@needs_sql
def test_a_campaign_trains_in_a_process_of_its_own_and_never_waits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 3)).astype(np.float32)
    with Campaign(tmp_path / "birds.db", ["other", "heron"], first=20, budget=20) as campaign:
        campaign.add_pool(ids=[f"bird {i}" for i in range(200)], embeddings=features)

        def label(n: int) -> None:
            for _ in range(n):
                ask = campaign.ask(annotator="one")[0]
                campaign.tell(ask, "heron" if features[ask.item, 0] > 1 else "other")

        label(25)
        until(lambda: campaign.status().model == 1)
        assert "sklearn" not in loaded_beside(tmp_path / "birds.db")
        label(5)
        why = campaign.ask(annotator="one")[0].why
        assert why is not None
        assert why.phase in ("search", "threshold")
        assert campaign.export(tmp_path / "labels.csv") == 30
    with Campaign(tmp_path / "birds.db") as again:
        assert again.status().labelled == 30
        assert len(again.labels) == 30


def loaded_beside(path: Path) -> set[str]:
    """The libraries in a fresh process that opens the log and folds it, as a server does."""
    code = (
        "import sys; from cutpoint.service.desk.desk import Desk; "
        "from cutpoint.service.training.supervisor import TrainerProcess; "
        "from cutpoint.service.log.state import State; from cutpoint.store.opening import open_store; "
        f"State(open_store({str(path)!r}, create=False).events()); print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}
