"""Why somebody is given fewer questions than they asked for, in a sentence that is true."""

from __future__ import annotations

from cutpoint.service.desk.board import Board
from cutpoint.words import count

SOON = 0.5  # seconds until a round that is being made may be there


def excuse(board: Board, person: str, *, preparing: bool) -> tuple[str, float | None]:
    """(reason, seconds until it is worth asking again; None where nothing but answers or an admin helps)."""
    state = board.state
    if not state.count:
        return "The pool is empty: add items to it.", None
    left = state.count - state.ballots.n_settled
    if not left:
        return f"Everything is labelled: {count(state.count, 'item')}.", None
    if preparing and state.n_free:
        return "The next questions are being prepared.", SOON
    if board.trouble:
        return "There are no new questions, as a round could not begin; the campaign's status says why.", None
    if state.n_free:
        return "These are all questions that the round has for now; the answers bring the next.", None
    leases = state.leases
    others = len({lease.item for lease in leases.live.values() if lease.annotator != person})
    if others:
        seconds = board.expiry.next()
        wait = "" if seconds is None else f"; the next may come back in about {max(1, round(seconds))} s"
        return f"All questions are with other people: {others} open{wait}.", seconds
    if leases.held_by(person):
        return "All questions that are left are with you.", None
    if state.ballots.pending:
        rest = count(len(state.ballots.pending), "item")
        return f"You have answered all that is left; others are still to answer {rest}.", None
    return f"All that is left was passed on, and waits until an admin releases it: {count(left, 'item')}.", None
