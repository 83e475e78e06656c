"""What a report says first: the findings in sentences.

Nothing is left out for being unwelcome: where the main arm needs more labels, or ends lower, it is said; no number of
one setting, and no median, stands without the range over all settings.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cutpoint.experiment.findings import Findings, losses_of, median, savings, shares
from cutpoint.words import count, difference, percent


def claim(findings: Findings) -> str:
    """The report's title: labels that the main arm needs against random, on all settings, and the test over them."""
    who, found = findings.main.label, savings(findings, "random", "random")
    if not found or findings.main.strategy == "random":
        return f"{who} on {', '.join(findings.datasets)}"
    reached = [saved for saved in found.values() if saved is not None]
    missed = len(found) - len(reached)
    where = f"on {next(iter(found)).label}" if len(found) == 1 else f"over {count(len(found), 'setting')}"
    tested = _overall(findings, "random", "area under the curve")
    if not reached:
        return f"{who} never gets where random ends, {where}{tested}"
    never = f", and never gets there in {missed} of them" if missed else ""
    return f"{who} needs {range_of(reached)} labels than random to first get where random ends, {where}{never}{tested}"


def _overall(findings: Findings, other: str, where: str) -> str:
    """The mean difference of areas over all settings and its test, in words; the corrected p decides."""
    rival = findings.named(other)
    result = None if rival is None else findings.overall.get(rival)
    if result is None:
        return ""
    corrected = "" if result.adjusted == result.p else f", p {_p(result.adjusted)} after Holm's correction"
    sure = "significant" if result.significant else "not significant"
    return f"; {where} {difference(result.difference)}, {sure} (p {_p(result.p)}{corrected})"


def more_or_fewer(saved: float) -> str:
    """A saving as people read it: "62 % fewer", "252 % more"."""
    return f"{percent(abs(saved))} {'fewer' if saved >= 0 else 'more'}"


def range_of(savings: Iterable[float]) -> str:
    """The worst and the best of several savings."""
    known = list(savings)
    return " to ".join(dict.fromkeys((more_or_fewer(min(known)), more_or_fewer(max(known)))))


def _p(value: float) -> str:
    return f"= {value:.2g}" if value >= 0.0005 else "< .0005"


def headline(findings: Findings) -> list[str]:
    """The report's first sentences: saving, wins and losses against random and GALAXY, and doubts."""
    lines = [_saving_line(findings, name) for name in ("random", "galaxy") if findings.main.strategy != name]
    lines += [_wins_line(findings, name) for name in ("random", "galaxy")]
    lines += [_losses_line(findings), _doubt_line(findings)]
    return [line for line in lines if line]


def _saving_line(findings: Findings, other: str) -> str:
    found = shares(findings, other, other)
    if not found:
        return ""
    who, missed = findings.main.label, [s.label for s, share in found.items() if share is None]
    if len(missed) == len(found):
        return f"{who} never reached the balanced accuracy that {other} ends with, in {count(len(found), 'setting')}."
    after = _spread(found.values(), np.inf, "more than all")
    saved = _spread(savings(findings, other, other).values(), -np.inf, "nothing")
    on = f"On {next(iter(found)).label}, " if len(found) == 1 else ""
    line = (
        f"{on}{who} reached the balanced accuracy that {other} ends with after {after} of {other}'s labels. Like for"
        f" like, counted to where {other}'s own curve first gets there, it saved {saved}."
    )
    return line + (f" Not reached: {', '.join(missed)}." if missed else "")


def _spread(values: Iterable[float | None], worst: float, beyond: str) -> str:
    """Median and range of shares, in words; `beyond` stands for a median that is not reached."""
    known = list(values)
    reached = [value for value in known if value is not None]
    middle = median(known, worst)
    amount = beyond if middle is None else percent(middle)
    if len(known) < 2:
        return amount
    where = "" if len(reached) == len(known) else f" in the {len(reached)} where it gets there"
    ends = " to ".join(dict.fromkeys((percent(min(reached)), percent(max(reached)))))
    return f"{amount} (median of {len(known)} settings; {ends}{where})"


def _wins_line(findings: Findings, other: str) -> str:
    rival = findings.named(other)
    found = [arms[rival] for arms in findings.versus.values() if rival is not None and rival in arms]
    if not found:
        return ""
    ahead, behind = sum(p.difference > 0 for p in found), sum(p.difference < 0 for p in found)
    sure = (
        sum(p.significant and p.difference > 0 for p in found),
        sum(p.significant and p.difference < 0 for p in found),
    )
    overall = _overall(findings, other, "over all of them") if len(found) > 1 else ""
    return (
        f"Area under the curve: ahead of {other} in {ahead} of {count(len(found), 'setting')} ({sure[0]} significant),"
        f" behind in {behind} ({sure[1]} significant){overall}."
    )


def _losses_line(findings: Findings, most: int = 4) -> str:
    found = losses_of(findings)
    if not any(arm.strategy != findings.main.strategy for arm in findings.arms):
        return ""
    if not found:
        return f"{findings.main.label} lost to no other strategy on any setting, by area under the curve."
    words = [
        f"to {arm.label} on {setting.label} ({difference(result.difference)}, {result.losses} of {result.n} seeds"
        f"{', significant' if result.significant else ''})"
        for setting, arm, result in found[:most]
    ]
    rest = len(found) - most
    return f"Where it loses: {'; '.join(words)}" + (f"; and {rest} more." if rest > 0 else ".")


def _doubt_line(findings: Findings) -> str:
    fewest = min((p.n for arms in findings.versus.values() for p in arms.values()), default=0)
    family = max((len(arms) for arms in findings.versus.values()), default=0)
    least = min(1.0, family * 2 / 2**fewest)
    if not fewest or least < 0.05:
        return ""
    return (
        f"With {count(fewest, 'seed')} and {count(family, 'comparison')} the paired test cannot fall below"
        f" p = {least:.2g} after Holm's correction: read the differences, not the stars."
    )
