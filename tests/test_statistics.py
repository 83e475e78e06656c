"""Statistics of finished runs, held to naive twins and to scipy."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from cutpoint.experiment.significance import compare, holm, mean_difference, paired, wilcoxon
from cutpoint.experiment.statistics import (
    Arm,
    Floats,
    Runs,
    Setting,
    area,
    final,
    gather,
    main_arm,
    noise_label,
    reach,
    saving_between,
    standard_error,
    target_value,
)

DIRECT, GALAXY, RANDOM = Arm("direct", 5), Arm("galaxy", 1), Arm("random", 1)


class Row(NamedTuple):
    dataset: str
    strategy: str
    seed: int
    noise: str
    parallel: int
    n_labels: int
    metric: str
    value: float


def runs(*curves: list[float], step: int = 100) -> Runs:
    values = np.array(curves)
    return Runs(np.arange(len(curves)), step * np.arange(1, values.shape[1] + 1), values)


p_values = st.lists(st.floats(0, 1), max_size=12)
curves = arrays.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.floats(0, 1, width=32))


@given(p_values)
def test_holm_is_its_definition(p: list[float]) -> None:
    adjusted = holm(p)
    order = sorted(range(len(p)), key=lambda i: p[i])
    for i, place in enumerate(order):
        naive = max(min(1.0, (len(p) - j) * p[order[j]]) for j in range(i + 1))
        assert adjusted[place] == pytest.approx(naive)


@given(p_values)
def test_holm_never_lowers_keeps_the_order_and_is_at_most_bonferroni(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(a <= b <= min(1.0, len(p) * a) for a, b in zip(p, adjusted, strict=True))
    for i, j in itertools.permutations(range(len(p)), 2):
        if p[i] <= p[j]:
            assert adjusted[i] <= adjusted[j]


@given(st.lists(st.integers(-4, 4), max_size=9))
def test_wilcoxon_counts_all_signs(values: list[int]) -> None:
    kept = [v for v in values if v]
    ranks = stats.rankdata([abs(v) for v in kept]) if kept else np.empty(0)
    seen = sum(r for r, v in zip(ranks, kept, strict=True) if v > 0)
    sums = [sum(itertools.compress(ranks, signs)) for signs in itertools.product([0, 1], repeat=len(kept))]
    low, high = np.mean([s <= seen for s in sums]), np.mean([s >= seen for s in sums])
    assert wilcoxon(np.array(values, np.float64)) == pytest.approx(min(1.0, 2 * min(low, high)))


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=20, unique=True))
def test_wilcoxon_agrees_with_scipy_where_nothing_ties(sizes: list[int]) -> None:
    signs = np.random.default_rng(len(sizes)).choice([-1.0, 1.0], len(sizes))
    values = signs * np.array(sizes)
    assert wilcoxon(values) == pytest.approx(stats.wilcoxon(values, method="exact").pvalue)


def test_five_seeds_cannot_be_significant_and_six_can() -> None:
    assert wilcoxon(np.ones(5)) == pytest.approx(2 / 2**5)
    assert wilcoxon(np.ones(6)) < 0.05
    assert wilcoxon(np.zeros(6)) == 1.0
    assert wilcoxon(np.empty(0)) == 1.0


@given(curves)
def test_mean_error_final_and_area_are_their_definitions(values: Floats) -> None:
    given_runs = runs(*values.tolist())
    s, t = values.shape
    error = standard_error(values)
    for j in range(t):
        column = values[:, j].tolist()
        assert given_runs.mean[j] == pytest.approx(sum(column) / s)
        if s > 1:
            spread = math.sqrt(sum((v - sum(column) / s) ** 2 for v in column) / (s - 1) / s)
            assert error[j] == pytest.approx(spread, abs=1e-12)
        else:
            assert math.isnan(error[j])
    for i in range(s):
        assert final(given_runs)[i] == pytest.approx(np.mean(values[i, max(0, t - 3) :]))
        steps = [(a + b) / 2 for a, b in itertools.pairwise(values[i].tolist())] or [values[i, 0]]
        assert area(given_runs)[i] == pytest.approx(sum(steps) / len(steps))


@given(curves, st.floats(0, 1))
def test_labels_to_a_target_are_on_the_curve_and_never_beyond_it(values: Floats, target: float) -> None:
    given_runs = runs(*values.tolist())
    result = reach(given_runs, target)
    assert len(result.per_seed) == len(values)
    for curve, labels in [*zip(values, result.per_seed, strict=True), (given_runs.mean, result.of_mean)]:
        assert (labels is None) == bool((curve < target).all())
        if labels is not None:
            assert given_runs.n_labels[0] <= labels <= given_runs.n_labels[-1]
            before = curve[given_runs.n_labels < labels - 1e-6]
            assert (before <= target + 1e-9).all()
            assert np.interp(labels, given_runs.n_labels, curve) >= target - 1e-9
    assert result.reached == sum(labels is not None for labels in result.per_seed)


def test_reach_and_saving_by_hand() -> None:
    ours, other = runs([0.5, 0.7, 0.9], [0.5, 0.6, 0.7]), runs([0.5, 0.5, 0.6], [0.5, 0.5, 0.6])
    assert reach(ours, 0.6).per_seed == pytest.approx((150, 200))
    assert reach(ours, 0.6).of_mean == pytest.approx(100 + 100 * 0.1 / 0.15)
    assert reach(ours, 0.8).per_seed[1] is None
    assert reach(ours, 0.8).reached == 1
    assert reach(ours, 0.8).mean == pytest.approx(250)
    assert reach(other, 0.8).mean is None
    assert saving_between(reach(ours, 0.6), reach(other, 0.6)) == pytest.approx(1 - (100 + 100 * 0.1 / 0.15) / 300)
    assert saving_between(reach(ours, 0.8), reach(other, 0.8)) is None


def test_targets_are_finals_shares_of_the_best_and_numbers() -> None:
    arms = {DIRECT: runs([0.2, 0.9, 0.9, 0.9]), RANDOM: runs([0.0, 0.4, 0.5, 0.6])}
    assert target_value("random", arms) == pytest.approx(0.5)
    assert target_value("best:0.9", arms) == pytest.approx(0.81)
    assert target_value("0.75", arms) == 0.75
    assert target_value("galaxy", arms) is None


def test_gather_keeps_what_seeds_share_and_reads_in_order() -> None:
    rows = [
        Row("digits-2", arm.strategy, seed, noise, arm.parallel, n, "balanced_accuracy", 0.1 * seed + n)
        for noise in ("human:worse", "0.2", "0", "0.1")
        for arm in (RANDOM, DIRECT, GALAXY)
        for seed in (3, 1)
        for n in ((20, 10, 30) if seed == 1 else (10, 20))
    ]
    table = gather(iter(rows))["balanced_accuracy"]
    assert [setting.noise for setting in table] == ["0", "0.1", "0.2", "human:worse"]
    arms = table[Setting("digits-2", "0.1")]
    assert list(arms) == [DIRECT, GALAXY, RANDOM]
    assert arms[DIRECT].seeds.tolist() == [1, 3]
    assert arms[DIRECT].n_labels.tolist() == [10, 20]
    assert arms[DIRECT].values == pytest.approx(np.array([[10.1, 20.1], [10.3, 20.3]]))


def test_paired_compares_the_seeds_that_both_have() -> None:
    ours = Runs(np.array([1, 2, 3]), np.array([10, 20]), np.array([[0.5, 0.7], [0.4, 0.4], [0.9, 0.9]]))
    other = Runs(np.array([2, 3, 4]), np.array([10, 20]), np.array([[0.5, 0.5], [0.1, 0.3], [0.0, 0.0]]))
    result = paired(ours, {GALAXY: other, RANDOM: ours})
    assert result[GALAXY].n == 2
    assert result[GALAXY].difference == pytest.approx((0.7 - 0.1) / 2)
    assert (result[GALAXY].wins, result[GALAXY].losses) == (1, 1)
    assert result[RANDOM].p == result[RANDOM].adjusted == 1.0
    assert not result[RANDOM].significant


def test_compare_corrects_within_its_family() -> None:
    better = np.arange(1.0, 11.0)
    result = compare({GALAXY: better, RANDOM: -better, DIRECT: better - 5})
    assert result[GALAXY].p == pytest.approx(2 / 2**10)
    assert result[GALAXY].adjusted == pytest.approx(6 / 2**10)
    assert result[GALAXY].significant
    assert result[RANDOM].losses == 10


def test_mean_difference_averages_settings_per_seed() -> None:
    setting_a, setting_b, setting_c = (Setting("digits-2", noise) for noise in ("0", "0.1", "0.2"))
    table = {
        setting_a: {DIRECT: runs([0.5], [0.6]), RANDOM: runs([0.4], [0.4])},
        setting_b: {DIRECT: runs([0.5], [0.6], [0.7]), RANDOM: runs([0.7], [0.4])},
        setting_c: {DIRECT: runs([0.1])},
    }
    assert mean_difference(table, DIRECT, RANDOM) == pytest.approx([-0.05, 0.2])
    assert mean_difference(table, DIRECT, GALAXY).size == 0


def test_noise_reads_as_people_say_it() -> None:
    assert [noise_label(n) for n in ("0", "0.0", "0.15", "human:worse", "odd")] == [
        "no noise",
        "no noise",
        "15 % noise",
        "human: worse",
        "odd noise",
    ]
    assert DIRECT.label == "direct (5)"
    assert RANDOM.label == "random"
    assert Setting("digits-2", "0.1").label == "digits-2, 10 % noise"


def test_the_main_arm_is_direct_with_five_in_flight() -> None:
    arms = [Arm("random", 1), Arm("direct", 1), Arm("direct", 20), Arm("direct", 5)]
    assert main_arm(arms) == DIRECT
    assert main_arm(arms[:3]) == Arm("direct", 1)
    assert main_arm([RANDOM, GALAXY]) == GALAXY
