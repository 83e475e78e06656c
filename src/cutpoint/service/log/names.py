"""Names of classes and of people: one short line that every page and terminal can show, and nobody else's.

They are looked at when they are new. Whatever a log has is read as it is.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from unicodedata import category, normalize

from cutpoint.data.pools.given import Labelled
from cutpoint.errors import UsageError

LONGEST = 200  # characters
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls (line ends, tabs, what turns lines around) and half characters
_JOINERS = "\u200c\u200d"  # with which Persian is written, and emoji are joined


def check_new_name(name: object, what: str) -> str:
    """The name, if it can be one of a `what` (a class, an annotator); UsageError."""
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"the name of {what} is {name!r}; it must be a text, and not empty.")
    if len(name) > LONGEST:
        raise UsageError(
            f"the name of {what} has {len(name)} characters ({name[:40]!r}...); it must have at most {LONGEST}: give "
            "a shorter one."
        )
    for char in name:
        if category(char) in _UNSEEN and char not in _JOINERS:
            raise UsageError(
                f"the name of {what} is {name!r}, with {char!a} in it; it must be one line without characters that "
                "cannot be seen: leave them out."
            )
    return name


def check_signed(source: str, lots: Iterable[Labelled], known: Container[str] = ()) -> None:
    """UsageError unless whoever signed these labels is known, or has a name that one can have."""
    for lot in lots:
        if lot.annotator is not None and lot.annotator not in known:
            check_new_name(lot.annotator, f"an annotator in {source}")


def check_new_classes(names: Sequence[str], known: Sequence[str] = ()) -> None:
    """UsageError unless these can be classes beside the known ones: each a name that no other looks the same as."""
    taken = {_plain(name): name for name in known}
    for name in names:
        plain = _plain(check_new_name(name, "a class"))
        if plain in taken:
            same = "" if name == taken[plain] else f" (as {taken[plain]!r}, which looks the same)"
            raise UsageError(f"class {name!r} is there twice{same}; every class must have a name of its own.")
        taken[plain] = name


def _plain(name: str) -> str:
    """What two names that look the same have in common: composed characters, single blanks."""
    return " ".join(normalize("NFC", name).split())
