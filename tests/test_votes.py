"""The majority of several answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutpoint.core.votes import majority
from cutpoint.errors import UsageError

tables = st.tuples(st.integers(1, 4), st.integers(0, 5), st.integers(0, 6)).flatmap(
    lambda kmn: st.tuples(
        st.just(kmn[0]),
        st.lists(
            st.lists(st.integers(-1, kmn[0] - 1), min_size=kmn[1], max_size=kmn[1]),
            min_size=kmn[2],
            max_size=kmn[2],
        ).map(lambda rows: np.array(rows, dtype=np.int64).reshape(kmn[2], kmn[1])),
    )
)


def naive_winners(row: list[int], n_classes: int) -> list[int]:
    counts = [row.count(k) for k in range(n_classes)]
    return [k for k in range(n_classes) if counts[k] == max(counts) > 0] or [-1]


@given(tables, st.integers(0, 2**32))
def test_majority_equals_its_naive_twin(drawn: tuple[int, NDArray[np.int64]], seed: int) -> None:
    n_classes, votes = drawn
    winners = [naive_winners(row, n_classes) for row in votes.tolist()]
    assert majority(votes, n_classes).tolist() == majority(votes).tolist() == [w[0] for w in winners]
    rng = np.random.default_rng(seed)
    assert all(v in w for v, w in zip(majority(votes, n_classes, rng), winners, strict=True))
    turned = np.random.default_rng(seed).permuted(votes, axis=1)
    assert np.array_equal(majority(votes, n_classes), majority(turned, n_classes))


def test_a_drawn_tie_falls_evenly() -> None:
    votes = np.tile([0, 2, 2, 0, 1], (9000, 1))
    share = np.bincount(majority(votes, 3, np.random.default_rng(0)), minlength=3) / 9000
    assert share == pytest.approx([0.5, 0, 0.5], abs=0.03)


def test_bad_votes_are_refused() -> None:
    with pytest.raises(UsageError, match="vote 1 on example 0 is 2"):
        majority([[0, 2]], 2)
    with pytest.raises(UsageError, match="vote 1 on example 0 is -2"):
        majority([[0, -2]])
    with pytest.raises(UsageError, match=r"shape \(n, m\)"):
        majority([0, 1], 2)
