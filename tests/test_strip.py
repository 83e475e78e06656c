"""The strip that pages draw after every answer is the one that the definitions give."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.core.strip import Lie, between, positions
from cutpoint.core.thresholds import best_threshold, losses, order_by_margin, version_space


@st.composite
def labelled_pools(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Coarse probabilities, so that ties occur; labels, -1 where nobody answered; a class."""
    n, n_classes = draw(st.integers(1, 30)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = rng.integers(0, 4, (n, n_classes)) + 0.25
    probs = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    labels = np.where(rng.random(n) < draw(st.floats(0, 1)), rng.integers(0, n_classes, n), -1)
    return probs, labels, draw(st.integers(0, n_classes - 1))


@given(labelled_pools())
def test_the_cut_is_the_one_of_the_definitions(case: tuple[np.ndarray, np.ndarray, int]) -> None:
    probs, labels, k = case
    order = order_by_margin(probs, k)
    y = labels[order]
    items = np.flatnonzero(labels >= 0)
    lie = Lie(probs, k)
    cut = lie.cut(items, labels[items])
    assert (cut.low, cut.high) == version_space(y, k)
    assert cut.threshold == best_threshold(losses(y, k))
    assert cut.at == between(lie.pool, cut.threshold)
    assert cut.left == cut.high - cut.low + 1
    assert cut.ours == np.count_nonzero(labels == k)


@given(labelled_pools())
def test_examples_lie_where_their_probabilities_say(case: tuple[np.ndarray, np.ndarray, int]) -> None:
    probs, _, k = case
    lie = Lie(probs, k)
    everything = np.arange(len(probs))
    assert np.array_equal(lie.along(everything), positions(probs, k))
    assert np.array_equal(np.argsort(lie.place), order_by_margin(probs, k))
