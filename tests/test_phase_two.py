"""Algorithm 1's second half: the estimated threshold and the list around it, plain, fast, permuted and renamed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import naive
from cutpoint.core.places import Order, class_orders
from cutpoint.strategies.direct import estimate_threshold, nearest
from cutpoint.types import UNKNOWN, Index, Scores
from draw import Case, cases


def phase_two(probs: NDArray[np.float32], labels: list[int], askable: NDArray[np.bool_], k: int) -> Index:
    """Class k's whole list on these labels."""
    order: Order = class_orders(Scores(probs).probs)[k]
    y = np.array(labels, np.int64)
    seen = np.flatnonzero((y != UNKNOWN) | ~askable)
    return nearest(order, estimate_threshold(order, k, seen, y), len(labels), askable)


def askable_of(case: Case) -> NDArray[np.bool_]:
    return np.isin(np.arange(len(case.labels)), list(case.askable))


@given(cases(max_n=80))
def test_the_list_is_the_twins(case: Case) -> None:
    for k in range(case.n_classes):
        book = naive.Book(case.labels, lambda batch: {}, case.held)
        expected = naive.nearest_to_cut(naive.order_by_margin(case.probs, k), k, book)
        assert phase_two(case.probs, case.labels, askable_of(case), k).tolist() == expected


@given(cases(max_n=80), st.integers(0, 90), st.integers(1, 5))
def test_a_short_list_is_the_beginning_of_the_long_one(case: Case, threshold: int, size: int) -> None:
    threshold = min(threshold, len(case.labels))
    for order in class_orders(Scores(case.probs).probs):
        whole = nearest(order, threshold, len(case.labels), askable_of(case))
        assert nearest(order, threshold, size, askable_of(case)).tolist() == whole[:size].tolist()


@given(cases(max_n=40, kinds=("smooth",)), st.data())
def test_the_list_follows_permutation_and_renaming(case: Case, data: st.DataObject) -> None:
    """Law 6, where no two examples tie."""
    n, n_classes = case.probs.shape
    if any(len({(max(row) - row[k], row[k]) for row in case.probs}) < n for k in range(n_classes)):
        return
    place = np.array(data.draw(st.permutations(range(n))), np.intp)  # example i moves to place[i]
    name = np.array([*data.draw(st.permutations(range(n_classes))), UNKNOWN])  # class k is called name[k]
    back, askable, labels = np.argsort(place), askable_of(case), np.array(case.labels)
    renamed = np.empty_like(case.probs)
    renamed[:, name[:-1]] = case.probs
    for k in range(n_classes):
        expected = phase_two(case.probs, case.labels, askable, k)
        moved = phase_two(case.probs[back], labels[back].tolist(), askable[back], k)
        assert moved.tolist() == place[expected].tolist()
        called = phase_two(renamed, name[labels].tolist(), askable, int(name[k]))
        assert called.tolist() == expected.tolist()
