"""What the routes of a campaign do: the desk's answers as plain values, and changes by whoever runs it.

Every write goes through the desk, which appends it to the log and then applies it; nothing is said to be saved before.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from cutpoint.errors import UsageError
from cutpoint.service.desk.asks import Asks
from cutpoint.service.desk.desk import Desk
from cutpoint.service.overview.diary import Diary
from cutpoint.service.overview.strips import Strips
from cutpoint.service.web.auth import Link, Person, hash_of, new_token
from cutpoint.service.web.images import Gallery
from cutpoint.service.web.shown import note_of, shown_ask, shown_receipt
from cutpoint.service.web.views import Views
from cutpoint.service.web.whereabouts import folder_of, lost_pictures
from cutpoint.store.base import Store
from cutpoint.store.files import ArrayFiles
from cutpoint.types import UNKNOWN
from cutpoint.words import count

LARGEST_ASK = 8  # items one person may hold at a time: the one shown, the next, and answers still on their way


class Front:
    """A campaign as the routes see it. Thread-safe, as the desk is."""

    def __init__(
        self, desk: Desk, store: Store, files: ArrayFiles | None = None, *, folder: Path | None = None
    ) -> None:
        """Over an open desk and what it stands on.

        folder: where pictures are looked for first; then in the folders that the pool was read from.
        """
        self.files, self._folder, self._lost = files, folder, ""
        self._desk, self._store = desk, store
        self.strips, self.diary = Strips(files), Diary()
        self.pictures = Gallery(self.picture)
        self.views = Views(desk, store, self.strips, self.diary)
        self._links: tuple[int, list[Link]] = (-1, [])
        self._born = f"{next(iter(store.events())).at:.6f}"  # of two campaigns of one name it is another
        self._pictured = sha256(f"{self._born} {folder}".encode()).hexdigest()[:8]

    def close(self) -> None:
        """Make no more pictures. The desk and the store are others' to close."""
        self.pictures.close()

    def refresh(self) -> None:
        """Read on in the log and sort new scores; called every second by a thread that nobody waits for."""
        self.diary.follow(self._store)
        self.strips.refresh(self._desk.state)

    # who

    def links(self) -> list[Link]:
        """The live links; O(1) unless they changed. Waits for nothing: the event loop asks at every request."""
        people = self._desk.state.people
        doors, known = self._links
        if doors != people.doors:
            doors = people.doors  # first: what changes meanwhile is looked at again
            known = [Link(hash, Person(name, people.by_name[name].admin)) for hash, name in people.by_link.items()]
            self._links = (doors, known)
        return known

    def make_link(self, name: str, admin: bool, *, promote: bool = False) -> dict[str, Any]:
        """A new private link for somebody, who is added if need be; the only time that it is told.

        It makes nobody an admin, nor one no more, as that would reach all their links: UsageError. promote: it may make
        an admin of somebody whose other links end.
        """
        token = new_token()
        known = self._desk.state.people.by_name.get(name)
        if known is not None and known.admin != admin and not (promote and admin):
            role = "an admin" if known.admin else "an annotator"
            raise UsageError(f"{name} is {role} here, and all their links are such; give another name.")
        self._desk.add_annotator(name, admin=admin)
        self._desk.make_link(name, hash_of(token))
        return {"link": f"/a/{token}", "annotator": name}

    def revoke(self, hash: str) -> dict[str, Any]:
        """End a link, and with it every session that it opened; who has no other gives back what they hold."""
        name = self._desk.state.people.by_link.get(hash)
        if name is None:
            return {"note": "The link was revoked before."}
        self._desk.revoke_link(hash)
        return {"note": f"The link of {name} holds no longer.", "revoked": name}

    # what is asked

    def campaign(self) -> dict[str, Any]:
        """What every page says of the campaign."""
        made = self._desk.state.made
        about = {"campaign": made.name, "classes": list(made.classes), "guideline": made.guideline}
        return about | {"born": self._born, "pictures": self._pictured}

    def next(self, person: Person, n: int) -> dict[str, Any]:
        """Up to n items for a person: what they hold, the oldest first, and new ones; why there are no more."""
        asks = self._desk.ask(person.name, n)
        names = self._desk.state.made.classes
        found = None if self.views.blind(person) else self._desk.state.ballots.found
        items = self._store.items([ask.item for ask in asks])
        return {
            "items": [
                shown_ask(ask, item, names, found, self.views.place(ask)) for ask, item in zip(asks, items, strict=True)
            ],
            "classes": list(names),
            "reason": asks.reason,
            "open": asks.open,
            "seconds": _pause(asks),
            "progress": self.progress(person),
        }

    def progress(self, person: Person) -> dict[str, Any]:
        """How far it is to the next training, what was found, and the person's own answers; O(classes)."""
        return self.views.progress(person)

    def picture(self, item: int) -> tuple[Path | None, str]:
        """The folder of an item's picture and its path in it; UsageError where there is no such item."""
        name = str(self._store.item(item).content.get("picture", ""))
        return folder_of(self._desk.state, item, name, self._folder), name

    def look_for_pictures(self) -> str:
        """What to say where pictures are not to be found; the dashboard says it to admins from then on."""
        self._lost = lost_pictures(self._store, self._desk.state, self._folder)
        return self._lost

    def strip(self, visitor: Person, k: int, item: int | None) -> str | None:
        """Class k's strip as SVG; None while it is being drawn."""
        strip = self.views.strip(visitor, k, item)
        return strip.svg if strip is not None else None

    # what people say

    def answer(self, person: Person, item: int, label: int, key: str) -> dict[str, Any]:
        """Store an answer to what was asked once; the same key again, or the same label, changes nothing."""
        was = self._desk.state.ballots.vote(item, person.name)
        receipt = self._desk.tell(item, label, annotator=person.name, key=_own(person, key), unasked=False)
        blind, names = self.views.blind(person), self._desk.state.made.classes
        notes = [note_of(receipt, names, blind=blind)]
        if receipt.status == "corrected" and was not in (UNKNOWN, label):
            notes.insert(0, f"You had answered “{names[was]}”; it is now “{names[label]}”.")
        note = " ".join(filter(None, notes)) or None
        return shown_receipt(receipt, blind=blind) | {"note": note, "progress": self.progress(person)}

    def passed(self, person: Person, item: int, why: str, key: str) -> dict[str, Any]:
        """Store that a person cannot say, or would rather not, of what they were asked once."""
        receipt = self._desk.passed(item, why, annotator=person.name, key=_own(person, key), unasked=False)
        return shown_receipt(receipt, blind=self.views.blind(person)) | {"progress": self.progress(person)}

    def take_back(self, person: Person, item: int, key: str) -> dict[str, Any]:
        """Take back what a person said of an item, which is leased to them anew where nobody else is at it."""
        receipt = self._desk.take_back(item, annotator=person.name, key=_own(person, key), most=LARGEST_ASK)
        with self._desk.locked:
            lease = self._desk.state.leases.of(item, person.name)
        held = {"lease": lease.lease, "seconds": lease.seconds} if lease is not None else {}
        shown = shown_receipt(receipt, blind=self.views.blind(person))
        return shown | held | {"progress": self.progress(person)}

    def extend(self, person: Person, lease: str) -> dict[str, Any]:
        """Keep a lease of one's own for longer; seconds is 0 where it is over or another's."""
        own = self._desk.state.leases.live.get(lease)
        if own is None or own.annotator != person.name:
            return {"seconds": 0}
        return {"seconds": self._desk.extend(lease)}

    def give_back(self, person: Person, leases: list[str]) -> dict[str, Any]:
        """Give back leases of one's own."""
        live = self._desk.state.leases.live
        own = [name for name in leases if name in live and live[name].annotator == person.name]
        for name in own:
            self._desk.give_back(name)
        return {"given_back": len(own)}

    # what an admin does

    def adjudicate(self, by: Person, item: int, label: int, seen: int) -> dict[str, Any]:
        """Decide an item's label, instead of the decision that was seen; to decide the same again changes nothing."""
        number = self._desk.adjudicate(item, label, by=by.name, seen=seen)
        return {"note": f"Decided: {self._desk.state.made.classes[label]}.", "number": number}

    def release(self, by: Person, item: int) -> dict[str, Any]:
        """Let a held item be asked again, if it still is held."""
        if item not in self._desk.state.ballots.passed:
            return {"note": "Nobody has passed on it, or it was released before."}
        self._desk.release(item, by=by.name)
        return {"note": "Released: it can be asked again."}

    def release_all(self, by: Person) -> dict[str, Any]:
        """Let every item that is held now be asked again."""
        released = self._desk.release_all(by=by.name)
        return {"note": f"Released: {count(released, 'item')} can be asked again." if released else "No item is held."}

    def end_lease(self, lease: str) -> dict[str, Any]:
        """Take an item back from whoever has it."""
        if lease not in self._desk.state.leases.live:
            return {"note": "The lease had ended before."}
        self._desk.give_back(lease)
        return {"note": "Taken back: it can be asked again."}

    def change(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings; what stays as it is, is not logged."""
        made = self._desk.state.made
        real = {name: value for name, value in changes.items() if getattr(made, name) != value}
        if not real:
            return {"note": "Nothing to change."}
        self._desk.change(**real)
        said = self._desk.status()
        left, trained = said.done + said.waiting + said.left, said.model is not None
        doubt = self._desk.state.made.unreachable(left, trained=trained) if "budget" in real else ""
        return {"note": f"Changed, but {doubt}" if doubt else "Changed."}

    def write_guideline(self, text: str) -> dict[str, Any]:
        """Write the guideline anew, if it is another."""
        if text != self._desk.state.made.guideline:
            self._desk.set_guideline(text)
        return {"note": "The guideline is saved."}

    def add_class(self, name: str) -> dict[str, Any]:
        """Add a class, the last."""
        self._desk.add_class(name.strip())
        return {"note": f"The class {name.strip()} is added."}

    # pages

    def mine(self, person: Person, before: int | None) -> dict[str, Any]:
        """A person's own answers."""
        return self.views.mine(person, before)

    def dashboard(self, visitor: Person) -> dict[str, Any]:
        """How the campaign stands."""
        shown = self.views.dashboard(visitor)
        if self._lost and visitor.admin:
            shown["warnings"].append(f"When this server started, {self._lost}.")
        return shown

    def status(self, visitor: Person) -> dict[str, Any]:
        """The same as numbers."""
        return self.views.status(visitor)

    def disputes(self) -> dict[str, Any]:
        """Items on which people differ."""
        return self.views.disputes()

    def admin(self) -> dict[str, Any]:
        """Links, leases, held items and settings."""
        return self.views.admin()


def _own(person: Person, key: str) -> str:
    """The key of a request as the log keeps it: one person's keys never meet another's, whatever is in their names."""
    return f"{len(person.name)}:{person.name}:{key}"


def _pause(asks: Asks) -> float:
    """Seconds after which a page should ask again."""
    return 5.0 if asks.seconds is None else min(max(asks.seconds, 0.5), 30.0)
