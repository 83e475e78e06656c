"""FLQMI and lazy greedy: what the papers prove, plain greedy as the judge, and odd input."""

from __future__ import annotations

import logging
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutpoint import STRATEGIES, UNKNOWN, Round, Scores, Session
from cutpoint.core.submodular import Gradients, MutualInformation, Places, Submodular, flqmi_greedy, lazy_greedy

Floats = NDArray[np.floating[Any]]
SEEDS = st.integers(0, 2**32 - 1)


class Table:
    """FLQMI on a table of similarities (M, |Q|), its bounds as loose as wished."""

    def __init__(self, similar: Floats, eta: float = 1.0, loose: float = 0.0, tolerance: float = 1e-12) -> None:
        self.similar, self.eta, self.loose, self.tolerance = similar.astype(float), eta, loose, tolerance
        self.best = np.full(similar.shape[1], -1.0)
        self.looked_at = 0

    def gains(self, places: Places) -> NDArray[np.float64]:
        """(n,) from the definition."""
        self.looked_at += len(places)
        rows = self.similar[places]
        nearest = rows.max(axis=1, initial=-1)
        return np.asarray(np.maximum(rows - self.best, 0).sum(axis=1) + self.eta * nearest, np.float64)

    def bounds(self, places: Places) -> NDArray[np.float64]:
        """(n,) the gains and something more, another thing for each place."""
        seen, self.looked_at = self.looked_at, 0
        above = self.gains(places) + self.loose * (1 + np.sin(places))
        self.looked_at = seen
        return above

    def take(self, place: int) -> None:
        """Raise the best."""
        np.maximum(self.best, self.similar[place], out=self.best)

    def value(self, batch: tuple[int, ...]) -> float:
        """f of a batch."""
        rows = self.similar[list(batch)]
        return float(rows.max(axis=0).sum() + self.eta * rows.max(axis=1, initial=-1).sum())


def plain_greedy(function: Submodular, n: int, size: int) -> list[int]:
    """Every gain in every step; the lowest place of those that are largest but for the tolerance."""
    left, chosen = list(range(n)), list[int]()
    while left and len(chosen) < size:
        gains = function.gains(np.array(left))
        place = left[int(np.flatnonzero(gains >= gains.max() - function.tolerance)[0])]
        function.take(place)
        left.remove(place)
        chosen.append(place)
    return chosen


def similarities(rng: np.random.Generator, m: int, q: int, step: float, least: float = -1.0) -> Floats:
    """(m, q) in least..1, those that are drawn below it raised to it; in steps, so that many are tied, if `step`."""
    similar = np.maximum(rng.uniform(-1, 1, (m, q)), least)
    return np.round(similar / step) * step if step else similar


def gradients(rng: np.random.Generator, n: int, k: int, d: int, dtype: str = "float32") -> Gradients:
    """n gradients as a model gives them: every row of the outputs is p - e."""
    outputs = rng.dirichlet(np.ones(k), n)
    outputs[np.arange(n), rng.integers(k, size=n)] -= 1
    return Gradients(outputs, rng.normal(size=(n, d)).astype(dtype))


def table_of(queries: Gradients, candidates: Gradients) -> Floats:
    """(M, |Q|) cosines from whole gradients in double precision."""

    def whole(g: Gradients) -> Floats:
        rows = np.einsum("nk,nd->nkd", g.outputs.astype(float), g.hidden.astype(float)).reshape(len(g.hidden), -1)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.where(length > 0, length, 1))

    return np.asarray(whole(candidates) @ whole(queries).T)


def rows_of(g: Gradients, places: Places) -> Gradients:
    """Some of the gradients."""
    return Gradients(g.outputs[places], g.hidden[places])


# --- what is proven ---------------------------------------------------------------------------------------


@given(SEEDS, st.integers(1, 9), st.integers(1, 6), st.integers(1, 4), st.sampled_from([0.0, 0.5, 1.0, 3.0]))
def test_greedy_reaches_1_less_1_over_e_of_the_optimum(seed: int, m: int, q: int, size: int, eta: float) -> None:
    """Nemhauser, Wolsey and Fisher 1978, where no similarity is negative; the optimum by brute force."""
    similar = similarities(np.random.default_rng(seed), m, q, 0.0, least=0.0)
    chosen = lazy_greedy(Table(similar, eta), m, size)
    table, size = Table(similar, eta), min(size, m)
    optimum = max(table.value(batch) for batch in combinations(range(m), size))
    assert table.value(tuple(chosen.tolist())) >= (1 - 1 / np.e) * optimum - 1e-9


