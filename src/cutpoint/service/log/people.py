"""Who takes part, by which links, and what they said, as the log tells it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Person:
    """An annotator.

    said: item -> number of the person's last event on it, of all items with an answer or a pass of theirs, the latest
    last.
    """

    name: str
    admin: bool = False
    answers: int = 0
    passes: int = 0
    corrections: int = 0
    late: int = 0
    links: set[str] = field(default_factory=set)  # hashes
    said: dict[int, int] = field(default_factory=dict)


class People:
    """All who take part; O(1) an event."""

    def __init__(self) -> None:
        """Nobody yet."""
        self.by_name: dict[str, Person] = {}
        self.by_link: dict[str, str] = {}  # hash of a link -> name

    def add(self, name: str, admin: bool) -> None:
        """Somebody takes part, or becomes an admin, or is one no more."""
        self.person(name).admin = admin

    def person(self, name: str) -> Person:
        """The person of that name, who is added if the log names somebody it never introduced."""
        found = self.by_name.get(name)
        if found is None:
            found = self.by_name[name] = Person(name)
        return found

    def link(self, name: str, hash: str) -> None:
        """A link leads to the person."""
        self.person(name).links.add(hash)
        self.by_link[hash] = name

    def unlink(self, name: str, hash: str) -> None:
        """A link leads nowhere any more."""
        self.person(name).links.discard(hash)
        self.by_link.pop(hash, None)

    def said(self, name: str, item: int, number: int) -> Person:
        """Note that the person said something of the item."""
        person = self.person(name)
        person.said.pop(item, None)
        person.said[item] = number
        return person

    def unsaid(self, name: str, item: int) -> None:
        """Note that the person took back what they said of the item."""
        self.person(name).said.pop(item, None)
