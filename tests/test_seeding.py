"""BADGE and CORESET: what their papers prove, distances against explicit gradients, and odd embeddings."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import naive_choices as naive
from cutpoint import STRATEGIES, UNKNOWN, Index, Round, Scores, Session
from cutpoint.core import points, seeding
from cutpoint.core.points import Points
from cutpoint.core.seeding import EmbeddingSpace, GradientSpace, k_center_greedy, k_means_plus_plus
from cutpoint.errors import UsageError

Floats = NDArray[np.floating[Any]]
DTYPES = (np.float16, np.float32, np.float64)


def drawn_probs(rng: np.random.Generator, n: int, n_classes: int) -> NDArray[np.float32]:
    """Multiples of 1 / 256: p - 1 is exact in float32."""
    return (rng.multinomial(256, rng.dirichlet(np.ones(n_classes)), n) / 256).astype(np.float32)


def pulls(probs: NDArray[np.float32], dtype: Any) -> Floats:
    """(N, K) p - e_yhat."""
    a: Floats = (probs - np.eye(probs.shape[1])[probs.argmax(axis=1)]).astype(dtype)
    return a


def asked(name: str, round: Round) -> list[int]:
    return [int(i) for i in Session(STRATEGIES[name].strategy, round).wanted]


def is_the_twins(embedding: Floats, probs: NDArray[np.float32], labels: list[int], budget: int = 12) -> None:
    """Both strategies choose what their twins choose from the same embedding in double precision."""
    wide = embedding.astype(np.float64)
    for seed in range(3):
        round = Round(Scores(probs, embedding), np.array(labels), budget, seed=seed)
        assert asked("badge", round) == naive.badge(probs, wide, labels, [], budget, seed)
        assert asked("coreset", round) == naive.coreset(wide, labels, [], budget, seed)


# --- what the papers prove ----------------------------------------------------------------------------------


@given(
    n=st.integers(2, 9), d=st.integers(1, 3), labelled=st.integers(0, 2), size=st.integers(1, 3), seed=st.integers(0)
)
def test_k_center_greedy_is_within_twice_the_optimal_radius(
    n: int, d: int, labelled: int, size: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(n + labelled, d))
    centres, candidates = np.arange(labelled), np.arange(labelled, n + labelled)
    size = min(size, n)

    def radius(chosen: tuple[int, ...]) -> float:
        both = [*centres.tolist(), *chosen]
        return max(min(math.dist(h[i], h[j]) for j in both) for i in range(len(h)))

    greedy = k_center_greedy(EmbeddingSpace(h), candidates, centres, size, rng)
    best = min(radius(some) for some in itertools.combinations(candidates.tolist(), size))
    assert radius(tuple(greedy.tolist())) <= 2 * best + 1e-12


def test_draws_follow_the_squared_distance() -> None:
    """Chi-square over all ordered triples of five examples, with a fixed seed; the first is uniform."""
    rng = np.random.default_rng(7)
    n, draws = 5, 6000
    probs, h = drawn_probs(rng, n, 3), rng.normal(size=(n, 2))
    g = naive.gradients(probs, h)
    space = GradientSpace(pulls(probs, h.dtype), Points(h))
    counts = dict.fromkeys(itertools.permutations(range(n), 3), 0)
    for _ in range(draws):
        one, two, three = k_means_plus_plus(space, np.arange(n), 3, rng).tolist()
        counts[one, two, three] += 1

    def chance(chosen: tuple[int, ...]) -> float:
        distances = [naive.nearest(g, i, chosen[:-1]) for i in range(n)]
        return distances[chosen[-1]] / sum(distances)

    statistic = 0.0
    for triple, count in counts.items():
        expected = draws / n * chance(triple[:2]) * chance(triple)
        statistic += (count - expected) ** 2 / expected
    assert statistic < 99.6  # the 0.999 quantile for 59 degrees of freedom is 98.3


class AlmostOne(np.random.Generator):
    """Draws the largest number below 1, which times a sum may round up to the sum."""

    def random(self, *_: Any, **__: Any) -> Any:
        return np.nextafter(1.0, 0.0)


def test_the_largest_draw_takes_the_last_example_at_a_distance() -> None:
    for n in range(3, 40):
        h = np.arange(n, dtype=float)[:, None] ** 3
        h[n // 2 + 1 :] = h[0]
        one, two = k_means_plus_plus(EmbeddingSpace(h), np.arange(n), 2, AlmostOne(np.random.PCG64(n))).tolist()
        assert two == np.flatnonzero(h[:, 0] != h[one, 0])[-1]


# --- distances ----------------------------------------------------------------------------------------------


@st.composite
def clouds(draw: st.DrawFn) -> tuple[Floats, NDArray[np.float32]]:
    """An embedding, with copies and near neighbours, wide or far away, in any precision; and probabilities."""
    n, d, n_classes = draw(st.integers(1, 30)), draw(st.integers(1, 5)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    h = rng.normal(size=(n, d)) + draw(st.sampled_from([0, 0, 30, -1000]))
    h[rng.random(n) < 0.3] = h[0]
    close = rng.random(n) < 0.3
    dtype: Any = draw(st.sampled_from(DTYPES))
    h = h.astype(dtype)
    h[close, 0] = np.nextafter(h[0, 0], dtype(np.inf))
    if dtype != np.float16:
        h *= dtype(draw(st.sampled_from([1, 1, 2.0**-90, 2.0**90])))
    probs = drawn_probs(rng, n, n_classes)
    probs[rng.random(n) < 0.5] = probs[0]
    return h, probs


@given(clouds())
def test_distances_are_those_of_the_gradients_written_out(cloud: tuple[Floats, NDArray[np.float32]]) -> None:
    """Relative to the distance itself, however close two examples are; and the lower bounds are lower."""
    h, probs = cloud
    n, rows = len(h), np.arange(len(h))
    embedding = Points(h)
    a, wide = pulls(probs, embedding.dtype), embedding.exact(rows)
    space = GradientSpace(a, embedding)
    g = (a[:, :, None] * wide[:, None].astype(np.longdouble)).reshape(n, -1)
    for centre in {0, n // 2, n - 1}:
        found, explicit = space.squared(rows, centre), ((g - g[centre]) ** 2).sum(axis=1).astype(float)
        p, q = ((a - a[centre]) ** 2).sum(axis=1), ((wide - wide[centre]) ** 2).sum(axis=1)
        norms = (a**2).sum(axis=1), (wide**2).sum(axis=1)
        rounded = p * (norms[1] + norms[1][centre]) + q * (norms[0] + norms[0][centre])
        assert (np.abs(found - explicit) <= 1e-6 * explicit + 1e-14 * rounded).all()
        assert not found[(h == h[centre]).all(axis=1) & (probs == probs[centre]).all(axis=1)].any()
        assert (space.lower_bounds(0, n, rows, centre) <= found).all()


@given(clouds())
def test_points_that_differ_are_never_at_distance_0(cloud: tuple[Floats, NDArray[np.float32]]) -> None:
    h = cloud[0]
    n, rows, space = len(h), np.arange(len(h)), EmbeddingSpace(h)
    for centre in {0, n // 2, n - 1}:
        found = space.squared(rows, centre)
        assert np.array_equal(found == 0, (h == h[centre]).all(axis=1))
        assert (space.lower_bounds(0, n, rows, centre) <= found).all()


@pytest.mark.parametrize("offset", [0.0, 0.5, 3e3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_many_centres_at_once_are_as_one_by_one(
    dtype: type[np.floating[Any]], offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit, with blocks that do not fit, with most examples to be looked at and with few."""
    monkeypatch.setattr(points, "NUMBERS", 50)
    for name, rows in (("ROWS", 64), ("FIRST", 50), ("CENTRES", 7)):
        monkeypatch.setattr(seeding, name, rows)
    rng = np.random.default_rng(3)
    h = (rng.normal(size=(230, 9)) + offset).astype(dtype)
    h[rng.random(230) < 0.4] = h[5]
    for n_centres in (0, 1, 40, 200):
        centres = np.sort(rng.permutation(230)[:n_centres])
        one, all_, plain = (np.full(230, np.inf) for _ in range(3))
        for distances in (one, all_, plain):
            distances[centres] = -1
        space = EmbeddingSpace(h)
        space.lower_to_all(all_, centres)
        for centre in centres.tolist():
            seeding.lower(space, one, centre)
            plain = np.minimum(plain, space.squared(np.arange(230), centre))
        assert np.array_equal(one, all_)
        assert np.array_equal(one, plain)


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_formed_ahead_change_no_choice(dtype: type[np.floating[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "ROWS", 16)
    h = np.random.default_rng(4).normal(size=(80, 3)).astype(dtype)
    some, one = np.arange(20, 80), np.arange(20)
    chosen = []
    for ahead in (1, 2, 16, 1000):
        monkeypatch.setattr(seeding, "AHEAD", ahead)
        chosen.append(k_center_greedy(EmbeddingSpace(h), some, one, 60, np.random.default_rng(0)).tolist())
    assert all(order == chosen[0] for order in chosen)
    assert chosen[0] == naive.coreset(h, [0] * 20 + [UNKNOWN] * 60, [], 60, 0)


# --- odd input ----------------------------------------------------------------------------------------------

RNG = np.random.default_rng(11)
H = RNG.normal(size=(60, 6)).astype(np.float32)
PROBS = drawn_probs(RNG, 60, 3)
SPREAD = [0 if i % 5 == 0 else UNKNOWN for i in range(60)]
ODD: dict[str, Floats] = {
    "constant": np.ones_like(H),
    "all 0": np.zeros_like(H),
    "without columns": H[:, :0],
    "one column": H[:, :1],
    "copies of seven": H[np.arange(60) % 7],
    "half precision": H.astype(np.float16),
    "double precision": H.astype(np.float64),
    "every second column": H[:, ::2],
    "every second row, backwards": np.repeat(H, 2, axis=0)[::-2],
    "one row again and again": np.broadcast_to(H[3], H.shape),
    "columns in one piece": np.asfortranarray(H),
    "other byte order": H.astype(">f4"),
    "whole numbers": np.round(4 * H).astype(np.int32),
    "far away": H + np.float32(1e5),
    "far away, half precision": (H + 1000).astype(np.float16),
    "far away in two places": H + np.float32(1e4) * np.sign(H[:, :1]),
    "huge": H * np.float32(2.0**110),
    "tiny": H * np.float32(2.0**-110),
    "below the normal numbers": H * np.float32(1e-40),
    "below the normal numbers, far away": (H + 100) * np.float32(1e-41),
    "huge, double": H.astype(np.float64) * 2.0**400,
    "tiny, double": H.astype(np.float64) * 2.0**-400,
    "rows from tiny to huge": H * (2.0 ** np.linspace(-30, 30, 60))[:, None].astype(np.float32),
}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("labels", [SPREAD, [UNKNOWN] * 60], ids=["some labelled", "nothing labelled"])
def test_odd_embeddings_are_chosen_from_as_the_twins_do(what: str, labels: list[int]) -> None:
    is_the_twins(ODD[what], PROBS, labels)


def test_embeddings_below_the_normal_numbers_choose_as_at_scale_one() -> None:
    exact = (np.round(4 * H) * np.float32(2.0**power) for power in (0, -133))
    one, tiny = (Round(Scores(PROBS, h), np.array(SPREAD), 12) for h in exact)
    assert (asked("badge", tiny), asked("coreset", tiny)) == (asked("badge", one), asked("coreset", one))


def test_one_class_of_probability_one_is_uniform_for_badge() -> None:
    is_the_twins(H, np.ones((60, 1), np.float32), SPREAD, budget=60)
    scores = Scores(np.ones((6, 1), np.float32), H[:6])
    first = [tuple(asked("badge", Round(scores, np.full(6, UNKNOWN), 2, seed=seed))) for seed in range(600)]
    assert set(first) == set(itertools.permutations(range(6), 2))


def test_saturated_probabilities_still_have_a_gradient() -> None:
    """The largest is rounded to 1 and the rest is of the order of 1e-30: copies are still at distance 0."""
    probs = np.ones((60, 3), np.float32)
    probs[:, 1:] = (1e-30 * RNG.random((60, 2))).astype(np.float32)[np.arange(60) % 4]
    space = GradientSpace(pulls(probs, np.float32), Points(H[np.arange(60) % 4]))
    assert set(k_means_plus_plus(space, np.arange(60), 8, np.random.default_rng(0))[:4] % 4) == {0, 1, 2, 3}


@pytest.mark.parametrize("name", ["badge", "coreset"])
def test_a_budget_beyond_what_is_left_asks_all_that_is_left(name: str) -> None:
    held = np.arange(0, 60, 7)
    round = Round(Scores(PROBS, H), np.array(SPREAD), 100, held=held)
    assert sorted(asked(name, round)) == [i for i in range(60) if i % 5 and i % 7]
    assert asked(name, Round(Scores(PROBS, H), np.zeros(60, int), 3)) == []
    assert asked(name, Round(Scores(PROBS[:0], H[:0]), np.zeros(0, int), 3)) == []


@pytest.mark.parametrize("dtype", DTYPES)
def test_of_copies_the_lower_index_goes_first_wherever_it_stands(dtype: type[np.floating[Any]]) -> None:
    """Also where a matrix product rounds equal rows differently, at the end of a block for instance."""
    rng = np.random.default_rng(5)
    source = rng.integers(150, size=3001)
    h = rng.normal(size=(150, 33)).astype(dtype)[source]
    chosen = asked("coreset", Round(Scores(np.ones((3001, 1), np.float32), h), np.full(3001, UNKNOWN), 150))
    assert sorted(source[chosen]) == list(range(150))
    assert all(i == np.flatnonzero(source == source[i])[0] for i in chosen[1:])


@pytest.mark.parametrize("name", ["badge", "coreset"])
def test_a_missing_embedding_is_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} reads the embedding"):
        asked(name, Round(Scores(PROBS), np.array(SPREAD), 3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_memory_beyond_the_scores_is_a_few_arrays_of_n(dtype: type[np.floating[Any]]) -> None:
    n, d, n_classes = 20_000, 128, 10
    rng = np.random.default_rng(0)
    h = rng.normal(size=(n, d)).astype(dtype)
    labels: Index = np.where(np.arange(n) < 1500, 0, UNKNOWN)
    round = Round(Scores(drawn_probs(rng, n, n_classes), h), labels, 5)
    for name, allowed in (("badge", 4 * n * n_classes), ("coreset", 4_000_000)):
        tracemalloc.start()
        asked(name, round)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < allowed + 80 * n + 4_000_000, f"{name}: {peak:,} bytes"
