"""Cluster-Margin: the turns by hand, the clustering against scipy's, and odd pools."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutpoint import STRATEGIES, UNKNOWN, Index, Round, Scores, Strategy, UsageError, run
from cutpoint.core.linkage import average_linkage, distances, flat_clusters
from cutpoint.strategies.cluster_margin import clustered_by, take_turns
from cutpoint.strategies.clusters import cluster_sample, clusters_of

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


def partition(clusters: Any) -> set[frozenset[int]]:
    """A clustering whatever its clusters are called."""
    return {frozenset(np.flatnonzero(np.asarray(clusters) == c).tolist()) for c in set(np.asarray(clusters).tolist())}


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


# --- average linkage --------------------------------------------------------------------------------------


def scipys_tree(points: Floats) -> Any:
    from scipy.cluster.hierarchy import linkage

    return linkage(points.astype(float), "average")


@pytest.mark.parametrize("kind", ["smooth", "grid", "duplicates", "blobs", "far from zero"])
@pytest.mark.parametrize("n", [2, 3, 20, 150, 600])
def test_clusters_are_scipys(n: int, kind: str) -> None:
    from scipy.cluster.hierarchy import fcluster

    rng = np.random.default_rng([n, len(kind)])
    points = rng.normal(size=(n, 3)).astype(np.float32)
    match kind:
        case "grid":
            points = np.round(2 * points)
        case "duplicates":
            points = points[rng.integers(n, size=n)]
        case "blobs":
            points = blobs(n, 3, 5)
        case "far from zero":
            points += 100
    tree = scipys_tree(points)
    for n_clusters in {k for k in (1, 2, n // 10, n // 2, n - 1) if 1 <= k < n}:
        expected = partition(fcluster(tree, n_clusters, "maxclust"))
        assert partition(flat_clusters(points, n_clusters)) == expected


def test_the_tree_is_scipys() -> None:
    points = np.random.default_rng(0).normal(size=(300, 8))
    pairs, heights = average_linkage(distances(points))
    np.testing.assert_allclose(np.sort(heights), scipys_tree(points)[:, 2], rtol=1e-9)
    assert pairs.shape == (299, 2)


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 3))
def test_a_tree_joins_everybody_however_many_are_equally_far(seed: int, n: int, levels: int) -> None:
    """A mean that rounding takes below its terms would send a chain round in circles."""
    distance = 0.1 * np.random.default_rng(seed).integers(1, levels + 1, (n, n))
    distance = np.minimum(distance, distance.T)
    np.fill_diagonal(distance, 0)
    pairs, heights = average_linkage(distance.copy())
    group = {i: {i} for i in range(n)}
    for (a, b), height in zip(pairs.tolist(), heights.tolist(), strict=True):
        assert group[a] is not group[b]
        assert height == pytest.approx(distance[np.ix_(sorted(group[a]), sorted(group[b]))].mean())
        joined = group[a] | group[b]
        group |= dict.fromkeys(joined, joined)
    assert len(group[0]) == n


def test_points_that_are_all_equally_far_are_one_cluster() -> None:
    points = np.eye(200) / 10
    assert not flat_clusters(points, 199).any()
    assert len(set(flat_clusters(points, 200).tolist())) == 200


@pytest.mark.parametrize("scale", [2.0**-500, 2.0**500, 1e300])
def test_clusters_do_not_depend_on_the_unit(scale: float) -> None:
    points = blobs(120, 4, 8).astype(float)
    assert np.array_equal(flat_clusters(scale * points, 12), flat_clusters(points, 12))


@pytest.mark.parametrize(("n", "width"), [(1, 3), (7, 1), (300, 64), (600, 2)])
def test_distances_are_the_explicit_ones(n: int, width: int) -> None:
    points = np.random.default_rng(n).normal(size=(n, width)).astype(np.float32) + np.float32(30)
    points[n // 2] = points[0]
    found, exact = distances(points), points.astype(float)
    np.testing.assert_allclose(found, np.linalg.norm(exact[:, None] - exact, axis=2), rtol=1e-7, atol=1e-9)
    assert np.array_equal(found, found.T)
    assert found[0, n // 2] == 0
    assert not found.diagonal().any()


def test_equal_points_are_in_one_cluster_however_many_are_asked_for() -> None:
    points = np.random.default_rng(0).normal(size=(9, 40)).astype(np.float32)[np.arange(90) % 9]
    assert flat_clusters(points, 90).tolist() == (np.arange(90) % 9).tolist()
    assert flat_clusters(np.ones((50, 3), np.float32), 5).tolist() == [0] * 50


# --- the pool's clustering --------------------------------------------------------------------------------


def test_a_sample_of_everybody_is_the_full_clustering() -> None:
    embedding = blobs(400, 6, 9)
    full = clusters_of(embedding)
    assert partition(full) == partition(flat_clusters(embedding, 40))
    for sample in (400, 401, 10**6):
        assert np.array_equal(clusters_of(embedding, sample=sample), full)


def test_those_outside_the_sample_go_to_the_nearest_centroid() -> None:
    embedding = blobs(700, 6, 9)
    clustering = cluster_sample(embedding, 200, 5)
    assert len(clustering.sample) == len(clustering.clusters) == 200
    assert np.all(np.diff(clustering.sample) >= 3)
    for c, centroid in enumerate(clustering.centroids):
        members = embedding[clustering.sample[clustering.clusters == c]].astype(float)
        np.testing.assert_allclose(centroid, members.mean(axis=0), rtol=1e-4, atol=1e-5)
    found = clusters_of(embedding, sample=200, members=5)
    nearest = np.linalg.norm(embedding[:, None].astype(float) - clustering.centroids, axis=2).argmin(axis=1)
    nearest[clustering.sample] = clustering.clusters
    assert np.array_equal(found, nearest)


def test_a_sample_finds_the_clouds_that_everybody_finds() -> None:
    embedding = blobs(3000, 8, 10, seed=3)
    clouds = partition(flat_clusters(embedding[:1500], 10))
    by_sample = clusters_of(embedding, sample=100, members=10)
    assert partition(by_sample[:1500]) == clouds


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_clustering_depends_on_the_embedding_alone(dtype: type) -> None:
    """Not on the seed, nor on the order in which, or with whom, somebody is assigned."""
    embedding: Floats = blobs(2500, 4, 6).astype(dtype)
    clusters, items = clusters_of(embedding), np.arange(2499, -1, -3)
    assert np.array_equal(cluster_sample(embedding).assign(embedding, items), clusters[items])
    probs = np.random.default_rng(0).dirichlet(np.ones(3), 2500)
    first = asked(a_round(probs, embedding, 30, seed=1))
    assert first == asked(a_round(probs, embedding, 30, seed=2))
    assert first == asked(a_round(probs, embedding, 30), clustered_by(clusters))


@pytest.mark.parametrize(
    ("embedding", "more", "message"),
    [
        (np.zeros(4), {}, r"shape \(4,\)"),
        (np.array([[0.0], [np.nan]]), {}, r"embedding\[1\] holds NaN"),
        (np.zeros((4, 2)), {"sample": 0}, "sample is 0"),
        (np.zeros((4, 2)), {"members": 0.5}, "members is 0.5"),
        (np.zeros((4, 2)), {"members": np.nan}, "members is nan"),
    ],
)
def test_what_cannot_be_clustered_is_refused(embedding: Floats, more: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        clusters_of(embedding, **more)


# --- odd pools --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [50, 2100])
def test_a_constant_embedding_is_one_cluster_and_so_plain_margin(n: int) -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(4), n)
    round = a_round(probs, np.full((n, 3), 0.1, np.float32), 20)
    assert not clusters_of(np.full((n, 3), 0.1, np.float32)).any()
    assert asked(round) == asked(round, STRATEGIES["margin"].strategy)


def test_copies_of_one_example_are_asked_one_at_a_time() -> None:
    """Margin alone would ask the same picture ten times."""
    embedding = np.repeat(blobs(30, 4, 30), 10, axis=0)
    probs = with_margins([(i // 10) / 100 for i in range(300)])
    round = a_round(probs, embedding, 10)
    assert asked(round, STRATEGIES["margin"].strategy) == list(range(10))
    assert asked(round) == list(range(0, 100, 10))


def test_one_column_and_one_class() -> None:
    embedding = np.linspace(0, 1, 40, dtype=np.float32)[:, None]
    questions = asked(a_round(np.ones((40, 1)), embedding, 9))
    assert len(set(questions)) == 9


def test_one_example_and_none() -> None:
    assert asked(a_round(with_margins([0.3]), np.zeros((1, 2), np.float32), 4)) == [0]
    assert asked(a_round(np.empty((0, 2)), np.empty((0, 3), np.float32), 4)) == []
    assert clusters_of(np.empty((0, 3), np.float32)).tolist() == []
    assert clusters_of(np.empty((6, 0), np.float32)).tolist() == [0] * 6


def test_all_that_is_left_is_asked() -> None:
    labels = np.where(np.arange(60) < 50, 0, UNKNOWN)
    round = a_round(with_margins([0.1] * 60), blobs(60, 3, 4), 99, labels=labels, held=np.array([55]))
    assert sorted(asked(round)) == [50, 51, 52, 53, 54, 56, 57, 58, 59]
