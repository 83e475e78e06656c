"""Random sampling: the baseline that every saving is measured against, and the first batch of every campaign."""

from functools import partial

from cutpoint.plans import one_shot
from cutpoint.types import Index, Round


@partial(one_shot, phase="random")
def random(round: Round) -> Index:
    """(<= budget,) uniform without replacement among the examples that may be asked."""
    unlabelled = round.unlabelled()
    return unlabelled[round.rng().choice(len(unlabelled), min(round.budget, len(unlabelled)), replace=False)]
