"""Numbers as people read them, the same on every page, in every table and on the terminal; and text of others there."""

from __future__ import annotations

from unicodedata import category


def count(n: int, what: str) -> str:
    """A number of things: "1 answer", "2 answers", "1 strategy", "2,000 strategies", "2 processes"."""
    if n == 1:
        return f"1 {what}"
    if what.endswith("y") and what[-2:-1] not in "aeiou":
        return f"{n:,} {what[:-1]}ies"
    return f"{n:,} {what}es" if what.endswith("s") else f"{n:,} {what}s"


def percent(value: float) -> str:
    """A share: "28 %"."""
    return f"{100 * value:.0f}\N{NO-BREAK SPACE}%".replace("-", "−")


def difference(value: float) -> str:
    """A signed difference: "+0.013"."""
    return f"{value:+.3f}".replace("-", "−")


def shown(text: str) -> str:
    """A line of others' text as a terminal can show it: without control characters, which could move its cursor."""
    return "".join(
        char if char.isprintable() or category(char) == "Zs" else "\N{REPLACEMENT CHARACTER}" for char in text
    )
