"""The device that computes a benchmark: for the record, and said where it will take long."""

from __future__ import annotations

from cutpoint.learners import make_learner
from cutpoint.learners.base import reads
from cutpoint.learners.registry import needs


def device_of(name: str) -> str | None:
    """The device on which the learner of that name is trained here, in words; None for one without torch."""
    if "torch" not in needs(name):
        return None
    from cutpoint.learners.deep.devices import choose_device, described

    return described(choose_device(getattr(make_learner(name, 2), "device", "auto")))


def slow_here(name: str) -> str | None:
    """What to say of a learner that trains a network of pictures, on the processor though nobody asked for that."""
    learner = make_learner(name, 2)
    whole = reads(learner) == "pictures" and getattr(learner, "tune", "full") == "full"
    if not whole or getattr(learner, "device", None) != "auto" or device_of(name) != "cpu":
        return None
    kind = name.split(":")[0]
    lower = "lower epochs (paper run --learner-option epochs=2)"
    shorter = "take schedule=short (paper run --schedule short)" if kind == "resnet18" else lower
    return (
        f"{kind} trains a whole network in every round, and torch finds the processor alone here: that may take days. "
        f"bench run --dry-run says how many fits there are; to shorten them, {shorter}; device=cpu (paper run "
        "--learner-option device=cpu) says that it is meant."
    )
