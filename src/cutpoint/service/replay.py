"""A campaign made again from its log: every round, with its scores, must ask what the log says that it asked."""

from __future__ import annotations

from dataclasses import dataclass

from cutpoint.errors import CutpointError
from cutpoint.service.desk.live import Live, first_difference, start_of
from cutpoint.service.log.state import State
from cutpoint.store.base import Store
from cutpoint.store.files import ArrayFiles


@dataclass(frozen=True)
class Replayed:
    """What a replay has shown.

    differences: (round, place from 1, item in the log, item now or None) of the first different question of each round
    that has one.  broken: (round, error) of rounds that cannot be made again.
    """

    events: int
    rounds: int
    questions: int
    labels: int
    differences: tuple[tuple[int, int, int, int | None], ...]
    broken: tuple[tuple[int, str], ...]

    @property
    def same(self) -> bool:
        """Whether all questions are the same."""
        return not self.differences and not self.broken


def replay(store: Store, files: ArrayFiles | None) -> Replayed:
    """Make every round again from the log and compare its questions with those in the log; writes nothing."""
    state = State()
    live: Live | None = None
    told, questions = 0, 0
    differences: list[tuple[int, int, int, int | None]] = []
    broken: list[tuple[int, str]] = []

    def compare() -> None:
        last = state.rounds.last
        if live is not None and last is not None:
            asked = live.session.asked_since(0)
            place = first_difference(last.asked, asked)
            if place is not None:
                now = asked[place] if place < len(asked) else None
                differences.append((live.number, place + 1, last.asked[place], now))

    for event in store.events():
        if event.kind == "round_opened":
            compare()
            live = None
        state.apply(event)
        last, steps = state.rounds.last, state.journal.steps
        try:
            if event.kind == "round_opened":
                live, told = Live(start_of(state, event.data), files), len(steps)
                live.follow(state.journal.since(event.data["upto"]))
            elif live is not None and last is not None and last.running:
                live.follow(steps[told:])
        except Exception as error:  # of a strategy, or of files that are gone
            broken.append((event.data["round"] if live is None else live.number, str(error)))
            live = None
        told = len(steps)
        questions += len(event.data["items"]) if event.kind == "asked" else 0
    compare()
    settled = state.ballots.n_settled
    return Replayed(state.number, len(state.rounds.all), questions, settled, tuple(differences), tuple(broken))


def check_replay(done: Replayed) -> None:
    """CutpointError that names the first difference, if there is one."""
    if done.broken:
        number, error = done.broken[0]
        raise CutpointError(f"round {number} cannot be made again: {error}")
    if done.differences:
        number, place, logged, now = done.differences[0]
        asked = "nothing" if now is None else f"item {now}"
        raise CutpointError(
            f"question {place} of round {number} was item {logged}, and would be {asked} now; {len(done.differences)} "
            f"of {done.rounds} rounds differ. The labels are not touched by this."
        )
