"""The columns of what is exported, with what each holds: written by an export, and known by an import."""

from __future__ import annotations

LABELS: dict[str, type] = {
    "id": str,
    "index": int,
    "label": str,
    "votes": int,
    "agreement": float,  # the share of the votes that are the label
    "disputed": bool,  # people differ, and nobody has decided
    "settled": bool,  # as many people as wanted have answered, or it was imported or adjudicated
    "source": str,  # "adjudicated", "imported" if it is the imported label, else "people"
    "first": str,  # when it was first spoken of
    "last": str,
}
"""What a row of the labels holds."""

HISTORY: dict[str, type] = {
    "number": int,  # of the event
    "at": str,
    "id": str,
    "index": int,
    "what": str,  # "answered", "corrected", "taken back", "passed", "adjudicated", "released" or "imported"
    "who": str,  # a person; of imported labels and decisions, where they are from
    "label": str,
    "was": str,
    "why": str,
    "late": bool,
}
"""What a row of the history holds."""

DECIDED = "adjudicated"
"""The source of a label that somebody decided."""
