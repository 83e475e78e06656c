"""Events: what is appended to the log of a campaign, once and for ever. The log is the truth, all else is derived.

Only names and shapes are checked here, never sense: whether item 7 was asked is for those who read the log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cutpoint.errors import UsageError, no_such
from cutpoint.words import count

KINDS: dict[str, tuple[str, ...]] = {
    "campaign_created": (
        *("name", "classes", "strategy", "seed", "parallel", "first", "budget", "overlap", "lease_seconds"),
        *("learner", "kind", "guideline"),
    ),
    "class_added": ("name",),
    "guideline_set": ("text",),
    "settings_changed": (),
    "pool_added": ("first", "count", "source", "features"),
    "annotator_added": ("annotator", "admin"),
    "link_made": ("annotator", "hash"),
    "link_revoked": ("annotator", "hash"),
    "labels_imported": ("items", "labels", "source"),
    "scores_published": ("version", "classes", "rows", "upto", "run", "files", "measures"),
    "round_opened": ("round", "scores", "strategy", "budget", "parallel", "seed", "held", "in_flight", "upto"),
    "asked": ("round", "items", "why"),
    "resized": ("round", "in_flight"),
    "round_closed": ("round", "reason"),
    "lease_granted": ("lease", "item", "annotator", "until", "seconds"),
    "lease_extended": ("lease", "until", "seconds"),
    "lease_ended": ("lease", "reason"),
    "answered": ("item", "annotator", "label", "lease", "late"),
    "corrected": ("item", "annotator", "label", "was"),
    "taken_back": ("item", "annotator"),
    "passed": ("item", "annotator", "why", "lease", "late"),
    "adjudicated": ("item", "label", "by"),
    "released": ("item", "by"),
    "training_started": ("run", "upto", "learner"),
    "training_finished": ("run", "version"),
    "training_failed": ("run", "upto", "error"),
    "training_stopped": ("run",),
}
"""Every kind of event, with the fields that its data must have; it may have no others, but see OPTIONAL."""

OPTIONAL: dict[str, tuple[str, ...]] = {
    "labels_imported": ("decided",),  # true: they were decided elsewhere, and count as decisions here
    "settings_changed": ("budget", "overlap", "lease_seconds", "parallel", "strategy"),
}
"""Fields that the data of a kind may have besides; at least one of them where it must have no others."""

TEXTS = frozenset(("name", "strategy", "learner", "kind", "guideline", "text", "source", "annotator", "hash", "by"))
"""Fields that hold text, in whatever kind."""

MOST_LABELS = 10_000
"""Labels in one `labels_imported`: an event is read whole, so that a long import is several events."""

MOST_BYTES = 2000
"""Bytes of a key or of an item's id in UTF-8: PostgreSQL indexes at most 2704, a third of a page."""

_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True)
class New:
    """An event to be appended. `key` names the request behind it: a key is stored once, however often it is sent."""

    kind: str
    data: Mapping[str, Any]
    key: str | None = None


@dataclass(frozen=True)
class Event:
    """An event of the log.

    number: 1, 2, 3, ... without gaps over all who write; the order of events is this and nothing else.
    at:     seconds since 1970 (UTC) by the clock of whoever wrote it; for people to read.
    """

    number: int
    at: float
    kind: str
    data: Mapping[str, Any]
    key: str | None = None


def check(new: New) -> None:
    """UsageError unless the kind is known, its fields are the right ones, and its texts and its key can be stored."""
    if new.kind not in KINDS:
        raise no_such("kind of event", new.kind, KINDS)
    must, may = set(KINDS[new.kind]), set(OPTIONAL.get(new.kind, ()))
    missing, unknown = sorted(must - new.data.keys()), sorted(new.data.keys() - must - may)
    if missing or unknown or (may and not new.data):
        said = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(unknown) or 'no field'}"
        needs = ", ".join(sorted(must)) or f"any of {', '.join(sorted(may))}"
        raise UsageError(f"the event {new.kind} {said}; its fields must be {needs}.")
    for field in sorted(TEXTS & new.data.keys()):
        check_text(new.data[field], field)
    check_key(new.key)
    if new.kind == "labels_imported":
        n_items, n_labels = len(new.data["items"]), len(new.data["labels"])
        if n_items != n_labels or n_items > MOST_LABELS:
            raise UsageError(
                f"labels_imported has {count(n_items, 'item')} and {count(n_labels, 'label')}; it must have as many "
                f"of one as of the other, and at most {MOST_LABELS}: split it into several events."
            )


def check_text(text: object, what: str) -> str:
    """The text; UsageError for anything else."""
    if not isinstance(text, str):
        raise UsageError(f"{what} is {text!r}; it must be text.")
    return text


def check_key(key: object) -> None:
    """UsageError unless it can be the key of a request; None is none."""
    if key is not None:
        check_name(key, "a key")


def check_name(name: object, what: str) -> None:
    """UsageError unless a key or an id can be stored and found again."""
    name = check_text(name, what)
    size = len(to_bytes(name))
    if not 1 <= size <= MOST_BYTES:
        raise UsageError(
            f"{what} has {size} bytes ({name[:40]!r}); it must have 1 to {MOST_BYTES}: give a shorter one."
        )


def to_bytes(name: str) -> bytes:
    """A key or id as it is stored: UTF-8, in which NUL and the halves of a broken surrogate pair have a place, too."""
    return name.encode("utf-8", "surrogatepass")


def from_bytes(stored: bytes) -> str:
    """The inverse of `to_bytes`."""
    return bytes(stored).decode("utf-8", "surrogatepass")


def encode(data: Mapping[str, Any], what: str = "the data of an event") -> str:
    r"""JSON of `data`, ASCII alone (NUL is \u0000), which `decode` turns into the same again; tuples become lists.

    UsageError for what would not come back as it is: NaN and infinity, other types than JSON has (numpy's integers
    among them), keys that are not text.
    """
    try:
        plain = dict(data)
        _check_keys(plain)
        text = _JSON.encode(plain)
        if r"\ud" in text and _plain(decode(text)) != _plain(plain):
            raise ValueError("it holds the two halves of a surrogate pair as two characters")
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{what} cannot be stored as JSON ({error}); it must be of text, finite numbers, true, false, none, "
            "lists and mappings with text as keys."
        ) from None
    return text


def decode(text: str) -> dict[str, Any]:
    """The data that `encode` was given."""
    data: dict[str, Any] = json.loads(text)
    return data


def _check_keys(value: Any) -> None:
    """TypeError at a key that is not text, which json would turn into text in silence."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is {type(key).__name__}")
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list | tuple):
            _check_keys(inner)


def _plain(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)
