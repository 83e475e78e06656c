"""BASE on rounds that can be followed by hand: shares, boundaries that do not exist, ties, rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cutpoint import STRATEGIES, UNKNOWN, Index, Round, Scores, UsageError, run
from cutpoint.core.boundaries import Boundaries
from cutpoint.core.lowest import lowest

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
    some = np.arange(n)[:: max(1, n // 200)]
    far = Boundaries(head, width).distances(embedding, probs.argmax(axis=1), some)
    np.testing.assert_allclose(far, explicit(embedding[some], probs[some], head).T, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("width", [1, 3, 63, 512])
@pytest.mark.parametrize("n_classes", [1, 2, 5, 10])
def test_equal_examples_are_equally_far_wherever_they_stand(n_classes: int, width: int) -> None:
    embedding, head = drawn(23, n_classes, width)
    embedding, predicted = np.tile(embedding, (40, 1)), np.tile(np.arange(23) % n_classes, 40)
    boundaries = Boundaries(head, width)
    far = boundaries.distances(embedding, predicted, np.arange(920))
    assert np.array_equal(far, np.tile(far[:, :23], 40))
    alone = [boundaries.distances(embedding, predicted, np.array([i])) for i in range(23)]
    assert np.array_equal(far[:, :23], np.hstack(alone))


def test_there_is_no_boundary_between_equal_rows() -> None:
    """Their Gram matrix would put them apart by its rounding, and the examples at some distance."""
    embedding, head = drawn(300, 4, 64)
    head[2, :-1] = head[1, :-1]  # the biases differ: no point of the space is on both sides all the same
    predicted = softmax(embedding, head).argmax(axis=1)
    far = Boundaries(head, 64).distances(embedding, predicted, np.arange(300))[2]
    assert np.isinf(far[predicted == 1]).all()
    assert np.isfinite(far[predicted != 1]).all()


def test_rows_that_differ_in_the_last_bit_have_a_boundary() -> None:
    embedding, head = drawn(50, 2, 4)
    head[1] = head[0]
    head[1, 0] = np.nextafter(head[0, 0], np.float32(9))
    far = Boundaries(head, 4).distances(embedding, np.zeros(50, np.intp), np.arange(50))[1]
    np.testing.assert_allclose(far, np.abs(embedding[:, 0]), rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e-30, 1e200, 1e300])
def test_the_unit_of_the_head_is_no_matter(scale: float) -> None:
    embedding, head = drawn(200, 4, 8)
    probs, head = softmax(embedding, head), head.astype(np.float64)
    predicted, items = probs.argmax(axis=1), np.arange(200)
    far = Boundaries(head, 8).distances(embedding, predicted, items)
    np.testing.assert_allclose(Boundaries(head * scale, 8).distances(embedding, predicted, items), far, 1e-9, 1e-9)
    usual = asked(a_round(embedding, head, 30, probs=probs))
    assert asked(a_round(embedding, head * scale, 30, probs=probs)) == usual
    head[2, -1] = -np.inf
    usual = asked(a_round(embedding, head, 30, probs=probs))
    assert asked(a_round(embedding, head * scale, 30, probs=probs)) == usual


@pytest.mark.parametrize("scale", [1e-320, 1e-170, 1e200])
def test_rows_of_very_different_lengths_are_borne(scale: float) -> None:
    """Two rows differ by what has no square in double precision, next to two rows of the usual length."""
    embedding, head = drawn(60, 4, bias=False)
    probs = softmax(embedding, head)
    head = head.astype(np.float64)
    head[:2] *= scale
    predicted = probs.argmax(axis=1)
    far = Boundaries(head, 3).distances(embedding, predicted, np.arange(60))
    both = Boundaries(head[:2] / scale, 3).distances(embedding, predicted % 2, np.arange(60))
    if scale > 1e-300:
        np.testing.assert_allclose(far[1, predicted == 0], both[1, predicted == 0], 1e-9)
    assert len(set(asked(a_round(embedding, head, 50, probs=probs)))) == 50


def test_biases_may_be_far_larger_than_weights() -> None:
    embedding, head = drawn(30, 3)
    probs, head = softmax(embedding, head), head.astype(np.float64)
    for weight, bias in ((1e-320, 1.0), (1e-170, 1e200), (1e-320, 1e307), (0.0, 1e307)):
        odd = np.hstack([head[:, :-1] * weight, head[:, -1:] * bias])
        assert len(set(asked(a_round(embedding, odd, 20, probs=probs)))) == 20


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


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [(1e-23, np.float32), (1e-40, np.float32), (1e30, np.float32), (1e-310, np.float64), (1e-200, np.float64)],
)
@pytest.mark.parametrize("every", [1, 2, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_the_whole_budget_is_asked_whatever_the_scale(bias: bool, every: int, scale: float, dtype: type) -> None:
    """Every row, or every second or third, is so small or large that squares of single precision vanish."""
    embedding, head = drawn(60, 4, 16, bias=bias)
    probs = softmax(embedding, head)
    embedding = embedding.astype(dtype)
    embedding[::every] *= dtype(scale)
    for budget in (1, 3, 5, 17, 60):
        questions = asked(a_round(embedding, head, budget, probs=probs))
        assert len(set(questions)) == len(questions) == budget


@pytest.mark.parametrize(("scale", "dtype"), [(1e-23, np.float32), (1e-30, np.float32), (1e-200, np.float64)])
def test_the_unit_of_the_embedding_is_no_matter_without_biases(scale: float, dtype: type) -> None:
    embedding, head = drawn(60, 4, 16, bias=False)
    probs, embedding = softmax(embedding, head), embedding.astype(dtype)
    questions = asked(a_round(embedding * dtype(scale), head, 20, probs=probs))
    assert questions == asked(a_round(embedding, head, 20, probs=probs))


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
