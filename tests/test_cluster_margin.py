"""Cluster-Margin: the turns by hand, the clustering, and odd pools."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutpoint import STRATEGIES, UNKNOWN, Index, Round, Scores, Strategy, UsageError, run
from cutpoint.strategies.cluster_margin import clustered_by, take_turns
from cutpoint.strategies.clusters import clusters_of, flat_clusters

Floats = NDArray[np.floating[Any]]


def with_margins(margins: list[float]) -> NDArray[np.float32]:
    """(N, 2) probabilities with these margins."""
    half = np.array(margins, np.float32)[:, None] / 2
    return np.asarray(np.hstack([0.5 + half, 0.5 - half]), np.float32)


def a_round(probs: Floats, embedding: Floats | None, budget: int, **more: Any) -> Round:
    labels = more.pop("labels", np.full(len(probs), UNKNOWN))
    return Round(Scores(np.asarray(probs, np.float32), embedding), labels, budget, **more)


def asked(round: Round, strategy: Strategy = STRATEGIES["cluster_margin"].strategy) -> list[int]:
    questions: list[int] = []

    def oracle(indices: Index) -> NDArray[np.int64]:
        questions.extend(indices.tolist())
        return np.zeros(len(indices), np.int64)

    run(strategy, round, oracle)
    return questions


def blobs(n: int, width: int, count: int, *, seed: int = 0) -> Floats:
    """(n, width) float32: `count` clouds, far apart."""
    rng = np.random.default_rng(seed)
    centres = 20 * rng.normal(size=(count, width))
    return np.asarray(centres[rng.integers(count, size=n)] + rng.normal(size=(n, width)), np.float32)


# --- turns ------------------------------------------------------------------------------------------------


def test_clusters_take_turns_the_smallest_first() -> None:
    """Three clusters of 3, 1 and 2 candidates; the ninth example is no candidate, or its cluster would be larger."""
    margins = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.9, 0.9, 0.9]
    clusters = np.array([7, 7, 4, 7, 2, 4, 2, 2, 2])
    round = a_round(with_margins(margins), None, 5)
    # candidates 0 to 5; cluster 2 has one of them, 4 has two, 7 has three
    assert asked(round, clustered_by(clusters, candidates=1.2)) == [4, 2, 0, 5, 1]


def test_of_equally_small_clusters_the_one_with_the_smallest_margin_goes_first() -> None:
    probs = with_margins([0.5, 0.25, 0.5, 0.25])
    assert asked(a_round(probs, None, 4), clustered_by(np.array([0, 1, 0, 1]))) == [1, 0, 3, 2]
    equal = with_margins([0.5, 0.5, 0.5, 0.5])
    assert asked(a_round(equal, None, 3), clustered_by(np.array([9, 3, 3, 9]))) == [0, 1, 3]


def test_ten_candidates_to_a_question_are_looked_at() -> None:
    """The eleventh margin is alone in its cluster and would go first."""
    clusters = np.array([0] * 10 + [1])
    round = a_round(with_margins([0.01 * i for i in range(11)]), None, 1)
    assert asked(round, clustered_by(clusters)) == [0]
    assert asked(round, clustered_by(clusters, candidates=11)) == [10]


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(0, 40))
def test_turns_are_those_of_a_plain_loop(clusters: list[int], size: int) -> None:
    members: dict[int, list[int]] = {}
    for place, c in enumerate(clusters):
        members.setdefault(c, []).append(place)
    queues = sorted(members.values(), key=lambda places: (len(places), places[0]))
    expected = [places[turn] for turn in range(len(clusters)) for places in queues if turn < len(places)]
    assert take_turns(np.array(clusters, np.intp), size).tolist() == expected[:size]


# --- clusters that are handed in --------------------------------------------------------------------------


def test_the_clusters_of_the_embedding_can_be_made_once() -> None:
    rng = np.random.default_rng(0)
    embedding, probs = blobs(300, 5, 12), rng.dirichlet(np.ones(3), 300)
    labels = np.where(rng.random(300) < 0.2, 1, UNKNOWN)
    round = a_round(probs, embedding, 11, labels=labels, held=np.arange(20))
    assert asked(round, clustered_by(clusters_of(embedding))) == asked(round)


def test_clusters_are_copied() -> None:
    clusters = np.array([0, 1, 1])
    strategy = clustered_by(clusters)
    clusters[:] = [1, 0, 0]
    assert asked(a_round(with_margins([0.1, 0.2, 0.3]), None, 2), strategy) == [0, 1]


@pytest.mark.parametrize(
    ("clusters", "message"),
    [
        (np.zeros((4, 1), np.int64), r"shape \(4, 1\); it must be \(N,\)"),
        (np.array([0, 1, -1, 0]), r"clusters\[2\] is -1; it must be 0 or more"),
        (np.array([0.0, 1.0, 1.0, 0.0]), "must hold whole numbers"),
        (np.array(["a", "b", "a", "b"]), "must hold numbers"),
        ([[0], [1, 2]], "not an array of numbers"),
    ],
)
def test_clusters_that_are_none_are_refused_at_once(clusters: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        clustered_by(clusters)


@pytest.mark.parametrize("candidates", [0.9, -1, np.nan, np.inf])
def test_fewer_candidates_than_questions_are_refused(candidates: float) -> None:
    with pytest.raises(UsageError, match="candidates is"):
        clustered_by(np.zeros(3, np.int64), candidates=candidates)


def test_clusters_of_another_pool_are_refused() -> None:
    with pytest.raises(UsageError, match="3 entries and the pool 4 examples"):
        next(clustered_by(np.zeros(3, np.int64))(a_round(with_margins([0.0] * 4), None, 1)))


def test_a_missing_embedding_is_named() -> None:
    with pytest.raises(UsageError, match="cluster_margin reads the embedding"):
        next(STRATEGIES["cluster_margin"].strategy(a_round(with_margins([0.0] * 4), None, 1)))


# --- the clustering ---------------------------------------------------------------------------------------


def test_clusters_are_numbered_by_their_first_points() -> None:
    points = np.array([[9.0], [0.0], [9.1], [5.0], [0.1]])
    assert flat_clusters(points, 3).tolist() == [0, 1, 0, 2, 1]


def test_points_that_look_like_distances_are_points() -> None:
    """As many columns as rows, symmetric, 0 on the diagonal: scipy would warn, and warnings are errors here."""
    assert flat_clusters(np.zeros((3, 3)), 1).tolist() == [0, 0, 0]
    assert flat_clusters(np.array([[0.0, 1, 9], [1, 0, 9], [9, 9, 0]]), 2).tolist() == [0, 0, 1]


def test_equal_points_are_together() -> None:
    points = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)[np.arange(60) % 30]
    clusters = flat_clusters(points, 40)
    assert np.array_equal(clusters[:30], clusters[30:])


SCALES = [(1e25, np.float32), (1e-25, np.float32), (1e200, np.float64), (1e-200, np.float64), (1e-300, np.float64)]


@pytest.mark.parametrize(("scale", "dtype"), SCALES)
def test_the_unit_of_the_embedding_is_no_matter(scale: float, dtype: type) -> None:
    """With few examples all are clustered; with more than the sample, the others go to centroids."""
    for n in (150, 2600):
        embedding: Floats = blobs(n, 5, 12).astype(dtype)
        probs = np.random.default_rng(1).dirichlet(np.ones(3), n)
        scaled = embedding * dtype(scale)
        assert np.array_equal(clusters_of(scaled), clusters_of(embedding))
        assert asked(a_round(probs, scaled, 60)) == asked(a_round(probs, embedding, 60))


def test_examples_far_beyond_the_sample_are_borne() -> None:
    embedding = blobs(400, 3, 4).astype(np.float64) * 1e-200
    embedding[1::2] *= 1e300
    clusters = clusters_of(embedding, sample=200)  # the even ones
    assert len(clusters) == 400
    embedding[::2] = 0
    assert clusters_of(embedding, sample=200)[::2].tolist() == [0] * 200
