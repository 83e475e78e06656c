"""What the report says of curves: headline, tables, and what is printed where there is nothing to say."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from cutpoint.errors import UsageError
from cutpoint.experiment.findings import find, median
from cutpoint.experiment.headline import claim, headline
from cutpoint.experiment.long_tables import cost_table, selection_table
from cutpoint.experiment.report_tables import all_tables, reach_table, saving_table, terminal_tables
from cutpoint.experiment.results import Row
from cutpoint.experiment.tables import Column, Table
from cutpoint.words import count


def rows(curves: dict[str, list[list[float]]], noise: str = "0") -> list[Row]:
    """Tidy rows of balanced accuracy: strategy -> a curve per seed."""
    return [
        Row("drawn", strategy, seed, noise, 5 if strategy == "direct" else 1, t, 100 * (t + 1), "balanced_accuracy", v)
        for strategy, seeds in curves.items()
        for seed, curve in enumerate(seeds)
        for t, v in enumerate(curve)
    ]


def test_the_headline_counts_what_is_not_reached_as_the_worst() -> None:
    curves = {"direct": [[0.5, 0.6, 0.6, 0.6]], "random": [[0.5, 0.7, 0.7, 0.7]], "galaxy": [[0.5, 0.55, 0.6, 0.6]]}
    findings = find(rows(curves))
    said = headline(findings)
    assert said[1].startswith("On drawn, no noise, direct (5) reached")
    assert said[0] == "direct (5) never reached the balanced accuracy that random ends with, in 1 setting."
    assert "galaxy ends with after 46\N{NO-BREAK SPACE}%" in said[1]
    assert any(line.startswith("Where it loses: to random on drawn, no noise") for line in said)
    assert any("cannot fall below" in line for line in said)
    assert median([0.2, None, None], np.inf) is None
    assert median([0.2, 0.3, None], np.inf) == 0.3
    assert median([], 0.0) == 0.0


def test_the_claim_is_of_all_settings_and_says_what_the_test_over_them_says() -> None:
    random = {"random": [[0.5, 0.6, 0.7, 0.7]] * 6}
    good, bad = {"direct": [[0.6, 0.7, 0.7, 0.7]] * 6}, {"direct": [[0.5, 0.5, 0.5, 0.7]] * 6}
    never = {"direct": [[0.5, 0.5, 0.5, 0.5]] * 6}

    def claimed(*settings: dict[str, list[list[float]]]) -> str:
        noises = ("0", "0.1", "0.2")
        found = find([row for curves, noise in zip(settings, noises, strict=False) for row in rows(curves, noise)])
        return claim(found).replace("\N{NO-BREAK SPACE}", " ")

    needs, there = "direct (5) needs", "labels than random to first get where random ends"
    one = f"{needs} 38 % fewer {there}, on drawn, no noise; area under the curve +0.050, significant (p = 0.031)"
    assert claimed(good | random) == one
    both = claimed(good | random, bad | random)
    assert f"{needs} 44 % more to 38 % fewer {there}, over 2 settings; area" in both
    assert both.endswith("−0.025, significant (p = 0.031)")
    three = claimed(good | random, never | random, bad | random)
    assert "over 3 settings, and never gets there in 1 of them; area" in three
    assert claimed(never | random).startswith("direct (5) never gets where random ends, on drawn, no noise; area")
    assert claimed({"direct": [[0.5, 0.6]]}) == "direct (5) on drawn"


def test_a_difference_over_all_settings_that_chance_makes_is_called_so() -> None:
    ours = [[0.5, 0.5 + 0.25 * (-1) ** seed, 0.75] for seed in range(6)]
    curves = {"direct": ours, "random": [[0.5, 0.5, 0.75]] * 6, "galaxy": [[0.5, 0.25, 0.75]] * 6}
    findings = find([*rows(curves), *rows(curves, "0.1")])
    assert claim(findings).endswith("; area under the curve +0.000, not significant (p = 1)")
    assert headline(findings)[2].endswith(" (0 significant); over all of them +0.000, not significant (p = 1).")
    assert headline(findings)[3].endswith("+0.125, not significant (p = 0.25, p = 0.5 after Holm's correction).")


def test_a_saving_that_most_settings_do_not_reach_is_none() -> None:
    good, bad = {"direct": [[0.7, 0.7, 0.7, 0.7]]}, {"direct": [[0.5, 0.6, 0.6, 0.6]]}
    random = {"random": [[0.5, 0.7, 0.7, 0.7]]}
    findings = find([*rows(good | random), *rows(bad | random, "0.1"), *rows(bad | random, "0.2")])
    said = headline(findings)[0].replace("\N{NO-BREAK SPACE}", " ")
    assert "after more than all (median of 3 settings; 25 % in the 1 where it gets there) of random's labels" in said
    assert "it saved nothing (median of 3 settings; 50 % in the 1 where it gets there)" in said
    assert said.endswith("Not reached: drawn, 10 % noise, drawn, 20 % noise.")


def test_numbers_agree_with_their_nouns() -> None:
    assert [count(n, "answer") for n in (0, 1, 2)] == ["0 answers", "1 answer", "2 answers"]
    assert [count(n, "strategy") for n in (1, 2)] == ["1 strategy", "2 strategies"]
    assert count(13, "array") == "13 arrays"
    assert count(2, "day") == "2 days"


def test_not_reached_is_printed_and_never_a_number() -> None:
    curves = {"direct": [[0.5, 0.6, 0.6, 0.6]], "random": [[0.5, 0.7, 0.7, 0.7]]}
    table = saving_table(find(rows(curves)), "random")
    shown = dict(zip([column.title for column in table.columns], table.shown()[0], strict=True))
    assert shown["direct (5)"] == "not reached"
    assert shown["random"] == "200"
    assert shown["share"] == shown["vs random"] == "–"
    assert shown["seeds"] == "0/1"


def test_seconds_are_medians_over_noises_rounds_and_seeds() -> None:
    curve = rows({"direct": [[0.5, 0.6], [0.5, 0.6]], "random": [[0.5, 0.6], [0.5, 0.6]]})
    spent = {"direct": [3.0, 1.0], "random": [0.25, 0.125]}
    timed = [
        Row("drawn", row.strategy, row.seed, noise, row.parallel, 0, 100, metric, value)
        for noise, slow in (("0", 1), ("0.1", 100))
        for row in curve
        if row.round == 0
        for metric, value in (("seconds_select", slow * spent[row.strategy][row.seed]), ("seconds_fit", 8.0))
    ]
    findings = find([*curve, *timed])
    table = selection_table(findings)
    assert [column.title for column in table.columns] == ["strategy", "drawn"]
    assert table.rows[:2] == (("direct (5)", 51.5), ("random", 6.375))
    assert table.rows[2:] == (("(a fit takes)", 8.0), ("(scoring takes)", None))
    assert cost_table(findings, "drawn").rows == (("direct (5)", 51.5, 8.0), ("random", 6.375, 8.0))
    assert selection_table(find(curve)).rows == ()
    measured = find([*curve, *timed, *(row._replace(metric="seconds_measure", value=2.0) for row in timed)])
    assert selection_table(measured).rows[-1] == ("(measuring takes)", 2.0)
    assert cost_table(measured, "drawn").columns[-1].title == "measure"
    assert cost_table(measured, "drawn").rows[1] == ("random", 6.375, 8.0, 2.0)
    assert "seconds" in [table.name for table in terminal_tables(findings)]


def test_a_campaign_without_direct_or_random_is_reported_too() -> None:
    findings = find(rows({"margin": [[0.5, 0.6]], "entropy": [[0.5, 0.7]]}))
    assert findings.main.strategy == "entropy"
    assert list(findings.reaches) == ["best:0.9", "best:0.95"]
    assert all(table.rows for table in all_tables(findings))
    assert terminal_tables(findings)
    assert headline(findings)


def test_a_single_run_is_reported_without_spread_or_tests() -> None:
    findings = find(rows({"direct": [[0.5, 0.6]]}))
    assert headline(findings) == []
    assert all_tables(findings)[0].name == "labels-to-best-09"


def test_one_table_says_the_same_everywhere() -> None:
    columns = (Column("who"), Column("labels", "labels"), Column("change", "difference"), Column("p", "p"))
    table = Table(
        "t", "A | B", columns, (("a|b", 1234.4, -0.01234, 0.0001), ("c", None, float("nan"), 0.5)), "note", "c"
    )
    assert list(csv.reader(table.csv().splitlines()))[1:] == [
        ["a|b", "1234.4", "-0.01234", "0.0001"],
        ["c", "", "", "0.5"],
    ]
    assert "| a\\|b | 1,234 | −0.012 | < .0005 |" in table.markdown()
    assert "| **c** | **not reached** | **–** | **0.500** |" in table.markdown()
    assert "<td class=n>" in table.html().replace('"', "")
    assert "a|b" in table.html()


def test_a_report_is_about_whom_one_asks() -> None:
    curves = {"direct": [[0.5, 0.6]], "random": [[0.5, 0.7]], "galaxy": [[0.5, 0.55]]}
    for asked in (None, "direct", "direct:5", "random"):
        findings = find(rows(curves), main=asked)
        assert findings.main.label == ("random" if asked == "random" else "direct (5)")
        assert findings.main not in findings.overall
    assert find(rows({"random": [[0.5]], "galaxy": [[0.5]]})).main.label == "galaxy"
    with pytest.raises(UsageError, match=r"runs 'galxy'; did you mean 'galaxy'\? Choose from direct, gal"):
        find(rows(curves), main="galxy")


def test_labels_to_a_target_stand_there_for_every_strategy() -> None:
    curves = {"direct": [[0.5, 0.6, 0.6, 0.6]], "random": [[0.5, 0.7, 0.7, 0.7]], "galaxy": [[0.5, 0.6, 0.7, 0.7]]}
    table = reach_table(find([*rows(curves), *rows({"random": [[0.5, 0.6]]}, "0.1")]), "random", "drawn")
    assert table.shown() == [
        ["direct (5)", "not reached", "–"],
        ["galaxy", "300", "–"],
        ["random", "200", "150"],
    ]
    assert table.name in {t.name for t in all_tables(find(rows(curves)))}
