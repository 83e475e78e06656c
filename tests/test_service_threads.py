"""What pages read while the log is followed beside them: whole, and each event once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import SupportsIndex, overload

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from cutpoint.service.log.journal import Step
from cutpoint.service.web.auth import Person
from cutpoint.store.events import Event
from served import publish, serve_in_memory


@pytest.fixture
def eager() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager")
def test_the_dashboard_is_shown_while_somebody_works() -> None:
    served, over = serve_in_memory(5), Flag()
    served.desk.tell(0, 1, annotator="ada")
    about = {"annotator": "ada", "label": 0, "lease": "1", "late": False}
    diary, number = served.front.diary, iter(range(10**9))

    def work() -> None:
        while not over.is_set():
            diary.apply(Event(item := next(number), float(item), "answered", about | {"item": item}, None))

    for _ in range(3600):
        diary.apply(Event(item := next(number), float(item), "answered", about | {"item": item}, None))
    worker = Thread(target=work)
    worker.start()
    try:
        for _ in range(30):
            people = served.front.dashboard(Person("chief", True))["people"]
            assert people[0]["pace"] == 1.0
            assert served.front.status(Person("ada", False))["people"][0]["pace"] == 1.0
    finally:
        over.set()
        worker.join()


class Interrupted(list[Step]):
    """Steps; once some were read, another thread does something, one time."""

    def __init__(self, steps: list[Step], then: Callable[[], object]) -> None:
        super().__init__(steps)
        self.then: list[Callable[[], object]] = [then]

    @overload
    def __getitem__(self, place: SupportsIndex) -> Step: ...
    @overload
    def __getitem__(self, place: slice) -> list[Step]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Step | list[Step]:
        read = super().__getitem__(place)
        if self.then:
            self.then.pop()()
        return read


def test_two_who_look_at_a_strip_miss_no_answer(tmp_path: Path) -> None:
    served = serve_in_memory(30, files=tmp_path)
    publish(served, np.random.default_rng(0).dirichlet((3, 1, 1), 30))
    state, strips = served.desk.state, served.front.strips
    for item in range(6):
        served.desk.tell(item, 1, annotator="ada")
    other = strips.news(state)
    state.journal.steps = Interrupted(state.journal.steps, lambda: strips.answers(other))
    assert len(strips.answers(strips.news(state)).items) == 6
    served.desk.tell(6, 1, annotator="ada")
    assert len(strips.answers(strips.news(state)).items) == 7
