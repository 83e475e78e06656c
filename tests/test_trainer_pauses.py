"""Pauses after trainings that failed: they grow however it failed, over restarts, and end at the right time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cutpoint import Scores
from cutpoint.service.desk.desk import Desk
from cutpoint.service.overview.sentences import warnings
from cutpoint.service.training.patience import FIRST_PAUSE, LONGEST_PAUSE
from cutpoint.service.training.supervisor import TrainerProcess
from cutpoint.service.training.trainer import LONGEST_REFUSAL, Trainer, _train_on
from cutpoint.store.base import MaybeStored, StoreError
from cutpoint.store.events import Event, New
from cutpoint.store.files import ArrayFiles
from cutpoint.store.memory import MemoryStore
from desks import FakeClock, events_of, kinds
from trained import N, a_store_with_features, add, answer


class Killed(BaseException):
    """What happens to a process that is killed: nothing that comes after is done."""


class Learner:
    """One that fails as it is told."""

    def __init__(self, fail: Callable[[], Any]) -> None:
        self.fail = fail

    def fit(self, *_: Any, **__: Any) -> Learner:
        return self

    def score(self, *_: Any) -> Any:
        return self.fail()


def raising(error: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


WAYS: dict[str, Callable[[], Any]] = {
    "an exception": raising(RuntimeError("no")),
    "no memory": raising(MemoryError()),
    "no room for the scores": raising(StoreError("the disk is full")),
    "not a number": lambda: Scores(np.full((N, 2), np.nan)),
    "killed with its server": raising(Killed()),
    "killed alone, or hung": raising(Killed()),
}


class Place:
    """A campaign that is ready to be trained, and a clock that tells its store the time, too."""

    def __init__(self, files: ArrayFiles, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.files, self.clock = a_store_with_features(files, first=12, budget=8), files, FakeClock()
        monkeypatch.setattr("cutpoint.store.memory.time", SimpleNamespace(time=self.clock.time))
        self.desk = Desk(self.store, files, clock=self.clock)
        answer(self.desk, 12)

    def restarted(self) -> Trainer:
        """A new process."""
        return Trainer(self.store, self.files, self.clock)

    def trains(self, watched: bool = False) -> bool:
        """Whether a new process trains now, and what a supervisor says of one that dies."""
        before = len(events_of(self.store, "training_started"))
        try:
            self.restarted().step()
        except Killed:
            if watched:
                run = self.desk.running()
                assert run is not None
                self.desk.training_failed(run, "the training process ended with status -9")
        return len(events_of(self.store, "training_started")) > before

    def pause(self) -> float:
        """The seconds until a new process trains, each of which is tried in another one."""
        begun = self.clock.now
        while not self.trains():
            self.clock.now += 1
            assert self.clock.now - begun <= LONGEST_PAUSE
        return self.clock.now - begun


@pytest.fixture
def place(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(ArrayFiles(tmp_path), monkeypatch)


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Let every learner fail from now on."""

    def begin(way: Callable[[], Any]) -> None:
        monkeypatch.setattr("cutpoint.learners.make_learner", lambda *_: Learner(way))

    return begin


@pytest.mark.parametrize("way", WAYS)
def test_pauses_double_over_restarts_however_it_failed(
    place: Place, fail: Callable[[Callable[[], Any]], None], way: str
) -> None:
    fail(WAYS[way])
    watched = way == "killed alone, or hung"
    assert place.trains(watched)
    for times in range(5):
        assert not place.trains(watched)  # a new process; it says what nobody could
        pause = FIRST_PAUSE * 2**times
        place.clock.now += pause - 1
        assert not place.trains(watched)
        place.clock.now += 2
        assert place.trains(watched)
    place.restarted().step()
    assert len(events_of(place.store, "training_failed")) == 6
    assert kinds(place.store).count("training_started") == 6


def test_no_pause_is_longer_than_the_longest(place: Place, fail: Callable[[Callable[[], Any]], None]) -> None:
    fail(WAYS["an exception"])
    place.trains()
    for _ in range(9):
        place.pause()
    assert place.pause() == LONGEST_PAUSE
    place.clock.jump = -1e6  # the wall's clock is put back
    trainer, begun = place.restarted(), place.clock.now
    while not trainer.step():
        place.clock.now += 1
    assert place.clock.now - begun == LONGEST_PAUSE


