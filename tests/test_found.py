"""What is said of a class while a campaign runs: bounds that hold as often as they say."""

from __future__ import annotations

import pytest

from cutpoint.service.desk.status import Status
from cutpoint.service.overview.found import Said, between, rate
from naive import chance_of_hits


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
