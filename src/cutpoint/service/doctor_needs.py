"""Whether this Cutpoint has what a campaign asks and learns by: what is lacking here is no damage to the campaign."""

from __future__ import annotations

from collections.abc import Iterator

from cutpoint.errors import CutpointError
from cutpoint.service.desk.live import lacking
from cutpoint.service.doctor_sqlite import Finding
from cutpoint.service.log.state import State


def examine_needs(state: State) -> Iterator[Finding]:
    """The strategy that is set and those of past rounds, and the learner."""
    yield _strategy(state)
    yield _learner(state)


def _strategy(state: State) -> Finding:
    name = state.made.strategy
    if said := lacking(name):
        do = "use the Cutpoint that has it, or go on by another: cutpoint strategy NAME OTHER; labels need none"
        return Finding("strategy", "wrong", said, do)
    gone = {opened.data["round"]: opened.data["strategy"] for opened in state.rounds.all}
    gone = {number: each for number, each in gone.items() if lacking(each)}
    if gone:
        asked = ", ".join(f"{number} ({each})" for number, each in gone.items())
        said = f"{name}; rounds asked by one that this Cutpoint lacks: {asked}"
        return Finding("strategy", "note", said, "`cutpoint replay` alone needs it")
    return Finding("strategy", "well", name)


def _learner(state: State) -> Finding:
    from cutpoint.learners import make_learner

    name = state.made.learner
    try:
        make_learner(name, len(state.made.classes))
    except CutpointError as error:
        do = "use the Cutpoint that has it; until then people go on, and no model is trained"
        return Finding("learner", "wrong", str(error), do)
    return Finding("learner", "well", name)
