"""What people said of the items, and the one label that follows from it.

The label of an item is the majority's; of equals, the one that was said first. Adjudication wins over votes. An item
is settled once as many people as wanted have answered it, or it was imported or adjudicated: a session knows the labels
of settled items alone, and a question is closed when its item is settled, or when somebody passes on it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from cutpoint.service.log.journal import Journal, Step
from cutpoint.types import UNKNOWN

IMPORTED = ""  # nobody's name: whose vote an imported label is


def majority(cast: Mapping[str, int]) -> int:
    """The label that most said of an item, of equals the one that was said first; somebody must have said one."""
    counts = Counter(cast.values())  # in the order of first answers, and max takes the first of equals
    return max(counts, key=counts.__getitem__)


class Agreed:
    """Of the answers that others gave to a person's items, how many are as the person's own; O(votes of an item).

    This is the observed agreement of Fleiss (Psychological Bulletin 76, 1971), for each person by themselves. The label
    has no part in it: that it is one's own answer, first among equals, says nothing for whoever gave it.
    """

    def __init__(self) -> None:
        """Nobody has answered anything."""
        self._counts: dict[str, list[int]] = {}  # person -> [same, all]

    def count(self, cast: Mapping[str, int], person: str, times: int) -> None:
        """Set the person's label of an item against the others', person -> label; times = -1: take that back."""
        if person == IMPORTED:
            return
        for other, label in cast.items():
            if other != person and other != IMPORTED:
                for who in (person, other):
                    counts = self._counts.setdefault(who, [0, 0])
                    counts[0] += times * (label == cast[person])
                    counts[1] += times

    def shares(self) -> dict[str, tuple[int, int]]:
        """Person -> (same, all), of those who share an item with others; O(people)."""
        return {who: (same, all_) for who, (same, all_) in self._counts.items() if all_}


class Ballots:
    """All votes of a campaign. Every change costs O(votes of the item), whatever the pool's size."""

    def __init__(self, journal: Journal) -> None:
        """No items; what sessions must hear goes into the journal."""
        self._journal = journal
        self.overlap = 1
        self.labels: NDArray[np.int32] = np.empty(0, np.int32)  # (N,) of settled items, -1 of all others
        self.votes: dict[int, Mapping[str, int]] = {}  # item -> person -> label, in the order of first answers
        """What is said of an item is replaced and never changed: a shallow copy is all votes as they are now."""
        self.passed: dict[int, dict[str, str]] = {}  # item -> person -> why, until it is released
        self.pending: dict[int, None] = {}  # answered by some, not yet by all who are wanted
        self.held: dict[int, None] = {}  # passed on and not settled: they wait for an admin
        self.decided: dict[int, tuple[int, int]] = {}  # item -> (adjudicated label, number of the event)
        self.imported: dict[int, None] = {}  # items of which a label or a decision came from elsewhere
        self.found: Counter[int] = Counter()  # settled items of each class
        self.disputes: dict[int, None] = {}  # items on which people differ and nobody has decided
        self.agreed = Agreed()
        self.given: defaultdict[str, Counter[int]] = defaultdict(Counter)  # person -> label -> how many answers
        self._closed: dict[int, int] = {}  # item -> number of the event that closed its question, while it is closed
        self._closings: list[int] = []  # the same numbers, ascending
        self._known: dict[int, int] = {}  # item -> since which event something is said of it, ascending
        self._begun: list[int] = []  # the same numbers of pending items, ascending
        self.changed: dict[int, None] = {}  # of which a model learned another label, and not closed anew since
        self._learned = 0  # the number of the last event that the model knew; 0 before the first one
        self._taught: dict[int, int] = {}  # item -> its settled label then, of those that it was changed since

    def grow(self, count: int) -> None:
        """Add so many items, unlabelled."""
        self.labels = np.append(self.labels, np.full(count, UNKNOWN, np.int32))

    @property
    def n_settled(self) -> int:
        """How many items are settled."""
        return self.found.total()

    def label(self, item: int) -> int:
        """The label that follows from what was said of the item, settled or not; -1 if nothing was."""
        if item in self.decided:
            return self.decided[item][0]
        cast = self.votes.get(item)
        return majority(cast) if cast else UNKNOWN

    def disputed(self, item: int) -> bool:
        """Whether people differ on the item and nobody has decided."""
        return item in self.disputes

    def vote(self, item: int, person: str) -> int:
        """The person's label of the item; -1 for none."""
        return self.votes.get(item, {}).get(person, UNKNOWN)

    def closed_since(self, number: int) -> int:
        """How many questions are closed that were not yet after event `number`, or were opened again since."""
        return len(self._closings) - bisect_right(self._closings, number)

    def begun_since(self, number: int) -> int:
        """How many items wait for more answers of which nothing was said yet after event `number`."""
        return len(self._begun) - bisect_right(self._begun, number)

    def known_since(self, number: int) -> list[int]:
        """The items of which something is said by now, and nothing was after event `number`. O(that many)."""
        return [item for item, _ in takewhile(lambda known: known[1] > number, reversed(self._known.items()))]

    def of_two_classes(self) -> bool:
        """Whether the labels, also those of items that wait for more answers, are of two classes at least."""
        known = {label for label, count in self.found.items() if count}
        for item in self.pending:
            if len(known) > 1:
                break
            known.add(self.label(item))
        return len(known) > 1

    def learn(self, number: int) -> None:
        """Note that a model knows the labels after event `number`. O(what was told to sessions since)."""
        self._learned, self._taught, self.changed = number, {}, {}
        for step in self._journal.since(number):
            if step.what == "tell":
                self._taught.setdefault(step.item, step.before)
        for item in self._taught:
            self._compare(item)

    def derived(self) -> NDArray[np.int32]:
        """(N,) the labels of all items of which anything was said, a copy: what a model learns from."""
        labels = self.labels.copy()
        for item in (*self.pending, *(i for i in self.held if i in self.votes)):
            labels[item] = self.label(item)
        return labels

    def answer(self, number: int, item: int, person: str, label: int) -> None:
        """Count an answer, or change the one that the person gave before; it ends the person's pass."""
        before = self.votes.get(item, {})
        self._withdraw(before, person)
        cast = self.votes[item] = {**before, person: label}
        self.agreed.count(cast, person, 1)
        self.given[person][label] += 1
        self._settle(number, item, self._unpass(item, person))

    def take_back(self, number: int, item: int, person: str) -> None:
        """Forget what the person said of the item, a label or a pass."""
        cast = self.votes.pop(item, {})
        self._withdraw(cast, person)
        if rest := {who: label for who, label in cast.items() if who != person}:
            self.votes[item] = rest
        self._settle(number, item, self._unpass(item, person))

    def pass_on(self, number: int, item: int, person: str, why: str) -> None:
        """Close the question without a label: the item waits for an admin."""
        first = item not in self.passed
        self.passed.setdefault(item, {})[person] = why
        self._note(item)
        if first and self.labels[item] == UNKNOWN:
            self._skip(number, item)
        self._mark(number, item)

    def release(self, number: int, item: int) -> None:
        """Let the item be asked again: all passes on it are forgotten."""
        self._settle(number, item, self.passed.pop(item, None) is not None)

    def adjudicate(self, number: int, item: int, label: int) -> None:
        """Decide the item's label, whatever was voted."""
        self.decided[item] = label, number
        self._settle(number, item)

    def impose(self, number: int, item: int, label: int, *, decided: bool = False) -> None:
        """Import a label from elsewhere: one vote, which settles the item, or a decision."""
        self.imported[item] = None
        if decided:
            self.adjudicate(number, item, label)
        else:
            self.answer(number, item, IMPORTED, label)

    def want(self, number: int, overlap: int) -> None:
        """Change how many people are to answer each item. O(items answered)."""
        self.overlap = overlap
        for item in (*self.votes, *self.decided):
            self._settle(number, item)

    def _withdraw(self, cast: Mapping[str, int], person: str) -> None:
        """Count the person's answer among these no longer, if there is one."""
        if person in cast:
            self.agreed.count(cast, person, -1)
            self.given[person][cast[person]] -= 1

    def _unpass(self, item: int, person: str) -> bool:
        """Forget the person's pass; True if it was the last one on the item."""
        passes = self.passed.get(item)
        if passes is None or passes.pop(person, None) is None or passes:
            return False
        del self.passed[item]
        return True

    def _settle(self, number: int, item: int, reopened: bool = False) -> None:
        """Bring labels, counts and the journal up to what is said of the item now."""
        cast = self.votes.get(item, {})
        settled = item in self.decided or IMPORTED in cast or len(cast) >= self.overlap
        label = self.label(item) if settled else UNKNOWN
        before = int(self.labels[item])
        self._relabel(item, before, label)
        if cast or item in self.decided:
            self._known.setdefault(item, number)
        self._note(item)
        if not cast and item not in self.decided:
            self._known.pop(item, None)
        self._mark(number, item)
        if label != before or (reopened and label == UNKNOWN):
            self._journal.steps.append(Step(number, "tell", item, label, before))
            if label == UNKNOWN and item in self.passed:  # somebody's pass stands
                self._skip(number, item)

    def _relabel(self, item: int, before: int, label: int) -> None:
        self.labels[item] = label
        if self._learned and label != before:
            self._taught.setdefault(item, before)
        if before != UNKNOWN:
            self.found[before] -= 1
        if label != UNKNOWN:
            self.found[label] += 1

    def _skip(self, number: int, item: int) -> None:
        self._journal.steps.append(Step(number, "skip", item, UNKNOWN))

    def _mark(self, number: int, item: int) -> None:
        """Note since when the item's question is closed, or that it is open."""
        since = self._closed.get(item)
        if self.labels[item] == UNKNOWN and item not in self.passed:
            if since is not None:
                del self._closed[item], self._closings[bisect_left(self._closings, since)]
        elif since is None:
            self._closed[item] = number
            self._closings.append(number)
        self._compare(item)

    def _compare(self, item: int) -> None:
        """Note whether the item's label is another one than the model learned."""
        taught, anew = self._taught.get(item, UNKNOWN), self._closed.get(item, 0) > self._learned
        _list(self.changed, item, taught != UNKNOWN and not anew and self.label(item) != taught)

    def _note(self, item: int) -> None:
        """Bring the lists of pending, held and disputed items up to date."""
        cast, open_, passed = self.votes.get(item, {}), bool(self.labels[item] == UNKNOWN), item in self.passed
        waits = open_ and bool(cast) and not passed
        if waits and item not in self.pending:
            insort(self._begun, self._known[item])
        elif item in self.pending and not waits:
            del self._begun[bisect_left(self._begun, self._known[item])]
        _list(self.pending, item, waits)
        _list(self.held, item, open_ and passed)
        _list(self.disputes, item, item not in self.decided and len(set(cast.values())) > 1)


def _list(items: dict[int, None], item: int, wanted: bool) -> None:
    """Let an item be in a list, in its old place if it is there, or not."""
    if wanted:
        items[item] = None
    else:
        items.pop(item, None)
