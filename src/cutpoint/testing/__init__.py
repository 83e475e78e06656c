"""The laws that every strategy, learner and store obeys, to be run in your own tests.

    from cutpoint.testing import check_strategy

    def test_my_strategy() -> None:
        check_strategy(my_strategy)

A broken law is an AssertionError that names the law, the round it was broken on, and what happened.
Everything is drawn from fixed seeds, so a failure comes again. Strategies need numpy alone.
"""

from cutpoint.testing.learners import check_learner
from cutpoint.testing.stores import check_store
from cutpoint.testing.strategies import STRATEGY_LAWS, check_equivariance, check_strategy
from cutpoint.testing.trials import Trial, trials

__all__ = ["STRATEGY_LAWS", "Trial", "check_equivariance", "check_learner", "check_store", "check_strategy", "trials"]