def test_a_success_ends_the_row(
    place: Place, fail: Callable[[Callable[[], Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(WAYS["an exception"])
    place.trains()
    assert [place.pause() for _ in range(3)] == [5, 10, 20]
    monkeypatch.undo()
    monkeypatch.setattr("cutpoint.store.memory.time", SimpleNamespace(time=place.clock.time))
    assert place.pause() == 40
    assert kinds(place.store)[-1] == "training_finished"
    answer(place.desk, 8)
    fail(WAYS["an exception"])
    assert place.trains()
    assert place.pause() == FIRST_PAUSE


CHANGES: dict[str, Callable[[Place], Any]] = {
    "a class": lambda place: place.desk.add_class("crane"),
    "items": lambda place: add(place.store, place.files, np.ones((3, 1), np.float32)),
    "settings": lambda place: place.desk.change(strategy="margin"),
    "twice the labels": lambda place: answer(place.desk, 12),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_is_trained_on_ends_the_row(
    place: Place, fail: Callable[[Callable[[], Any]], None], change: str
) -> None:
    fail(WAYS["an exception"])
    place.trains()
    for _ in range(4):
        place.pause()
    answer(place.desk, 11)  # of 12, so that there are nearly twice as many
    assert not place.trains()
    CHANGES[change](place)
    assert place.trains()
    assert place.pause() == FIRST_PAUSE


class Refusing(MemoryStore):
    """A store that refuses some kinds of events, at times although it has stored them."""

    def __init__(self, whole: MemoryStore, *kinds: str, after_all: bool = False) -> None:
        self.__dict__.update(whole.__dict__)
        self.kinds, self.after_all = kinds, after_all

    def append(self, news: Sequence[New]) -> list[Event]:
        if not any(new.kind in self.kinds for new in news):
            return super().append(news)
        if self.after_all:
            super().append(news)
            raise MaybeStored("the connection broke")
        raise StoreError("the disk is full")


def test_while_the_store_refuses_nothing_is_trained_and_the_pauses_grow(place: Place) -> None:
    place.store = store = Refusing(place.store, "scores_published", "training_failed")
    trainer = place.restarted()
    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 12:
            store.kinds = ()
        if len(pauses) == 13:
            raise Killed

    with pytest.raises(Killed):
        _train_on(trainer, 0.5, wait)
    assert kinds(store).count("training_started") == 1
    assert all(longer == min(2 * shorter, LONGEST_REFUSAL) for shorter, longer in pairwise(pauses[:12]))
    assert pauses[11:] == [LONGEST_REFUSAL, 0.5]
    assert events_of(store, "training_failed")[-1].data["error"] == "StoreError: the disk is full"
    assert not place.trains()  # it is a failure like others


def test_scores_that_were_stored_after_all_are_no_failure(place: Place) -> None:
    place.store = Refusing(place.store, "scores_published", after_all=True)
    assert place.restarted().step()
    assert kinds(place.store)[-2:] == ["scores_published", "training_finished"]
    assert not place.restarted().step()
    assert "training_failed" not in kinds(place.store)


def test_a_process_that_dies_ever_again_is_started_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that lives for more than the longest pause each time."""
    clock, pauses = FakeClock(), []
    monkeypatch.setattr("cutpoint.service.training.supervisor.time", SimpleNamespace(monotonic=clock.monotonic))
    process = TrainerProcess([], SimpleNamespace(running=lambda: None, training_hindered=lambda said: None))
    lives = iter([70.0] * 9 + [4000.0, 70.0])

    def live_once() -> str:
        clock.now += next(lives)
        return "it died"

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 11:
            process._stop.set()

    monkeypatch.setattr(process, "_live_once", live_once)
    monkeypatch.setattr(process._stop, "wait", wait)
    process._watch()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 1, 2]


def test_a_training_that_was_ended_with_the_campaign_is_no_failure_and_begins_at_once(
    place: Place, fail: Callable[[Callable[[], Any]], None]
) -> None:
    fail(raising(Killed()))
    for _ in range(3):
        assert place.trains()
        place.desk.training_stopped()
        assert place.desk.status().training is None
        assert (place.desk.status().failures, warnings(place.desk.status())) == (0, [])
    place.desk.training_stopped()
    assert len(events_of(place.store, "training_stopped")) == 3, "where none is on, none is stopped"
    assert not events_of(place.store, "training_failed")
