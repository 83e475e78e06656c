"""BAIT: its matrices against the definition with K D columns and direct inverses, odd rounds, fewer directions."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutpoint import STRATEGIES, UNKNOWN, Round, Scores, Session, Strategy
from cutpoint.core import blocks, fisher, fisher_gains, rows
from cutpoint.core.fisher_gains import Gains, Roots
from cutpoint.core.rows import Rows, longest, principal, thin
from cutpoint.errors import UsageError
from cutpoint.strategies.bait import bait_with

Floats = NDArray[np.floating[Any]]
Doubles = NDArray[np.float64]
BAIT = STRATEGIES["bait"].strategy
SEEDS = st.integers(0, 2**32 - 1)


class Explicit:
    """The definition, on every V of K rows and K D columns, each matrix inverted as it is."""

    def __init__(self, h: Floats, probs: Floats, labels: NDArray[np.integer[Any]], budget: int) -> None:
        n, k = probs.shape
        p = probs.astype(np.float64)
        pull = np.sqrt(p)[:, :, None] * (np.eye(k) - p[:, None, :])
        v = (pull[..., None] * h.astype(np.float64)[:, None, None, :]).reshape(n, k, -1)
        self.free = np.flatnonzero(labels == UNKNOWN)
        known = np.flatnonzero(labels != UNKNOWN)
        self.size = min(budget, len(self.free))
        information = np.einsum("nka,nkb->nab", v, v)
        self.pool: Doubles = information.mean(axis=0)
        self.start: Doubles = np.eye(v.shape[2]) + information[known].sum(axis=0) / (len(known) + self.size)
        self.adds: Doubles = information * (self.size / (len(known) + self.size))

    def open(self, chosen: list[int]) -> float:
        """tr(M^-1 F)."""
        return float(np.trace(np.linalg.solve(self.start + self.adds[chosen].sum(axis=0), self.pool)))

    def batch(self) -> list[int]:
        """By brute force."""
        chosen: list[int] = []
        while len(chosen) < min(2 * self.size, len(self.free)):
            chosen.append(min(set(self.free.tolist()) - set(chosen), key=lambda i: self.open([*chosen, i])))
        while len(chosen) > self.size:
            chosen.remove(min(chosen, key=lambda i: self.open([j for j in chosen if j != i])))
        return chosen


def asked(round: Round, strategy: Strategy = BAIT) -> list[int]:
    return [int(i) for i in Session(strategy, round).wanted]


def drawn(seed: int, *, n: int = 20, d: int = 3, n_classes: int = 3, labelled: float = 0.3) -> tuple[Any, Any, Any]:
    """Embedding in double precision, probabilities and labels."""
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(n, d)) * 10 ** rng.uniform(-1, 1)
    probs = rng.dirichlet(np.full(n_classes, 0.7), n).astype(np.float32)
    return h, probs, np.where(rng.random(n) < labelled, rng.integers(n_classes, size=n), UNKNOWN)


def search_on(h: Any, probs: Any, labels: Any, budget: int) -> fisher._Search:
    """A search that has chosen nothing, in double precision."""
    known, rows = np.flatnonzero(labels != UNKNOWN), Rows(h, np.float64)
    weight = 1 / (len(known) + budget)
    start = fisher.prior(probs.shape[1], h.shape[1]) + weight * fisher.information(rows, probs, known)
    return fisher._Search(rows, probs, start, fisher.information(rows, probs) / len(h), weight * budget)


# --- the matrices ---------------------------------------------------------------------------------------------


@given(n_classes=st.integers(2, 6), off=st.sampled_from([0.0, 9e-4]), seed=SEEDS)
def test_roots_are_roots(n_classes: int, off: float, seed: int) -> None:
    """Also of rows that are one-hot, or do not quite sum to one: then up to the square of what is missing."""
    rng = np.random.default_rng(seed)
    p = np.concatenate((rng.dirichlet(np.ones(n_classes), 5), np.eye(n_classes)))
    p *= 1 + off * rng.uniform(-1, 1, (len(p), 1))
    pull = np.sqrt(p)[:, :, None] * (np.eye(n_classes) - p[:, None, :])
    whole = np.einsum("nka,nkb->nab", pull, pull)[:, :-1, :-1]
    root = Roots(p).matrix()
    np.testing.assert_allclose(np.einsum("jan,jbn->nab", root, root), whole, atol=1e-14 + 2 * off**2)


@given(n_classes=st.integers(2, 5), d=st.integers(1, 4), seed=SEEDS)
def test_gains_are_what_the_objective_of_k_d_columns_falls_and_rises_by(n_classes: int, d: int, seed: int) -> None:
    """After some updates by Woodbury, in both directions."""
    h, probs, labels = drawn(seed, d=d, n_classes=n_classes)
    explicit, search = Explicit(h, probs, labels, 6), search_on(h, probs, labels, min(6, np.sum(labels == UNKNOWN)))
    candidates = Rows(h, np.float64)
    adding, leaving = (Gains(candidates, probs, search._weight, sign) for sign in (1, -1))
    gains = adding.start(*search._matrices())
    chosen: list[int] = []
    for i in explicit.free[:5].tolist():
        chosen.append(i)
        gains = adding.changed(*search._change(i, 1))
    now = explicit.open(chosen)
    expected = [now - explicit.open([*chosen, j]) for j in range(len(h))]
    np.testing.assert_allclose(gains, expected, rtol=1e-8, atol=1e-9 * max(now, 1))
    costs = leaving.start(*search._matrices())
    while len(chosen) > 1:
        now = explicit.open(chosen)
        for j in chosen:
            rise = explicit.open([i for i in chosen if i != j]) - now
            np.testing.assert_allclose(costs[j], rise, rtol=1e-6, atol=1e-8 * max(now, 1))
        leaving.drop(chosen[0])
        costs = leaving.changed(*search._change(chosen.pop(0), -1))


@given(pending=st.sampled_from([1, 3, 1000]), seed=SEEDS)
def test_updates_are_the_direct_inverse(pending: int, seed: int) -> None:
    h, probs, labels = drawn(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fisher, "PENDING", pending)
        search = search_on(h, probs, labels, 4)
        start = np.linalg.inv(search._inverse)
        chosen = [0, 3, 3, 7, 9]
        for i in chosen:
            search._change(i, 1)
        search._matrices()
        for i in chosen[:2]:
            search._change(i, -1)
        search._write(-1)
    left = fisher.information(Rows(h, np.float64), probs, np.array(chosen[2:])) * search._weight
    np.testing.assert_allclose(search._inverse @ (start + left), np.eye(len(start)), atol=1e-8)


@given(n_classes=st.integers(2, 4), d=st.integers(1, 3), budget=st.integers(1, 6), seed=SEEDS)
def test_every_step_is_the_best_by_brute_force(n_classes: int, d: int, budget: int, seed: int) -> None:
    h, probs, labels = drawn(seed, n=12, d=d, n_classes=n_classes)
    assert asked(Round(Scores(probs, h), labels, budget)) == Explicit(h, probs, labels, budget).batch()


@pytest.mark.parametrize(("n_classes", "d"), [(2, 40), (3, 24), (6, 12)])
@pytest.mark.parametrize("stretch", [0.1, 1, 9])
def test_in_single_precision_every_step_is_as_good_as_the_best(n_classes: int, d: int, stretch: float) -> None:
    """Up to one in ten thousand, with nothing labelled: then the first steps take most, and leave most rounding."""
    h, probs, _ = drawn(1, n=400, d=d, n_classes=n_classes)
    h = ((h / h.std() + 0.5) * stretch).astype(np.float32)
    labels = np.full(400, UNKNOWN)
    search, exact_rows = search_on(h, probs, labels, 30), Rows(h, np.float64)
    single, exact = Gains(Rows(h, np.float32), probs, search._weight), Gains(exact_rows, probs, search._weight)
    left = np.ones(400, bool)
    gains = single.start(*search._matrices())
    top = gains.max()
    assert gains.dtype == np.float32
    for step in range(1, 61):
        if gains[left].max() * fisher.AFRESH < top:
            gains, top = single.start(*search._matrices()), gains[left].max()
        i = int(np.argmax(np.where(left, gains, -1)))
        if step in (2, 5, 15, 30, 45, 60):
            best = exact.start(*search._matrices())
            assert best[i] >= best[left].max() * (1 - 1e-4)
            np.testing.assert_allclose(gains[left], best[left], atol=5e-4 * best[left].max())
        left[i] = False
        gains = single.changed(*search._change(i, 1))


def test_blocks_and_strips_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    h, probs, labels = drawn(2, n=90, d=5, n_classes=4)
    expected = asked(Round(Scores(probs, h), labels, 12))
    for module, name, value in [
        (fisher_gains, "LONGEST", 7),
        (fisher_gains, "STRIP", 3),
        (blocks, "THREADED_FROM", 1),
        (rows, "BLOCK", 11),
        (rows, "SMALL", 600),
        (rows, "LEAST", 1),
        (fisher, "AFRESH", 1.01),
    ]:
        monkeypatch.setattr(module, name, value)
        assert asked(Round(Scores(probs, h), labels, 12)) == expected


def test_thin_products_are_products() -> None:
    a, b = np.arange(600.0).reshape(200, 3), np.arange(6.0).reshape(3, 2)
    assert np.array_equal(thin(a, b, slice(5, 150)), (a[5:150] @ b).T)
    assert np.array_equal(thin(Rows(a, np.float64, 0.5), b, slice(5, 150)), (a[5:150] / 2 @ b).T)


# --- odd rounds -----------------------------------------------------------------------------------------------


def test_with_one_class_or_nothing_to_learn_the_lowest_indices_are_asked() -> None:
    h, probs, labels = drawn(3)
    free = np.flatnonzero(labels == UNKNOWN).tolist()
    sure = np.eye(3, dtype=np.float32)[np.arange(20) % 3]
    for scores in (
        Scores(np.ones((20, 1), np.float32), h),
        Scores(sure, h),
        Scores(probs, np.zeros_like(h)),
        Scores(probs, h[:, :0]),
    ):
        assert asked(Round(scores, np.minimum(labels, scores.n_classes - 1), 5)) == free[:5]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_of_equal_examples_the_lower_indices_are_asked(dtype: Any, n_classes: int) -> None:
    h, probs, _ = drawn(4, n=8, n_classes=n_classes)
    source = np.random.default_rng(5).integers(8, size=700)
    labels = np.full(700, UNKNOWN)
    labels[:3] = 0
    picks = asked(Round(Scores(probs[source], h[source].astype(dtype)), labels, 40))
    for kind in range(8):
        same = np.flatnonzero((source == kind) & (labels == UNKNOWN))
        taken = np.isin(same, picks)
        assert (np.diff(taken.astype(int)) <= 0).all()  # all that are taken come before all that are not


@pytest.mark.parametrize("labelled", [0.0, 0.5, 0.9, 1.1])
@pytest.mark.parametrize("budget", [1, 3, 12, 19, 40])
def test_however_few_are_left_the_budget_is_asked(labelled: float, budget: int) -> None:
    for seed, d in [(6, 1), (7, 3)]:
        h, probs, labels = drawn(seed, d=d, labelled=labelled)
        explicit = Explicit(h, probs, labels, budget)
        picks = asked(Round(Scores(probs, h), labels, budget))
        assert picks == (explicit.batch() if explicit.size else [])
        assert len(set(picks)) == explicit.size


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("stretch", [0.0, 1e-300, 1e-40, 1e-6, 1.0, 1e3, 1e30, 1e150, 1e300])
def test_an_embedding_of_any_scale_is_borne(dtype: Any, stretch: float) -> None:
    h, probs, labels = drawn(8, n=60, d=4)
    wide = np.nan_to_num(np.clip(h * stretch, np.finfo(dtype).min, np.finfo(dtype).max)).astype(dtype)
    for embedding in (wide, np.full_like(wide, wide[0, 0]), np.asfortranarray(wide), wide[:, ::-1]):
        assert len(set(asked(Round(Scores(probs, embedding), labels, 15)))) == 15


def test_where_the_identity_hardly_counts_its_size_hardly_matters() -> None:
    """Both by another way than the usual one: in double precision, divided by the longest row."""
    h, probs, labels = drawn(9, n=60, d=3)
    labels[:20] = 0
    picks = [asked(Round(Scores(probs, (h * 2.0**power).astype(np.float32)), labels, 6)) for power in (14, 15)]
    assert picks[0] == picks[1] == asked(Round(Scores(probs, h.astype(np.float32).astype(float) * 2**14), labels, 6))


# --- fewer directions -----------------------------------------------------------------------------------------


@given(n_classes=st.integers(2, 4), seed=SEEDS)
def test_directions_that_are_empty_cost_nothing(n_classes: int, seed: int) -> None:
    """An embedding that lies in three directions of ten is reduced to them without loss."""
    h, probs, labels = drawn(seed, n_classes=n_classes)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(10, 10)))[0][:3]
    picks = [asked(Round(Scores(probs, h @ turn), labels, 4), bait_with(c * (n_classes - 1))) for c in (3, 9, 10)]
    assert picks[0] == picks[1] == picks[2] == asked(Round(Scores(probs, h), labels, 4))


def test_reduced_rows_keep_most_of_the_squared_length() -> None:
    h = np.random.default_rng(10).normal(size=(3000, 6)) * [1, 9, 2, 8, 3, 0.1] + 1
    kept = principal(Rows(h, np.float64), 2)
    assert kept.array.shape == (3000, 2)
    np.testing.assert_allclose((kept.array**2).sum(), np.linalg.svd(h)[1][:2] @ np.linalg.svd(h)[1][:2])
    assert principal(Rows(h.astype(np.float32), np.float64, 0.01), 2).array.dtype == np.float32
    assert principal(Rows(h, np.float64), 6).array is h
    np.testing.assert_allclose(longest(h), np.linalg.norm(h, axis=1).max())


def test_too_few_columns_or_too_many_classes_are_refused() -> None:
    _, probs, labels = drawn(11, n_classes=5)
    round = Round(Scores(probs, np.ones((20, 3))), labels, 4)
    with pytest.raises(UsageError, match=r"columns is 3; with 5 classes BAIT needs at least 4"):
        asked(round, bait_with(3))
    with pytest.raises(UsageError, match="columns is 0; it must be a whole number"):
        bait_with(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fisher, "LARGEST", 399)
        with pytest.raises(UsageError, match=r"20 numbers for each of 20 examples with 5 classes, more than 399"):
            asked(round)
        patch.setattr(fisher, "LARGEST", 400)
        assert len(asked(round)) == 4


def test_memory_stays_far_below_a_copy_of_the_embedding() -> None:
    rng = np.random.default_rng(12)
    h = rng.normal(size=(20_000, 256)).astype(np.float32)
    probs = rng.dirichlet(np.ones(2), 20_000).astype(np.float32)
    round = Round(Scores(probs, h), np.full(20_000, UNKNOWN), 3)
    tracemalloc.start()
    asked(round)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < h.nbytes  # in double precision a copy would be twice as much
