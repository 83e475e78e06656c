"""The next round: why it is needed, what it begins with, and its session, made beside the work at the desk."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from cutpoint.service.desk.board import Board
from cutpoint.service.desk.live import FIRST, Data, Live
from cutpoint.service.log.state import State
from cutpoint.strategies import STRATEGIES
from cutpoint.types import UNKNOWN

_ROUND = 1  # the purpose of the seeds drawn here
TURNS = 4  # answers of everybody at work that a round should outlast, where its budget is not set


@dataclass(frozen=True, eq=False)
class Draft:
    """A round to be opened: its `round_opened`, and the epoch that it is good for."""

    data: Data
    epoch: int


@dataclass(frozen=True, eq=False)
class Ready:
    """A draft with its session made, and why it is not as it was meant to be."""

    draft: Draft
    live: Live
    makeshift: str


def reason_for_next(board: Board, *, demanded: bool) -> str | None:
    """Why the round at hand should end now; None if it should not.

    demanded: somebody asked and got nothing.
    """
    state, live = board.state, board.live
    if not state.count:
        return None
    if live is None:
        last = state.rounds.last
        if last is None:
            return "the campaign begins"
        return board.failed or last.closed or last.broken or "it could not go on"
    if state.runs.newest(state.number) != live.newest:
        return "new scores"
    if demanded:
        return "spent" if not live.session.may_ask else "its other questions wait for answers"
    return None


def nearly_spent(board: Board) -> bool:
    """Whether what the round can still ask would not outlast one more answer of everybody who is at work."""
    live = board.live
    if live is None:
        return False
    session = live.session
    left = session.round.budget - session.n_asked + len(board.waiting)
    return left <= (session.in_flight or 1)


def draft(board: Board, *, leave_open: bool, unread: Collection[int] = ()) -> Draft | None:
    """What the next round begins with, by the log as it stands; None if there is nothing it could ask.

    leave_open: the round at hand will ask its open questions first, so the next must not.  unread: versions of scores
    that cannot be read; the last of the others serve. What costs O(N), to copy the labels and to begin a session,
    comes after it and needs no lock.
    """
    state = board.state
    if not state.n_free:
        return None
    scores = next((scores for scores in reversed(state.runs.scores) if scores["version"] not in unread), None)
    held = _held(board, leave_open=leave_open)
    made = _draft(state, scores, held)
    if made is None and scores is not None:
        return _draft(state, None, held)  # all that has scores is settled, and there may be more in the pool
    return made


def _held(board: Board, *, leave_open: bool) -> list[int]:
    """Unsettled items that the round must not ask: with somebody, half answered, or passed on."""
    state, live = board.state, board.live
    items = {*state.leases.items, *state.ballots.pending, *state.ballots.passed}
    if leave_open and live is not None:
        items.update(live.session.wanted.tolist())
    return sorted(item for item in items if state.ballots.labels[item] == UNKNOWN)


def _draft(state: State, scores: Data | None, held: list[int]) -> Draft | None:
    """A round on these scores; None if all that has some is labelled or held. O(held and items without scores)."""
    settings, last = state.made, state.rounds.last
    rows = state.count if scores is None else scores["rows"]
    held = [item for item in held if item < rows]
    labelled = state.ballots.n_settled - int(np.count_nonzero(state.ballots.labels[rows:] != UNKNOWN))
    if labelled + len(held) == rows:
        return None
    number = 1 if last is None else last.data["round"] + 1
    first = last is None and scores is None
    in_flight = max(1, -(-len(state.leases.live) // settings.overlap))
    interval = settings.interval(state.ballots.n_settled)
    budget = interval if settings.budget is not None else max(interval, TURNS * in_flight)
    data = {
        "round": number,
        "scores": None if scores is None else scores["version"],
        "strategy": FIRST if scores is None else _strategy(state, scores),
        "budget": settings.first if first else budget,
        "parallel": settings.parallel,
        "seed": round_seed(settings.seed, number),
        "held": held,
        "in_flight": in_flight,
        "upto": state.number,
    }
    return Draft(data, state.epoch)


def _strategy(state: State, scores: Data) -> str:
    """The one that is set, if these scores have what it reads; until there are others, the last round's, or chance."""
    last, name = state.rounds.last, state.made.strategy
    if name not in STRATEGIES:
        return name  # and the round cannot begin, which is said
    wanted = (name, *([] if last is None or last.data["strategy"] not in STRATEGIES else [last.data["strategy"]]))
    return next((name for name in wanted if STRATEGIES[name].needs <= {"probs", *scores["files"]}), FIRST)


def makeshift(state: State, data: Data, unread: Mapping[int, Exception]) -> str:
    """Why a round goes by older scores than there are, or by another strategy than is set; empty if it does not."""
    if unread:
        newest = max(unread)
        return f"the scores of model {newest} cannot be read, and questions go without them: {unread[newest]}"
    if data["scores"] is not None and data["strategy"] != state.made.strategy:
        return f"questions go by {data['strategy']} until there is a model with what {state.made.strategy} reads"
    return ""


def round_seed(seed: int, number: int) -> int:
    """A seed for each round of a campaign."""
    return int(np.random.SeedSequence(seed, spawn_key=(_ROUND, number)).generate_state(1)[0])
