"""Laws of the desk under drawn histories: people answer, correct, walk away; the desk is closed and opened anew."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.service.desk.status import Status
from cutpoint.service.log.state import State
from cutpoint.service.overview.standing import read
from cutpoint.service.replay import replay
from desks import events_of
from histories import History, assert_same

STRATEGIES = st.sampled_from(["direct", "direct", "random", "margin", "galaxy", "badge", "base"])


@pytest.mark.parametrize("beside", [False, True])
@given(seed=st.integers(0, 10**6), strategy=STRATEGIES, overlap=st.sampled_from([1, 1, 2, 3]))
def test_whatever_happens_the_log_is_the_truth(beside: bool, seed: int, strategy: str, overlap: int) -> None:
    history = History(seed, strategy, overlap, beside=beside)
    for _ in range(history.dice.choice([5, 40, 120])):
        history.step()
    assert history.desk._board.trouble == ""
    history.check_labels()
    history.close()
    history.check_status()
    looked = read(history.store)[1].status
    assert by_the_log(looked) == by_the_log(history.desk.status()), "who looks counts as the desk does"
    assert_same(State(history.store.events()), history.desk.state)
    done = replay(history.store, history.files)
    assert (done.differences, done.broken) == ((), ())
    assert done.rounds == len(events_of(history.store, "round_opened"))
    assert_no_lease_twice(history)


def by_the_log(status: Status) -> Status:
    """A status without what clocks and the desk alone know: which leases have run out, what is amiss."""
    people = tuple(replace(person, with_them=0) for person in status.people)
    return replace(status, with_people=0, people=people, trouble="")


def assert_no_lease_twice(history: History) -> None:
    """By the log alone: no person holds an item twice, and a question is asked before it is leased, unless undone."""
    held: dict[str, tuple[int, str]] = {}
    known: set[int] = set()
    undone: set[tuple[int, str]] = set()
    for event in history.store.events():
        data = event.data
        if event.kind == "asked":
            known |= set(data["items"])
        elif event.kind == "taken_back":
            undone.add((data["item"], data["annotator"]))
        elif event.kind == "lease_granted":
            pair = (data["item"], data["annotator"])
            assert pair not in held.values()
            assert data["lease"] not in held
            assert data["item"] in known or pair in undone or answered_before(history, event.number, data["item"])
            held[data["lease"]] = pair
        elif event.kind == "lease_ended":
            del held[data["lease"]]
        elif event.kind in ("answered", "passed") and data["lease"]:
            assert held.pop(data["lease"]) == (data["item"], data["annotator"])


def answered_before(history: History, number: int, item: int) -> bool:
    """Half answered by somebody whom nobody had asked: it waits for others, too."""
    return any(
        event.number < number and event.kind == "answered" and event.data["item"] == item
        for event in history.store.events()
    )


def test_a_law_that_is_broken_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutpoint.service.log.leases.Leases.on", lambda self, item: 0)  # as if nobody held anything
    history = History(1, "direct", 1, beside=False)
    first = history.desk.ask("ada", 1)[0]
    monkeypatch.undo()
    with pytest.raises(AssertionError):
        assert first.item not in [ask.item for ask in history.desk.ask("ben", 4)]
