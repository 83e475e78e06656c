"""BASE on rounds that can be followed by hand: shares, boundaries that do not exist, ties, rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cutpoint import STRATEGIES, UNKNOWN, Index, Round, Scores, UsageError, run
from cutpoint.core.lowest import lowest
from cutpoint.strategies.base import Boundaries

Floats = NDArray[np.floating[Any]]


def softmax(embedding: Floats, head: Floats) -> NDArray[np.float32]:
    logits = embedding.astype(float) @ head[:, : embedding.shape[1]].T.astype(float)
    if head.shape[1] > embedding.shape[1]:
        logits += head[:, -1]
    probs = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(probs / probs.sum(axis=1, keepdims=True), np.float32)


def drawn(n: int, n_classes: int, width: int = 3, *, bias: bool = True, seed: int = 0) -> tuple[Floats, Floats]:
    """An embedding (n, width) and a head (n_classes, width + bias)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)).astype(np.float32), rng.normal(size=(n_classes, width + bias)).astype(np.float32)


def a_round(embedding: Floats, head: Floats | None, budget: int, *, probs: Floats | None = None, **more: Any) -> Round:
    if probs is None:
        assert head is not None
        probs = softmax(embedding, head)
    labels = more.pop("labels", np.full(len(embedding), UNKNOWN))
    return Round(Scores(np.asarray(probs, np.float32), embedding, head), labels, budget, **more)


def asked(round: Round) -> list[int]:
    questions: list[int] = []

    def oracle(indices: Index) -> NDArray[np.int64]:
        questions.extend(indices.tolist())
        return np.zeros(len(indices), np.int64)

    run(STRATEGIES["base"].strategy, round, oracle)
    return questions


def explicit(embedding: Floats, probs: Floats, head: Floats) -> NDArray[np.float64]:
    """(N, K) distances one by one, from the geometry: how far the example must move to where two logits are equal."""
    n, n_classes, width = len(embedding), len(head), embedding.shape[1]
    weights = head[:, :width].astype(float)
    biases = head[:, -1].astype(float) if head.shape[1] > width else np.zeros(n_classes)
    far = np.full((n, n_classes), np.inf)
    for i in range(n):
        mine = int(probs[i].argmax())
        for k in range(n_classes):
            across = weights[mine] - weights[k]
            if np.isfinite(biases[[mine, k]]).all() and across.any():
                step = (across @ embedding[i].astype(float) + biases[mine] - biases[k]) / (across @ across)
                far[i, k] = abs(step) * np.sqrt(across @ across)
        far[i, mine] = np.delete(far[i], mine).min(initial=np.inf)
    return far


def in_order(items: set[int], far: NDArray[np.float64]) -> list[int]:
    """Nearest first, ties to the lower index."""
    return sorted(items, key=lambda i: (far[i], i))


