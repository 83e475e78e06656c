"""Drawn campaigns: people answer, correct, walk away; the desk is closed and opened anew; and what must hold."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from cutpoint.errors import UsageError
from cutpoint.service.desk.asks import PASSES, Asks
from cutpoint.service.desk.desk import Desk
from cutpoint.service.log.state import State
from cutpoint.store.events import New
from cutpoint.store.memory import MemoryFiles
from desks import FakeClock, a_store, add_items, events_of, some_probs

PEOPLE = ("ada", "ben", "cem")
DEEDS = {
    "ask": 8,
    "tell": 8,
    "stray": 1,
    "retry": 1,
    "back": 2,
    "pass": 2,
    "release": 1,
    "release_all": 0.3,
    "decide": 1,
    "wait": 2,
    "extend": 1,
    "return": 1,
    "publish": 1,
    "class": 0.2,
    "change": 0.3,
    "grow": 0.3,
    "import": 0.3,
    "restart": 1,
    "tick": 2,
}


class History:
    """A drawn campaign, and what was acknowledged in it, kept apart from the desk."""

    def __init__(self, seed: int, strategy: str, overlap: int, *, beside: bool) -> None:
        self.dice, self.beside = random.Random(seed), beside
        self.clock, self.files = FakeClock(), MemoryFiles()
        sizes: dict[str, Any] = {"first": 4, "budget": 5, "overlap": overlap, "strategy": strategy, "parallel": 2}
        self.store = a_store(self.dice.choice([3, 12, 30]), lease_seconds=100.0, seed=seed, **sizes)
        self.desk = self.opened()
        self.said: dict[tuple[int, str], int] = {}  # (item, person) -> label, in the order of first answers
        self.passed: set[tuple[int, str]] = set()
        self.sent: list[tuple[int, int, str, str]] = []
        self.version = 0

    def opened(self) -> Desk:
        desk = Desk(self.store, self.files, clock=self.clock)
        if self.beside:
            desk._thread = object()  # type: ignore[assignment] # as in a server; `tick` is called by hand
        return desk

    def step(self) -> None:
        deed = self.dice.choices(list(DEEDS), list(DEEDS.values()))[0]
        getattr(self, f"do_{deed}")()

    def close(self) -> None:
        self.desk._catch_up()  # what others appended since the last look
        self.desk._thread = None
        self.desk.close()

    @property
    def person(self) -> str:
        return self.dice.choice(PEOPLE)

    @property
    def item(self) -> int:
        return self.dice.randrange(self.store.count())

    @property
    def label(self) -> int:
        return self.dice.randrange(len(self.desk.state.made.classes))

    def do_ask(self) -> None:
        person, n = self.person, self.dice.randint(1, 3)
        before = {lease.item for lease in self.desk.state.leases.held_by(person)}
        asks = self.desk.ask(person, n)
        items = [ask.item for ask in asks]
        assert len(set(items)) == len(items) <= n
        overlap = self.desk.state.made.overlap
        for ask in asks:
            assert ask.annotator == person
            if ask.item in before:
                continue
            assert (ask.item, person) not in self.said
            assert ask.item not in {item for item, _ in self.passed}
            answered = sum(item == ask.item for item, _ in self.said)
            assert self.desk.state.leases.on(ask.item) + answered <= overlap
        self.check_empty_hand(asks, n)

    def check_empty_hand(self, asks: Asks, n: int) -> None:
        """Nobody is idle while work is left, unless the next round is being made."""
        assert bool(asks.reason) == (len(asks) < n)
        if not asks and not self.beside:
            assert self.desk.state.n_free == 0

    def do_tell(self) -> None:
        live = list(self.desk.state.leases.live.values())
        if live:
            lease = self.dice.choice(live)
            self.tell(lease.item, lease.annotator, self.label)

    def do_stray(self) -> None:
        self.tell(self.item, self.person, self.label)

    def tell(self, item: int, person: str, label: int) -> None:
        key = f"key {len(self.sent)}"
        before = self.said.get((item, person))
        receipt = self.desk.tell(item, label, annotator=person, key=key)
        self.sent.append((item, label, person, key))
        self.said[item, person] = label
        self.passed.discard((item, person))
        assert receipt.status == ("saved" if before is None else "again" if before == label else "corrected")
        assert receipt.others == sum(i == item and p != person for i, p in self.said)

    def do_retry(self) -> None:
        if self.sent:
            item, label, person, key = self.dice.choice(self.sent)
            last = self.store.last()
            assert self.desk.tell(item, label, annotator=person, key=key).status == "again"
            assert self.store.last() == last

    def do_back(self) -> None:
        signed = [pair for pair in (*self.said, *sorted(self.passed)) if pair[1]]
        if signed:
            item, person = self.dice.choice(signed)
            assert self.desk.take_back(item, annotator=person).status == "taken back"
            self.said.pop((item, person), None)
            self.passed.discard((item, person))

    def do_pass(self) -> None:
        live = list(self.desk.state.leases.live.values())
        if live:
            lease = self.dice.choice(live)
            if (lease.item, lease.annotator) in self.said:
                with pytest.raises(UsageError):
                    self.desk.passed(lease.item, "skip", annotator=lease.annotator)
            else:
                self.passed_on(lease.item, lease.annotator)
        elif self.dice.random() < 0.3 and (pair := (self.item, self.person)) not in self.said:
            self.passed_on(*pair)  # though nobody asked

    def passed_on(self, item: int, person: str) -> None:
        self.desk.passed(item, self.dice.choice(PASSES), annotator=person)
        self.passed.add((item, person))

    def do_release(self) -> None:
        if self.desk.state.ballots.passed:
            released = self.dice.choice(list(self.desk.state.ballots.passed))
            self.desk.release(released, by="admin")
            self.passed = {pair for pair in self.passed if pair[0] != released}

    def do_release_all(self) -> None:
        held = set(self.desk.state.ballots.held)
        assert self.desk.release_all(by="admin") == len(held)
        self.passed = {pair for pair in self.passed if pair[0] not in held}

    def do_decide(self) -> None:
        self.desk.adjudicate(self.item, self.label, by="admin")

    def do_wait(self) -> None:
        self.clock.now += self.dice.choice([1, 40, 101])
        self.clock.jump += self.dice.choice([0, 0, -1e5, 1e5])

    def do_extend(self) -> None:
        if self.desk.state.leases.live:
            self.desk.extend(self.dice.choice(list(self.desk.state.leases.live)))

    def do_return(self) -> None:
        if self.desk.state.leases.live:
            self.desk.give_back(self.dice.choice(list(self.desk.state.leases.live)))

    def do_publish(self) -> None:
        """As another process does: behind the desk's back."""
        n, k = self.store.count(), len(self.desk.state.made.classes)
        self.version += 1
        rng = np.random.default_rng(self.version)
        arrays = {"probs": some_probs(n, k, self.version), "embedding": rng.normal(size=(n, 2)).astype(np.float32)}
        arrays["head"] = rng.normal(size=(k, 2)).astype(np.float32)
        entries = {name: self.files.put(name, array) for name, array in arrays.items()}
        data = {"version": self.version, "classes": k, "rows": n, "upto": self.store.last(), "run": "r"}
        self.store.append([New("scores_published", data | {"files": entries, "measures": {}})])

    def do_class(self) -> None:
        self.desk.add_class(f"class {len(self.desk.state.made.classes)}")

    def do_change(self) -> None:
        overlap = self.dice.choice([1, 1, 2, 3])
        self.desk.change(overlap=overlap, lease_seconds=self.dice.choice([50.0, 100.0]))

    def do_grow(self) -> None:
        add_items(self.store, self.dice.randint(1, 5))
        self.desk.tick()

    def do_import(self) -> None:
        item, label = self.item, self.label
        self.desk.import_labels([item], [label], "file")
        self.said[item, ""] = label

    def do_restart(self) -> None:
        before, live = self.desk.state, self.desk._board.live
        self.close()
        wanted = None if live is None else live.session.wanted.tolist()
        self.desk = self.opened()
        assert_same(before, self.desk.state)
        again = self.desk._board.live
        assert wanted == (None if again is None else again.session.wanted.tolist())

    def do_tick(self) -> None:
        self.desk.tick()

    def check_labels(self) -> None:
        """The labels are those of what was acknowledged, by the plain definition."""
        state = self.desk.state
        decided = {event.data["item"]: event.data["label"] for event in events_of(self.store, "adjudicated")}
        cast: dict[int, dict[str, int]] = {}
        for (item, person), label in self.said.items():
            cast.setdefault(item, {})[person] = label
        for item in range(state.count):
            votes = cast.get(item, {})
            assert state.ballots.votes.get(item, {}) == votes
            said = list(votes.values())
            label = max(said, key=said.count) if said else -1  # the first of the most frequent
            label = decided.get(item, label)
            assert state.ballots.label(item) == label
            settled = item in decided or "" in votes or len(votes) >= state.made.overlap
            assert state.ballots.labels[item] == (label if settled else -1)
            assert state.ballots.disputed(item) == (len(set(said)) > 1 and item not in decided)
        for known in state.people.by_name.values():
            assert known.answers == sum(name == known.name for _, name in self.said)
            assert known.passes == sum(name == known.name for _, name in self.passed)
        found = np.bincount(state.ballots.labels[state.ballots.labels >= 0], minlength=len(state.made.classes))
        assert [state.ballots.found[k] for k in range(len(found))] == found.tolist()

    def check_status(self) -> None:
        """Every number of the status, counted from what was acknowledged and from the events of the log."""
        now, labels = self.desk.status(), self.desk.state.ballots.labels.tolist()
        answered, passed = {item for item, _ in self.said}, {item for item, _ in self.passed}
        unsettled = [item for item, label in enumerate(labels) if label < 0]
        held = [item for item in unsettled if item in passed]
        waiting = [item for item in unsettled if item in answered and item not in passed]
        rest = [item for item in unsettled if item not in answered | passed]
        assert (now.items, now.labelled) == (len(labels), len(labels) - len(unsettled)) == (now.items, sum(now.found))
        assert (now.held, now.waiting, now.left) == (len(held), len(waiting), len(rest))
        leases: dict[str, tuple[int, str]] = {}  # the lease of an item and a person is over with what they say of it
        asked: list[int] = []
        for event in self.store.events():
            said = event.data
            if event.kind == "lease_granted":
                leases[said["lease"]] = said["item"], said["annotator"]
            elif event.kind == "lease_ended":
                leases.pop(said["lease"], None)
            elif event.kind in ("answered", "passed"):
                pair = said["item"], said["annotator"]
                leases = {name: other for name, other in leases.items() if other != pair}
            elif event.kind == "round_opened":
                asked = []
            elif event.kind == "asked":
                asked += said["items"]
        for name in self.desk._board.expiry.due():  # which no desk has ended yet
            del leases[name]
        assert now.with_people == len({item for item, _ in leases.values()})
        for person in now.people:
            assert person.with_them == sum(name == person.name for _, name in leases.values())
        if now.round is not None:
            assert now.round.asked == len(asked)
            assert now.round.done == sum(item not in unsettled or item in held for item in asked)


def assert_same(one: State, other: State) -> None:
    """Two folds of one log know the same."""
    assert one.number == other.number
    assert one.settings == other.settings
    assert np.array_equal(one.ballots.labels, other.ballots.labels)
    for name in ("votes", "passed", "pending", "held", "decided", "found", "disputes"):
        assert getattr(one.ballots, name) == getattr(other.ballots, name), name
    assert one.leases.live == other.leases.live
    assert one.people.by_name == other.people.by_name
    assert one.rounds.all == other.rounds.all
    assert one.journal.steps == other.journal.steps
    assert one.n_free == other.n_free == naive_free(one)


def naive_free(state: State) -> int:
    """Items that a new round could ask, counted one by one."""
    ballots, leased = state.ballots, set(state.leases.items)
    return sum(
        bool(ballots.labels[i] < 0) and i not in ballots.passed and i not in ballots.pending and i not in leased
        for i in range(state.count)
    )
