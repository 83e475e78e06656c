"""What is said of a class while a campaign runs: bounds that hold as often as they say."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cutpoint.service.desk.status import Status
from cutpoint.service.overview.found import LATEST, Said, between, rate
from naive import chance_of_draws, chance_of_hits


def status(items: int, found: tuple[int, ...]) -> Status:
    """A status with these numbers alone."""
    numbers = dict.fromkeys(Status.__dataclass_fields__, 0)
    said = {"classes": ("other", "rare")[: len(found)], "items": items, "found": found, "labelled": sum(found)}
    return Status(**numbers | said)  # type: ignore[arg-type]


@pytest.mark.parametrize(("items", "asked"), [(400, 20), (60, 40)])
def test_bounds_hold_nineteen_times_in_twenty_however_rare_the_class_is(items: int, asked: int) -> None:
    said = [
        rate("rare", 1, status(items, (asked - hits, hits)), Said([1] * hits + [0] * (asked - hits))).in_pool or (1, 0)
        for hits in range(asked + 1)
    ]
    for number in range(items + 1):
        held = [hits for hits, (low, high) in enumerate(said) if low <= number <= high]
        assert sum(chance_of_hits(hits, asked, number, items) for hits in held) >= 0.95, number


def test_what_random_would_need_follows_from_the_share() -> None:
    drawn, chosen = [0] * 18 + [1] * 2, [1] * 30 + [0] * 30
    said = rate("rare", 1, status(1000, (48, 32)), Said(drawn, chosen))
    assert (said.at_random, said.chosen, said.asked) == (0.1, 0.5, 80)
    assert said.random_needs == (101, 1000)  # 32 of 314 in 1000; 32 of 13 are more than there are
    assert said.in_pool == (32, 314)
    assert rate("rare", 1, status(5000, (48, 32)), Said(drawn, chosen)).random_needs == (101, 2540)  # of 63 to 1582


def test_what_random_would_need_goes_by_no_more_than_the_pool_may_have() -> None:
    said = rate("other", 0, status(175, (81, 33)), Said([0] * 15 + [1] * 5, [0] * 66 + [1] * 28))
    assert said.in_pool is not None
    assert said.in_pool[1] == 142, "175 without the 33 of the other class"
    assert said.random_needs is not None
    assert said.random_needs[0] == 81 * 175 // 142


def test_where_nothing_was_found_at_random_there_is_no_upper_bound() -> None:
    said = rate("rare", 1, status(1000, (40, 4)), Said([0] * 20, [1] * 4 + [0] * 20))
    assert said.random_needs == (24, None)
    assert between(said.random_needs) == "24 or more"
    assert said.in_pool == (4, 166)


def test_before_any_question_nothing_is_said() -> None:
    said = rate("rare", 1, status(1000, (5, 2)), Said())
    assert (said.at_random, said.chosen, said.in_pool, said.random_needs) == (None, None, None, None)
    assert between(None) == "–"
    assert between((7, 7)) == "7"


def test_what_was_known_before_is_counted_and_neither_drawn_nor_needed_at_random() -> None:
    drawn, known = [0] * 18 + [1] * 2, [1] * 400 + [0] * 100
    said = rate("rare", 1, status(1000, (118, 402)), Said(drawn, [], known))
    assert (said.at_random, said.asked) == (0.1, 20)
    assert said.in_pool == (407, 556)  # 400, and 7 to 156 of the other 500
    assert said.random_needs == (6, 143)
    assert rate("rare", 1, status(1000, (118, 402)), Said(drawn, [1] * 90, known)).random_needs == (294, 500)


def test_no_bound_is_beyond_what_is_labelled() -> None:
    drawn = [0] * 10 + [1] * 10
    assert rate("rare", 1, status(100, (75, 20)), Said(drawn)).in_pool == (25, 25)  # 30 would be at least
    assert rate("rare", 1, status(100, (80, 20)), Said(drawn)).in_pool == (20, 20)


# the forecast


@pytest.mark.parametrize("asked", [1, 10, LATEST])
def test_the_forecast_of_the_next_holds_nineteen_times_in_twenty_whatever_the_share_is(asked: int) -> None:
    said = [
        rate("rare", 1, status(10**6, (asked - hits, hits)), Said((), [1] * hits + [0] * (asked - hits))).next_needs
        for hits in range(asked + 1)
    ]
    for share in (Fraction(n, 60) for n in (1, 2, 7, 20, 45, 59, 60)):
        held = [
            hits
            for hits, bounds in enumerate(said)
            if bounds is not None and bounds[0] <= 1 / share and (bounds[1] is None or 1 / share <= bounds[1])
        ]
        assert sum(chance_of_draws(hits, asked, share) for hits in held) >= Fraction(95, 100), share


def test_the_forecast_goes_by_the_latest_questions_and_by_what_the_pool_may_have() -> None:
    drawn, latest = [0] * 18 + [1] * 2, [1] * 20 + [0] * 80  # a share of 0.127 to 0.292
    said = rate("rare", 1, status(5000, (98, 72)), Said(drawn, [1] * 50 + latest))
    assert said == rate("rare", 1, status(5000, (98, 72)), Said(drawn, [1] * 50 + latest[::-1]))
    assert said.in_pool == (72, 1582)
    assert said.next_needs == (3, 8)
    assert said.rest_needs == (0, 4830)  # 1510 at 0.127 would be 11,926: no more than all that are left
    few = rate("rare", 1, status(5000, (98, 72)), Said([0] * 90 + [1] * 30, [1] * 20 + [0] * 80))
    assert few.in_pool == (882, 1681)
    assert few.rest_needs == (2775, 4830)  # 810 at 0.292
    often = rate("rare", 1, status(5000, (100, 120)), Said([0] * 90 + [1] * 30, [1] * 90 + [0] * 10))
    assert often.in_pool == (882, 1681)
    assert often.rest_needs == (801, 1895)  # 762 at 0.951 and 1561 at 0.824


def test_the_forecast_says_nothing_where_nothing_can_be_said() -> None:
    before = rate("rare", 1, status(1000, (18, 2)), Said([0] * 18 + [1] * 2))
    assert (before.next_needs, before.rest_needs) == (None, None)  # nothing was chosen
    imported = rate("rare", 1, status(1000, (50, 60)), Said((), [1] * 10, [0] * 50 + [1] * 50))
    assert (imported.next_needs, imported.rest_needs) == ((1, 2), None)  # nobody knows what the pool has
    never = rate("rare", 1, status(1000, (120, 0)), Said([0] * 20, [0] * 100))
    assert (never.next_needs, never.rest_needs) == ((27, None), (0, 880))
    done = rate("rare", 1, status(100, (80, 20)), Said([0] * 16 + [1] * 4, [0] * 64 + [1] * 16))
    assert (done.next_needs, done.rest_needs) == (None, (0, 0))  # everything is labelled
