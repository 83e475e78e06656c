"""Models trained between rounds: `Learner.fit(pool, labels, seed=...) -> Model`, `Model.score -> Scores`.

A learner sees the pool's features and the labels that were given, never more. `LEARNERS` names those that
come with Cutpoint; `wrap` takes any scikit-learn classifier with `predict_proba`.
"""

from cutpoint.learners.base import Learner, Model, wrap
from cutpoint.learners.registry import LEARNERS, make_learner

__all__ = ["LEARNERS", "Learner", "Model", "make_learner", "wrap"]
