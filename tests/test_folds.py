"""The log in orders that no desk writes, and processes beside it do: the folds bear them, and the desk goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from cutpoint.errors import DataError, UsageError
from cutpoint.service.desk.desk import Desk
from cutpoint.service.desk.together import Request, Together
from cutpoint.service.log.leases import Leases
from cutpoint.service.log.state import State
from cutpoint.service.replay import replay
from cutpoint.store.base import MaybeStored
from cutpoint.store.events import Event, New
from cutpoint.store.memory import MemoryFiles, MemoryStore
from desks import FakeClock, a_desk, a_store, some_probs


def lease(name: str, item: int, person: str) -> dict[str, Any]:
    return {"lease": name, "item": item, "annotator": person, "until": 0.0, "seconds": 60.0}


def test_a_lease_that_is_granted_twice_is_one() -> None:
    leases = Leases()
    leases.grant(lease("1", 3, "ada"))
    leases.grant(lease("1", 4, "ben"))  # the name again
    leases.grant(lease("2", 4, "ben"))  # the question again
    assert (leases.on(3), leases.on(4), list(leases.live)) == (0, 1, ["2"])
    assert leases.end("1") is None
    assert leases.end("2") == 4
    assert (list(leases.items), leases.people, leases.live) == ([], [], {})


def test_a_class_that_two_processes_add_is_one() -> None:
    desk = a_desk()
    desk._store.append([New("class_added", {"name": "crane"})])  # by `cutpoint classes add`
    desk.add_class("crane")  # before the desk has read that
    assert desk.state.made.classes == ("other", "heron", "crane")
    assert State(desk._store.events()).made.classes == desk.state.made.classes


class Between(MemoryStore):
    """A store into which somebody else writes just before the desk's next round is opened."""

    def __init__(self, store: MemoryStore, news: Sequence[New]) -> None:
        super().__init__()
        self.__dict__ |= store.__dict__
        self.news = list(news)

    def append(self, news: Sequence[New]) -> list[Event]:
        if self.news and any(new.kind == "round_opened" for new in news):
            super().append(self.news)
            self.news = []
        return super().append(news)


def test_a_class_that_is_added_just_before_a_round_is_known_in_it() -> None:
    files, store = MemoryFiles(), a_store(30, first=4, budget=5)
    about = {"version": 1, "classes": 2, "rows": 30, "upto": store.last(), "run": "run", "measures": {}}
    store.append([New("scores_published", about | {"files": {"probs": files.put("probs", some_probs(30))}})])
    store = Between(store, [New("class_added", {"name": "crane"})])
    desk = Desk(store, files, clock=FakeClock())
    ask = desk.ask("ada", 1)[0]
    assert desk.tell(ask, "crane").label == 2
    assert desk.status().trouble == ""
    assert len(desk.ask("ada", 3)) == 3
    desk.close()
    Desk(store, files, clock=FakeClock()).close()
    assert replay(store, files).same


def test_an_event_that_cannot_be_taken_in_is_not_passed_over() -> None:
    state = State(a_store(3).events())
    bad = Event(state.number + 1, 0.0, "released", {"item": "no number", "by": "eve"}, None)
    for _ in range(2):
        with pytest.raises(DataError, match="makes no sense"):
            state.apply(bad)
    assert state.number == bad.number - 1


def test_a_log_of_a_newer_version_is_said_to_be_one() -> None:
    state = State(a_store(3).events())
    with pytest.raises(DataError, match="event 3 is of a kind that this version of Cutpoint does not know"):
        state.apply(Event(3, 0.0, "merged", {}, None))


def test_the_next_training_is_told_as_it_will_begin() -> None:
    desk = a_desk(30, first=5, budget=2)
    assert (desk.status().done, desk.status().trains_at) == (0, 5)
    desk._store.append(
        [
            New(
                "scores_published",
                {"version": 1, "upto": 2, "measures": {}, "files": {}, "classes": 2, "rows": 30, "run": "r"},
            )
        ]
    )
    desk._catch_up()
    assert desk.status().trains_at == 2


def test_a_desk_that_is_closed_writes_nothing_more() -> None:
    store = a_store()
    desk = Desk(store, clock=FakeClock())
    ask = desk.ask("ada", 1)[0]
    desk.close()
    other = Desk(store, clock=FakeClock())
    last = store.last()
    with pytest.raises(UsageError, match="this desk is closed"):
        desk.tell(ask, 1)
    with pytest.raises(UsageError, match="this desk is closed"):
        desk.ask("ben", 1)
    desk.close()
    assert store.last() == last
    other.close()


def test_whoever_is_served_by_one_that_is_interrupted_hears_of_it() -> None:
    lock = threading.RLock()
    heard: list[object] = []

    def serve(requests: list[Request[int, int]]) -> None:
        raise KeyboardInterrupt

    together: Together[int, int] = Together(lock, serve)

    def ask() -> None:
        try:
            heard.append(together.submit(1))
        except (Exception, KeyboardInterrupt) as error:
            heard.append(type(error))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    with lock:
        for thread in threads:
            thread.start()
        while len(together._waiting) < 2:
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert sorted(map(str, heard)) == sorted(map(str, [KeyboardInterrupt, MaybeStored]))
