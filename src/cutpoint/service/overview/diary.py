"""What pages show of the past and the desk has no use for: each person's pace, and how the measures went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from threading import Lock

from cutpoint.service.overview.sentences import counted
from cutpoint.store.base import Store
from cutpoint.store.events import Event

RECENT = 3600  # answers whose times are kept for each person: nobody gives more in an hour
PAUSE = 120.0  # seconds; a longer gap between two answers is a pause
HOUR = 3600.0
MEASURES = {
    "balanced_accuracy": "Balanced accuracy of each model, as it was estimated when it was trained.",
    "foreseen": "Of the labels that came after each model and before the next, how many it had foreseen: the mean over "
    "the classes that occurred, without those that were added after that model. The questions were chosen because they "
    "are hard, so this is no estimate of accuracy on the pool.",
}
"""Measures of a training that are shares, and what they say."""
_TITLES = {
    "foreseen": "labels foreseen",
    "labels": "labels that it knows",
    "seconds": "seconds of training",
    "C": "C, of the logistic regression",
}
LAST_HOUR = "Last hour: answers to what the person was handed."
SECONDS_EACH = "Seconds each: the middle one between two answers to what the person was handed, pauses left out."
EACH = "of each class"
_FORESEEN = "foreseen", "foreseen_classes", "foreseen_added"  # measured when the next model is trained
_FOUND = "found_"  # and a class's number: how many of the labels are of it
KNOWN = "Labels that it knows: those that follow from the answers so far, also of items that wait for more or are held."
"""How these are counted, which is not how "found" is."""


def title_of(measure: str) -> str:
    """A measure as people read it."""
    return _TITLES.get(measure, measure.replace("_", " "))


def of_no_class(measures: Mapping[str, float]) -> dict[str, float]:
    """Measures of a model without how many of its labels are of each class, from which one may tell who said what."""
    return {name: n for name, n in measures.items() if not name.startswith(_FOUND)}


def table_of(points: Sequence[Point], classes: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Titles and a row for each model: which, when, what it knew, how good it was, and whatever else was measured."""
    rows = [{"model": f"{point.version}", "when": point.when} | _measured(point, classes) for point in points]
    first = ["model", "when", title_of("labels"), EACH, *map(title_of, MEASURES)]
    named = dict.fromkeys(title for row in rows for title in row)
    last = title_of("seconds")
    rest = [title for title in named if title not in (*first, last)]
    titles = [title for title in (*first, *rest, last) if title in named]
    return titles, [[row.get(title, "–") for title in titles] for row in rows]


def _measured(point: Point, classes: Sequence[str]) -> dict[str, str]:
    """Title -> value of what was measured of a model; its labels of each class are one."""
    each = [(name, point.measures.get(f"{_FOUND}{k}", 0)) for k, name in enumerate(classes)]
    of_each = ", ".join(f"{n:,.0f} {name}" for name, n in each if n)
    foreseen, *of_it = _FORESEEN
    shown = {name: n for name, n in point.measures.items() if not name.startswith(_FOUND) and name not in of_it}
    said = {title_of(name): _value(name, n) for name, n in shown.items()}
    if foreseen in shown:
        said[title_of(foreseen)] += counted(point.measures, len(classes))
    return said | ({EACH: of_each} if of_each else {})


def _value(measure: str, value: float) -> str:
    """A measure's value: a share in per cent, a count in full."""
    if measure in MEASURES:
        return f"{100 * value:.0f} %"
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"


def curve(points: Iterable[Point], measure: str) -> list[tuple[int, float]]:
    """(labels that a model knew, what was measured of it) of the models that say both, labels ascending."""
    both = [point.measures for point in points if {"labels", measure} <= point.measures.keys()]
    return sorted(((round(each["labels"]), float(each[measure])) for each in both), key=lambda point: point[0])


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
        """Answers of the last hour."""
        return sum(now - time < HOUR for time in self.times.values())

    def seconds(self) -> float | None:
        """The middle gap between two answers, pauses left out; None before there are any."""
        gaps = [b - a for a, b in pairwise(self.times.values()) if 0 <= b - a < PAUSE]
        return median(gaps) if gaps else None


@dataclass(frozen=True)
class Point:
    """One model: when it was published, seconds since 1970, and what was measured of it, then or later."""

    version: int
    at: float
    measures: Mapping[str, float]

    @property
    def when(self) -> str:
        """When it was published, as people read it."""
        return f"{datetime.fromtimestamp(self.at, UTC):%Y-%m-%d %H:%M} UTC"


class Diary:
    """A fold over the log, O(1) an event; `follow` reads what is new, by one thread at a time, and any may look.

    points: the models in order; never changed in place, so whoever has them has those of one moment.
    """

    def __init__(self) -> None:
        self.number = 0
        self.points: tuple[Point, ...] = ()
        self._paces: dict[str, Pace] = defaultdict(Pace)
        self._lock = Lock()  # of the paces, which are changed in place

    def pace(self, person: str) -> Pace:
        """The person's pace now, a copy; O(answers kept)."""
        with self._lock:
            return Pace(dict(self._paces[person].times)) if person in self._paces else Pace()

    def follow(self, store: Store) -> None:
        """Read the events since the last one."""
        for event in store.events(self.number):
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Take in one event."""
        self.number, data = event.number, event.data
        if event.kind == "answered":
            if data["lease"] is not None or data["late"]:  # else brought from elsewhere, perhaps many at once
                with self._lock:
                    self._paces[data["annotator"]].answered(data["item"], event.at)
        elif event.kind == "taken_back":
            with self._lock:
                self._paces[data["annotator"]].times.pop(data["item"], None)
        elif event.kind == "scores_published":
            self._publish(data["version"], event.at, data["measures"])

    def _publish(self, version: int, at: float, measures: Mapping[str, float]) -> None:
        """Take in a model; what was measured with it of the one before goes to that one."""
        points = list(self.points)
        if points:
            late = {name: n for name, n in measures.items() if name in _FORESEEN}
            points[-1] = replace(points[-1], measures={**points[-1].measures, **late})
        own = {name: n for name, n in measures.items() if name not in _FORESEEN}
        self.points = (*points, Point(version, at, own))
