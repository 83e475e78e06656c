"""Cells of a CSV: what one says of a label; and texts that a spreadsheet would run as a formula.

Such a text is made harmless on the way out and is exact on the way back. Spreadsheets of many countries split at
semicolons or tabs, so a cell of theirs may begin not only where the text does, but behind each of these and each end of
a line. Where one of = + - @, tab, CR, LF or an apostrophe follows there, perhaps behind double quotes, an apostrophe is
put in; an apostrophe there, with one of these behind, is taken out when the cell is read. Every text so comes back as
it was, and what people type themselves, such as 'tis, is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cutpoint.types import UNKNOWN

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_BEGINS, _RISK = r"(?:\A|(?<=[;\t\r\n]))", rf'(?="*[{re.escape("".join(RISKY))}])'
_HARMFUL, _HARMLESS = re.compile(_BEGINS + _RISK), re.compile(f"{_BEGINS}'{_RISK}")
_DIGITS = 9  # of a number of a class, at most; thousands of them take long to read


def defused(text: str) -> str:
    """The text as a cell."""
    return _HARMFUL.sub("'", text)


def restored(cell: str) -> str:
    """The text that a cell means."""
    return _HARMLESS.sub("", cell)


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
