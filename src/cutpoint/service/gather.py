"""All that a campaign is to begin with, read and checked before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cutpoint.data.pool import alike
from cutpoint.data.pools.bring import Wish, bring, check_files, check_wish, embed
from cutpoint.data.pools.brought import Brought, Embedded, Progress, ignored
from cutpoint.data.pools.given import Labelled, read_given
from cutpoint.errors import DataError, UsageError
from cutpoint.service.log.names import check_new_classes, check_new_name, check_signed
from cutpoint.service.log.settings import Settings, check_limits
from cutpoint.service.training.training import check_learner
from cutpoint.words import count

ALIKE = (
    "all items have the same features, so that no model can tell one from another: trainings will fail, and questions "
    "are drawn at random; begin with features in which they differ."
)
SEED_EXAMPLES = "seed examples"
"""The source of labels of rare items that were known beforehand."""


@dataclass(frozen=True)
class Beginning:
    """What a campaign begins with. labels: where each lot is from, and what it is. notes: how their files were read."""

    settings: Settings
    pool: Brought
    embedded: Embedded
    labels: Sequence[tuple[str, Labelled]] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The same in numbers and words. unreadable: ids of the pictures that cannot be shown."""

    campaign: str
    kind: str
    classes: tuple[str, ...]
    items: int
    source: str
    features: str
    dimensions: int
    unreadable: list[str]
    labels: int
    notes: tuple[str, ...]


def check_beginning(settings: Settings, wish: Wish, labels: Sequence[tuple[str, Path]] = ()) -> None:
    """UsageError or DataError for what is seen to be wrong before any of the files is read."""
    check_new_name(settings.name, "a campaign")
    check_new_classes(settings.classes)
    check_limits(vars(settings))
    check_learner(settings)
    check_wish(wish)
    check_files(*(path for _, path in labels))


def gather(
    settings: Settings, wish: Wish, labels: Sequence[tuple[str, Path]] = (), progress: Progress = ignored
) -> Beginning:
    """Read the pool and the labels that exist (source, file), and make features; `settings.kind` becomes the pool's.

    Unsigned labels of two files that differ for one item are refused, as whatever else cannot be meant.
    """
    check_beginning(settings, wish, labels)
    pool = bring(wish, progress)
    index = {name: i for i, name in enumerate(pool.ids)}

    def find(ids: Sequence[str]) -> list[int | None]:
        return [index.get(name) for name in ids]

    given = [(source, read_given(path, find, settings.classes)) for source, path in labels]
    lots = [(source, lot) for source, each in given for lot in each.lots]
    notes = tuple(note for _, each in given for note in each.notes)
    for source, lot in lots:
        check_signed(source, [lot])
    _refuse_contradictions(lots, pool, settings.classes)
    embedded = embed(pool, wish, settings.seed, progress)
    if alike(embedded.features):
        notes = (*notes, ALIKE)
    return Beginning(replace(settings, kind=pool.kind), pool, embedded, lots, notes)


def _refuse_contradictions(lots: Sequence[tuple[str, Labelled]], pool: Brought, classes: Sequence[str]) -> None:
    said: dict[tuple[int, bool], tuple[int, str]] = {}  # what was decided may differ from what was said
    for source, labelled in lots:
        if labelled.annotator is not None:
            continue
        for item, label in zip(labelled.items, labelled.labels, strict=True):
            before, where = said.setdefault((item, labelled.decided), (label, source))
            if before != label:
                raise UsageError(
                    f"{pool.ids[item]!r} is {classes[before]!r} in {where} and {classes[label]!r} in {source}; keep "
                    "one of them."
                )


def summary(beginning: Beginning) -> Summary:
    """What there is to say of it."""
    settings, pool, embedded = beginning.settings, beginning.pool, beginning.embedded
    known = {item for _, labelled in beginning.labels for item in labelled.items}
    said = (_counted(settings, len(known)), settings.unreachable(len(pool), trained=False))
    return Summary(
        *(settings.name, settings.kind, settings.classes, len(pool), pool.source),
        *(embedded.words, embedded.features.shape[1], [pool.ids[i] for i in embedded.unreadable]),
        *(
            sum(len(labelled.items) for _, labelled in beginning.labels),
            (*pool.notes, *beginning.notes, *filter(None, said)),
        ),
    )


def _counted(settings: Settings, known: int) -> str:
    """What to say where labels that exist count towards the first items, which are drawn at random otherwise."""
    if not known:
        return ""
    left = settings.first - known
    drawn = f"{count(left, 'question')} {'is' if left == 1 else 'are'}" if left > 0 else "no question is"
    return (
        f"labels that exist count towards the first {count(settings.first, 'item')}, and {drawn} drawn at random "
        f"before the first model: to have 100 drawn, which tell how many of each class there are, begin with "
        f"--first {known + 100}."
    )


def read_text(path: Path) -> str:
    """A text file; DataError if it is not UTF-8."""
    check_files(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataError(f"{path} is not UTF-8 (byte 0x{byte:02x} at place {error.start}); save it as UTF-8.") from None
