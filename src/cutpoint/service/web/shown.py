"""Items, questions and receipts as pages and programs are shown them: plain values, nothing of the inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cutpoint.service.desk.asks import Ask, Receipt
from cutpoint.store.base import Item
from cutpoint.types import Why
from cutpoint.words import count

MOST_TEXT = 100_000  # characters sent of a text; more than anybody reads for one answer
MOST_CELLS = 200  # of a row
LONGEST_CELL = 5_000
_HALF = re.compile("[\ud800-\udfff]")


def shown_item(item: Item) -> dict[str, Any]:
    """An item: its index and id, and what is seen of it: `picture` (an address), `row` (pairs) or `text`.

    All three are None of what cannot be shown: older pools may hold anything. An empty row is the id alone.
    cut: how many pairs of the row, or characters of the text, there are, where not all are sent; None where all are.
    """
    shown: dict[str, Any] = {"item": item.index, "id": whole(item.id)}
    shown |= {"picture": None, "row": None, "text": None, "cut": None}
    row, text = item.content.get("row"), item.content.get("text")
    if "picture" in item.content:
        return shown | {"picture": f"/items/{item.index}/picture"}
    if isinstance(row, Mapping) and (row or text is None):
        cells = list(row.items()) or [("id", item.id)]
        pairs = [(whole(str(name)), whole(_cell(value))) for name, value in cells[:MOST_CELLS]]
        return shown | {"row": pairs, "cut": len(cells) if len(cells) > MOST_CELLS else None}
    if text is None:
        return shown
    text = str(text)
    return shown | {"text": whole(text[:MOST_TEXT]), "cut": len(text) if len(text) > MOST_TEXT else None}


def whole(text: str) -> str:
    """The text with a sign for each half of a surrogate pair, which UTF-8 cannot say; older pools may have some."""
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", text)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    text = str(value)
    if isinstance(value, float):
        return text.removesuffix(".0")
    if len(text) > LONGEST_CELL:
        return f"{text[:LONGEST_CELL]}… (these are the first characters of {len(text):,})"
    return text


def blinded(why: Why) -> Why:
    """Why, without the places that follow from what others answered."""
    return replace(why, threshold=None, low=None, high=None)


def shown_ask(
    ask: Ask, item: Item, names: Sequence[str], found: Mapping[int, int] | None, place: int | None
) -> dict[str, Any]:
    """A question: its item, the lease, and why it is asked, of which class, with the address of the drawing for it.

    found: how many examples of each class are known, None for who is not to know that. place: the item's in the class's
    order, if that is known.
    """
    why = ask.why if ask.why is None or found is not None else blinded(ask.why)
    k = why.class_ if why is not None else None
    strip = f"/strips/{k}.svg?item={ask.item}" if k is not None else None
    return shown_item(item) | {
        "lease": ask.lease,
        "seconds": ask.seconds,
        "why": reason(why, names, found) if why is not None else None,
        "because": because(why, place),
        "class": k,
        "strip": strip,
    }


def reason(why: Why, names: Sequence[str], found: Mapping[int, int] | None) -> str:
    """Why a question is asked, in one or two sentences."""
    if why.class_ is None or why.class_ >= len(names):
        if why.phase == "random":
            return "Drawn at random: that is how a campaign begins, before there is a model to choose by."
        return f"When this was asked, the strategy {why.strategy} put it first of all that had no label."
    name = names[why.class_]
    if found is not None and not found.get(why.class_):
        return f"No example of “{name}” is known yet. Your answer may give the first."
    if why.phase == "search" and why.low is not None and why.high is not None:
        left = why.high - why.low + 1
        return (
            f"This is to find where “{name}” ends. When this was asked, {count(left, 'place')} of that time's order "
            f"could be it, {why.low:,} to {why.high:,}, and this item lay among them. Your answer rules some of them "
            "out."
        )
    if why.phase == "threshold" and why.threshold is not None:
        return (
            f"Of what was left to ask when this was asked, it lay nearest to the place where “{name}” ended best, "
            f"{why.threshold:,} in the order of that time."
        )
    if why.phase == "cut":
        return f"When this was asked, it lay, in the order of “{name}”, between two items with different answers."
    return f"When this was asked, the strategy {why.strategy} put it first for “{name}”."


def because(why: Why | None, place: int | None) -> dict[str, Any] | None:
    """Why a question is asked, as a program reads it, with the item's place in the class's order if that is known."""
    if why is None:
        return None
    where = {"threshold": why.threshold, "low": why.low, "high": why.high, "place": place}
    return {"strategy": why.strategy, "phase": why.phase, "class": why.class_} | where


def shown_receipt(receipt: Receipt, *, blind: bool) -> dict[str, Any]:
    """What became of what somebody said; blind: without what follows from what others said."""
    return {
        "item": receipt.item,
        "status": receipt.status,
        "label": None if blind else receipt.label,
        "late": receipt.late,
        "disputed": None if blind else receipt.disputed,
        "number": receipt.number,
        "note": None,
    }


def note_of(receipt: Receipt, names: Sequence[str], *, blind: bool) -> str | None:
    """What somebody is told beside their own answer, where there is something to tell; blind: not of others."""
    if receipt.disputed and not blind:
        return "Somebody else answered this item differently; it will be looked at again."
    if receipt.others and receipt.label is not None and not blind:
        return f"Somebody else answered this item, too; its label is “{names[receipt.label]}”."
    return "It is kept, though your time for this item had run out." if receipt.late else None
