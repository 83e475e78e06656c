"""One session drives every strategy, by ask and tell. It is the only mutable object of the core.

A session is a function of (strategy, round, ordered log): to resume after a crash, build it again from the log.
It does no I/O, knows no clock, and never sees a label that was not told.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Literal

import numpy as np

from cutpoint.errors import CutpointError, ReplayError, UsageError
from cutpoint.plans import Reasoned, begun, indices, name_of
from cutpoint.types import UNKNOWN, Index, Known, Labels, Round, Strategy, Why, whole_number

Event = tuple[Literal["tell"], int, int] | tuple[Literal["skip"], int] | tuple[Literal["resize"], int | None]
Reason = tuple[Why | None, Callable[[int], int] | None]  # why, and what finds an example's place


class Session:
    """A strategy's round, driven by answers in any order.

    `in_flight=None` waits: the plan goes on when all that it asked is closed (answered or skipped).
    `in_flight=n` keeps n questions open where it can: the plan also goes on whenever fewer are open.
    `log` holds the events of an earlier session of the same strategy, round and in_flight; they are told again, and the
    session then has the same open questions, labels and future. Raises ReplayError where they do not fit.

    A plan that yields what it may not ask is a CutpointError, from whatever resumed it: of that yield nothing is asked.
    """

    def __init__(
        self, strategy: Strategy, round: Round, log: Iterable[Event] = (), *, in_flight: int | None = None
    ) -> None:
        if not callable(strategy):
            raise UsageError(
                f"strategy is {type(strategy).__name__}; it must be a function from Round to Plan:"
                ' STRATEGIES["direct"].strategy, for one.'
            )
        if not isinstance(round, Round):
            raise UsageError(
                f"round is {type(round).__name__}; it must be a Round: Round(Scores(probs), labels, budget), for one."
            )
        self.round = round
        self._in_flight = _in_flight(in_flight)
        self._labels = round.labels.copy()
        self._told: list[int] = []
        self._open: dict[int, None] = {}
        self._asked: dict[int, Reason | None] = {}
        self._order: list[int] = []  # the same, in order
        self._skipped: set[int] = set()
        self._held = frozenset(round.held.tolist())
        self._log: list[Event] = []
        self._known = Known(self._labels, self._told, self._open, self._in_flight, round.parallel)
        self._name = name_of(strategy)
        if (
            in_flight is not None and in_flight < round.parallel
        ):  # a plan's first batch must not be larger than what is kept open
            round = _with_parallel(round, in_flight)
        self._plan = begun(strategy, round)
        self._planned = False  # True once the plan has finished
        self._go_on(first=True)
        if not isinstance(log, Iterable):
            raise UsageError(
                f"log is {log!r}; it must be the events of an earlier session, as `Session.log` gives them."
            )
        for place, event in enumerate(log, start=1):
            self._replay(place, event)

    @property
    def wanted(self) -> Index:
        """(m,) open questions, oldest first."""
        return np.fromiter(self._open, np.intp, len(self._open))

    @property
    def labels(self) -> Labels:
        """(N,) int32, a read-only view of the labels so far, UNKNOWN (-1) where nobody has answered."""
        return self._known.labels

    @property
    def log(self) -> tuple[Event, ...]:
        """All that was told, skipped and resized, in order: ("tell", i, label), ("skip", i), ("resize", n)."""
        return tuple(self._log)

    @property
    def asked(self) -> Index:
        """(a,) all that was asked this round, in order."""
        return np.array(self._order, np.intp)

    def asked_since(self, place: int) -> list[int]:
        """What was asked this round, but for the first `place` of it: O(1) where there is nothing new."""
        return self._order[place:]

    @property
    def done(self) -> bool:
        """True when the plan has finished and nothing is open."""
        return self._planned and not self._open

    def why(self, i: int) -> Why | None:
        """Why example i was asked this round; None if it was not, or if the strategy does not say."""
        why, place = self._asked.get(i) or (None, None)
        return why if why is None or place is None else dataclasses.replace(why, place=place(i))

    def is_open(self, i: int) -> bool:
        """True while the question of example i is open."""
        return i in self._open

    @property
    def n_open(self) -> int:
        """How many questions are open."""
        return len(self._open)

    @property
    def n_asked(self) -> int:
        """How many questions were asked this round."""
        return len(self._order)

    @property
    def in_flight(self) -> int | None:
        """How many questions are kept open where it can; None where it waits for whole batches."""
        return self._in_flight

    @property
    def may_ask(self) -> bool:
        """True while the plan has not finished and there is budget left: another answer may bring a question."""
        return not self._planned and len(self._asked) < self.round.budget

    def ask(self, n: int) -> Index:
        """(<= n,) the first n open questions, oldest first. Changes nothing: who holds what is the desk's affair."""
        n = whole_number(n, "n", 0)
        return np.fromiter(islice(self._open, n), np.intp, min(n, len(self._open)))

    def tell(self, i: int, label: int) -> None:
        """Set the label of example i; the last label wins, the same label twice is one answer.

        `label=UNKNOWN` takes a label (or a skip) back and, if i was asked this round, opens its question again.
        Labels of examples that nobody asked for are welcome: data, not spending. Raises UsageError, changing nothing.
        """
        i = self._example(i)
        label = whole_number(label, "label", UNKNOWN)
        if label >= self.round.scores.n_classes:
            raise UsageError(
                f"label is {label}; it must be 0..{self.round.scores.n_classes - 1}, or -1 to take a label back."
            )
        if self._labels[i] == label and not (label == UNKNOWN and i in self._skipped):
            return
        self._log.append(("tell", i, label))
        self._labels[i] = label
        self._told.append(i)
        self._skipped.discard(i)
        if label != UNKNOWN:
            self._open.pop(i, None)
        elif i in self._asked:
            self._reopen(i)
        self._go_on()

    def skip(self, i: int) -> None:
        """Close the question of example i without a label: it is spent and is not asked again this round.

        Skipping twice is skipping once. Raises UsageError if i is not an open question.
        """
        i = self._example(i)
        if i in self._skipped:
            return
        if i not in self._open:
            raise UsageError(
                f"example {i} is not an open question, so it cannot be skipped; open questions are in `wanted`."
            )
        self._log.append(("skip", i))
        self._skipped.add(i)
        del self._open[i]
        self._go_on()

    def resize(self, n: int | None) -> None:
        """Change in_flight, how many questions are kept open; logged. Questions that are already open stay so."""
        n = _in_flight(n)
        if n == self._in_flight:
            return
        self._log.append(("resize", n))
        self._in_flight = self._known.in_flight = n
        self._go_on()

    def _reopen(self, i: int) -> None:
        """Open the question again, at its old place among the open ones."""
        still = {*self._open, i}
        self._open.clear()
        self._open.update((j, None) for j in self._asked if j in still)

    def _go_on(self, *, first: bool = False) -> None:
        """Resume the plan as long as it may ask more; an empty yield means: not before another answer."""
        while not self._planned and (not self._open or (self._in_flight or 0) > len(self._open)):
            try:
                questions = next(self._plan) if first else self._plan.send(self._known)
            except StopIteration:
                self._planned = True
                return
            first = False
            if not self._open_questions(questions):
                if not self._open:
                    raise CutpointError(
                        f"strategy {self._name} waits for an answer while no question of its is open;"
                        " it must ask or end."
                    )
                return

    def _open_questions(self, questions: Index) -> int:
        """Open all that was yielded, or nothing of it; how many these are."""
        new = indices(questions, self._name).tolist()
        labels, asked, held = self._labels, self._asked, self._held
        for i in new:
            if not 0 <= i < len(labels) or i in asked or i in held or labels[i] != UNKNOWN:
                raise self._not_allowed(f"{i}, which is {self._taken(i)}")
        if len(new) > 1 and len(set(new)) < len(new):
            raise self._not_allowed(f"{Counter(new).most_common(1)[0][0]} twice")
        if len(asked) + len(new) > self.round.budget:
            raise self._not_allowed(f"more than its budget of {self.round.budget}")
        reason = (questions.why, questions.place) if isinstance(questions, Reasoned) else None
        for i in new:
            asked[i] = reason
            self._open[i] = None
        self._order += new
        return len(new)

    def _taken(self, i: int) -> str:
        """Why example i may not be asked."""
        if not 0 <= i < len(self._labels):
            return f"outside the pool of {len(self._labels)}"
        if i in self._asked:
            return "asked already"
        return "held back" if i in self._held else "labelled"

    def _not_allowed(self, what: str) -> CutpointError:
        return CutpointError(
            f"strategy {self._name} asked for {what}; it must ask for examples of round.unlabelled() that nobody has"
            " labelled meanwhile, each once, and for at most round.budget of them."
        )

    def _replay(self, place: int, event: Any) -> None:
        try:
            match event:
                case ("tell", i, label):
                    self.tell(i, label)
                case ("skip", i):
                    self.skip(i)
                case ("resize", n):
                    self.resize(n)
                case _:
                    raise UsageError('an event is ("tell", i, label), ("skip", i) or ("resize", n).')
        except UsageError as error:
            raise ReplayError(
                f"event {place} of the log, {event!r}, does not fit this strategy and round: {error}"
                " Replay a log with the strategy, round, seed and in_flight that it was made with."
            ) from None

    def _example(self, i: int) -> int:
        i = whole_number(i, "the example's index", 0)
        if i >= len(self._labels):
            raise UsageError(f"example {i} is outside the pool; its indices are 0..{len(self._labels) - 1}.")
        return i


def run(strategy: Strategy, round: Round, oracle: Callable[[Index], Any]) -> Labels:
    """(N,) int32 labels after a whole round in which `oracle` answers every batch at once; the caller's own.

    `oracle(indices) -> labels` is handed (m,) pool indices and returns their labels, aligned; a label of UNKNOWN (-1)
    skips the question.
    """
    session = Session(strategy, round)
    while not session.done:
        questions = session.wanted
        answers = np.asarray(oracle(questions))
        if answers.shape != questions.shape:
            raise UsageError(
                f"the oracle returned shape {answers.shape} for {len(questions)} questions;"
                " it must return one label each."
            )
        for i, label in zip(questions.tolist(), answers.tolist(), strict=True):
            if label == UNKNOWN:
                session.skip(i)
            else:
                session.tell(i, label)
    return session.labels.copy()


def _in_flight(in_flight: int | None) -> int | None:
    return None if in_flight is None else whole_number(in_flight, "in_flight", 1)


def _with_parallel(round: Round, parallel: int) -> Round:
    return dataclasses.replace(round, parallel=parallel)
