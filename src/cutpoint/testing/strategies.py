"""The laws of a strategy, each a function of the strategy and a small drawn round."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.session import Session, run
from cutpoint.testing.trials import Trial, linear_scores, trials
from cutpoint.types import UNKNOWN, Index, Labels, Round, Scores, Strategy


def check_strategy(strategy: Strategy, *, seeds: int = 2) -> None:
    """Raise AssertionError at the first law of STRATEGY_LAWS that `strategy` breaks on any of the trials."""
    for seed in range(seeds):
        for trial in trials(seed):
            for law, holds in STRATEGY_LAWS.items():
                try:
                    holds(strategy, trial)
                except Exception as error:
                    reason = str(error) if isinstance(error, AssertionError) else repr(error)
                    raise AssertionError(f"{law}: broken on '{trial.what}' (seed {seed}): {reason}") from error


def _asks_exactly_the_budget(strategy: Strategy, trial: Trial) -> None:
    """Distinct pool indices that may be asked; the session refuses all others."""
    asked: list[int] = []

    def oracle(indices: Index) -> Labels:
        asked.extend(indices.tolist())
        return trial.truth[indices]

    labels = run(strategy, trial.round, oracle)
    most = min(trial.round.budget, len(trial.round.unlabelled()))
    assert len(set(asked)) == most, f"{len(set(asked))} examples were asked; it must be {most}."
    new = np.flatnonzero(labels != trial.round.labels)
    assert new.tolist() == sorted(asked), "labels appeared that were not asked for."


def _draws_from_the_rounds_seed_alone(strategy: Strategy, trial: Trial) -> None:
    """The same round gives the same questions, and leaves it and all global generators as they were."""
    scores = trial.round.scores
    given = (trial.round.labels, trial.round.held, scores.probs, scores.embedding, scores.head)
    arrays: list[NDArray[Any]] = [array for array in given if array is not None]
    before = [array.copy() for array in arrays]
    theirs, plain = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        first = _asked(strategy, trial)
        untouched = _same_state(theirs, np.random.get_state()) and plain == random.getstate()  # noqa: NPY002
        assert untouched, "a global random state was used; draw from round.rng()."
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        assert _asked(strategy, trial) == first, "the same round gave other questions the second time."
    finally:
        np.random.set_state(theirs)  # noqa: NPY002
        random.setstate(plain)
    for array, copy in zip(arrays, before, strict=True):
        assert np.array_equal(array, copy), "the round's own arrays were changed."


def _takes_a_batch_in_any_order(strategy: Strategy, trial: Trial) -> None:
    """In a blocking session, the order in which a batch's answers arrive does not matter."""
    rng = np.random.default_rng(1)
    expected = _asked(strategy, trial)
    for _ in range(2):
        session = Session(strategy, trial.round)
        while not session.done:
            for i in rng.permutation(session.wanted).tolist():
                session.tell(i, int(trial.truth[i]))
        assert session.asked.tolist() == expected, "another order of the same answers led to other questions."


def _bears_skipped_questions(strategy: Strategy, trial: Trial) -> None:
    """A skipped question is spent and not asked again; the rest of the budget is asked all the same."""
    most = min(trial.round.budget, len(trial.round.unlabelled()))
    for share in (0.4, 1.0):
        rng = np.random.default_rng(2)
        session = Session(strategy, trial.round)
        while not session.done:
            i = int(rng.choice(session.wanted))
            if rng.random() < share:
                session.skip(i)
            else:
                session.tell(i, int(trial.truth[i]))
        asked = len(session.asked)
        assert asked == most, f"{asked} questions were asked when some were skipped; it must be {most}."


def _welcomes_answers_that_nobody_asked_for(strategy: Strategy, trial: Trial) -> None:
    """They are data, not spending: the budget is asked, or all that is left, and answers may come twice."""
    rng = np.random.default_rng(3)
    likely = _asked(strategy, trial)  # what it would ask next is what it must not ask any more
    for in_flight in (None, 3):
        session = Session(strategy, trial.round, in_flight=in_flight)
        while not session.done:
            i = int(rng.choice(session.wanted if rng.random() < 0.5 else likely))
            for _ in range(2):
                session.tell(i, int(trial.truth[i]))
        _budget_is_spent(session)


def _keeps_several_in_flight(strategy: Strategy, trial: Trial) -> None:
    """However many are open, answered in any order or skipped: distinct examples, the exact budget."""
    for in_flight in (1, 2, 7, 100):
        rng = np.random.default_rng(in_flight)
        session = Session(strategy, trial.round, in_flight=in_flight)
        while not session.done:
            i = int(rng.choice(session.wanted))
            if rng.random() < 0.1:
                session.skip(i)
            else:
                session.tell(i, int(trial.truth[i]))
        _budget_is_spent(session)