@given(SEEDS, st.integers(1, 8), st.integers(1, 5))
def test_gains_are_what_f_grows_by_and_never_grow(seed: int, m: int, q: int) -> None:
    rng = np.random.default_rng(seed)
    queries, candidates = gradients(rng, q, 3, 4), gradients(rng, m, 3, 4)
    function = MutualInformation(queries, lambda places: rows_of(candidates, places))
    table, everybody = Table(table_of(queries, candidates)), np.arange(m)
    batch: tuple[int, ...] = ()
    value, before = -float(q), np.full(m, np.inf)  # before the first, every query's best is -1
    for place in rng.permutation(m).tolist():
        gains, bounds = function.gains(everybody), function.bounds(everybody)
        assert (gains <= bounds).all(), "a bound in single precision is below the gain"
        assert (gains <= before + function.tolerance).all()
        assert (gains >= -1 - function.tolerance).all()
        batch = (*batch, place)
        grown = table.value(batch)
        assert abs(gains[place] - (grown - value)) <= 1e-9
        function.take(place)
        value, before = grown, gains


# --- lazy is plain ----------------------------------------------------------------------------------------


@given(
    SEEDS, st.integers(0, 120), st.integers(0, 8), st.integers(1, 130), st.sampled_from([0.0, 0.25, 1.0]), st.booleans()
)
def test_lazy_greedy_on_a_table_is_plain_greedy(seed: int, m: int, q: int, size: int, step: float, loose: bool) -> None:
    """However loose the bounds, and with the same ties to the lower place."""
    similar = similarities(np.random.default_rng(seed), m, q, step)
    lazy = lazy_greedy(Table(similar, loose=2.0 * loose), m, size)
    assert lazy.tolist() == plain_greedy(Table(similar), m, size)


@given(SEEDS, st.integers(1, 200), st.integers(1, 40), st.sampled_from(["float16", "float32", "float64"]))
def test_lazy_greedy_on_gradients_is_plain_greedy(seed: int, m: int, q: int, dtype: str) -> None:
    """Copies among the candidates and among the queries; plain greedy on cosines of whole gradients."""
    rng = np.random.default_rng(seed)
    k, d = int(rng.integers(2, 6)), int(rng.integers(1, 9))
    queries = rows_of(gradients(rng, q, k, d, dtype), rng.integers(q, size=q))
    candidates = rows_of(gradients(rng, m, k, d, dtype), rng.integers(m, size=m))
    lazy = flqmi_greedy(queries, lambda places: rows_of(candidates, places), m, 20)
    assert lazy.tolist() == plain_greedy(Table(table_of(queries, candidates), tolerance=1e-10), m, 20)


def test_blocks_of_rows_and_queries_change_nothing() -> None:
    rng = np.random.default_rng(0)
    queries, candidates = gradients(rng, 1100, 4, 6), gradients(rng, 1500, 4, 6)
    copies = rows_of(candidates, rng.integers(1500, size=1500))
    lazy = flqmi_greedy(queries, lambda places: rows_of(copies, places), 1500, 40)
    assert lazy.tolist() == plain_greedy(Table(table_of(queries, copies), tolerance=1e-9), 1500, 40)


def test_few_gains_are_computed() -> None:
    similar = similarities(np.random.default_rng(0), 20_000, 30, 0.0)
    table = Table(similar, loose=1e-3)
    lazy_greedy(table, len(similar), 50)
    assert table.looked_at < 2_000


def test_thousands_that_are_tied_are_not_all_looked_at_in_every_step() -> None:
    table = Table(np.ones((20_000, 3)))
    assert lazy_greedy(table, 20_000, 100).tolist() == list(range(100))
    assert table.looked_at < 30_000


def test_places_above_are_taken_where_they_are_better_by_more_than_rounding() -> None:
    similar = np.array([[0.5], [0.5 + 1e-13], [0.5 + 1e-6]])
    assert lazy_greedy(Table(similar), 3, 3).tolist() == [2, 0, 1]


# --- odd numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "dtype"), [(1e30, "float32"), (1e-42, "float32"), (1e250, "float64"), (60.0, "float16")]
)
def test_the_scale_of_the_embedding_changes_nothing(scale: float, dtype: str) -> None:
    """Powers of two next to the scale, so that the numbers are scaled exactly."""
    rng = np.random.default_rng(1)
    whole = Gradients(gradients(rng, 30, 3, 5).outputs, rng.integers(-8, 9, (30, 5)).astype(dtype))
    factor = np.array(2.0 ** np.floor(np.log2(scale))).astype(dtype)
    scaled = Gradients(whole.outputs, whole.hidden * factor)
    first, second = (
        flqmi_greedy(rows_of(g, np.arange(5)), lambda places, g=g: rows_of(g, places + 5), 25, 10)  # type: ignore[misc]
        for g in (whole, scaled)
    )
    assert first.tolist() == second.tolist()


