"""Stores whose commits end without an answer, and people at work on one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from cutpoint.errors import UsageError
from cutpoint.service.desk.asks import Receipt
from cutpoint.service.desk.desk import Desk
from cutpoint.service.log.settings import Settings
from cutpoint.service.replay import replay
from cutpoint.store.base import MaybeStored, Store, StoreError
from cutpoint.store.events import Event, New
from cutpoint.store.memory import MemoryFiles
from desks import FakeClock, add_items, some_probs
from histories import assert_same

PEOPLE = ("ada", "ben", "cem")
DOUBTS = ("stored", "lost", "refused")


class Doubtful:
    """A store whose commits may end without an answer; then it may be unreadable for a while, too.

    doubts: what becomes of the next appends: "stored" and "lost" raise MaybeStored, "refused" StoreError, "" nothing.
    blind:  so many readings fail after a doubt.
    """

    def __init__(self, store: Store) -> None:
        self._store, self.blind, self.unreadable, self.doubted = store, 0, 0, 0
        self.doubts: Iterator[str] = iter(())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, news: Sequence[New]) -> list[Event]:
        doubt = next(self.doubts, "")
        if doubt == "refused":
            raise StoreError("the disk is full; make room.")
        events = [] if doubt == "lost" else self._store.append(news)
        if doubt:
            self.doubted, self.unreadable = self.doubted + 1, self.blind
            raise MaybeStored("the connection broke in the moment of a commit.")
        return events

    def events(self, after: int = 0) -> Iterator[Event]:
        if self.unreadable:
            self.unreadable -= 1
            raise StoreError("the server is gone; start it.")
        return self._store.events(after)


class Trouble:
    """People at work on such a store, what each was told, and a check of both."""

    def __init__(self, store: Store, seed: int, overlap: int, *, scores: bool = True) -> None:
        self.dice = random.Random(seed)
        settings = Settings("test", ("other", "heron"), first=4, budget=5, overlap=overlap, lease_seconds=100.0)
        store.append([settings.created()])
        add_items(store, 30)
        self.files, self.clock = MemoryFiles(), FakeClock()
        if scores:
            self.publish(store)
        self.store = Doubtful(store)
        self.desk = self.opened()
        self.acknowledged: list[Receipt] = []
        self.sent = 0

    def publish(self, store: Store) -> None:
        entries = {"probs": self.files.put("probs", some_probs(30))}
        about = {"version": 1, "classes": 2, "rows": 30, "upto": store.last(), "run": "run"}
        store.append([New("scores_published", {**about, "files": entries, "measures": {}})])

    def opened(self) -> Desk:
        return Desk(self.store, self.files, clock=self.clock)

    def work(self, steps: int, odds: float) -> None:
        """Do so many things while so many of the commits fail; then let all be well again."""
        self.store.doubts = (self.dice.choice(DOUBTS) if self.dice.random() < odds else "" for _ in count())
        for _ in range(steps):
            self.store.blind = self.dice.choice([0, 0, 1, 2])
            deed = self.dice.choice([self.ask, self.ask, self.tell, self.tell, self.passed, self.back, self.wait])
            try:
                deed()
            except StoreError:
                continue
        self.store.doubts, self.store.unreadable = iter(()), 0

    def ask(self) -> None:
        self.desk.ask(self.dice.choice(PEOPLE), self.dice.randint(1, 3))

    def wait(self) -> None:
        self.clock.now += self.dice.choice([1, 101])
        self.desk.tick()

    def tell(self) -> None:
        item, person = self.pair()
        label = self.dice.randrange(2)
        self.saved(lambda key: self.desk.tell(item, label, annotator=person, key=key))

    def passed(self) -> None:
        item, person = self.pair()
        if self.desk.state.ballots.vote(item, person) < 0:
            with self.after_all():
                self.saved(lambda key: self.desk.passed(item, "skip", annotator=person, key=key))

    def back(self) -> None:
        said = [(item, person) for person in PEOPLE for item in self.said_by(person)]
        if said:
            item, person = self.dice.choice(said)
            with self.after_all():
                self.saved(lambda key: self.desk.take_back(item, annotator=person, key=key))

    @contextmanager
    def after_all(self) -> Iterator[None]:
        """Bear that an earlier request was stored after all, so that this one cannot be meant any more."""
        behind = self.desk._behind
        try:
            yield
        except UsageError:
            assert behind

    def said_by(self, person: str) -> list[int]:
        known = self.desk.state.people.by_name.get(person)
        return [] if known is None else list(known.said)

    def pair(self) -> tuple[int, str]:
        live = list(self.desk.state.leases.live.values())
        if live and self.dice.random() < 0.8:
            lease = self.dice.choice(live)
            return lease.item, lease.annotator
        return self.dice.randrange(30), self.dice.choice(PEOPLE)

    def saved(self, send: Callable[[str | None], Receipt]) -> None:
        """Send it; with a key until it is saved, without once."""
        self.sent += 1
        key = f"key {self.sent}" if self.dice.random() < 0.5 else None
        while True:
            try:
                self.acknowledged.append(send(key))
                return
            except StoreError:
                if key is None:
                    raise

    def check(self) -> None:
        """All that must hold once people have gone home."""
        self.desk.close()
        log = list(self.store.events())
        before, live = self.desk, self.desk._board.live
        again = self.opened()
        assert_same(before.state, again.state)
        assert list(again._board.waiting) == sorted(before._board.waiting, key=again._board.waiting.turn)
        wanted = None if live is None else live.session.wanted.tolist()
        assert wanted == (None if again._board.live is None else again._board.live.session.wanted.tolist())
        check_once(log)
        for receipt in self.acknowledged:
            assert log[receipt.number - 1].data["item"] == receipt.item
        numbers = [r.number for r in self.acknowledged if r.status != "again"]
        assert len(set(numbers)) == len(numbers)
        assert replay(again._store, self.files).same
        again.close()


def check_once(log: Sequence[Event]) -> None:
    """By the log alone: a lease is granted once, a question asked once, and no answer given on top of another."""
    leases = [event.data["lease"] for event in log if event.kind == "lease_granted"]
    assert max(Counter(leases).values(), default=1) == 1
    asked = [(e.data["round"], item) for e in log if e.kind == "asked" for item in e.data["items"]]
    assert max(Counter(asked).values(), default=1) == 1
    rounds = [event.data["round"] for event in log if event.kind == "round_opened"]
    assert rounds == list(range(1, len(rounds) + 1))
    standing: set[tuple[int, str]] = set()
    for event in log:
        if event.kind in ("answered", "corrected", "taken_back"):
            pair = (event.data["item"], event.data["annotator"])
            assert (pair in standing) == (event.kind == "corrected") or event.kind == "taken_back"
            standing.add(pair)
            if event.kind == "taken_back":
                standing.discard(pair)