def _is_rebuilt_from_its_log(strategy: Strategy, trial: Trial) -> None:
    """A session made again from the log has the same open questions, labels and future."""
    for in_flight in (None, 1, 3):
        rng = np.random.default_rng([4, in_flight or 0])
        session = Session(strategy, trial.round, in_flight=in_flight)
        for _ in range(int(rng.integers(2 * trial.round.budget + 1)) if len(trial.truth) else 0):
            _some_event(session, trial, rng)
        again = Session(strategy, trial.round, session.log, in_flight=in_flight)
        while True:
            wanted, labels = session.wanted.tolist(), session.labels
            assert again.wanted.tolist() == wanted, f"open are {again.wanted.tolist()}; they were {wanted}."
            assert np.array_equal(again.labels, labels), "the labels are not the same."
            assert again.done == session.done, "one has finished and the other has not."
            if session.done:
                break
            i = int(rng.choice(wanted))
            for one in (session, again):
                one.tell(i, int(trial.truth[i]))


STRATEGY_LAWS: Mapping[str, Callable[[Strategy, Trial], None]] = {
    "asks exactly the budget": _asks_exactly_the_budget,
    "draws from the round's seed alone": _draws_from_the_rounds_seed_alone,
    "takes a batch in any order": _takes_a_batch_in_any_order,
    "bears skipped questions": _bears_skipped_questions,
    "welcomes answers that nobody asked for": _welcomes_answers_that_nobody_asked_for,
    "keeps several in flight": _keeps_several_in_flight,
    "is rebuilt from its log": _is_rebuilt_from_its_log,
}
"""What every strategy does: law -> check(strategy, trial), which raises AssertionError where it is broken."""


def check_equivariance(strategy: Strategy, *, seeds: int = 10, renamed: bool = True) -> None:
    """For strategies that draw nothing: permuting the pool permutes the questions; names of classes are free.

    renamed: False for strategies that go through the classes by number. Tried on rounds without exact ties, answered
    truthfully.
    """
    for seed in range(seeds):
        rng = np.random.default_rng([5, seed])
        n, n_classes = int(rng.integers(2, 40)), int(rng.integers(2, 6))
        scores = linear_scores(rng, n, n_classes, sharp=1.0)
        truth = np.minimum(rng.integers(2 * n_classes, size=n), n_classes - 1)  # the last class is the majority
        labels = np.where(np.arange(n) < n // 2, truth, UNKNOWN)
        labels[: n // 2 : 2] = n_classes - 1
        trial = Trial("no ties", Round(scores, labels, budget=9, seed=seed), truth)
        asked = _asked(strategy, trial)
        place, name = (
            rng.permutation(n),
            rng.permutation(n_classes),
        )  # i moves to place[i], class k becomes name[k]
        moved = _asked(strategy, _moved(trial, place))
        assert moved == place[asked].tolist(), f"permuting the pool changed the questions (seed {seed})."
        if renamed:
            others = _asked(strategy, _renamed(trial, name))
            assert others == asked, f"renaming the classes changed the questions (seed {seed})."


def _asked(strategy: Strategy, trial: Trial) -> list[int]:
    """All questions of a blocking round with truthful answers, in order."""
    session = Session(strategy, trial.round)
    while not session.done:
        for i in session.wanted.tolist():
            session.tell(i, int(trial.truth[i]))
    return [int(i) for i in session.asked]


def _budget_is_spent(session: Session) -> None:
    """All of the budget was asked, or nothing is left that may be."""
    round, asked = session.round, session.asked
    free = session.labels == UNKNOWN
    free[round.held] = free[asked] = False
    left = np.count_nonzero(free)
    spent = len(asked) == round.budget or not left
    assert spent, f"{len(asked)} of {round.budget} questions were asked while {left} examples were left."


def _some_event(session: Session, trial: Trial, rng: np.random.Generator) -> None:
    """An answer, a skip, an answer that nobody asked for, a label taken back, or another number in flight."""
    event, anyone = rng.random(), int(rng.integers(len(trial.truth)))
    if event < 0.6 and len(session.wanted):
        session.tell(int(rng.choice(session.wanted)), int(trial.truth[anyone]))
    elif event < 0.7 and len(session.wanted):
        session.skip(int(rng.choice(session.wanted)))
    elif event < 0.8:
        session.tell(anyone, int(trial.truth[anyone]))
    elif event < 0.9:
        session.tell(anyone, UNKNOWN)
    else:
        session.resize(None if event < 0.93 else int(rng.integers(1, 6)))


def _same_state(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _moved(trial: Trial, place: Index) -> Trial:
    """The same round with example i at place[i]."""
    round, back = trial.round, np.argsort(place)
    scores = round.scores
    assert scores.embedding is not None
    moved = Scores(scores.probs[back], scores.embedding[back], scores.head)
    return Trial(trial.what, replace(round, scores=moved, labels=round.labels[back]), trial.truth[back])


def _renamed(trial: Trial, name: Index) -> Trial:
    """The same round with class k called name[k]."""
    round, back = trial.round, np.argsort(name)
    scores = round.scores
    assert scores.head is not None
    labels = np.append(name, UNKNOWN)[round.labels]
    renamed = Scores(scores.probs[:, back], scores.embedding, scores.head[back])
    return Trial(trial.what, replace(round, scores=renamed, labels=labels), name[trial.truth])
