"""People, time and training as a discrete-event simulation: what benchmarks/asynchronous.py drives.

Whoever answers takes a time with a heavy tail, and now and then walks away for good with a question on the screen;
somebody else then takes the seat. Training takes a fixed time. Two desks: the real one, whose `ask` never waits, and
one that waits for whole batches and for the training.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from cutpoint import STRATEGIES, UNKNOWN, Round, Scores, Session
from cutpoint.core.measures import balanced_accuracy
from cutpoint.data.pool import Benchmark
from cutpoint.learners import make_learner
from cutpoint.service.desk.desk import Desk
from cutpoint.service.desk.drafts import round_seed
from cutpoint.service.log.settings import Settings
from cutpoint.service.training.training import check, due
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.memory import MemoryFiles, MemoryStore
from cutpoint.types import Labels


@dataclass(frozen=True)
class Habits:
    """How people work: seconds for an answer (log-normal), the share who walk away, and when a seat is taken again."""

    median: float = 5.0
    sigma: float = 1.25  # mean 11 s; one in a hundred takes over a minute and a half
    walk_away: float = 0.3
    seat_free: float = 30.0
    lease: float = 120.0
    training: float = 20.0


@dataclass
class Outcome:
    """What a simulated campaign came to.

    curve: (seconds, labels that the model knew, balanced accuracy) of every model, when it began to serve.
    """

    final: float = 0.0
    seconds: float = 0.0
    curve: list[tuple[float, int, float]] = field(default_factory=list)
    idle: float = 0.0  # seconds that people sat without a question while there was work left
    late: int = 0
    walked: int = 0
    doubled: int = 0  # leases of an item that somebody else held

    def reached(self, target: float) -> float | None:
        """Seconds until a model was as good as the target; None if none was."""
        return next((at for at, _, value in self.curve if value >= target), None)


class Clock:
    """Simulated seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1e9 + self.now


class Work(Protocol):
    """A desk as the simulation sees it."""

    def ask(self, person: str) -> int | None:
        """An item, or None."""
        ...

    def tell(self, person: str, item: int, label: int) -> None:
        """An answer."""
        ...

    def labels(self) -> Labels:
        """(N,) the labels so far."""
        ...

    def wants_training(self) -> bool:
        """Whether a training should begin."""
        ...

    def publish(self, scores: Scores) -> None:
        """New scores."""
        ...

    def work_left(self) -> bool:
        """Whether there is an item that nobody holds or has answered."""
        ...


class RealDesk:
    """The desk of a campaign, on a store in memory."""

    def __init__(self, n: int, n_classes: int, sizes: tuple[int, int], seed: int, clock: Clock, lease: float) -> None:
        first, budget = sizes
        self.store, files = MemoryStore(), MemoryFiles()
        names = tuple(f"class {k}" for k in range(n_classes))
        made = Settings("simulated", names, seed=seed, first=first, budget=budget, lease_seconds=lease)
        pool = {"first": 0, "count": n, "source": "", "features": {}}
        self.store.append([made.created()])
        self.store.add_items((Item(i, str(i), {"row": {}}) for i in range(n)), New("pool_added", pool))
        self.files, self.desk = files, Desk(self.store, files, clock=clock)
        self._upto = 0

    def ask(self, person: str) -> int | None:
        asks = self.desk.ask(person, 1)
        return asks[0].item if asks else None

    def tell(self, person: str, item: int, label: int) -> None:
        self.desk.tell(item, label, annotator=person)

    def labels(self) -> Labels:
        return self.desk.state.ballots.derived()

    def wants_training(self) -> bool:
        if due(self.desk.state):
            self._upto = self.desk.state.number
            return True
        return False

    def publish(self, scores: Scores) -> None:
        version = len(self.desk.state.runs.scores) + 1
        size = {"classes": scores.n_classes, "rows": scores.n_examples}
        entries = {"probs": self.files.put("probs", scores.probs)}
        about = {"version": version, "upto": self._upto, "run": f"run-{version}", "files": entries, "measures": {}}
        self.store.append([New("scores_published", size | about)])

    def work_left(self) -> bool:
        return self.desk.state.n_free > 0


