"""How people agree: counted by hand, and weighed as the drawn confusion says."""

from __future__ import annotations

import numpy as np
import pytest

from cutpoint.service.log.settings import Settings
from cutpoint.service.log.state import State
from cutpoint.service.overview.agreement import agreement, opinions, weigh
from cutpoint.service.training.training import labels_of
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.memory import MemoryStore


def answered(votes: list[tuple[int, str, int]], items: int, *more: New) -> State:
    """A campaign in which people said this."""
    store = MemoryStore()
    store.append([Settings("birds", ("other", "heron"), overlap=3).created()])
    pool = New("pool_added", {"first": 0, "count": items, "source": "", "features": None})
    store.add_items([Item(i, str(i), {"row": {}}) for i in range(items)], pool)
    about = {"lease": None, "late": False}
    store.append([New("answered", {"item": i, "annotator": who, "label": said, **about}) for i, who, said in votes])
    store.append(list(more))
    return State(store.events())


def test_agreement_counts_shared_items_alone() -> None:
    votes = [(0, "ann", 1), (0, "bob", 1), (0, "eve", 0), (1, "ann", 0), (2, "bob", 1), (2, "eve", 1)]
    imported = New("labels_imported", {"items": [1], "labels": [1], "source": "old.csv"})
    found = agreement(answered(votes, 4, imported))
    assert found.people == ("ann", "bob", "eve")
    assert found.agreed == {"ann": (1, 2), "bob": (2, 3), "eve": (1, 3)}  # others' answers that are the same, and all


@pytest.mark.parametrize("first", ["ann", "bob"])
def test_who_answers_first_agrees_no_better(first: str) -> None:
    second = "bob" if first == "ann" else "ann"
    votes = [(i, who, int(who == "ann")) for i in range(10) for who in (first, second)]
    votes += [(i, who, 1) for i in range(10, 15) for who in (first, second)]
    assert agreement(answered(votes, 15)).agreed == {"ann": (5, 15), "bob": (5, 15)}


def test_who_errs_is_found_and_outvoted() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 300)
    wrong = {"ann": 0.05, "bob": 0.05, "eve": 0.4}
    votes = [(i, who, int(truth[i] ^ (rng.random() < rate))) for i in range(300) for who, rate in wrong.items()]
    found = agreement(answered(votes, 300))
    for a, who in enumerate(found.people):
        errors = [found.confusion[a, 0, 1], found.confusion[a, 1, 0]]
        assert errors == pytest.approx([wrong[who]] * 2, abs=0.08), who


def test_the_weighed_label_is_of_those_who_are_mostly_right() -> None:
    coin = np.random.default_rng(0)
    votes = [(i, who, i % 2) for i in range(40) for who in ("ann", "bob")]
    votes += [(i, who, int(coin.integers(2))) for i in range(40) for who in ("eve", "mallory")]
    votes += [(40, "eve", 1), (40, "mallory", 1), (40, "ann", 0)]
    state = answered(votes, 42)
    assert state.ballots.label(40) == 1
    assert agreement(state).weighed[40] == 0
    decided = answered(votes, 42, New("adjudicated", {"item": 40, "label": 1, "by": "me"}))
    assert 40 not in agreement(decided).weighed


@pytest.mark.parametrize("rare", [40, 4, 0])
@pytest.mark.parametrize("first", ["ann", "bob"])
def test_one_against_one_is_what_pages_say_for_nothing_speaks_for_either(rare: int, first: str) -> None:
    second = "bob" if first == "ann" else "ann"
    votes = [(i, who, int(i >= 40)) for i in range(40 + rare) for who in (first, second)]
    n = 40 + rare
    votes += [(i, who, int(who == "ann")) for i in range(n, n + 6) for who in (first, second)]
    state = answered(votes, n + 6)
    assert agreement(state).weighed == {}
    assert labels_of(state)[n:].tolist() == [state.ballots.label(i) for i in range(n, n + 6)] == [first == "ann"] * 6


def test_a_third_person_tells_which_of_two_erred() -> None:
    coin = np.random.default_rng(0)
    votes = [(i, who, i % 2) for i in range(40) for who in ("ann", "bob")]
    votes += [(i, "eve", int(coin.integers(2))) for i in range(40)]
    votes += [(40, "eve", 1), (40, "ann", 0), (41, "ann", 1), (41, "eve", 0)]
    state = answered(votes, 42)
    assert (state.ballots.label(40), state.ballots.label(41)) == (1, 1)
    assert [agreement(state).weighed.get(item) for item in (40, 41)] == [0, None]
    assert labels_of(state)[40:].tolist() == [0, 1]


def test_where_nobody_shared_there_is_nothing_to_say() -> None:
    found = agreement(answered([(0, "ann", 1)], 2))
    assert (found.people, found.weighed, found.confusion.shape) == ((), {}, (0, 2, 2))


def test_opinions_are_of_their_moment() -> None:
    votes = [(i, who, int(i == 7 and who == "eve")) for i in range(20) for who in ("ann", "bob", "eve")]
    imported = New("labels_imported", {"items": [5, 7], "labels": [1, 1], "source": "old.csv"})
    state = answered(votes, 20, imported, New("adjudicated", {"item": 3, "label": 1, "by": "me"}))
    expected = {item: state.ballots.label(item) for item in range(20)}
    said = opinions(state)
    now = weigh(said)
    for item in range(3):
        state.ballots.take_back(99, item, "ann")
        state.ballots.answer(99, item + 7, "ann", 1)
        state.ballots.adjudicate(99, item + 3, 0)
    assert {item: said.label(item) for item in said.shared()} == expected
    assert said.votes[0] == {"ann": 0, "bob": 0, "eve": 0}
    later = weigh(said)
    assert (later.people, later.agreed, later.weighed) == (now.people, now.agreed, now.weighed)
    assert np.array_equal(later.seen, now.seen)
    assert np.array_equal(later.confusion, now.confusion)
