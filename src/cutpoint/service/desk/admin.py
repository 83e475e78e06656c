"""What those who run a campaign do: people, links, classes, settings, labels from elsewhere, disputed items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cutpoint.errors import UsageError
from cutpoint.service.desk.book import Book
from cutpoint.service.log.settings import Settings, check_limits
from cutpoint.store.events import MOST_LABELS, New, check, check_text
from cutpoint.strategies import entry_of
from cutpoint.types import UNKNOWN
from cutpoint.words import count


def check_read(meant: Settings) -> None:
    """UsageError if there is no such strategy, or the learner says that it does not give what that reads."""
    if entry_of(meant.strategy).needs - {"probs"}:
        from cutpoint.learners import make_learner
        from cutpoint.learners.base import check_gives

        check_gives(meant.strategy, make_learner(meant.learner, len(meant.classes)), meant.learner)


def _listed(given: Iterable[int | str], name: str) -> list[int | str]:
    """All that is given, as a list; UsageError for what cannot be gone through."""
    told: object = given
    if isinstance(told, str) or not isinstance(told, Iterable):
        raise UsageError(f"{name} is {given!r}; it must be a list, such as [0, 1].")
    return list(told)


class Admin(Book):
    """Each call is an event, on disk when it returns; UsageError, and StoreError where nothing could be stored."""

    def add_annotator(self, annotator: str, *, admin: bool = False) -> None:
        """Let somebody take part; or make them an admin, or one no more."""
        with self._at_work():
            known = self.state.people.by_name.get(self._person(annotator))
            if known is None or known.admin != admin:
                self._write([New("annotator_added", {"annotator": annotator, "admin": admin})])

    def make_link(self, annotator: str, hash: str) -> None:
        """Let a link, known by its hash, lead to somebody who takes part."""
        with self._at_work():
            if check_text(annotator, "annotator") not in self.state.people.by_name:
                raise UsageError(f"nobody is called {annotator!r} here; add the annotator first.")
            self._write([New("link_made", {"annotator": annotator, "hash": hash})])

    def revoke_link(self, hash: str) -> None:
        """Let a link lead nowhere any more; whoever has no other gives back what they hold.

        UsageError for the last link of an admin: nobody could make another one.
        """
        with self._at_work():
            annotator = self.state.people.by_link.get(check_text(hash, "hash"))
            if annotator is None:
                raise UsageError("there is no such link; it may have been revoked before.")
            people = self.state.people
            if [hash] == [link for link, name in people.by_link.items() if people.by_name[name].admin]:
                raise UsageError(
                    "this is the last link of an admin, and without one nobody can make another; make another "
                    f"for an admin first, {annotator} or somebody else, open it, and revoke this one from there."
                )
            last = people.person(annotator).links == {hash}
            held = self.state.leases.held_by(annotator) if last else []
            revoked = New("link_revoked", {"annotator": annotator, "hash": hash})
            self._write([revoked, *(self._returned(lease.lease) for lease in held)])

    def add_class(self, name: str) -> None:
        """Add a class, the last; the round at hand ends."""
        with self._at_work():
            self.state.made.with_class(name)  # checks it
            self._write([New("class_added", {"name": name})])

    def set_guideline(self, text: str) -> None:
        """Say how to label."""
        with self._at_work():
            self._write([New("guideline_set", {"text": text})])

    def change(self, **settings: Any) -> None:
        """Change budget, overlap, lease_seconds, parallel or strategy; all but the first and third end the round."""
        with self._at_work():
            check(New("settings_changed", settings))
            meant = self.state.made.changed(settings)  # checks them
            check_limits(settings)
            if "strategy" in settings:
                check_read(meant)
            self._write([New("settings_changed", {name: getattr(meant, name) for name in settings})])

    def import_labels(self, items: Iterable[int | str], labels: Iterable[int | str], source: str) -> int:
        """Take in labels from elsewhere, all or none; how many. Items by index or id, labels by number or name."""
        items, labels = _listed(items, "items"), _listed(labels, "labels")
        if len(items) != len(labels):
            raise UsageError(
                f"{count(len(items), 'item')} came with {count(len(labels), 'label')}; give one label for each item."
            )
        with self._at_work():
            indices, numbers = self._indices(items), [self._label(label) for label in labels]
            news = [
                New(
                    "labels_imported",
                    {
                        "items": indices[first : first + MOST_LABELS],
                        "labels": numbers[first : first + MOST_LABELS],
                        "source": source,
                    },
                )
                for first in range(0, len(indices), MOST_LABELS)
            ]
            self._write(news)
            return len(indices)

    def adjudicate(self, item: int, label: int | str, by: str, *, seen: int | None = None) -> int:
        """Decide an item's label, whatever people answered; the number of the event that decides it.

        To decide the same again is no event. seen: the number of the decision that this one is to replace, 0 for none;
        UsageError where another stands. None replaces any.
        """
        with self._at_work():
            index, number = self._item(item), self._label(label)
            now, decision = self.state.ballots.decided.get(index, (UNKNOWN, 0))
            if now == number:
                return decision
            if seen is not None and seen != decision:
                label_now = self.state.made.classes[now] if decision else ""
                stands = f"decided as “{label_now}” (decision {decision})" if decision else "undecided"
                raise UsageError(f"item {index} is {stands} by now, and stays so; look at it again.")
            return self._write([New("adjudicated", {"item": index, "label": number, "by": by})])[0].number

    def release(self, item: int, by: str) -> None:
        """Let an item on which people passed be asked again."""
        with self._at_work():
            index = self._item(item)
            if index not in self.state.ballots.passed:
                raise UsageError(f"item {index} is not held back; nobody has passed on it since it was released.")
            self._write([New("released", {"item": index, "by": by})])

    def release_all(self, by: str) -> int:
        """Let all held items be asked again, those that are labelled meanwhile left out; how many. O(held)."""
        with self._at_work():
            self._catch_up()
            held = list(self.state.ballots.held)
            if held:
                self._write([New("released", {"item": item, "by": by}) for item in held])
            return len(held)

    def running(self) -> str | None:
        """The training that has begun and not ended, as the desk knows it."""
        with self._at_work():
            self._catch_up()
            run = self.state.runs.running
            return None if run is None else str(run["run"])

    def training_failed(self, run: str, error: str) -> None:
        """Note that a training ended badly; one that has ended meanwhile is let be."""
        with self._at_work():
            self._catch_up()
            running = self.state.runs.running
            if running is not None and running["run"] == run:
                self._write([New("training_failed", {"run": run, "upto": running["upto"], "error": error})])

    def training_stopped(self) -> None:
        """Note that a training which is on, if one is, was ended with the campaign; it did not fail."""
        with self._at_work():
            self._catch_up()
            if (running := self.state.runs.running) is not None:
                self._write([New("training_stopped", {"run": running["run"]})])

    def training_hindered(self, said: str) -> None:
        """Show why no training can begin, as the process that trains does not work; empty once it does."""
        with self._lock:
            self._board.untrained = said

    def _indices(self, items: Sequence[int | str]) -> list[int]:
        names = [item for item in items if isinstance(item, str)]
        found = dict(zip(names, self._store.indices(names), strict=True)) if names else {}
        for name, index in found.items():
            if index is None:
                raise UsageError(f"there is no item {name!r}; items are named by the ids they were added with.")
        return [found[item] or 0 if isinstance(item, str) else self._item(item) for item in items]
