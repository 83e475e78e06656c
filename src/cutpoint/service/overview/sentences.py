"""What the numbers of a campaign mean, in words: the same on its pages, in the report and on the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from cutpoint.service.desk.status import Status
from cutpoint.words import count

PEOPLE = (
    "Answers: items with an answer of the person's that stands. Passed: items that the person skipped, was unsure of "
    "or found broken."
)
CORRECTED = (
    "Corrected, late: of the answers, those that the person changed, and those after the time for which an item is "
    "kept for somebody; they count all the same."
)
"""What the columns of people's numbers count."""


def counts(said: Status) -> list[tuple[int, str]]:
    """What there is beside the labelled items, each with its word, nothing of which there is none.

    Waiting, held and left make up the pool with what is labelled; disputed and with people are of all.
    """
    numbers = [
        (said.waiting, "waiting for more answers"),
        (said.held, "held"),
        (said.left, "left"),
        (said.disputed, "disputed"),
        (said.with_people, "with people now"),
    ]
    return [(n, words) for n, words in numbers if n]


def labelled(said: Status) -> str:
    """How far it is."""
    return f"{said.labelled:,} of {count(said.items, 'item')} labelled"


def sentence(said: Status) -> str:
    """How far it is, and what waits for somebody, in one sentence."""
    return ", ".join([labelled(said), *(f"{n:,} {words}" for n, words in counts(said))])


def asking(said: Status) -> str:
    """How questions are chosen at the moment, and how many of the round's are done, in words."""
    if not said.waiting + said.left:
        return f"every item {'is labelled or held' if said.held else 'has a label'}, and nothing is left to ask"
    round = said.round
    if round is None:
        return "nothing was asked yet; the first question comes when somebody opens their link"
    by = f"chosen by {round.strategy} with model {round.model}"
    if round.model is None:
        by = "drawn at random, as there was no model yet"
    return f"round {round.number}, {by}: {round.done:,} of its {count(round.budget, 'question')} done"


def model(said: Status) -> str:
    """Which model there is, and when there will be another one, in words."""
    parts = ["none yet" if said.model is None else f"model {said.model} is the newest"]
    following = "first" if said.model is None else "next one"
    if said.changed:
        parts.append(f"{count(said.changed, 'label')} {'is' if said.changed == 1 else 'are'} no longer what it learned")
    measures = said.measures[-1][1] if said.measures else {}
    if "foreseen" in measures:
        parts.append(
            f"the one before it had foreseen {100 * measures['foreseen']:.0f} % of the labels that came after, as a "
            f"mean of the classes that occurred{counted(measures, len(said.classes))}"
        )
    needed, rest = said.trains_at - said.done, said.waiting + said.left
    if said.training is not None:
        parts.append(f"the {following} is being trained now")
    elif said.failures:
        parts.append(f"the {following} is tried again")
    elif said.without_features:
        parts.append(f"the {following} is not trained: {untrained(said.without_features)}")
    elif needed > rest > 0:
        parts.append(f"too few items are left for the {following}")
    elif rest and needed > 0:
        parts.append(f"the {following} is trained after {count(needed, 'more item')}")
    elif rest:
        few = sum(n > 0 for n in said.found) < min(2, len(said.classes)) and not said.waiting
        parts.append(f"the {following} is due" + (" once two classes are found" if few else ""))
    return "; ".join(parts)


def untrained(n: int) -> str:
    """Why no model is trained where n items have no features."""
    return f"{count(n, 'item')} {'has' if n == 1 else 'have'} no embedding, and a model learns from all"


def counted(measures: Mapping[str, float], n_classes: int) -> str:
    """What counts among the labels that a model had foreseen, in brackets; nothing where all classes do."""
    occurred, added = measures.get("foreseen_classes", n_classes), round(measures.get("foreseen_added", 0))
    parts = [f"{occurred:.0f} of {count(n_classes, 'class')}"] if occurred < n_classes else []
    if added:
        parts.append(f"not counting {count(added, 'label')} of classes that were added since")
    return f" ({'; '.join(parts)})" if parts else ""


def learning(done: int, trains_at: int, rest: int, *, training: bool) -> str:
    """How far it is to the next model, for those who label; rest: items that are neither labelled nor held."""
    if training:
        return "The model is learning."
    if not rest:
        return "Every item is labelled or held."
    if done >= trains_at:
        return "The model is about to learn."
    if rest < trains_at - done:
        return f"{count(rest, 'more item')} to label, too few for the model to learn again"
    return f"{count(trains_at - done, 'more item')} until the model learns; {done:,} of {trains_at:,} are done"


def warnings(said: Status) -> list[str]:
    """What is amiss, and what goes on all the same."""
    found = []
    by = said.model if said.round is None else said.round.model
    chosen = "are drawn at random" if by is None else f"are chosen with model {by}"
    if said.failures:
        times = "training" if said.failures == 1 else f"{said.failures:,} trainings"
        found.append(f"The last {times} failed ({said.last_error}): people go on, and questions {chosen}.")
    if said.training_trouble:
        found.append(f"No model can be trained now ({said.training_trouble}): people go on, and questions {chosen}.")
    if said.trouble:
        found.append(f"Something is amiss at the desk: {said.trouble}")
    return found
