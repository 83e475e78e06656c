"""What a desk knows by the log: the state, the session of the round, and which questions wait for somebody.

Everything here follows from the events, O(1) each apart from what the strategy does with an answer. Nothing is written
and nothing decided.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from cutpoint.errors import DataError, ReplayError
from cutpoint.service.desk.clock import Clock
from cutpoint.service.desk.expiry import Expiry
from cutpoint.service.desk.live import Data, Live, failure_of, start_of
from cutpoint.service.desk.waiting import Waiting
from cutpoint.service.log.state import State
from cutpoint.store.events import Event
from cutpoint.store.files import ArrayFiles

_log = logging.getLogger("cutpoint")


class Board:
    """The campaign as it stands. `live` is None between rounds.

    failed: why the round at hand failed.  hindered: why the next could not begin.  ailing: why the board may be behind
    the log.  makeshift: why the round at hand is not as it was meant to be.  Empty where nothing is amiss.
    """

    def __init__(self, events: Iterable[Event], files: ArrayFiles | None, clock: Clock) -> None:
        """Fold the log; the round that was running is made again by `resume`."""
        self.state = State(events)
        self.files = files
        self.live: Live | None = None
        self.prepared: Live | None = None  # the session of a round that the log is about to open
        self.failed = self.hindered = self.ailing = self.makeshift = ""
        self.untrained = ""  # why no training can begin, which keeps nobody from asking
        self.waiting = Waiting()
        self.expiry = Expiry(clock, self.state.leases.live)
        self._noticed = 0  # questions of the session that have been looked at
        self._refresh(self.state.ballots.pending)

    def resume(self) -> None:
        """Make the session of the running round again; ReplayError if its questions are not those of the log.

        DataError if its scores are gone. A strategy that fails on the way ends its round, as it did before the restart.
        """
        last = self.state.rounds.last
        if last is None or not last.running:
            return
        try:
            live = Live(start_of(self.state, last.data), self.files)
            live.follow(self.state.journal.since(last.data["upto"]))
        except (DataError, ReplayError):
            raise
        except Exception as error:  # of a strategy, whoever wrote it
            self._failed(last.data["round"], error)
            return
        live.check(last.asked)
        self._seat(live)

    def untold(self) -> Data | None:
        """The data of an `asked` for what the session has asked and the log does not know; None for nothing."""
        last = self.state.rounds.last
        return None if self.live is None or last is None else self.live.untold(len(last.asked))

    def apply(self, events: Iterable[Event]) -> None:
        """Take in the next events of the log."""
        for event in events:
            self._apply(event)

    @property
    def trouble(self) -> str:
        """Why there may be no new questions, in words; empty where nothing is amiss."""
        return self.failed or self.hindered or self.ailing

    def pick(self, person: str, n: int, promised: Collection[int] = ()) -> list[int]:
        """(<= n) the first waiting items of which the person has said nothing and holds none.

        promised: items that others are about to be given.
        """
        picked: list[int] = []
        if n <= 0:
            return picked
        ballots, leases = self.state.ballots, self.state.leases
        for item in self.waiting:
            if item not in promised and ballots.vote(item, person) < 0 and leases.of(item, person) is None:
                picked.append(item)
                if len(picked) == n:
                    break
        return picked

    def wanted(self, item: int) -> bool:
        """Whether the item is a question: of the round, or answered by some and not yet by all who are wanted."""
        return item in self.state.ballots.pending or (self.live is not None and self.live.session.is_open(item))

    def _apply(self, event: Event) -> None:
        steps = self.state.journal.steps
        place = len(steps)
        touched = self.state.apply(event)
        if event.kind in ("lease_granted", "lease_extended"):
            self.expiry.set(event.data["lease"], event.data["seconds"])
        if event.kind == "round_opened":
            self._begin(event.data)
        elif self.live is not None:
            last = self.state.rounds.last
            if last is None or not last.running:
                self._unseat()
            elif len(steps) > place:
                self._follow(self.live, place)
        if event.kind == "settings_changed":  # perhaps how many people are wanted
            touched = (*self.waiting, *self.state.ballots.pending)
        self._refresh(touched)

    def _begin(self, data: Data) -> None:
        """Let the session of the round that the log has just opened take over: the prepared one, or one made now."""
        self._unseat()
        live, self.prepared = self.prepared, None
        try:
            if live is None or not live.fits(data, len(self.state.made.classes)):
                live = Live(start_of(self.state, data), self.files)
            live.follow(self.state.journal.since(data["upto"]))
        except Exception as error:  # of a strategy, whoever wrote it, or of scores that are gone
            self._failed(data["round"], error)
            return
        self.failed = self.hindered = self.makeshift = ""
        self._seat(live)

    def _follow(self, live: Live, place: int) -> None:
        """Tell the session; a strategy that fails ends its round, and what was answered stands."""
        steps = self.state.journal.steps[place:]
        try:
            live.follow(steps)
        except Exception as error:  # of a strategy, whoever wrote it
            self._failed(live.number, error)
            self._unseat()
            return
        self._refresh(step.item for step in steps if step.what != "resize")
        self._notice(live)

    def _failed(self, round: int, error: Exception) -> None:
        _log.error("round %d failed", round, exc_info=error)
        self.failed = f"{failure_of(round)} {error}"

    def _seat(self, live: Live) -> None:
        self.live, self._noticed = live, 0
        self._refresh(list(self.waiting))
        self._notice(live)

    def _unseat(self) -> None:
        self.live = None
        self._refresh(list(self.waiting))

    def _notice(self, live: Live) -> None:
        """Let the session's new questions wait."""
        new = live.session.asked_since(self._noticed)
        self._noticed += len(new)
        for item in new:
            self.waiting.know(item)
        self._refresh(new)

    def _refresh(self, items: Iterable[int]) -> None:
        """Let those of the items wait that are questions and that fewer people hold or have answered than wanted."""
        ballots, leases = self.state.ballots, self.state.leases
        for item in items:
            busy = len(ballots.votes.get(item, ())) + leases.on(item)
            if busy < ballots.overlap and self.wanted(item):
                self.waiting.put(item)
            else:
                self.waiting.remove(item)
