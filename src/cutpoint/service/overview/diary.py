"""What pages show of the past and the desk has no use for: each person's pace, and how the measures went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from cutpoint.service.log.votes import IMPORTED
from cutpoint.store.base import Store
from cutpoint.store.events import Event

RECENT = 500  # answers whose times are kept for each person
PAUSE = 120.0  # seconds; a longer gap between two answers is a pause
HOUR = 3600.0
MEASURES = {
    "balanced_accuracy": "Balanced accuracy of each model, as it was estimated when it was trained.",
    "foreseen": "Of the labels given since the model before, how many it had foreseen: the mean over the classes. They "
    "were chosen because they are hard, so this is no estimate of accuracy on the pool.",
}
"""Measures of a training that are shares, and what they say."""
_TITLES = {
    "foreseen": "answers foreseen",
    "labels": "labels that it knows",
    "seconds": "seconds of training",
    "C": "C, of the logistic regression",
}


def title_of(measure: str, classes: Sequence[str]) -> str:
    """A measure as people read it; "found_1" is of class 1."""
    kind, _, number = measure.rpartition("_")
    if kind == "found" and number.isdecimal() and int(number) < len(classes):
        return f"found: {classes[int(number)]}"
    return _TITLES.get(measure, measure.replace("_", " "))


@dataclass
class Pace:
    """When a person gave the last of the answers that stand: item -> seconds since 1970, the latest last."""

    times: dict[int, float] = field(default_factory=dict)

    def answered(self, item: int, at: float) -> None:
        """Note an answer, and forget the oldest that would be too many."""
        self.times.pop(item, None)
        self.times[item] = at
        if len(self.times) > RECENT:
            del self.times[next(iter(self.times))]

    def last_hour(self, now: float) -> int:
        """Answers of the last hour, at most as many as are kept."""
        return sum(now - time < HOUR for time in self.times.values())

    def seconds(self) -> float | None:
        """The middle gap between two answers, pauses left out; None before there are any."""
        gaps = [b - a for a, b in pairwise(self.times.values()) if 0 <= b - a < PAUSE]
        return median(gaps) if gaps else None


@dataclass(frozen=True)
class Point:
    """One version of the scores: how many answers its model knew, and what was measured."""

    version: int
    answers: int
    measures: Mapping[str, float]


class Diary:
    """A fold over the log, O(1) an event; `follow` reads what is new."""

    def __init__(self) -> None:
        self.number = 0
        self.paces: dict[str, Pace] = defaultdict(Pace)
        self.points: list[Point] = []
        self.last_training: float | None = None
        self._answered: set[tuple[int, str]] = set()  # item and person of the answers that stand
        self._known: dict[int, int] = {0: 0}  # number of an event -> answers up to it, where a training began

    @property
    def answers(self) -> int:
        """How many answers stand, imported labels among them."""
        return len(self._answered)

    def follow(self, store: Store) -> None:
        """Read the events since the last one."""
        for event in store.events(self.number):
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Take in one event."""
        self.number, data = event.number, event.data
        if event.kind == "answered":
            self._answered.add((data["item"], data["annotator"]))
            if data["lease"] is not None or data["late"]:  # else brought from elsewhere, perhaps many at once
                self.paces[data["annotator"]].answered(data["item"], event.at)
        elif event.kind == "taken_back":
            self._answered.discard((data["item"], data["annotator"]))
            self.paces[data["annotator"]].times.pop(data["item"], None)
        elif event.kind == "labels_imported":
            self._answered.update((item, IMPORTED) for item in data["items"])
        elif event.kind == "training_started":
            self._known[data["upto"]] = self.answers
            self.last_training = event.at
        elif event.kind == "scores_published":
            self._publish(data)

    def _publish(self, data: Mapping[str, Any]) -> None:
        answers = self._known.get(data["upto"], self.answers)  # of scores from elsewhere: all so far
        self.points.append(Point(data["version"], answers, dict(data["measures"])))
