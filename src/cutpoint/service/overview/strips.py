"""Every class's strip as it is now: how the pool lies is computed once per version of the scores, answers are followed.

Nothing O(N) happens while a page waits: `refresh` sorts new scores beside the requests, which are served from the last
ones meanwhile.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cutpoint.core.strip import Cut, Lie
from cutpoint.errors import UsageError
from cutpoint.service.desk.live import probs_of
from cutpoint.service.log.journal import Step
from cutpoint.service.log.state import State
from cutpoint.service.overview.strip_svg import Answers, places, strip_svg
from cutpoint.store.files import ArrayFiles
from cutpoint.types import UNKNOWN
from cutpoint.words import count


@dataclass(frozen=True)
class Strip:
    """A class's strip, ready for a page."""

    k: int
    name: str
    cut: Cut
    n: int
    svg: str
    own: bool

    @property
    def words(self) -> str:
        """What it says, in one line."""
        return places(self.cut, self.n, own=self.own)


class News(NamedTuple):
    """What was said since a step of the journal: the steps from `first` on; and all disputed items."""

    steps: list[Step]
    first: int
    disputes: list[int]


class Strips:
    """Follows the labels of a state: `news` while it is kept still, and then, beside it, `answers` and `draw`."""

    def __init__(self, files: ArrayFiles | None) -> None:
        self._files = files
        self._version: int | None = None
        self._lies: list[Lie] = []
        self._labels: dict[int, int] = {}
        self._steps = 0
        self._disputes: list[int] = []
        self._arrays: Answers | None = None
        self._lock = threading.Lock()

    def behind(self, state: State) -> bool:
        """Whether there are newer scores or classes than those that are drawn, so that `refresh` has to come first."""
        scores = state.runs.scores
        if not scores or self._files is None:
            return False
        return (scores[-1]["version"], len(state.made.classes)) != (self._version, len(self._lies))

    def refresh(self, state: State) -> None:
        """Sort the newest scores, as a round sees them, if they are new. Called by a thread that nobody waits for."""
        if self._files is None or not self.behind(state):
            return
        newest, n_classes = state.runs.scores[-1], len(state.made.classes)
        probs = probs_of(newest, n_classes, self._files)
        lies = [Lie(probs, k) for k in range(n_classes)]
        with self._lock:
            self._lies, self._version, self._arrays = lies, newest["version"], None

    def news(self, state: State) -> News:
        """What is new since the answers were looked at last; the caller keeps the state still. O(what is new)."""
        first = self._steps  # read once: another thread may look at answers meanwhile
        return News(state.journal.steps[first:], first, list(state.ballots.disputes))

    def answers(self, news: News) -> Answers:
        """The labels so far of examples that have scores, the latest last; O(labels), where nothing is new O(disputes).

        Needs no state, so that nobody waits for it. What somebody else looked at meanwhile is not counted twice.
        """
        with self._lock:
            steps, first, disputes = news
            new = steps[self._steps - first :]
            if self._arrays is None or new or self._disputes != disputes:
                for step in new:
                    if step.what == "tell":
                        self._labels.pop(step.item, None)
                        if step.value != UNKNOWN:
                            self._labels[step.item] = step.value
                self._steps, self._disputes = self._steps + len(new), disputes
                self._arrays = self._as_arrays()
            return self._arrays

    def _as_arrays(self) -> Answers:
        rows = len(self._lies[0]) if self._lies else 0
        n = len(self._labels)
        items = np.fromiter(self._labels.keys(), np.intp, n)
        labels = np.fromiter(self._labels.values(), np.int64, n)
        scored = items < rows
        disputed = np.isin(items, np.array(self._disputes, np.intp))
        return Answers(items[scored], labels[scored], disputed[scored])

    def place(self, k: int, item: int, version: int | None) -> int | None:
        """An item's place in class k's order by these scores, from 1 on; None where others are drawn. O(1)."""
        with self._lock:
            if version is None or version != self._version or not (k < len(self._lies) and item < len(self._lies[k])):
                return None
            return int(self._lies[k].place[item])

    def draw(self, k: int, names: tuple[str, ...], answers: Answers, here: int | None = None) -> Strip:
        """Class k's strip; UsageError where there is none."""
        lies = self._lies
        if not 0 <= k < min(len(lies), len(names)):
            raise UsageError(f"class {k} has no strip, {count(len(lies), 'class')} have one; train a model first.")
        lie = lies[k]
        if here is not None and here >= len(lie):
            here = None  # added since the scores were made
        # Scores published between the answers and now may be of fewer rows: then wait for the next look.
        known = answers.items < len(lie)
        answers = Answers(answers.items[known], answers.labels[known], answers.disputed[known], answers.own)
        cut = lie.cut(answers.items, answers.labels)
        return Strip(k, names[k], cut, len(lie), strip_svg(lie, cut, answers, names[k], here), answers.own)

    def __len__(self) -> int:
        """How many classes have a strip."""
        return len(self._lies)
