"""Law 8 for the strategies that read the embedding: each chooses what its naive twin chooses, in the same order.

Where no two examples are alike, and where the arithmetic is exact, the indices must be equal. Elsewhere rounding may
break a tie either way: then every pick must be as good as the twin's best at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive_choices as naive
from cutpoint import STRATEGIES, UNKNOWN, Session, Strategy
from cutpoint.strategies.cluster_margin import clustered_by
from cutpoint.strategies.clusters import cluster_sample, clusters_of
from draw_choices import Choice, choices

Gain = Callable[[int, Sequence[int]], float]


def asked(strategy: str | Strategy, case: Choice) -> list[int]:
    """What the strategy asks, all at once."""
    if isinstance(strategy, str):
        strategy = STRATEGIES[strategy].strategy
    return [int(i) for i in Session(strategy, case.round()).wanted]


def twin(name: str, case: Choice) -> list[int]:
    """What its naive twin chooses."""
    probs, h, labels, held, budget = case.probs, case.embedding, case.labels, case.held, case.budget
    match name:
        case "badge":
            return naive.badge(probs, h, labels, held, budget, case.seed)
        case "coreset":
            return naive.coreset(h, labels, held, budget, case.seed)
        case "bait":
            return naive.bait(probs, h, labels, held, budget)
        case "base":
            return naive.base(probs, h, case.head, labels, held, budget)
        case "cluster_margin":
            return naive.cluster_margin(probs, naive.average_linkage(h, len(h) // 10), labels, held, budget)
        case "similar":
            return naive.similar(probs, h, labels, held, budget)
    raise AssertionError(name)


def every_pick_is_best(picks: Sequence[int], free: Sequence[int], gain: Gain, tolerance: float = 1e-9) -> None:
    """No pick is worse than the best that was left when it was made."""
    for place, pick in enumerate(picks):
        before = picks[:place]
        best = max(gain(i, before) for i in free if i not in before)
        assert pick in free
        assert pick not in before
        assert gain(pick, before) >= best - tolerance


# --- equal indices ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["badge", "coreset"])
@given(case=choices(widest=2**40))
def test_distances_and_draws_are_the_twins(name: str, case: Choice) -> None:
    """Copies too, and coarse numbers: the distance of copies is exactly 0, and that of coarse numbers exact."""
    assert asked(name, case) == twin(name, case)


@pytest.mark.parametrize("name", ["base", "cluster_margin"])
@given(case=choices("generic", max_n=40))
def test_every_choice_is_the_twins(name: str, case: Choice) -> None:
    assert asked(name, case) == twin(name, case)


@given(case=choices("generic"))
def test_bait_is_its_twin(case: Choice) -> None:
    assert asked("bait", case) == twin("bait", case)


@given(case=choices("generic", least_classes=2))
def test_bait_is_its_twin_where_probabilities_do_not_quite_sum_to_one(case: Choice) -> None:
    """With a single class there is nothing to learn, and what is missing to one is no information."""
    off = 1 + 9e-4 * np.random.default_rng(case.seed).uniform(-1, 1, (len(case.probs), 1))
    case = replace(case, probs=(case.probs * off).astype(np.float32))
    assert asked("bait", case) == twin("bait", case)


@given(case=choices("generic", least_classes=2, least_d=2))
def test_similar_is_its_twin(case: Choice) -> None:
    """With one number and two classes all cosines are 1 or -1, and all is tied."""
    assert asked("similar", case) == twin("similar", case)


@given(case=choices(), data=st.data())
def test_given_clusters_take_turns_as_the_twins(case: Choice, data: st.DataObject) -> None:
    """Exact everywhere: margins are float32 numbers, and cluster names are free."""
    n = len(case.probs)
    clusters = data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))
    expected = naive.cluster_margin(case.probs, clusters, case.labels, case.held, case.budget)
    assert asked(clustered_by(np.array(clusters)), case) == expected


@pytest.mark.parametrize("name", ["bait", "base", "cluster_margin", "coreset", "similar"])
@given(case=choices("grid"))
def test_where_all_are_alike_the_lowest_indices_go_first(name: str, case: Choice) -> None:
    alike = replace(
        case,
        probs=np.repeat(case.probs[:1], len(case.probs), axis=0),
        embedding=np.repeat(case.embedding[:1], len(case.probs), axis=0),
    )
    if name == "coreset" and max(case.labels) == UNKNOWN:
        return  # its first choice is drawn
    assert asked(name, alike) == case.free[: case.budget]


# --- picks that are as good as the best -------------------------------------------------------------------


@given(case=choices())
def test_every_pick_of_similar_gains_most(case: Choice) -> None:
    if not naive.queries(case.labels, case.n_classes):
        assert asked("similar", case) == twin("similar", case)
        return
    s = naive.similarities(case.probs, case.embedding, case.labels, case.free)
    every_pick_is_best(asked("similar", case), case.free, lambda i, before: naive.flqmi(s, [*before, i]))


@given(case=choices())
def test_every_pick_of_base_is_the_nearest_of_its_class(case: Choice) -> None:
    """Equal rows of the head, unknown classes and examples on the boundary among them."""
    distances = naive.class_distances(case.probs, case.embedding, case.head)
    picks, free, place = asked("base", case), case.free, 0
    shares = naive.base_shares(case.head, case.embedding.shape[1], min(case.budget, len(free)))
    if not shares:
        assert picks == free[: case.budget]
    for c, share in shares.items():
        mine, left = picks[place : place + share], [i for i in free if i not in picks[:place]]
        every_pick_is_best(mine, left, lambda i, _, row=distances[c]: -row[i])  # type: ignore[misc]
        place += share
    assert not shares or len(picks) == place


@given(case=choices(("generic", "copies")))
def test_bait_chooses_as_many_of_each_copy_as_its_twin(case: Choice) -> None:
    """Which of several copies goes may be a matter of rounding."""

    def kinds(chosen: Sequence[int]) -> list[int]:
        return sorted(next(j for j in range(i + 1) if case.same(i, j)) for i in chosen)

    picks = asked("bait", case)
    assert len(set(picks)) == len(picks)
    assert kinds(picks) == kinds(twin("bait", case))


@given(case=choices("generic", least_classes=2, least_d=2))
def test_similar_follows_permutations_and_new_names(case: Choice) -> None:
    counts = np.bincount([label for label in case.labels if label != UNKNOWN], minlength=case.n_classes)
    if (counts == counts.max()).sum() > 1 or counts.max() == counts.sum():
        return  # which class is the majority is decided by a tie, or there are no queries
    rng, n = np.random.default_rng(case.seed), len(case.probs)
    back, names = rng.permutation(n), rng.permutation(case.n_classes)  # back[i] moves to i, class k becomes names[k]
    moved = replace(
        case,
        probs=case.probs[back][:, np.argsort(names)],
        embedding=case.embedding[back],
        labels=np.append(names, UNKNOWN)[np.array(case.labels)[back]].tolist(),
        held=np.flatnonzero(np.isin(back, case.held)).tolist(),
    )
    assert [int(back[i]) for i in asked("similar", moved)] == asked("similar", case)


# --- other precisions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@given(case=choices("generic"))
def test_coarser_embeddings_lose_no_more_than_their_rounding(dtype: type[np.floating], case: Choice) -> None:
    coarse = replace(case, embedding=case.embedding.astype(dtype), head=case.head.astype(np.float32))
    h = coarse.embedding.astype(float)
    scale = float(np.abs(h).max()) ** 2 + 1e-30
    centres = [i for i, label in enumerate(case.labels) if label != UNKNOWN]
    if centres:
        picks = asked("coreset", coarse)
        every_pick_is_best(picks, case.free, lambda i, before: naive.nearest(h, i, [*centres, *before]) / scale, 1e-5)
    if naive.queries(case.labels, case.n_classes):
        s = naive.similarities(case.probs, h, case.labels, case.free)
        picks = asked("similar", coarse)
        every_pick_is_best(picks, case.free, lambda i, before: naive.flqmi(s, [*before, i]), 1e-4)


# --- the clustering ---------------------------------------------------------------------------------------


def partition(clusters: Sequence[int]) -> set[frozenset[int]]:
    return {frozenset(i for i, other in enumerate(clusters) if other == c) for c in set(clusters)}


@given(case=choices("generic"), members=st.integers(1, 6))
def test_the_clusters_are_those_of_plain_average_linkage(case: Choice, members: int) -> None:
    h = case.embedding
    found = cluster_sample(h, members=members).clusters.tolist()
    assert partition(found) == partition(naive.average_linkage(h, len(h) // members))
    assert len(clusters_of(h)) == len(h)
