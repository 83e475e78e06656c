"""Many people at the same moment: nothing is handed out twice, nothing lost, and one write does for many."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pytest

from cutpoint.errors import UsageError
from cutpoint.service.desk.asks import Asks, Receipt
from cutpoint.service.desk.desk import Desk
from cutpoint.service.desk.together import Together
from cutpoint.service.log.state import State
from cutpoint.service.replay import replay
from cutpoint.store.base import StoreError
from cutpoint.store.events import Event, New
from cutpoint.store.memory import MemoryFiles, MemoryStore
from desks import a_desk, a_store, events_of, some_probs, until

T = TypeVar("T")
N = 2000
PEOPLE = 20


class SlowStore(MemoryStore):
    """Takes a while for every write, as a disk does; can be full."""

    def __init__(self, store: MemoryStore, seconds: float = 0.002) -> None:
        super().__init__()
        self.__dict__ |= store.__dict__
        self.seconds, self.writes, self.full = seconds, 0, False

    def append(self, news: Sequence[New]) -> list[Event]:
        if self.full:
            raise StoreError("the disk is full; make room.")
        self.writes += 1
        time.sleep(self.seconds)
        return super().append(news)


def at_once(work: Sequence[Callable[[], object]]) -> list[object]:
    """What each returns or raises, all begun at one moment."""
    gate, results = threading.Barrier(len(work)), [object()] * len(work)

    def begin(place: int) -> None:
        gate.wait()
        try:
            results[place] = work[place]()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=begin, args=(place,)) for place in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def a_slow_desk(**settings: Any) -> tuple[Desk, SlowStore, MemoryFiles]:
    files, store = MemoryFiles(), SlowStore(a_store(N, **settings))
    entries = {"probs": files.put("probs", some_probs(N))}
    about = {"version": 1, "classes": 2, "rows": N, "upto": store.last(), "run": "run"}
    store.append([New("scores_published", {**about, "files": entries, "measures": {}})])
    return Desk(store, files), store, files


@pytest.mark.parametrize("overlap", [1, 3])
def test_people_who_work_at_the_same_time_never_share_an_item(overlap: int) -> None:
    desk, store, files = a_slow_desk(overlap=overlap, budget=60)
    desk.start()
    told: dict[tuple[int, str], int] = {}
    lock = threading.Lock()

    def annotate(name: str) -> None:
        dice = np.random.default_rng(int(name[1:]))
        done = 0
        while done < 15:
            asks = desk.ask(name, 2)
            for ask in asks[:1]:
                label = int(dice.integers(2))
                assert desk.tell(ask, label, key=f"{name}-{done}").status == "saved"
                with lock:
                    assert told.setdefault((ask.item, name), label) == label
                done += 1
            if not asks:
                time.sleep(0.01)

    results = at_once([lambda name=f"p{k}": annotate(name) for k in range(PEOPLE)])  # type: ignore[misc]
    assert results == [None] * PEOPLE
    desk.close()
    answers = {(e.data["item"], e.data["annotator"]): e.data["label"] for e in events_of(store, "answered")}
    assert answers == told
    assert len(told) == 15 * PEOPLE
    most = max(np.unique([item for item, _ in told], return_counts=True)[1])
    assert most <= overlap
    assert replay(store, files).same


def test_one_write_does_for_all_who_wait() -> None:
    desk, store, _ = a_slow_desk(budget=60)
    people = [f"p{k}" for k in range(PEOPLE)]
    for ask in [desk.ask(name, 1)[0] for name in people]:  # everybody is known, and enough questions wait
        desk.give_back(ask.lease)
    writes = store.writes
    asked = all_waiting(desk, desk._asking, [lambda name=name: desk.ask(name, 1)[0] for name in people])  # type: ignore[misc]
    assert store.writes == writes + 1
    assert len({ask.item for ask in asked}) == PEOPLE
    told = all_waiting(desk, desk._telling, [lambda ask=ask: desk.tell(ask, 1) for ask in asked])  # type: ignore[misc]
    assert store.writes == writes + 2
    assert [receipt.status for receipt in told] == ["saved"] * PEOPLE


def all_waiting(desk: Desk, line: Together[Any, Any], work: Sequence[Callable[[], T]]) -> list[T]:
    """What each returns, none of it begun before all of it waits in line."""
    with ThreadPoolExecutor(len(work)) as pool:
        with desk.locked:
            done = [pool.submit(one) for one in work]
            until(lambda: len(line._waiting) == len(work))
        return [one.result() for one in done]


def test_the_same_request_sent_many_times_at_once_is_done_once() -> None:
    desk, store, _ = a_slow_desk()
    ask = desk.ask("one", 1)[0]
    receipts = at_once([lambda: desk.tell(ask, 1, key="k")] * 8)
    assert [r.status for r in receipts if isinstance(r, Receipt)].count("saved") == 1
    assert all(isinstance(r, Receipt) and r.label == 1 for r in receipts)
    both = at_once([lambda: desk.tell(ask, 0), lambda: desk.tell(ask, 1), lambda: desk.ask("one", 3)])
    assert all(isinstance(r, Receipt | Asks) for r in both)
    assert len(events_of(store, "answered")) == 1


def test_one_bad_request_among_many_spoils_no_other() -> None:
    desk = a_desk(40, first=20)
    asks = desk.ask("one", 4)
    work: list[Callable[[], object]] = [lambda a=a: desk.tell(a, 1, key=f"k{a.item}") for a in asks]  # type: ignore[misc]
    bad: list[Callable[[], object]] = [lambda: desk.tell(asks[0], 7), lambda: desk.tell(99, 1, annotator="two")]
    results = at_once([*work, *bad])
    assert [type(result) for result in results] == [Receipt] * 4 + [UsageError] * 2


def test_what_cannot_be_stored_is_said_to_each_and_leaves_nothing() -> None:
    desk, store, _ = a_slow_desk()
    asks = desk.ask("one", 5)
    before = desk.state.number
    store.full = True
    results = at_once([*[lambda a=a: desk.tell(a, 1) for a in asks], lambda: desk.ask("one", 9)])
    assert [type(result) for result in results] == [StoreError] * 6
    assert desk.state.number == before == store.last()
    store.full = False
    assert [desk.tell(ask, 1).status for ask in asks] == ["saved"] * 5
    assert State(store.events()).ballots.n_settled == 5
    assert len(desk.ask("one", 9)) == 9


def test_the_thread_bears_a_full_disk_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutpoint.service.desk.pace.TICK", 0.01)
    desk, store, _ = a_slow_desk()
    store.full = True
    desk.start()
    until(lambda: desk.status().trouble)  # the first round cannot be opened
    store.full = False
    until(lambda: desk.ask("one", 1))
    until(lambda: not desk.status().trouble)
    desk.close()
