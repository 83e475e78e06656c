"""The rounds, scores and trainings of a campaign, as the log tells them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Data = Mapping[str, Any]


@dataclass
class Opened:
    """A round: the number of the event that opened it, its data, what it asked, and why it ended (None: it has not).

    classes: how many there were; one that is added ends the round.
    broken: why its session takes no more part in what happens, though nobody has closed it yet.
    """

    number: int
    data: Data
    classes: int
    asked: list[int] = field(default_factory=list)
    closed: str | None = None
    broken: str | None = None

    @property
    def running(self) -> bool:
        """Whether its session still follows what happens."""
        return self.closed is None and self.broken is None


class Rounds:
    """All rounds, and the last question about each item."""

    def __init__(self) -> None:
        """None yet."""
        self.all: list[Opened] = []
        self.questions: dict[int, tuple[int, Data | None]] = {}  # item -> (round, why)

    @property
    def last(self) -> Opened | None:
        """The round opened last."""
        return self.all[-1] if self.all else None

    def open(self, number: int, data: Data, classes: int) -> None:
        """A round is opened, of so many classes; the one before is over."""
        self.all.append(Opened(number, data, classes))

    def ask(self, data: Data) -> None:
        """The last round asked questions."""
        if self.all:
            self.all[-1].asked += data["items"]
        for item, why in zip(data["items"], data["why"], strict=True):
            self.questions[item] = (data["round"], why)

    def close(self, reason: str) -> None:
        """The last round is over."""
        if self.all:
            self.all[-1].closed = reason

    def break_(self, reason: str) -> None:
        """The last round can go on no more, since what it began with is no longer so."""
        if self.last is not None and self.last.running:
            self.last.broken = reason


class Runs:
    """Trainings, and the scores that they published."""

    def __init__(self) -> None:
        """None yet."""
        self.scores: list[Data] = []  # every `scores_published`, the last ones serve
        self._published: list[int] = []  # the numbers of those events
        self.running: Data | None = None  # the `training_started` that has not ended
        self.failures: list[Data] = []  # `training_failed` since the last success
        self.upto = 0  # the number of the last event that the last successful training knew

    def publish(self, number: int, data: Data) -> None:
        """New scores serve from now on."""
        self.scores.append(data)
        self._published.append(number)
        self.upto = max(self.upto, data["upto"])

    def newest(self, upto: int) -> int | None:
        """The version of the scores that were the newest at the event of that number."""
        place = bisect_right(self._published, upto)
        return self.scores[place - 1]["version"] if place else None

    def start(self, data: Data) -> None:
        """A training runs."""
        self.running = data

    def finish(self) -> None:
        """The training has ended well."""
        self.running = None
        self.failures = []

    def stop(self) -> None:
        """The training was ended with the process that had begun it, which says nothing of the training."""
        self.running = None

    def fail(self, data: Data) -> None:
        """The training has failed."""
        self.running = None
        self.failures.append(data)
