"""A round that cannot begin is tried again after growing pauses, at an asking and by the desk's thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from cutpoint.errors import DataError
from cutpoint.service.desk import pace
from cutpoint.service.desk.desk import Desk
from cutpoint.service.desk.live import Live
from cutpoint.service.desk.setback import LONGEST_PAUSE
from desks import FakeClock, a_desk, until


class Gone:
    """Stands for `Live` while scores cannot be read; counts how often that was tried."""

    def __init__(self) -> None:
        self.tries = 0
        self.over = False

    def __call__(self, *given: Any) -> Live:
        self.tries += 1
        if self.over:
            return Live(*given)
        raise DataError(f"the scores cannot be read (try {self.tries})")


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> Gone:
    gone = Gone()
    monkeypatch.setattr(pace, "Live", gone)
    return gone


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def beside(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk whose thread looks often."""
    monkeypatch.setattr(pace, "TICK", 0.01)
    desk = a_desk(clock=clock)
    yield desk
    desk.close()


def test_scores_that_cannot_be_read_for_a_moment_are_read_again(gone: Gone, clock: FakeClock) -> None:
    desk = a_desk(clock=clock)
    for _ in range(5):  # nobody's asking makes it try sooner
        assert "a round could not begin" in desk.ask("one", 1).reason
        assert "could not begin: the scores cannot be read (try 1)" in desk.status().trouble
    assert gone.tries == 1
    gone.over = True
    assert not desk.ask("one", 1)
    clock.now += 1
    assert len(desk.ask("one", 1)) == 1
    assert desk.status().trouble == ""


def test_what_fails_for_ever_is_tried_less_and_less_often(gone: Gone, clock: FakeClock) -> None:
    desk, pauses = a_desk(clock=clock), []
    for _ in range(9):
        tries, begun = gone.tries, clock.now
        while gone.tries == tries:
            desk.tick()
            desk.ask("one", 1)
            clock.now += 1
            assert clock.now - begun <= LONGEST_PAUSE + 1
        clock.now -= 1
        pauses.append(clock.now - begun)
    assert pauses == [0, 1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE]
    assert "could not begin" in desk.status().trouble
    tries = gone.tries
    desk.change(parallel=2)  # another round
    desk.ask("one", 1)
    assert gone.tries == tries + 1


def said(desk: Desk, words: str) -> bool:
    """Whether the desk says so: what comes before is known to its thread, too."""
    return words in desk.status().trouble


def test_the_thread_tries_again_by_itself(gone: Gone, clock: FakeClock, beside: Desk) -> None:
    beside.start()
    for tries in (1, 2, 3):
        until(partial(said, beside, f"could not begin: the scores cannot be read (try {tries})"))
        for _ in range(3):
            beside.ask("one", 1)
            beside.tick()
        time.sleep(0.05)
        assert gone.tries == tries  # the clock stands still, and so does the processor
        clock.now += 2.0 ** (tries - 1)
    gone.over = True
    clock.now += 4
    until(lambda: beside.ask("one", 1))
    assert beside.status().trouble == ""