def test_no_query_and_no_candidate() -> None:
    rng = np.random.default_rng(2)
    some, none = gradients(rng, 4, 3, 2), gradients(rng, 0, 3, 2)
    assert flqmi_greedy(none, lambda places: rows_of(some, places), 4, 3).tolist() == [0, 1, 2]
    assert flqmi_greedy(some, lambda places: rows_of(none, places), 0, 3).tolist() == []


# --- the strategy -----------------------------------------------------------------------------------------


def asked(round: Round, name: str = "similar") -> list[int]:
    """What the strategy asks at once."""
    return [int(i) for i in Session(STRATEGIES[name].strategy, round).wanted]


def a_round(embedding: Floats, n_classes: int = 3, budget: int = 6, labels: Any = (0, 0, 0, 1, 1, 2)) -> Round:
    """The first examples labelled, the rest not; drawn probabilities."""
    probs = np.random.default_rng(3).dirichlet(np.ones(n_classes), len(embedding)).astype(np.float32)
    known = np.full(len(embedding), UNKNOWN)
    known[: len(labels)] = labels
    return Round(Scores(probs, embedding), known, budget)


def expected(round: Round, size: int) -> list[int]:
    """Plain greedy on whole gradients: a query's from its label, a candidate's from its largest probability."""
    probs, embedding, labels = round.scores.probs.astype(float), round.scores.embedding, round.labels
    assert embedding is not None
    minority, free = np.flatnonzero((labels != UNKNOWN) & (labels != 0)), round.unlabelled()
    eye = np.eye(round.scores.n_classes)
    queries = Gradients(probs[minority] - eye[labels[minority]], embedding[minority])
    candidates = Gradients(probs[free] - eye[probs[free].argmax(axis=1)], embedding[free])
    table = Table(table_of(queries, candidates), tolerance=1e-10)
    return [int(free[place]) for place in plain_greedy(table, len(free), size)]


EMBEDDINGS = {
    "drawn": np.random.default_rng(4).normal(size=(40, 5)).astype(np.float32),
    "half precision": np.random.default_rng(4).normal(size=(40, 5)).astype(np.float16),
    "one column": np.random.default_rng(4).normal(size=(40, 1)).astype(np.float32),
    "constant": np.ones((40, 5), np.float32),
    "zero": np.zeros((40, 5), np.float32),
    "copies": np.repeat(np.random.default_rng(4).normal(size=(8, 5)), 5, axis=0).astype(np.float32),
    "a query of length 0": np.random.default_rng(4).normal(size=(40, 5)) * (np.arange(40) != 4)[:, None],
}


@pytest.mark.parametrize("what", EMBEDDINGS)
def test_odd_embeddings_are_chosen_from_as_by_plain_greedy(what: str) -> None:
    round = a_round(EMBEDDINGS[what])
    assert asked(round) == expected(round, 6)


def test_a_constant_embedding_and_two_classes_leave_the_lowest_of_the_likely() -> None:
    """All cosines are 1 or -1: first those predicted to be of the rare class, then the others, each in order."""
    rare = np.random.default_rng(5).integers(1, 64, 40).astype(np.float32) / 64
    labels = np.array([0, 0, 1] + 37 * [UNKNOWN])
    round = Round(Scores(np.stack([1 - rare, rare], axis=1), np.ones((40, 5), np.float32)), labels, budget=37)
    likely = [i for i in range(3, 40) if rare[i] > 0.5]
    assert 6 < len(likely) < 31
    assert asked(round) == likely + [i for i in range(3, 40) if i not in likely]


def test_fewer_unlabelled_than_budget() -> None:
    round = a_round(EMBEDDINGS["drawn"][:10], budget=100)
    assert asked(round) == expected(round, 4)
    assert sorted(asked(round)) == [6, 7, 8, 9]


@pytest.mark.parametrize(("labels", "n_classes"), [((), 3), ((0, 0, 0), 3), ((1, 1), 3), ((0, 0), 1)])
def test_without_a_minority_it_says_so_and_most_likely_positive_chooses(
    labels: tuple[int, ...], n_classes: int, caplog: pytest.LogCaptureFixture
) -> None:
    round = a_round(EMBEDDINGS["drawn"], n_classes, labels=labels)
    with caplog.at_level(logging.WARNING, "cutpoint"):
        choice = asked(round)
    assert choice == asked(round, "most_likely_positive")
    assert [record.getMessage() for record in caplog.records] == [
        "similar: no example of a minority class is labelled yet, so most_likely_positive chooses."
    ]


def test_of_equally_frequent_classes_the_lowest_is_the_majority() -> None:
    """Labels 0, 1, 1, 0: only the examples of class 1 are queries, and nothing is logged."""
    round = a_round(EMBEDDINGS["drawn"], labels=(0, 1, 1, 0))
    assert asked(round) == expected(round, 6)
