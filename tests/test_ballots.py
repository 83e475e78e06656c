"""Votes, passes and releases in drawn order: what is settled, closed and open to a session, by the plain definition."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.service.desk.live import Live, Start
from cutpoint.service.log.journal import Journal
from cutpoint.service.log.votes import IMPORTED, Ballots

N = 6
PEOPLE = ("ada", "ben", "cem")


class Naive:
    """What was said of each item, kept as it is; all else counted when it is asked for."""

    def __init__(self, overlap: int) -> None:
        self.overlap = overlap
        self.votes: dict[tuple[int, str], int] = {}
        self.passes: set[tuple[int, str]] = set()
        self.decided: dict[int, int] = {}
        self.history: list[set[int]] = [set()]  # the closed questions after each event
        self.labels: list[dict[int, int]] = [{}]  # item -> the label that follows, and
        self.known: list[set[int]] = [set()]  # the settled items, after each event
        self.spoken: list[set[int]] = [set()]  # and those of which anything is said

    def settled(self, item: int) -> bool:
        said = [person for i, person in self.votes if i == item]
        return item in self.decided or len(said) >= self.overlap

    def passed(self, item: int) -> bool:
        return any(i == item for i, _ in self.passes)

    def agreed(self) -> dict[str, tuple[int, int]]:
        """Of the others' answers to each person's items, how many are the same, and all: every pair looked at."""
        found = {}
        for person in PEOPLE:
            pairs = [
                self.votes[item, other] == label
                for (item, who), label in self.votes.items()
                for other in PEOPLE
                if who == person != other and (item, other) in self.votes
            ]
            if pairs:
                found[person] = (sum(pairs), len(pairs))
        return found

    def note(self) -> None:
        self.history.append({item for item in range(N) if self.settled(item) or self.passed(item)})
        self.labels.append({item: self.label(item) for item in range(N)})
        self.known.append({item for item in range(N) if self.settled(item)})
        self.spoken.append({item for item, _ in self.votes} | set(self.decided))

    def label(self, item: int) -> int:
        """Of equals the first answer wins; -1 for no answer."""
        said = [label for (i, _), label in self.votes.items() if i == item]
        most = max(said, key=lambda label: (said.count(label), -said.index(label)), default=-1)
        return self.decided.get(item, most)

    def changed(self, number: int) -> set[int]:
        """Labels settled after event `number` and not the same now, of items not counted by `closed_since`."""
        anew = {i for i in self.history[-1] if any(i not in closed for closed in self.history[number:])}
        return {i for i in self.known[number] - anew if self.labels[-1][i] != self.labels[number][i]}

    def closed_since(self, number: int) -> int:
        """Closed now, and open at some time since."""
        return sum(any(item not in closed for closed in self.history[number:]) for item in self.history[-1])

    def begun_since(self, number: int) -> int:
        """Waiting for more answers now, and nothing said of it at some time since."""
        return len(self.known_since(number) & self.waiting)

    def known_since(self, number: int) -> set[int]:
        """Something is said of it now, and nothing was at some time since."""
        return {i for i in self.spoken[-1] if any(i not in spoken for spoken in self.spoken[number:])}

    @property
    def waiting(self) -> set[int]:
        """Answered by some, and not yet by all who are wanted."""
        return {i for i in self.spoken[-1] if not self.settled(i) and not self.passed(i)}


class Story:
    """The same deeds told to both, and to a session."""

    def __init__(self, seed: int, overlap: int) -> None:
        self.dice, self.number = random.Random(seed), 0
        self.journal = Journal()
        self.ballots, self.naive = Ballots(self.journal), Naive(overlap)
        self.ballots.overlap = overlap
        self.ballots.grow(N)
        data: dict[str, Any] = {
            "round": 1,
            "scores": None,
            "strategy": "random",
            "budget": N,
            "parallel": 1,
            "seed": 0,
            "held": [],
        }
        start = Start(data | {"in_flight": 2}, np.full(N, -1, np.int32), None, 2, None)
        self.live = Live(start, None)

    def step(self) -> None:
        """One deed that people can do."""
        self.number += 1
        item, person, label = self.dice.randrange(N), self.dice.choice(PEOPLE), self.dice.randrange(2)
        pair, place = (item, person), len(self.journal.steps)
        deed = self.dice.choice(["answer", "answer", "answer", "back", "back", "pass", "pass", "release", "decide"])
        if deed == "answer":
            self.ballots.answer(self.number, item, person, label)
            self.naive.votes[pair] = label
            self.naive.passes.discard(pair)
        elif deed == "back":
            self.ballots.take_back(self.number, item, person)
            self.naive.votes.pop(pair, None)
            self.naive.passes.discard(pair)
        elif deed == "pass" and pair not in self.naive.votes:
            self.ballots.pass_on(self.number, item, person, "skip")
            self.naive.passes.add(pair)
        elif deed == "release":
            self.ballots.release(self.number, item)
            self.naive.passes = {pair for pair in self.naive.passes if pair[0] != item}
        elif deed == "decide" and self.dice.random() < 0.3:
            self.ballots.adjudicate(self.number, item, label)
            self.naive.decided[item] = label
        self.live.follow(self.journal.steps[place:])
        self.naive.note()


@given(seed=st.integers(0, 10**6), overlap=st.sampled_from([1, 2, 3]))
def test_questions_are_closed_and_opened_as_what_stands_says(seed: int, overlap: int) -> None:
    story, learned = Story(seed, overlap), 0
    for turn in range(60):
        story.step()
        if turn % 15 == 10:
            learned = story.dice.randint(1, story.number)
            story.ballots.learn(learned)
        naive, ballots, session = story.naive, story.ballots, story.live.session
        assert [bool(ballots.labels[i] >= 0) for i in range(N)] == [naive.settled(i) for i in range(N)]
        assert set(ballots.passed) == {i for i in range(N) if naive.passed(i)}
        assert Counter(ballots.labels[ballots.labels >= 0].tolist()) == +ballots.found
        assert ballots.agreed.shares() == naive.agreed()
        assert set(ballots.changed) == (naive.changed(learned) if learned else set())
        for number in range(story.number + 1):
            assert ballots.closed_since(number) == naive.closed_since(number)
            assert ballots.begun_since(number) == naive.begun_since(number)
            assert set(ballots.known_since(number)) == naive.known_since(number)
        told = {naive.label(i) for i in range(N) if naive.settled(i) or i in naive.waiting}
        assert ballots.of_two_classes() == (len(told) > 1)
        for item in range(N):
            if naive.settled(item) or naive.passed(item):
                assert not session.is_open(item)
            elif item in session.asked:
                assert session.is_open(item)


def test_an_imported_label_is_nobodys_and_agrees_with_nobody() -> None:
    ballots = Ballots(Journal())
    ballots.grow(1)
    for number, (person, label) in enumerate([("ada", 1), (IMPORTED, 0), ("ben", 1), (IMPORTED, 1), ("ben", 0)], 1):
        ballots.answer(number, 0, person, label)
    assert ballots.agreed.shares() == {"ada": (0, 1), "ben": (0, 1)}


def test_a_question_that_is_answered_over_and_over_is_one() -> None:
    ballots = Ballots(Journal())
    ballots.grow(2)
    for number in range(1, 10, 2):
        ballots.answer(number, 0, "ada", 1)
        ballots.take_back(number + 1, 0, "ada")
    assert ballots.closed_since(0) == 0
    ballots.answer(11, 0, "ada", 1)
    assert (ballots.closed_since(0), ballots.closed_since(10), ballots.closed_since(11)) == (1, 1, 0)
