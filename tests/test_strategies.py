"""Law 8: every question of every strategy is its naive twin's; laws 2, 4 and 6 on drawn pools."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from cutpoint import STRATEGIES, UNKNOWN, Index, Labels, Round, Scores, Session, run
from draw import Case, cases

Answers = Callable[[list[int]], Mapping[int, int]]


def truthful(case: Case) -> Answers:
    return lambda batch: {i: case.truth[i] for i in batch}


def messy(case: Case) -> Answers:
    """Wrong answers, skipped questions, and answers that nobody asked for; a function of the batch alone."""

    def reply(batch: list[int]) -> Mapping[int, int]:
        dice = random.Random(str((case.seed, batch)))
        answers = {}
        for i in batch:
            if dice.random() < 0.8:
                answers[i] = case.truth[i] if dice.random() < 0.8 else dice.randrange(case.n_classes)
        if dice.random() < 0.3:
            i = dice.randrange(len(case.truth))
            if i not in batch:
                answers[i] = dice.randrange(case.n_classes)
        return answers

    return reply


def drive(name: str, case: Case, reply: Answers, *, in_flight: int | None = None) -> list[list[int]]:
    """Every batch that a session asks; unasked answers come first, then the batch's own in a drawn order."""
    session = Session(STRATEGIES[name].strategy, case.round(), in_flight=in_flight)
    asked = []
    dice = random.Random(case.seed)
    while not session.done:
        batch = session.wanted.tolist()
        asked.append(batch)
        answers = reply(batch)
        for i in answers.keys() - set(batch):
            session.tell(i, answers[i])
        for i in dice.sample(batch, len(batch)):
            if i in answers:
                session.tell(i, answers[i])
            else:
                session.skip(i)
    assert session.asked.tolist() == [i for batch in asked for i in batch]
    return asked


def twin(name: str, case: Case, reply: Answers) -> list[list[int]]:
    """The naive round's batches."""
    book = naive.Book(case.labels, reply, case.held)
    rng = np.random.default_rng(case.seed)
    match name:
        case "direct":
            naive.direct_round(case.probs, book, case.budget, case.parallel, rng)
        case "galaxy":
            naive.galaxy_round(case.probs, book, case.budget, rng)
        case "random":
            naive.random_round(case.probs, book, case.budget, rng)
        case "confidence":
            naive.ranked_round(naive.confidence_values(case.probs), book, case.budget)
        case "margin":
            naive.ranked_round(naive.margin_values(case.probs), book, case.budget)
        case "most_likely_positive":
            naive.ranked_round(naive.positive_values(case.probs, case.labels), book, case.budget)
    return [batch for batch in book.batches if batch]


TWINS = ("direct", "galaxy", "random", "confidence", "margin", "most_likely_positive")


@pytest.mark.parametrize("name", TWINS)
@given(case=cases())
def test_every_question_is_the_twins(name: str, case: Case) -> None:
    reply = truthful(case)
    assert drive(name, case, reply) == twin(name, case, reply)


@pytest.mark.parametrize("name", TWINS)
@given(case=cases())
def test_every_question_is_the_twins_under_noise_skips_and_unasked_answers(name: str, case: Case) -> None:
    reply = messy(case)
    assert drive(name, case, reply) == twin(name, case, reply)


@given(case=cases(max_n=150, max_classes=3))
def test_direct_is_its_twin_on_larger_pools(case: Case) -> None:
    """Long enough for windows that shrink in several steps, and for both ways of drawing a batch."""
    reply = messy(case)
    assert drive("direct", case, reply) == twin("direct", case, reply)


@given(case=cases())
def test_entropy_is_its_twin_up_to_rounding(case: Case) -> None:
    """Sums of p log p may differ in the last digits: values are compared, and equal rows come by index."""
    asked = [i for batch in drive("entropy", case, truthful(case)) for i in batch]
    values = naive.entropy_values(case.probs)
    book = naive.Book(case.labels, truthful(case), case.held)
    naive.ranked_round(values, book, case.budget)
    assert len(asked) == len(book.asked)
    assert np.allclose([values[i] for i in asked], [values[i] for i in book.asked], rtol=0, atol=1e-6)
    last: dict[bytes, int] = {}
    for i in asked:
        row = case.probs[i].tobytes()
        assert i > last.get(row, -1)
        last[row] = i


# --- exact budgets and the blind oracle -------------------------------------------------------------------


@pytest.mark.parametrize("name", STRATEGIES)
@given(case=cases())
def test_budget_is_exact_and_nobody_looks_at_what_was_not_asked(name: str, case: Case) -> None:
    """Laws 2 and 4."""
    open_for_questions = set(case.askable)
    handed: list[int] = []

    def oracle(indices: Index) -> Labels:
        handed.extend(indices.tolist())
        return np.array([case.truth[i] for i in indices.tolist()], np.int64)

    labels = run(STRATEGIES[name].strategy, case.round(), oracle)
    assert len(handed) == len(set(handed)) == min(case.budget, len(open_for_questions))
    assert set(handed) <= open_for_questions
    expected = [case.truth[i] if i in set(handed) else label for i, label in enumerate(case.labels)]
    assert labels.tolist() == expected


# --- law 6: strategies that draw nothing follow permutations and new names --------------------------------


def questions_of(name: str, probs: naive.Probs, labels: list[int], budget: int) -> list[int]:
    session = Session(STRATEGIES[name].strategy, Round(Scores(probs), np.array(labels), budget))
    return [int(i) for i in session.wanted]


@pytest.mark.parametrize("name", ["confidence", "margin", "entropy", "most_likely_positive"])
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 25),
    n_classes=st.integers(2, 5),
    budget=st.integers(1, 25),
    data=st.data(),
)
def test_strategies_that_draw_nothing_are_equivariant(
    name: str, *, seed: int, n: int, n_classes: int, budget: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(n_classes), n).astype(np.float32)
    labels = rng.integers(-1, n_classes, n)
    counts = np.bincount(labels[labels >= 0], minlength=n_classes)
    if name == "most_likely_positive" and (counts == counts.max()).sum() > 1:
        return  # which class is the majority is decided by a tie
    new_place = np.array(data.draw(st.permutations(range(n))), np.intp)
    new_name = np.array([*data.draw(st.permutations(range(n_classes))), UNKNOWN])
    moved, renamed, moved_labels = np.empty_like(probs), np.empty_like(probs), np.empty_like(labels)
    moved[new_place], moved_labels[new_place], renamed[:, new_name[:-1]] = probs, labels, probs
    asked = questions_of(name, probs, labels.tolist(), budget)
    assert questions_of(name, moved, moved_labels.tolist(), budget) == new_place[asked].tolist()
    assert questions_of(name, renamed, new_name[labels].tolist(), budget) == asked
