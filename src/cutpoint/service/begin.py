"""A campaign's first events: what it is about, its pool, the labels that exist; and what is added later.

Everything that can be refused is read and checked before the first event is written. Each transaction of a beginning
has a key, so that the same command, run again after it was interrupted, goes on where it stopped; where the campaign is
complete, or another one, it is refused. What is added later is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutpoint.data.pools.brought import Brought, Progress, ignored
from cutpoint.data.pools.given import Labelled, read_given
from cutpoint.errors import UsageError
from cutpoint.service.desk.admin import check_read
from cutpoint.service.gather import Beginning
from cutpoint.service.log.names import check_signed
from cutpoint.service.log.settings import BEGUN
from cutpoint.service.log.state import State
from cutpoint.service.log.votes import IMPORTED
from cutpoint.store.base import Item, Repeated, Store
from cutpoint.store.events import MOST_LABELS, New
from cutpoint.store.files import ArrayFiles
from cutpoint.types import UNKNOWN

Before = Callable[[int, str], int]
"""An item and a person -> their label of it that stands, -1 for none."""


def _nothing(_item: int, _person: str) -> int:
    """Nobody has said anything."""
    return UNKNOWN


def begin(store: Store, files: ArrayFiles, beginning: Beginning, progress: Progress = ignored) -> None:
    """Write the first events of a campaign; UsageError if the store holds one that is complete, or another."""
    features = files.put("features", beginning.embedded.features)
    fresh = _append(store, [beginning.settings.created()], BEGUN)
    fresh |= _add_pool(store, beginning.pool, features, progress)
    lots = (news for source, labelled in beginning.labels for news in label_events(labelled, source))
    for number, news in enumerate(lots):
        fresh |= _append(store, news, f"begin: labels {number}")
    if not fresh:
        raise UsageError(f"the campaign {beginning.settings.name} is there already; give another name.")


def label_events(labelled: Labelled, source: str, before: Before = _nothing) -> Iterator[list[New]]:
    """The events of labels that exist already, in lots of at most MOST_LABELS labels.

    What a known person has said counts as answers of theirs, or corrects what they said before; what nobody signed,
    as imported labels, or imported decisions.
    """
    for first in range(0, len(labelled.items), MOST_LABELS):
        items, labels = (part[first : first + MOST_LABELS] for part in (labelled.items, labelled.labels))
        if labelled.annotator is None:
            data = {"items": items, "labels": labels, "source": source}
            yield [New("labels_imported", data | {"decided": True} if labelled.decided else data)]
            continue
        pairs = zip(items, labels, strict=True)
        yield [_spoken(labelled.annotator, item, label, before) for item, label in pairs]


def _spoken(annotator: str, item: int, label: int, before: Before) -> New:
    data, was = {"item": item, "annotator": annotator, "label": label}, before(item, annotator)
    return New("answered", data | {"lease": None, "late": False}) if was < 0 else New("corrected", data | {"was": was})


def _add_pool(store: Store, pool: Brought, features: dict[str, Any], progress: Progress) -> bool:
    source = pool.source if pool.folder is None else str(pool.folder)  # pictures are looked for below it
    added = New("pool_added", {"first": 0, "count": len(pool), "source": source, "features": features})
    if store.count():
        return _append(store, [added], "begin: pool")
    store.add_items(_items(pool, progress), New(added.kind, added.data, "begin: pool"))
    return True


def _items(pool: Brought, progress: Progress) -> Iterator[Item]:
    for index, (name, content) in enumerate(zip(pool.ids, pool.contents(), strict=True)):
        if index % 1000 == 0:
            progress("storing items", index, len(pool))
        yield Item(index, name, content)
    progress("storing items", len(pool), len(pool))


def _append(store: Store, news: Sequence[New], key: str) -> bool:
    """Append the events, the key on the first; False if they are there already, UsageError if others are."""
    first = New(news[0].kind, news[0].data, key)
    try:
        store.append([first, *news[1:]])
    except Repeated as repeated:
        if repeated.event.kind != first.kind or dict(repeated.event.data) != dict(first.data):
            raise UsageError(
                "the database holds another campaign, or one that was begun with other options; give another name."
            ) from None
        return False
    return True


@dataclass(frozen=True)
class Taken:
    """What came of a file: labels that are new, those that were there already, and what else there is to say."""

    new: int
    known: int
    notes: tuple[str, ...]


def import_file(store: Store, path: Path) -> Taken:
    """Add the labels in a file that a campaign does not have, in one transaction."""
    state = State(store.events())
    given = read_given(path, store.indices, state.made.classes)
    lots = [_new(lot, state) for lot in given.lots]
    check_signed(path.name, lots, state.people.by_name)
    before = state.ballots.vote
    store.append([new for lot in lots for news in label_events(lot, path.name, before) for new in news])
    new = sum(len(lot.items) for lot in lots)
    return Taken(new, sum(len(lot.items) for lot in given.lots) - new, given.notes)


def _new(lot: Labelled, state: State) -> Labelled:
    """What the campaign does not know of it: no such decision, not what that person said, nor, unsigned, the label."""
    ballots, who = state.ballots, IMPORTED if lot.annotator is None else lot.annotator

    def known(item: int, label: int) -> bool:
        if lot.decided:
            return item in ballots.decided and ballots.label(item) == label
        return ballots.vote(item, who) == label or (who == IMPORTED and ballots.labels[item] == label)

    pairs = [(item, label) for item, label in zip(lot.items, lot.labels, strict=True) if not known(item, label)]
    return lot._replace(items=[item for item, _ in pairs], labels=[label for _, label in pairs])


def add_classes(store: Store, names: Sequence[str]) -> tuple[str, ...]:
    """Add classes to a campaign, all or none; all of them by now. UsageError if one is there, or cannot be a name."""
    settings = State(store.events()).made
    for name in names:
        settings = settings.with_class(name)
    store.append([New("class_added", {"name": name}) for name in names])
    return settings.classes


def change_strategy(store: Store, name: str) -> str:
    """Let questions be chosen by another strategy from now on; the one before. UsageError if it cannot be meant.

    No event where it is the same. It needs neither a desk nor the strategy before, which may be of another Cutpoint.
    """
    settings = State(store.events()).made
    check_read(settings.changed({"strategy": name}))
    if name != settings.strategy:
        store.append([New("settings_changed", {"strategy": name})])
    return settings.strategy
