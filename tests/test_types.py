"""Law 7: `Scores` and `Round` check themselves; the first bad row is named and nothing is changed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.errors import CutpointError, UsageError
from cutpoint.types import UNKNOWN, Round, Scores
from draw import Case, cases

GOOD = np.full((6, 3), 1 / 3, np.float32)


def scores(n: int = 6, n_classes: int = 3) -> Scores:
    return Scores(np.full((n, n_classes), 1 / n_classes, np.float32))


# --- Scores -----------------------------------------------------------------------------------------------


BAD_ROWS: dict[str, list[float]] = {
    "nan": [np.nan, 0.5, 0.5],
    "all nan": [np.nan, np.nan, np.nan],
    "infinity": [np.inf, 0, 0],
    "minus infinity": [-np.inf, 1, 0],
    "both infinities": [np.inf, -np.inf, 1],
    "negative": [-0.25, 0.75, 0.5],
    "barely negative": [-1e-6, 0.5, 0.500001],
    "sums to too much": [0.5, 0.5, 0.002],
    "sums to too little": [0.5, 0.498, 0],
    "zeros": [0, 0, 0],
    "logits": [4, -3, 0],
    "overflows float32": [1e300, 0, 0],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_named(name: str, dtype: type[np.floating[Any]]) -> None:
    probs = GOOD.astype(dtype)
    with np.errstate(over="ignore"):
        probs[2] = probs[4] = BAD_ROWS[name]
    before = probs.copy()
    with pytest.raises(UsageError, match=r"probs\[2\]"):
        Scores(probs)
    assert np.array_equal(probs, before, equal_nan=True)


@pytest.mark.parametrize("row", [0, 1, 65_535, 65_536, 131_072, 199_999])
def test_the_first_bad_row_of_a_large_pool_is_named(row: int) -> None:
    """However the rows are divided among blocks and threads."""
    probs = np.full((200_000, 2), 0.5, np.float32)
    probs[row] = [0.75, 0.5]
    probs[199_999] = [np.nan, 0.5]
    with pytest.raises(UsageError, match=rf"probs\[{row}\]"):
        Scores(probs)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 1), (4, 0)])
def test_probabilities_must_be_a_table(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="probs has shape"):
        Scores(np.ones(shape, np.float32))


@pytest.mark.parametrize("value", [[["a", "b"]], [[0.5, 0.5], [1.0]], [[None, 1.0]], [[0.5 + 0j, 0.5 + 0j]]])
def test_probabilities_must_be_numbers(value: Any) -> None:
    with pytest.raises(UsageError, match="probs"):
        Scores(value)


def test_rows_that_sum_to_one_within_a_thousandth_are_kept_as_given() -> None:
    probs = np.array([[0.5004, 0.5], [0.4996, 0.5], [1, 0], [0, 1]], np.float32)
    assert np.array_equal(Scores(probs).probs, probs)


def test_right_arrays_are_shared_and_read_only() -> None:
    probs = GOOD.copy()
    made = Scores(probs, embedding=np.zeros((6, 2), np.float32), head=np.zeros((3, 3), np.float32))
    assert np.shares_memory(made.probs, probs)
    assert probs.flags.writeable  # the caller's own array is left alone
    for array in (made.probs, made.embedding, made.head):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_other_numbers_become_float32() -> None:
    made = Scores(np.array([[1, 0], [0, 1]]))
    assert made.probs.dtype == np.float32
    assert Scores([[0.25, 0.75]]).probs.dtype == np.float32  # type: ignore[arg-type]
    columns_first = Scores(np.asfortranarray(GOOD)).probs
    assert columns_first.flags.c_contiguous
    assert (made.n_examples, made.n_classes) == (2, 2)


def test_scores_and_round_are_frozen() -> None:
    made = scores()
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.probs = GOOD  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Round(made, np.full(6, UNKNOWN), 1).budget = 3  # type: ignore[misc]


def test_an_empty_pool_is_a_pool() -> None:
    made = Scores(np.empty((0, 2), np.float32))
    assert Round(made, np.empty(0, np.int64), 1).unlabelled().tolist() == []


@pytest.mark.parametrize(
    ("embedding", "head", "words"),
    [
        (np.zeros(6), None, "embedding has shape"),
        (np.zeros((5, 2)), None, "embedding has shape"),
        (np.array([[0.0]] * 3 + [[np.nan]] * 3), None, r"embedding\[3\]"),
        (np.array([[0.0]] * 5 + [[np.inf]]), None, r"embedding\[5\]"),
        (None, np.zeros(3), "head has shape"),
        (None, np.zeros((2, 4)), "head has shape"),
        (np.zeros((6, 2)), np.zeros((3, 4)), "head has 4 columns"),
        (np.zeros((6, 2)), np.full((3, 2), np.nan), "head"),
    ],
)
def test_embedding_and_head_are_checked(embedding: Any, head: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Scores(GOOD, embedding, head)


def test_a_class_without_labels_may_have_a_bias_of_minus_infinity() -> None:
    head = np.array([[1, 2, 0], [3, 4, -np.inf], [0, 0, 0]])
    assert Scores(GOOD, np.zeros((6, 2)), head).head is not None


@given(cases())
def test_drawn_pools_pass_and_nothing_is_changed(case: Case) -> None:
    before = case.probs.copy()
    assert np.array_equal(Scores(case.probs).probs, before)
    assert np.array_equal(case.probs, before)


# --- Round ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": np.full(5, UNKNOWN)}, "labels has shape"),
        ({"labels": np.full((6, 1), UNKNOWN)}, "labels has shape"),
        ({"labels": np.array([0, 1, 2, 3, 0, 9])}, r"labels\[3\] is 3.*0\.\.2"),
        ({"labels": np.array([0, -1, -2, 1, -5, 0])}, r"labels\[2\] is -2"),
        ({"labels": np.zeros(6)}, "labels holds float64"),
        ({"labels": ["a"] * 6}, "labels"),
        ({"budget": -3}, "budget is -3"),
        ({"budget": 2.5}, r"budget is 2\.5"),
        ({"budget": True}, "budget is True"),
        ({"parallel": 0}, "parallel is 0"),
        ({"parallel": None}, "parallel is None"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": "1"}, "seed is '1'"),
        ({"held": np.array([0, 6])}, "held names example 6"),
        ({"held": np.array([-1, 2])}, "held names example -1"),
        ({"held": np.array([0.5])}, "held holds float64"),
        ({"held": np.array([True] * 6)}, "held holds bool"),
        ({"held": {0, 6}}, "held names example 6"),
        ({"held": {"a"}}, "held holds"),
    ],
)
def test_a_round_checks_itself(change: dict[str, Any], words: str) -> None:
    right: dict[str, Any] = {"scores": scores(), "labels": np.full(6, UNKNOWN), "budget": 1}
    with pytest.raises(UsageError, match=words):
        Round(**(right | change))


def test_the_error_is_one_of_ours() -> None:
    assert issubclass(UsageError, CutpointError)


def test_a_rounds_arrays_are_read_only() -> None:
    labels = np.full(6, UNKNOWN, np.int64)
    made = Round(scores(), labels, 2, held=np.array([4, 1, 4]))
    assert labels.flags.writeable
    for array in (made.labels, made.held):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert made.held.tolist() == [1, 4]
    assert made.unlabelled().tolist() == [0, 2, 3, 5]


def test_a_round_does_not_follow_the_callers_array() -> None:
    labels = np.full(6, UNKNOWN, np.int32)
    made = Round(scores(), labels, 2)
    labels[0] = 1
    assert made.labels.tolist() == [UNKNOWN] * 6


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ([[0, 1, 0], [np.nan, 1, 0], [0, 1, 0]], r"head\[1\]"),
        ([[0, 1, 0], [0, 1, np.inf], [0, 1, 0]], r"head\[1\]"),
        ([[-np.inf, 1, 0], [0, 1, 0], [0, 1, 0]], r"head\[0\]"),
        ([[0, 1], [0, -np.inf], [0, 1]], r"head\[1\]"),  # no bias column: this is a weight
    ],
)
def test_a_head_is_finite_but_for_a_bias(head: list[list[float]], words: str) -> None:
    embedding = np.zeros((6, 2), np.float32)
    Scores(scores().probs, embedding, np.array([[0, 1, 0], [0, 1, -np.inf], [0, 1, 0]]))
    with pytest.raises(UsageError, match=words):
        Scores(scores().probs, embedding, np.array(head))


def test_labels_too_large_for_any_class_are_refused_before_they_wrap_round() -> None:
    with pytest.raises(UsageError, match=r"labels\[2\]"):
        Round(scores(), np.array([0, 1, 2**64 - 1, 0, 0, 0], np.uint64), 2)


@pytest.mark.parametrize("held", [{4, 1}, frozenset({4, 1}), {4: 0, 1: 0}.keys(), [4, 1, 4], (1, 4), {np.int64(4), 1}])
def test_held_may_be_any_collection_of_indices(held: Any) -> None:
    assert Round(scores(), np.full(6, UNKNOWN), 2, held=held).held.tolist() == [1, 4]
    assert Round(scores(), np.full(6, UNKNOWN), 2, held=set()).held.tolist() == []  # type: ignore[arg-type]


def test_a_plain_array_is_no_scores_and_held_is_one_list() -> None:
    with pytest.raises(UsageError, match=r"Scores\(probs\)"):
        Round(np.full((6, 3), 1 / 3), np.full(6, UNKNOWN), 2)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="held has shape"):
        Round(scores(), np.full(6, UNKNOWN), 2, held=np.zeros((2, 2), np.intp))


@given(st.sampled_from([np.int8, np.int16, np.int32, np.int64, np.intp]))
def test_labels_of_any_whole_number_type(dtype: Any) -> None:
    made = Round(scores(), np.array([0, 1, 2, -1, -1, 0], dtype=dtype), np.int32(2), np.int64(3), np.uint8(7))  # type: ignore[arg-type]
    assert made.labels.tolist() == [0, 1, 2, -1, -1, 0]
    assert (made.budget, made.parallel, made.seed) == (2, 3, 7)
    assert type(made.budget) is int


def test_the_rounds_generator_starts_anew_every_time() -> None:
    made = Round(scores(), np.full(6, UNKNOWN), 2, seed=5)
    first = made.rng().random(4)
    assert np.array_equal(first, made.rng().random(4))
    assert not np.array_equal(first, Round(scores(), np.full(6, UNKNOWN), 2, seed=6).rng().random(4))


@given(cases())
def test_unlabelled_is_what_may_be_asked(case: Case) -> None:
    assert case.round().unlabelled().tolist() == sorted(case.askable)
