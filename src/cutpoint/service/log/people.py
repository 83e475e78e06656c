"""Who takes part, by which links, and what they said, as the log tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Person:
    """An annotator, and what stands of what they said: neither taken back nor, of a pass, released or answered since.

    said:    item -> number of the person's last event on it, of all items with an answer or a pass of theirs, the
             latest last.
    withdrawn: the items of which they said something, and nothing stands now.
    passed:  the items among `said` with a pass.  changed, overdue: with an answer that they corrected, that came late.
    """

    name: str
    admin: bool = False
    links: set[str] = field(default_factory=set)  # hashes
    said: dict[int, int] = field(default_factory=dict)
    withdrawn: set[int] = field(default_factory=set)
    passed: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    overdue: set[int] = field(default_factory=set)

    @property
    def answers(self) -> int:
        """How many items have an answer of theirs."""
        return len(self.said) - len(self.passed)

    @property
    def passes(self) -> int:
        """How many items they passed on."""
        return len(self.passed)

    @property
    def corrections(self) -> int:
        """How many of the answers were corrected by themselves."""
        return len(self.changed)

    @property
    def late(self) -> int:
        """How many of the answers came after their time had run out."""
        return len(self.overdue)

    def spoke_of(self, item: int) -> bool:
        """Whether they ever said something of the item."""
        return item in self.said or item in self.withdrawn


class People:
    """All who take part; O(1) an event, O(links) one that says who may come in.

    by_link: hash of a link -> name. It is never changed in place: whoever has it has the links of one moment.
    doors:   grows after each change of who may come in, and as what; so links are followed without any lock.
    """

    def __init__(self) -> None:
        """Nobody yet."""
        self.by_name: dict[str, Person] = {}
        self.by_link: Mapping[str, str] = {}
        self.doors = 0

    def add(self, name: str, admin: bool) -> None:
        """Somebody takes part, or becomes an admin, or is one no more."""
        self.person(name).admin = admin
        self.doors += 1

    def person(self, name: str) -> Person:
        """The person of that name, who is added if the log names somebody it never introduced."""
        found = self.by_name.get(name)
        if found is None:
            found = self.by_name[name] = Person(name)
        return found

    def link(self, name: str, hash: str) -> None:
        """A link leads to the person."""
        self.person(name).links.add(hash)
        self.by_link = {**self.by_link, hash: name}
        self.doors += 1

    def unlink(self, name: str, hash: str) -> None:
        """A link leads nowhere any more."""
        self.person(name).links.discard(hash)
        self.by_link = {other: whose for other, whose in self.by_link.items() if other != hash}
        self.doors += 1

    def answered(self, name: str, item: int, number: int, *, late: bool) -> None:
        """Note the person's answer to the item, instead of what they said of it before."""
        self.unsaid(name, item)
        person = self.person(name)
        person.withdrawn.discard(item)
        person.said[item] = number
        if late:
            person.overdue.add(item)

    def corrected(self, name: str, item: int, number: int, *, changed: bool) -> None:
        """Note that the person answered the item again, and whether otherwise."""
        person = self.person(name)
        person.said.pop(item, None)
        person.said[item] = number
        if changed:
            person.changed.add(item)

    def passed(self, name: str, item: int, number: int) -> None:
        """Note that the person passed on the item."""
        self.unsaid(name, item)
        person = self.person(name)
        person.withdrawn.discard(item)
        person.said[item] = number
        person.passed.add(item)

    def unsaid(self, name: str, item: int) -> None:
        """Note that nothing stands any more of what the person said of the item."""
        person = self.person(name)
        if person.said.pop(item, None) is not None:
            person.withdrawn.add(item)
        for items in (person.passed, person.changed, person.overdue):
            items.discard(item)
