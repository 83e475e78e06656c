"""The round that is asked now: a session that follows the journal. A function of the log and the scores alone.

A round begins with the labels of the log up to an event (`upto`), from which it was prepared beside the work at the
desk; what happened since is told to its session in order, before and after the round is announced in the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.errors import DataError, ReplayError, UsageError
from cutpoint.service.log.journal import Step
from cutpoint.service.log.state import State
from cutpoint.session import Session
from cutpoint.store.files import ArrayFiles
from cutpoint.strategies import STRATEGIES
from cutpoint.types import Entry, Round, Scores, Why

Data = Mapping[str, Any]
FIRST = "random"  # the strategy while there are no scores
NEW_ROUND = "let a new round begin (new_round=True, serve --new-round)"


@dataclass(frozen=True, eq=False)
class Start:
    """All that a round begins with: its `round_opened`, the labels then, the scores' entry and the classes.

    labels: (n,) of the examples that have scores, or of all where there are none; its own copy.  newest: the version of
    the newest scores then, which it may have passed over.
    """

    data: Data
    labels: NDArray[np.int32]
    scores: Data | None
    n_classes: int
    newest: int | None


class Live:
    """A round's session as the desk needs it."""

    def __init__(self, start: Start, files: ArrayFiles | None) -> None:
        """The session at its first questions. Takes as long as the strategy takes to begin."""
        data = start.data
        self.data = data
        self.number: int = data["round"]
        self.scores: int | None = data["scores"]
        self.newest = start.newest
        round = Round(
            scores_of(start.scores, len(start.labels), start.n_classes, files),
            start.labels,
            data["budget"],
            data["parallel"],
            data["seed"],
            np.array(data["held"], np.intp),
        )
        self._passed: set[int] = set()  # what people have passed on since the round began
        self._looked = 0  # so many of the questions have been compared with that
        self.session = Session(strategy_of(data["strategy"]).strategy, round, in_flight=data["in_flight"])

    def fits(self, data: Data, n_classes: int) -> bool:
        """Whether it is the session of the round with this `round_opened`, with so many classes."""
        return self.data == data and self.session.round.scores.n_classes == n_classes

    def follow(self, steps: Iterable[Step]) -> None:
        """Tell the session what happened; steps of other rounds, and of examples without scores, are not its affair.

        What somebody passed on stays closed, also if the session asks it only afterwards: it waits for an admin.
        """
        session, n = self.session, len(self.session.labels)
        for _, what, item, value, _ in steps:
            if what == "resize":
                if item == self.number:
                    session.resize(value)
            elif item >= n:
                continue
            elif what == "tell":
                self._passed.discard(item)
                session.tell(item, value)
            else:
                self._passed.add(item)
                if session.is_open(item):
                    session.skip(item)
            self._skip_passed()

    def _skip_passed(self) -> None:
        while new := self.session.asked_since(self._looked):
            self._looked += len(new)
            for item in new:
                if item in self._passed:
                    self.session.skip(item)

    def untold(self, logged: int) -> Data | None:
        """The data of an `asked` for what the session asked behind its first `logged` questions; None for nothing."""
        items = self.session.asked_since(logged)
        if not items:
            return None
        return {"round": self.number, "items": items, "why": [why_data(self.session.why(item)) for item in items]}

    def check(self, logged: list[int]) -> None:
        """ReplayError unless the questions in the log are the session's first ones; the rest is still to be logged."""
        asked = self.session.asked_since(0)
        place = first_difference(logged, asked)
        if place is not None:
            now = f"item {asked[place]}" if place < len(asked) else "none"
            raise ReplayError(
                f"question {place + 1} of round {self.number} is item {logged[place]} in the log, and {now} by this "
                "version of Cutpoint with these scores; they must be the same. No label is lost: go on with the "
                f"version that made the log, or {NEW_ROUND}."
            )


