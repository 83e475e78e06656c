"""Cells of a CSV that a spreadsheet would run as a formula: made harmless on the way out, exact on the way back.

A text that begins with one of = + - @, tab, CR, LF, or an apostrophe gets an apostrophe in front; a cell that begins
with an apostrophe and one of these loses it when it is read. Every text so comes back as it was, and what people type
themselves, such as 'tis, is left alone.
"""

from __future__ import annotations

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def defused(text: str) -> str:
    """The text as a cell."""
    return f"'{text}" if text.startswith(RISKY) else text


def restored(cell: str) -> str:
    """The text that a cell means."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(RISKY) else cell
