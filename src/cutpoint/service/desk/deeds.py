"""What an annotator does with a question: answer, correct, pass, take back, keep it longer, give it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from cutpoint.errors import CutpointError, UsageError, no_such
from cutpoint.service.desk.asks import PASSES, Ask, Receipt
from cutpoint.service.desk.board import Board
from cutpoint.service.desk.book import Book
from cutpoint.service.desk.clock import Clock
from cutpoint.service.desk.together import Request, Together
from cutpoint.store.base import MaybeStored, Repeated, Store
from cutpoint.store.events import Event, New, check_key, check_text

Status = Literal["saved", "again", "corrected", "taken back"]
Question = Ask | int | str


@dataclass(frozen=True)
class Deed:
    """An event that says what a person did, and what it is called."""

    new: New
    status: Status


Plan = Callable[[], Deed | Receipt]


class Deeds(Book):
    """Each call is one event, on disk when it returns. `key` names a request: sent twice it is done once, for ever.

    What says again what stands is an event only if it has a key, so that it is known when it comes once more.

    An item is given as an Ask, by its index or by its id; the annotator of an Ask need not be said again. All raise
    UsageError, StoreError where nothing could be stored, and MaybeStored where that is not known: with a key, send it
    again.
    """

    def __init__(self, store: Store, board: Board, clock: Clock) -> None:
        """Of a board that knows all that the store holds."""
        super().__init__(store, board, clock)
        self._telling: Together[Plan, Receipt] = Together(self._lock, self._do_together)

    def tell(
        self,
        item: Question,
        label: int | str,
        *,
        annotator: str | None = None,
        key: str | None = None,
        unasked: bool = True,
    ) -> Receipt:
        """An answer: of the question leased, or late, or of any item; the person's last answer counts.

        unasked: False refuses one of an item that was never asked of the person.
        """
        check_key(key)

        def plan() -> Deed | Receipt:
            person, index, number = self._who(item, annotator), self._item(item), self._label(label)
            if not unasked:
                self._check_asked(index, person)
            before = self.state.ballots.vote(index, person)
            if before == number and key is None:
                return self._receipt(index, "again", person, self.state.people.person(person).said[index])
            data = {"item": index, "annotator": person, "label": number}
            if before >= 0:
                return Deed(New("corrected", data | {"was": before}, key), "again" if before == number else "corrected")
            return Deed(New("answered", data | self._lease_of(index, person), key), "saved")

        return self._telling.submit(plan)

    def passed(
        self,
        item: Question,
        why: str,
        *,
        annotator: str | None = None,
        key: str | None = None,
        unasked: bool = True,
    ) -> Receipt:
        """No answer: "skip", "unsure" or "broken". The item is asked no more until an admin releases it.

        unasked: as in `tell`.
        """
        check_key(key)
        if check_text(why, "why") not in PASSES:
            raise no_such("way to pass", why, PASSES)

        def plan() -> Deed | Receipt:
            person, index = self._who(item, annotator), self._item(item)
            if not unasked:
                self._check_asked(index, person)
            data = {"item": index, "annotator": person, "why": why} | self._lease_of(index, person)
            new = New("passed", data, key)
            if self.state.ballots.vote(index, person) >= 0:
                if key in self.state.resent:
                    return self._repeated(self.state.resent[key], new)
                raise UsageError(f"{person} has answered item {index}; take the answer back before passing on it.")
            again = self.state.ballots.passed.get(index, {}).get(person) == why
            if again and key is None:
                return self._receipt(index, "again", person, self.state.people.person(person).said[index])
            return Deed(new, "again" if again else "saved")

        return self._telling.submit(plan)

    def take_back(
        self, item: Question, *, annotator: str | None = None, key: str | None = None, most: int | None = None
    ) -> Receipt:
        """Take an answer or a pass back; where nobody else is at the item, it is leased to the person anew.

        most: how many items the person may hold then.
        """
        check_key(key)
        with self._at_work():
            person, index = self._who(item, annotator), self._item(item)
            state, undo = self.state, New("taken_back", {"item": index, "annotator": person}, key)
            if index not in state.people.person(person).said:
                if key in state.resent:
                    return self._repeated(state.resent[key], undo)
                raise UsageError(f"{person} has said nothing of item {index} that could be taken back.")
            news = [undo]
            others = len(state.ballots.votes.get(index, {}).keys() - {person}) + state.leases.on(index)
            held_back = state.ballots.passed.get(index, {}).keys() - {person}
            room = most is None or len(state.leases.held_by(person)) < most
            if room and not held_back and others < state.made.overlap and state.leases.of(index, person) is None:
                news.append(self._lease(index, person))
            return self._do(Deed(undo, "taken back"), *news[1:])

    def extend(self, lease: str) -> float:
        """Keep a question for as long again as a new one; the seconds."""
        with self._at_work():
            seconds = float(self.state.made.lease_seconds)
            if check_text(lease, "lease") not in self.state.leases.live:
                raise UsageError(f"lease {lease!r} has ended; ask again.")
            data = {"lease": lease, "until": self._clock.time() + seconds, "seconds": seconds}
            self._write([New("lease_extended", data)])
            return seconds

    def give_back(self, lease: str) -> None:
        """End a lease without an answer; one that has ended is let be."""
        with self._at_work():
            if check_text(lease, "lease") in self.state.leases.live:
                self._write([self._returned(lease)])

    def _do(self, deed: Deed, *more: New) -> Receipt:
        """Write what a person did, once for each key."""
        try:
            event = self._write([deed.new, *more])[0]
        except Repeated as repeated:
            self._catch_up()
            return self._repeated(repeated.event, deed.new)
        return self._done(deed, event)

    def _done(self, deed: Deed, event: Event) -> Receipt:
        data = deed.new.data
        return self._receipt(data["item"], deed.status, data["annotator"], event.number, bool(data.get("late")))

    def _do_together(self, requests: list[Request[Plan, Receipt]]) -> None:
        """Write what several people did at a time; where it cannot be written at a time, one by one."""
        self._read_on()
        planned: list[tuple[Request[Plan, Receipt], Deed]] = []
        later: list[Request[Plan, Receipt]] = []
        about: set[object] = set()
        for request in requests:
            try:
                plan = request.wish()
            except Exception as error:  # of this one alone
                request.fail(error)
                continue
            if isinstance(plan, Receipt):
                request.finish(plan)
                continue
            marks = {(plan.new.data["item"], plan.new.data["annotator"]), plan.new.key} - {None}
            if marks & about:
                later.append(request)  # it follows another one of this person's, or is the same sent twice
                continue
            about |= marks
            planned.append((request, plan))
        try:
            events = self._write([deed.new for _, deed in planned]) if len(planned) > 1 else None
        except MaybeStored as doubt:  # to write them again could be to write them twice
            for request, _ in planned:
                request.fail(doubt)
            planned, events = [], []
        except CutpointError:  # one of them was sent before; or nothing can be stored, as each will be told
            events = None
        for place, (request, deed) in enumerate(planned):
            if events is None:
                request.do(partial(self._do, deed))
            else:
                request.finish(self._done(deed, events[place]))
        if later:
            self._do_together(later)

    def _repeated(self, event: Event, new: New) -> Receipt:
        """What is said to a request whose key is there; UsageError if it was another one's."""
        if _request(event) != _request(new):
            raise UsageError(
                f"the key {event.key!r} was used for something else (event {event.number}); give every request a new "
                "key."
            )
        data = event.data
        return self._receipt(data["item"], "again", data["annotator"], event.number, bool(data.get("late")))

    def _receipt(self, index: int, status: Status, person: str, number: int, late: bool = False) -> Receipt:
        ballots = self.state.ballots
        label = ballots.label(index)
        others = sum(name != person for name in ballots.votes.get(index, ()))
        return Receipt(index, status, None if label < 0 else label, late, ballots.disputed(index), others, number)

    def _who(self, item: Question, annotator: str | None) -> str:
        person = annotator if annotator is not None else item.annotator if isinstance(item, Ask) else None
        if person is None:
            raise UsageError("annotator is missing; say who answers: annotator='one'.")
        self._introduce(person)
        return person

    def _check_asked(self, item: int, person: str) -> None:
        """UsageError unless the item was leased to the person once, or they once said something of it."""
        leases = self.state.leases
        asked = leases.of(item, person) is not None or leases.lost(item, person)
        if not asked and not self.state.people.person(person).spoke_of(item):
            raise UsageError(f"item {item} was never asked of {person}; ask for items, and answer those that you get.")

    def _lease_of(self, item: int, person: str) -> dict[str, str | bool | None]:
        """The lease that an answer ends, and whether it comes late: after the lease that the person had has ended."""
        lease = self.state.leases.of(item, person)
        late = lease is None and self.state.leases.lost(item, person)
        return {"lease": lease.lease if lease is not None else None, "late": late}


def _request(one: New | Event) -> tuple[object, ...]:
    """What somebody wanted that led to an event, whether it was the first answer or corrected one."""
    kind = "answered" if one.kind == "corrected" else one.kind
    return (kind, *(one.data.get(name) for name in ("item", "annotator", "label", "why")))
