"""Cells of a CSV: what one says of a label; and texts that a spreadsheet would run as a formula.

Such a text is made harmless on the way out and is exact on the way back: one that begins with one of = + - @, tab, CR,
LF, or an apostrophe gets an apostrophe in front; a cell that begins with an apostrophe and one of these loses it when
it is read. Every text so comes back as it was, and what people type themselves, such as 'tis, is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from cutpoint.types import UNKNOWN

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_DIGITS = 9  # of a number of a class, at most; thousands of them take long to read


def defused(text: str) -> str:
    """The text as a cell."""
    return f"'{text}" if text.startswith(RISKY) else text


def restored(cell: str) -> str:
    """The text that a cell means."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(RISKY) else cell


def label_in(cell: str, names: Sequence[str], k: int) -> int | None:
    """The class 0..k-1 that a cell means, UNKNOWN if it is empty or -1, None if it means nothing.

    A name goes before all else, as it is written or without `.0`, as data frames with gaps write whole numbers.
    """
    whole = cell.removesuffix(".0")
    for spelled in (cell, whole):
        if spelled in names:
            return names.index(spelled)
    if whole in ("", str(UNKNOWN)):
        return UNKNOWN
    number = int(whole) if whole.isdecimal() and len(whole) <= _DIGITS else k
    return number if number < k else None
