"""Plans made of plans: a function that chooses at once as a plan, and several plans side by side."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from cutpoint.types import Index, Known, Plan, Round, Strategy

NOTHING: Index = np.empty(0, np.intp)
"""Yielded by a plan that has no question before another answer arrives."""


def one_shot(choose: Callable[[Round], Index]) -> Strategy:
    """A strategy that asks at once for all that `choose(round) -> (<= budget,) pool indices` picks."""

    @functools.wraps(choose)
    def strategy(round: Round) -> Plan:
        chosen = choose(round)
        if len(chosen):
            yield chosen

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