def strategy_of(name: str) -> Entry:
    """What a round asks by; ReplayError where this Cutpoint lacks it, as one may that somebody wrote for themselves."""
    if said := lacking(name):
        raise ReplayError(f"{said}; use the one that has it.")
    return STRATEGIES[name]


def lacking(strategy: str) -> str:
    """What to say where this Cutpoint lacks a strategy; empty where it is there."""
    return "" if strategy in STRATEGIES else f"this Cutpoint has no strategy '{strategy}'"


def first_difference(logged: list[int], asked: list[int]) -> int | None:
    """The first place at which `logged` is not what was asked; None if it is, though more may have been asked."""
    for place, item in enumerate(logged):
        if place >= len(asked) or asked[place] != item:
            return place
    return None


def failure_of(round: int) -> str:
    """With what the reason begins for which a round is closed whose strategy failed."""
    return f"round {round} failed:"


def start_of(state: State, data: Data, lock: AbstractContextManager[object] | None = None) -> Start:
    """What a round with this `round_opened` begins with; `state` may know more than `data["upto"]`.

    The number of classes is that of now: a class that is added ends the rounds before it. lock: what others change the
    state under meanwhile. The labels are copied without it, O(N), and what was changed since is undone with it.
    """
    version, count = data["scores"], state.count
    scores = None if version is None else next(s for s in state.runs.scores if s["version"] == version)
    if scores is None:
        count = sum(pool["count"] for number, pool in state.pools if number <= data["upto"])
    labels = state.ballots.labels[: count if scores is None else scores["rows"]].copy()
    with lock or nullcontext():
        state.journal.undo(labels, data["upto"])
    return Start(data, labels, scores, len(state.made.classes), state.runs.newest(data["upto"]))


def scores_of(entry: Data | None, n: int, n_classes: int, files: ArrayFiles | None) -> Scores:
    """The published scores with a column of zeros for every class added since; uniform ones where there are none."""
    if entry is None:
        return Scores(np.full((n, n_classes), 1 / n_classes, np.float32))
    if files is None:
        raise DataError("the log has scores, and there are no files with them; open the campaign with its files.")
    arrays = {name: files.open(where) for name, where in entry["files"].items() if name != "probs"}
    embedding, head = arrays.get("embedding"), arrays.get("head")
    more = n_classes - entry["classes"]
    if more and head is not None:
        head = _widened(head, more, arrays["embedding"].shape[1])
    try:
        return Scores(probs_of(entry, n_classes, files), embedding, head)
    except UsageError as error:  # they were checked before they were published
        raise DataError(f"the scores of model {entry['version']} are damaged: {error}") from None


def probs_of(entry: Data, n_classes: int, files: ArrayFiles) -> NDArray[np.float32]:
    """(n, K) the published probabilities, 0 for every class added since."""
    probs = files.open(entry["files"]["probs"])
    more = n_classes - entry["classes"]
    return np.pad(probs, ((0, 0), (0, more))) if more else probs


def _widened(head: NDArray[Any], more: int, width: int) -> NDArray[Any]:
    """A last layer (K, width) or (K, width + 1) with the bias last, and `more` classes without labels: bias -inf."""
    if head.shape[1] == width:
        head = np.pad(head, ((0, 0), (0, 1)))
    rows = np.zeros((more, width + 1), head.dtype)
    rows[:, -1] = -np.inf
    return np.concatenate((head, rows))


def why_data(why: Why | None) -> Data | None:
    """Why, as it is logged."""
    if why is None:
        return None
    where = {"place": why.place, "threshold": why.threshold, "low": why.low, "high": why.high}
    return {"phase": why.phase, "class": why.class_} | where


def why_of(data: Data | None, strategy: str) -> Why | None:
    """Why, as it was logged in a round of that strategy."""
    if data is None:
        return None
    return Why(strategy, data["phase"], data["class"], data["threshold"], data["low"], data["high"], data["place"])
