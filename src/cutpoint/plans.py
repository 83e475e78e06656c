"""Plans made of plans: a function that chooses at once as a plan, and several plans side by side."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Sequence
from reprlib import repr as short
from typing import Any

import numpy as np

from cutpoint.errors import CutpointError, UsageError
from cutpoint.types import Index, Known, Plan, Round, Strategy, Why

NOTHING: Index = np.empty(0, np.intp)
"""Yielded by a plan that has no question before another answer arrives."""


def name_of(strategy: object) -> str:
    """What messages call a strategy."""
    return getattr(strategy, "__name__", repr(strategy))


def begun(strategy: Strategy, round: Round) -> Plan:
    """The strategy's plan, not resumed yet; UsageError if what it returns is none."""
    plan: Any = strategy(round)
    if not isinstance(plan, Generator):
        raise UsageError(
            f"strategy {name_of(strategy)} returned {short(plan)}; it must be a generator that yields pool indices:"
            " wrap a function that returns them all at once with @one_shot."
        )
    return plan


def indices(questions: object, name: str) -> Index:
    """What strategy `name` asks, an array (m,) of whole numbers; CutpointError if it is anything else."""
    try:
        array = np.asarray(questions)
        if array.ndim == 1 and (array.dtype.kind in "iu" or not array.size):
            return array
    except ValueError:
        pass  # rows of different lengths
    raise CutpointError(
        f"strategy {name} asked for {short(questions)}; these must be pool indices, whole numbers in a list or an array"
        " (m,). np.flatnonzero(mask) makes them of a mask."
    )


class Reasoned(np.ndarray):
    """Pool indices that carry why they are asked; made by `because`. What is computed from them carries nothing."""

    why: Why | None = None
    place: Callable[[int], int] | None = None


def because(questions: Index, why: Why, place: Callable[[int], int] | None = None) -> Index:
    """The same questions, (m,), with why they are asked; the session keeps it for each of them.

    place: finds where one of them lies in the class's order, for `Why.place`. It is called when that is looked at, so
    that to ask costs nothing.
    """
    reasoned = np.asarray(questions).view(Reasoned)
    reasoned.why, reasoned.place = why, place
    return reasoned


def one_shot(choose: Callable[[Round], Index], phase: str = "score") -> Strategy:
    """A strategy that asks at once for all that `choose(round) -> (<= budget,) pool indices` picks.

    phase: what it says of why, in `Why`.
    """
    name = name_of(choose)
    why = Why(name, phase)

    @functools.wraps(choose)
    def strategy(round: Round) -> Plan:
        chosen = indices(choose(round), name) if round.budget else NOTHING
        if len(chosen):
            yield because(chosen, why)

    return strategy


def interleave(starts: Sequence[Callable[[Known], Plan]], known: Known) -> Plan:
    """Run plans side by side: a question comes from the first plan that is not waiting (section 6).

    starts: one function per plan; it is called, with what is known by then, only when all plans before it wait or
    have ended. A plan waits by yielding nothing. Where nobody waits, as in a blocking session, the plans run one
    after the other.
    """
    plans: list[Plan | None] = [None] * len(starts)
    ended = [False] * len(starts)
    while not all(ended):
        questions = NOTHING
        for place, start in enumerate(starts):
            if ended[place]:
                continue
            try:
                plan = plans[place]
                if plan is None:
                    plan = plans[place] = start(known)
                    questions = next(plan)
                else:
                    questions = plan.send(known)
            except StopIteration:
                ended[place] = True
                continue
            if len(questions):
                break
        if len(questions) or not all(ended):
            known = yield questions
