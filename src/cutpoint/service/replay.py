"""A campaign made again from its log: every round, with its scores, must ask what the log says that it asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cutpoint.service.desk.live import Live, failure_of, first_difference, start_of
from cutpoint.service.log.journal import Step
from cutpoint.service.log.rounds import Opened
from cutpoint.service.log.state import State
from cutpoint.store.base import Store
from cutpoint.store.files import ArrayFiles


@dataclass(frozen=True)
class Replayed:
    """What a replay has shown.

    differences: (round, place from 1, item in the log, item now) of the first different question of each round that has
    one; None where there is no question at that place.  broken: (round, error) of rounds that cannot be made again.
    failed: (round, error) of rounds whose strategy failed then as it does now, and that are the same up to there.
    """

    events: int
    rounds: int
    questions: int
    labels: int
    differences: tuple[tuple[int, int, int | None, int | None], ...]
    broken: tuple[tuple[int, str], ...]
    failed: tuple[tuple[int, str], ...]

    @property
    def same(self) -> bool:
        """Whether all questions are the same; of a round that failed then, too, up to its failure."""
        return not self.differences and not self.broken


class _Again:
    """A round that is made again, as far as its strategy goes."""

    def __init__(self, opened: Opened) -> None:
        """Not begun yet."""
        self.opened = opened
        self.live: Live | None = None
        self.error: str | None = None

    def begin(self, state: State, files: ArrayFiles | None) -> None:
        """Make the session of the round that has just been opened."""
        data = self.opened.data
        try:
            self.live = Live(start_of(state, data), files)
        except Exception as error:  # of files that are gone, or of a strategy
            self.error = str(error)
        self.follow(state.journal.since(data["upto"]))

    def follow(self, steps: Iterable[Step]) -> None:
        """Tell the session what happened; once it has failed, no more."""
        if self.live is None or self.error is not None:
            return
        try:
            self.live.follow(steps)
        except Exception as error:  # of a strategy, whoever wrote it
            self.error = str(error)

    def compare(self, found: _Found) -> None:
        """Note what came of it, now that all is known that the log has of the round."""
        number, logged = self.opened.data["round"], self.opened.asked
        asked = [] if self.live is None else self.live.session.asked_since(0)
        place = first_difference(logged, asked)
        if self.error is not None:
            closed = self.opened.closed or failure_of(number)  # nothing came after it yet
            as_then = self.live is not None and place is None and closed.startswith(failure_of(number))
            (found.failed if as_then else found.broken).append((number, self.error))
            return
        if place is None and self.opened.closed and not self.opened.broken and len(asked) > len(logged):
            place = len(logged)  # what a round has asked is in the log before its end is
        if place is not None:
            there, now = (items[place] if place < len(items) else None for items in (logged, asked))
            found.differences.append((number, place + 1, there, now))


@dataclass
class _Found:
    differences: list[tuple[int, int, int | None, int | None]] = field(default_factory=list)
    broken: list[tuple[int, str]] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)


def replay(store: Store, files: ArrayFiles | None) -> Replayed:
    """Make every round again from the log and compare its questions with those in the log; writes nothing."""
    state, found = State(), _Found()
    again: _Again | None = None
    told = questions = 0
    for event in store.events():
        if event.kind == "round_opened" and again is not None:
            again.compare(found)
        state.apply(event)
        last, steps = state.rounds.last, state.journal.steps
        if last is not None and event.kind == "round_opened":
            again = _Again(last)
            again.begin(state, files)
        elif again is not None and again.opened.running:
            again.follow(steps[told:])
        told = len(steps)
        questions += len(event.data["items"]) if event.kind == "asked" else 0
    if again is not None:
        again.compare(found)
    settled = state.ballots.n_settled
    lists = (tuple(found.differences), tuple(found.broken), tuple(found.failed))
    return Replayed(state.number, len(state.rounds.all), questions, settled, *lists)


def verdicts(done: Replayed) -> list[str]:
    """What there is to say of single rounds, in their order: those that differ, or failed, or cannot be made again."""
    said = [(number, f"round {number} cannot be made again: {error}") for number, error in done.broken]
    for number, place, *items in done.differences:
        then, today = ("nothing" if item is None else f"item {item}" for item in items)
        said.append((number, f"question {place} of round {number} was {then}, and would be {today} now"))
    for number, error in done.failed:
        said.append((number, f"round {number} failed then as it does now ({error}); up to there it is the same"))
    return [words for _, words in sorted(said)]
