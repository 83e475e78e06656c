"""One training: from the labels and features of a campaign to scores, checked and on disk before they are announced.

Scikit-learn and torch are imported by the learners, in whichever process this runs; never in the server's.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.measures import recall_per_class
from cutpoint.errors import DataError, UsageError
from cutpoint.service.desk.live import strategy_of
from cutpoint.service.log.settings import Settings
from cutpoint.service.log.state import State
from cutpoint.service.overview.agreement import agreement
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from cutpoint.types import UNKNOWN, Labels, Scores

if TYPE_CHECKING:
    from cutpoint.data.pool import Pool

_FIT = 2  # the purpose of the seeds drawn here; rounds draw theirs for another


def due(state: State, *, lost: bool = False) -> bool:
    """Whether a training should start: enough items are done since the last one, or what it gave does not do.

    It does not do for items that came later, for another strategy that reads more, or once it is lost.
    The first one waits for the first batch, and for labels of two classes if there are as many: one class makes
    constant scores.
    """
    if state.settings is None or not state.count or state.without_features:
        return False
    settings, runs = state.settings, state.runs
    if len(settings.classes) > 1 and not state.ballots.of_two_classes():
        return False
    newest = runs.scores[-1] if runs.scores else None
    if newest is not None and (lost or newest["rows"] < state.count or needs(state) - newest["files"].keys()):
        return True
    return state.n_done >= state.interval


def needs(state: State) -> frozenset[str]:
    """What the strategy reads of the scores; probabilities in any case. ReplayError where this Cutpoint lacks it."""
    return strategy_of(state.made.strategy).needs | {"probs"}


def check_learner(settings: Settings) -> None:
    """UsageError unless there are such a learner, which learns from features, and such a strategy, which it is for."""
    from cutpoint.learners import LEARNERS, make_learner
    from cutpoint.learners.base import check_gives, reads

    if reads(LEARNERS.get(settings.learner.partition(":")[0])) == "pictures":  # before it is asked what it lacks
        raise UsageError(
            f"the learner {settings.learner} reads pictures, and a campaign's model learns from features; take "
            "another, such as logistic or torch-mlp, and make the features with an encoder: init --encoder FILE."
        )
    learner = make_learner(settings.learner, len(settings.classes))
    check_gives(settings.strategy, learner, settings.learner)


def train(state: State, files: ArrayFiles, run: str, pool: Pool) -> list[New]:
    """The events of a training that went well: its scores, which are on disk, and its end.

    Raises UsageError for scores that cannot be meant, and whatever the learner raises.
    """
    from cutpoint.learners import make_learner

    start = time.perf_counter()
    settings, version = state.made, len(state.runs.scores) + 1
    labels = labels_of(state)
    seed = np.random.SeedSequence(settings.seed, spawn_key=(_FIT, version)).generate_state(1)[0]
    model = make_learner(settings.learner, len(settings.classes)).fit(pool, labels, seed=int(seed))
    scores = model.score(pool, needs(state))
    check(scores, state.count, len(settings.classes))
    missing = sorted(name for name in needs(state) if getattr(scores, name) is None)
    if missing:
        raise UsageError(
            f"the learner {settings.learner} gives no {' and no '.join(missing)}, and {settings.strategy} reads it; "
            "take another learner, or a strategy that reads probabilities alone."
        )
    arrays = {"probs": scores.probs, "embedding": scores.embedding, "head": scores.head}
    entries = {name: files.put(name, array) for name, array in arrays.items() if array is not None}
    data = {"version": version, "classes": scores.n_classes, "rows": scores.n_examples, "upto": state.number}
    measures = measured(state, files, labels) | dict(model.notes) | {"seconds": time.perf_counter() - start}
    finite = {name: float(value) for name, value in measures.items() if np.isfinite(value)}
    published = New("scores_published", data | {"run": run, "files": entries, "measures": finite})
    return [published, New("training_finished", {"run": run, "version": version})]


def check(scores: Scores, n: int, n_classes: int) -> None:
    """UsageError for scores of another shape, or that say the same of all items; `Scores` has checked the rest."""
    if scores.probs.shape != (n, n_classes):
        raise UsageError(f"the scores have shape {scores.probs.shape}; they must be ({n}, {n_classes}).")
    if n > 1 and n_classes > 1 and (scores.probs == scores.probs[0]).all():
        raise UsageError(f"the scores are the same for all {n} items; they put nothing in an order.")


def pool_of(state: State, files: ArrayFiles) -> Pool:
    """The features of all items; where all came at one time they stay in their file."""
    from cutpoint.data.pool import Pool

    parts = [files.open(data["features"]) for _, data in state.pools if data["count"]]
    return Pool(parts[0] if len(parts) == 1 else np.concatenate(parts))


def labels_of(state: State) -> NDArray[np.int32]:
    """(N,) what a model learns from, -1 where nothing is known: the labels that follow from the votes.

    Where several people answer each item, another label where the model of Dawid and Skene clearly says so: it weighs
    each person's answers by how often that person agrees with the others. Never of a decided item.
    """
    labels = state.ballots.derived()
    if state.made.overlap > 1:
        for item, label in agreement(state).weighed.items():
            labels[item] = label
    return labels


def measured(state: State, files: ArrayFiles, labels: Labels) -> dict[str, float]:
    """What is worth knowing of the labels: how many, of which class, and how many of the new ones were foreseen.

    "foreseen" is of the model before, which the last scores are of: their mean recall over the labels of items of which
    nothing was said when it learned, of the "foreseen_classes" classes that occur among them. These questions were
    chosen because they are hard, so it is no estimate of accuracy on the pool. "foreseen_added" labels are of classes
    that were added after that model, which could not foresee them: they do not count.
    """
    counts = np.bincount(labels[labels != UNKNOWN], minlength=len(state.made.classes))
    values = {"labels": float(counts.sum())} | {f"found_{k}": float(count) for k, count in enumerate(counts)}
    return values | (_foreseen(state, files, labels) if state.runs.scores else {})


def _foreseen(state: State, files: ArrayFiles, labels: Labels) -> dict[str, float]:
    """What the newest model had foreseen; nothing where it could have foreseen no label, or its scores are lost."""
    last = state.runs.scores[-1]
    now = labels[: last["rows"]]
    new = np.sort(np.array([i for i in state.ballots.known_since(last["upto"]) if i < len(now)], np.intp))
    known = new[now[new] < last["classes"]]
    if not len(known):
        return {}
    with suppress(DataError):  # they are lost, and nobody knows what they foresaw
        said = files.open(last["files"]["probs"])[known].argmax(axis=1)
        recall = recall_per_class(now[known], said, last["classes"])
        values = {"foreseen": float(np.nanmean(recall)), "foreseen_classes": float(np.isfinite(recall).sum())}
        return values | ({"foreseen_added": float(len(new) - len(known))} if len(known) < len(new) else {})
    return {}
