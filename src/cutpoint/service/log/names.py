"""Names of classes and of people: one short line that every page and terminal can show, and nobody else's.

They are looked at when they are new. Whatever a log has is read as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import category, normalize
from unicodedata import name as name_of

from cutpoint.data.pools.given import Labelled
from cutpoint.errors import UsageError

LONGEST = 200  # characters
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls (line ends, tabs, what turns lines around) and half characters
_JOINERS = "\u200c\u200d"  # with which Persian is written, and emoji are joined
_LOOK = {
    "АВЕКМНОРСТХУІЈЅԚԜаеорсухіјѕԁһԛԝ": "ABEKMHOPCTXYIJSQWaeopcyxijsdhqw",  # Cyrillic
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυχ": "ABEZHIKMNOPTYXaikvopux",  # Greek
}
_LATIN = {ord(like): latin for letters, latins in _LOOK.items() for like, latin in zip(letters, latins, strict=True)}
_NO_JOINERS = dict.fromkeys(map(ord, _JOINERS))


def check_new_name(name: object, what: str) -> str:
    """The name, if it can be one of a `what` (a class, an annotator); UsageError."""
    if not isinstance(name, str) or not name.translate(_NO_JOINERS).strip():
        raise UsageError(f"the name of {what} is {name!r}; it must be a text, and not empty.")
    if len(name) > LONGEST:
        raise UsageError(
            f"the name of {what} has {len(name)} characters ({name[:40]!r}...); it must have at most {LONGEST}: give "
            "a shorter one."
        )
    for char in name:
        if (category(char) in _UNSEEN and char not in _JOINERS) or _no_character(char):
            raise UsageError(
                f"the name of {what} is {name!r}, with {char!a} in it; it must be one line without characters that "
                "cannot be seen: leave them out."
            )
    return name


def check_new_person(name: object, known: Iterable[str], what: str = "an annotator") -> str:
    """The name, if it can be that of somebody beside the known ones: one that none of theirs looks the same as."""
    told = check_new_name(name, what)
    for word in told.split():
        scripts = {name_of(char, "").partition(" ")[0] for char in word if char.isalpha()}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK"}:
            raise UsageError(
                f"the name of {what} is {name!r}, with letters of several alphabets in one word ({word!a}), which look "
                "like others; write the word in one alphabet."
            )
    plain = _plain(told)
    for other in known:
        if other != told and _plain(other) == plain:
            raise UsageError(f"{name!r} looks the same as {other!r}, who takes part already; give another name.")
    return told


def check_signed(source: str, lots: Iterable[Labelled], known: Iterable[str] = ()) -> None:
    """UsageError unless whoever signed these labels is known, or has a name that one can have beside the others."""
    there = list(known)
    for lot in lots:
        if lot.annotator is not None and lot.annotator not in there:
            there.append(check_new_person(lot.annotator, there, f"an annotator in {source}"))


def check_new_classes(names: Sequence[str], known: Sequence[str] = ()) -> None:
    """UsageError unless these can be classes beside the known ones: each a name that no other looks the same as."""
    taken = {_plain(name): name for name in known}
    for name in names:
        plain = _plain(check_new_name(name, "a class"))
        if plain in taken:
            same = "" if name == taken[plain] else f" (as {taken[plain]!r}, which looks the same)"
            there = "there already" if taken[plain] in known else "there twice"
            raise UsageError(f"class {name!r} is {there}{same}; every class must have a name of its own.")
        taken[plain] = name


def _plain(name: str) -> str:
    """What two names that look the same have in common: Latin letters for what looks so, single blanks, no joiners.

    Characters are taken apart first, so that marks above a letter change nothing, and wide or narrow forms are one.
    """
    apart = normalize("NFKD", name.translate(_NO_JOINERS))
    return " ".join(normalize("NFC", apart.translate(_LATIN)).split())


def _no_character(char: str) -> bool:
    """Whether Unicode says that it never will be one, as XML does: with it no drawing would be shown."""
    return ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF
