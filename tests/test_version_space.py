"""Law 1 for whole searches: the spaces of Algorithm 2 are nested, as wide as w(a) says, and the plain definition's."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from cutpoint.core import version_space
from cutpoint.core.places import class_orders
from cutpoint.core.thresholds import thresholds_left
from cutpoint.core.version_space import VersionSpace
from cutpoint.types import UNKNOWN, Scores
from draw import Case, cases
from test_strategies import drive, messy, twin


@pytest.mark.parametrize("wide", [1, 32, 10**9])
@given(case=cases(max_n=80, max_classes=4), b=st.integers(1, 12), parallel=st.integers(1, 4))
def test_a_search_goes_through_the_plain_definitions_spaces(wide: int, case: Case, b: int, parallel: int) -> None:
    """Also when answers are wrong, questions skipped, and others' answers arrive in between."""
    k = case.seed % case.n_classes
    labels = np.array(case.labels, np.int64)
    askable = labels == UNKNOWN
    askable[case.held] = False
    order = naive.order_by_margin(case.probs, k)
    seen = np.flatnonzero(~askable)
    rng, dice = np.random.default_rng(case.seed), random.Random(case.seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(version_space, "WIDE", wide)
        space = VersionSpace(class_orders(Scores(case.probs).probs)[k], k, seen, labels, askable)
        lo, hi = naive.version_space(labels[order].tolist(), k)
        assert (space.lo, space.hi) == (lo, hi)
        width, closed = space.width, 0
        while closed < b:
            batch = space.draw(min(parallel, b - closed), rng)
            candidates = {i for i in order[lo:hi] if askable[i]}
            assert set(batch.tolist()) <= candidates
            assert len(batch) == len(set(batch.tolist())) == min(parallel, b - closed, len(candidates))
            if not len(batch):
                assert not candidates
                return
            askable[batch] = False
            touched = batch.tolist() + [dice.randrange(len(labels)) for _ in range(dice.randrange(3))]
            for i in touched:
                if dice.random() < 0.8:
                    labels[i] = case.truth[i] if dice.random() < 0.8 else dice.randrange(case.n_classes)
                    askable[i] = False
            space.see(np.unique(np.array(touched, np.intp)))
            closed += len(batch)
            count = thresholds_left(width, closed, b)
            space.narrow(count, labels)
            before = lo, hi
            lo, hi = naive.narrow(naive.losses(labels[order].tolist(), k), lo, hi, count)
            assert (space.lo, space.hi) == (lo, hi)
            assert before[0] <= lo <= hi <= before[1]
        assert space.width == 1


@pytest.mark.parametrize("wide", [1, 4])
@given(case=cases(max_n=80))
def test_every_question_is_the_twins_whichever_way_batches_are_drawn(wide: int, case: Case) -> None:
    """Small pools are wide nearly always: here candidates are listed, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(version_space, "WIDE", wide)
        patch.setattr(naive, "WIDE", wide)
        assert drive("direct", case, messy(case)) == twin("direct", case, messy(case))