class WaitingDesk:
    """Batches of `parallel` questions, each answered whole before the next, and nobody asked while a model trains."""

    def __init__(
        self, n: int, n_classes: int, sizes: tuple[int, int], seed: int, clock: Clock, lease: float, parallel: int
    ) -> None:
        self.sizes, self.seed, self.parallel = sizes, seed, parallel
        self.clock, self.lease = clock, lease
        self.held: dict[int, tuple[str, float]] = {}
        self._round = 1
        uniform = Scores(np.full((n, n_classes), 1 / n_classes, np.float32))
        start = Round(uniform, np.full(n, UNKNOWN), sizes[0], parallel, round_seed(seed, 1))
        self.session = Session(STRATEGIES["random"].strategy, start)

    def ask(self, person: str) -> int | None:
        for item in self.session.wanted.tolist():
            holder = self.held.get(item)
            if holder is None or holder[1] <= self.clock.now:
                self.held[item] = (person, self.clock.now + self.lease)
                return int(item)
        return None

    def tell(self, person: str, item: int, label: int) -> None:
        if self.session.labels[item] == UNKNOWN:
            self.session.tell(item, label)

    def labels(self) -> Labels:
        return self.session.labels.copy()

    def wants_training(self) -> bool:
        return self.session.done

    def publish(self, scores: Scores) -> None:
        self._round += 1
        now = Round(scores, self.labels(), self.sizes[1], self.parallel, round_seed(self.seed, self._round))
        self.session = Session(STRATEGIES["direct"].strategy, now)

    def work_left(self) -> bool:
        return bool((self.session.labels == UNKNOWN).any())


class Simulation:
    """One campaign from its first question to its last label."""

    def __init__(self, benchmark: Benchmark, observed: Labels, habits: Habits, *, seed: int, clock: Clock) -> None:
        self.benchmark, self.observed, self.habits = benchmark, observed, habits
        self.clock, self.seed = clock, seed
        self.learner = make_learner("logistic", benchmark.n_classes)
        self.dice = np.random.default_rng([9, seed])
        self.outcome = Outcome()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._turn = 0
        self._training = False
        self._left: dict[int, float] = {}  # seat -> since when it has nothing to do
        self._holders: dict[int, dict[str, float]] = {}  # item -> person -> end of the lease

    def run(self, work: Work, people: int, labels: int) -> Outcome:
        """Work until so many labels are there."""
        for seat in range(people):
            self._after(0.0, lambda seat=seat: self._sit(work, seat, f"{seat}"))  # type: ignore[misc]
        while np.count_nonzero(work.labels() != UNKNOWN) < labels:
            at, _, act = heapq.heappop(self._queue)
            self.clock.now = at
            act()
        self.outcome.seconds = self.clock.now
        self.outcome.final = self._fit(work.labels())[0]
        return self.outcome

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._turn += 1
        heapq.heappush(self._queue, (self.clock.now + seconds, self._turn, act))

    def _sit(self, work: Work, seat: int, person: str) -> None:
        """Ask; then answer after a while, or walk away, or look again in a second."""
        item = work.ask(person)
        if item is None:
            self.outcome.idle += work.work_left()
            self._after(1.0, lambda: self._sit(work, seat, person))
            return
        self._note_lease(item, person)
        if self.dice.random() < self.habits.walk_away:
            self.outcome.walked += 1
            other = f"{seat}, after {self.outcome.walked} went"
            self._after(self.dice.exponential(self.habits.seat_free), lambda: self._sit(work, seat, other))
            return
        seconds = float(self.habits.median * np.exp(self.habits.sigma * self.dice.standard_normal()))
        self._after(seconds, lambda: self._answer(work, seat, person, item))

    def _answer(self, work: Work, seat: int, person: str, item: int) -> None:
        self.outcome.late += self._holders[item].pop(person) < self.clock.now
        work.tell(person, item, int(self.observed[item]))
        if not self._training and work.wants_training():
            self._train(work)
        self._sit(work, seat, person)

    def _note_lease(self, item: int, person: str) -> None:
        """Count a lease of an item that somebody else holds."""
        holders = self._holders.setdefault(item, {})
        self.outcome.doubled += any(p != person and end > self.clock.now for p, end in holders.items())
        holders[person] = self.clock.now + self.habits.lease

    def _train(self, work: Work) -> None:
        """Begin a training on the labels of now; its scores are published when its time is over."""
        self._training = True
        labels = work.labels()
        value, scores = self._fit(labels)
        check(scores, len(labels), self.benchmark.n_classes)

        def publish() -> None:
            self._training = False
            work.publish(scores)
            self.outcome.curve.append((self.clock.now, int(np.count_nonzero(labels != UNKNOWN)), value))
            if work.wants_training():
                self._train(work)

        self._after(self.habits.training, publish)

    def _fit(self, labels: Labels) -> tuple[float, Scores]:
        """Balanced accuracy on the test split, and the scores of the pool."""
        test = self.benchmark
        model: Any = self.learner.fit(test.pool, labels, seed=self.seed)
        said = model.predict(test.test_features)
        return balanced_accuracy(test.test_labels, said, test.n_classes), model.score(test.pool)