# --- distances --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("n", "n_classes", "width"), [(200, 5, 7), (40, 2, 1), (40, 1, 3), (9000, 3, 64)])
def test_distances_are_those_of_the_geometry(n: int, n_classes: int, width: int, dtype: type, bias: bool) -> None:
    embedding, head = drawn(n, n_classes, width, bias=bias)
    embedding = embedding.astype(dtype) + np.asarray(5, dtype)  # what all have in common must not cost digits
    probs = softmax(embedding, head)
    boundaries = Boundaries(embedding, probs, head)
    least, some = boundaries.lower_bounds(), np.arange(n)[:: max(1, n // 200)]
    expected = explicit(embedding[some], probs[some], head)
    for c in range(n_classes):
        exact = boundaries.distances(some, c)
        np.testing.assert_allclose(exact, expected[:, c], rtol=1e-9, atol=1e-9)
        assert np.all(least[c, some] <= exact)
        assert np.all((least[c, some] > exact - 0.01) | np.isinf(exact))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("apart", [1e-1, 1e-3, 1e-6, 1e-9, 1e-12])
def test_bounds_are_bounds_where_rows_of_the_head_are_nearly_equal(apart: float, dtype: type) -> None:
    """Else a class would find fewer examples than its share."""
    rng = np.random.default_rng(9)
    for width in (1, 2, 7):
        head = rng.normal(size=(1, width)) + apart * rng.normal(size=(3, width))
        probs = np.full((500, 3), 1 / 3, np.float32)
        boundaries = Boundaries(rng.normal(size=(500, width)).astype(dtype), probs, head)
        bounds = boundaries.lower_bounds()
        for c in range(3):
            assert (bounds[c] <= boundaries.distances(np.arange(500), c)).all()


def test_distances_do_not_depend_on_the_rest_of_the_list() -> None:
    embedding, head = drawn(230, 6, 512)
    boundaries = Boundaries(embedding, softmax(embedding, head), head)
    everybody = boundaries.distances(np.arange(230), 2)
    assert np.array_equal(everybody, np.concatenate([boundaries.distances(np.array([i]), 2) for i in range(230)]))


def test_there_is_no_boundary_between_equal_rows() -> None:
    """Their Gram matrix would put them apart by its rounding, and the examples at some distance."""
    embedding, head = drawn(300, 4, 64)
    head[2, :-1] = head[1, :-1]  # the biases differ: no point of the space is on both sides all the same
    probs = softmax(embedding, head)
    boundaries, predicted = Boundaries(embedding, probs, head), probs.argmax(axis=1)
    far = boundaries.distances(np.arange(300), 2)
    assert np.isinf(far[predicted == 1]).all()
    assert np.isfinite(far[predicted != 1]).all()
    assert np.isinf(boundaries.lower_bounds()[2, predicted == 1]).all()


def test_rows_that_differ_in_the_last_bit_have_a_boundary() -> None:
    embedding, head = drawn(50, 2, 4)
    head[1] = head[0]
    head[1, 0] = np.nextafter(head[0, 0], np.float32(9))
    probs = np.tile(np.array([0.75, 0.25], np.float32), (50, 1))
    far = Boundaries(embedding, probs, head).distances(np.arange(50), 1)
    np.testing.assert_allclose(far, np.abs(embedding[:, 0]), rtol=1e-6)


# --- shares -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [1, 2, 3, 7, 12, 30])
@pytest.mark.parametrize("n_classes", [1, 2, 3, 5])
def test_every_class_has_its_share_of_the_nearest(n_classes: int, budget: int) -> None:
    embedding, head = drawn(60, n_classes, seed=budget)
    probs = softmax(embedding, head)
    far, left = explicit(embedding, probs, head), set(range(60))
    questions = asked(a_round(embedding, head, budget))
    assert len(questions) == budget
    for c in range(n_classes):
        share = budget // n_classes + (c < budget % n_classes)
        mine, questions = questions[:share], questions[share:]
        assert mine == in_order(left, far[:, c])[:share]
        left -= set(mine)
    assert not questions


def test_two_rounds_alike_ask_alike_whatever_the_seed() -> None:
    embedding, head = drawn(80, 4)
    first = asked(a_round(embedding, head, 20, seed=1))
    assert asked(a_round(embedding, head, 20, seed=2)) == first


def test_a_worked_example() -> None:
    """One column; boundaries at 2 (of 0 and 1), 3 (of 0 and 2) and 4 (of 1 and 2); two examples a class."""
    embedding = np.array([[0.0], [1.5], [2.25], [3.0], [3.5], [4.125], [9.0]])
    head = np.array([[0.0, 0.0], [2.0, -4.0], [4.0, -12.0]])
    assert softmax(embedding, head).argmax(axis=1).tolist() == [0, 0, 1, 1, 1, 2, 2]
    # class 0 takes 2 and 1, which are 0.25 and 0.5 from it; of the rest, class 1 takes 5 (0.125) and 4 (0.5), and class
    # 2 takes 3 (1) and 0 (3) rather than its own 6, which is 5 from the nearest other class
    assert asked(a_round(embedding, head, 6)) == [2, 1, 5, 4, 3, 0]


def test_labelled_and_held_examples_are_not_asked() -> None:
    embedding, head = drawn(30, 3)
    labels = np.where(np.arange(30) < 10, 1, UNKNOWN)
    questions = asked(a_round(embedding, head, 99, labels=labels, held=np.arange(20, 25)))
    assert sorted(questions) == [*range(10, 20), *range(25, 30)]


# --- classes that the head does not know ------------------------------------------------------------------


def test_the_classes_that_the_head_knows_share_the_budget() -> None:
    embedding, head = drawn(60, 4)
    head[1, -1] = -np.inf
    probs = softmax(embedding, head)
    far = explicit(embedding, probs, head)
    questions = asked(a_round(embedding, head, 10))
    assert len(questions) == 10
    left = set(range(60))
    for c, share in ((0, 4), (2, 3), (3, 3)):
        mine, questions = questions[:share], questions[share:]
        assert mine == in_order(left, far[:, c])[:share]
        left -= set(mine)


def test_an_example_predicted_to_be_of_an_unknown_class_comes_last() -> None:
    """The probabilities may know more than the head."""
    embedding, head = drawn(20, 3)
    head[2, -1] = -np.inf
    probs = np.tile(np.array([0.6, 0.3, 0.1], np.float32), (20, 1))
    probs[:5] = [0.1, 0.1, 0.8]
    assert sorted(asked(a_round(embedding, head, 15, probs=probs))) == list(range(5, 20))
    assert asked(a_round(embedding, head, 20, probs=probs))[15:] == [0, 1, 2, 3, 4]


def test_with_no_class_known_the_lowest_indices_are_asked() -> None:
    embedding, head = drawn(12, 3)
    head[:, -1] = -np.inf
    probs = np.full((12, 3), 1 / 3)
    assert asked(a_round(embedding, head, 5, probs=probs)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("n_classes", [1, 3])
def test_where_no_class_has_a_boundary_the_lowest_indices_are_asked(n_classes: int) -> None:
    embedding, head = drawn(12, n_classes)
    head[:] = head[0]
    assert asked(a_round(embedding, head, 5)) == [0, 1, 2, 3, 4]


# --- odd input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "n_classes", "width"), [(33, 6, 100), (230, 6, 512), (105, 7, 64)])
def test_equal_examples_go_by_index(n: int, n_classes: int, width: int) -> None:
    """In a matrix product, equal rows do not have equal results; what is asked must not depend on that."""
    embedding, head = drawn(n, n_classes, width)
    embedding[:] = embedding[np.arange(n) % 10]
    questions = asked(a_round(embedding, head, n))
    assert sorted(questions) == list(range(n))
    for start in range(10):
        of_one_kind = [i for i in questions if i % 10 == start]
        assert of_one_kind == sorted(of_one_kind)


def test_a_constant_embedding_gives_the_lowest_indices() -> None:
    _, head = drawn(1, 3)
    assert asked(a_round(np.ones((40, 3), np.float32), head, 10)) == list(range(10))


def test_an_embedding_without_columns_gives_the_lowest_indices() -> None:
    head = np.array([[0.0], [1.0]])
    assert asked(a_round(np.empty((6, 0)), head, 3)) == [0, 1, 2]


def test_embeddings_near_the_largest_float_are_borne() -> None:
    embedding, head = drawn(30, 3)
    embedding *= np.float32(3e38) / np.abs(embedding).max()
    head *= np.float32(1e3)
    probs = np.tile(np.array([0.5, 0.25, 0.25], np.float32), (30, 1))
    far = explicit(embedding, probs, head)
    assert asked(a_round(embedding, head, 5, probs=probs))[:2] == np.argsort(far[:, 0])[:2].tolist()
    huge = embedding.astype(np.float64) * 1e269
    assert len(set(asked(a_round(huge, head.astype(np.float64), 12, probs=probs)))) == 12


def test_nothing_to_ask_is_nothing_asked() -> None:
    embedding, head = drawn(5, 2)
    assert asked(a_round(embedding, head, 3, labels=np.zeros(5, np.int64))) == []
    assert asked(a_round(embedding[:0], head, 3)) == []


@pytest.mark.parametrize("missing", ["embedding", "head"])
def test_what_is_missing_is_named(missing: str) -> None:
    embedding, head = drawn(5, 2)
    given = {"embedding": embedding, "head": head} | {missing: None}
    scores = Scores(softmax(embedding, head), **given)
    with pytest.raises(UsageError, match=f"base reads the {missing}"):
        next(STRATEGIES["base"].strategy(Round(scores, np.full(5, UNKNOWN), 2)))


# --- the lowest few ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 3, 17, 40, 99])
def test_the_lowest_are_those_of_a_stable_sort(size: int) -> None:
    values = np.random.default_rng(size).integers(0, 6, 40).astype(np.float32)
    values[values == 5] = np.inf
    assert lowest(values, size).tolist() == np.argsort(values, kind="stable")[:size].tolist()
    assert lowest(values[:0], size).tolist() == []
