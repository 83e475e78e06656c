"""The desk: hands out questions under leases and takes answers; what it says is saved is on disk.

Every call appends to the log and then applies what was appended, under one lock; nothing is done that costs O(N). In a
server, and in a script beside which a process trains, a thread (`start`) keeps time, reads what other processes append,
and makes the next round beside the work; in a simulation, without it, `ask` does so itself.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

from cutpoint.errors import CutpointError, DataError, UsageError
from cutpoint.service.desk.asks import Ask, Asks
from cutpoint.service.desk.board import Board
from cutpoint.service.desk.clock import Clock, SystemClock
from cutpoint.service.desk.excuses import excuse
from cutpoint.service.desk.live import NEW_ROUND, lacking, why_of
from cutpoint.service.desk.pace import Pace
from cutpoint.service.desk.status import Status, status_of
from cutpoint.service.desk.together import Request, Together
from cutpoint.service.log.leases import Lease
from cutpoint.store.base import Store
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from cutpoint.types import Why, whole_number


class _Wish(NamedTuple):
    annotator: str
    n: int


class _Handed(NamedTuple):
    leases: list[tuple[Lease, float, Why | None]]  # with the seconds that each has left
    reason: str
    open: int
    seconds: float | None
    preparing: bool  # the next round is being made


class Desk(Pace):
    """The desk of one campaign; any number of threads may call it.

    files: where scores are read; None where there can be none. new_round: where the running round cannot be made again
    as the log has it, begin another instead of a ReplayError. Raises UsageError if another desk has the store,
    or this Cutpoint lacks the campaign's strategy.
    """

    def __init__(
        self,
        store: Store,
        files: ArrayFiles | None = None,
        *,
        clock: Clock | None = None,
        new_round: bool = False,
    ) -> None:
        clock = clock or SystemClock()
        self._owned = ExitStack()
        self._owned.enter_context(store.own("desk"))
        try:
            super().__init__(store, Board(store.events(), files, clock), clock)
            self._check_strategy()
            self._resume(new_round)
        except BaseException:
            self._owned.close()
            raise
        self._asking: Together[_Wish, _Handed] = Together(self._lock, self._serve)

    def ask(self, annotator: str, n: int = 1, *, patient: bool = False) -> Asks:
        """Up to n questions for somebody, each under a lease: what they hold already, and then new ones.

        Never waits for a training or for other people; where there are fewer than n, `reason` says why. patient: where
        there are none because the next round is just being made, wait for it.
        """
        wish = _Wish(self._person(annotator), whole_number(n, "n", 0))
        handed = self._asking.submit(wish)
        if patient and not handed.leases and handed.preparing:
            self._hurry()
            handed = self._asking.submit(wish)
        names = [item.id for item in self._store.items([lease.item for lease, _, _ in handed.leases])]
        asks = [
            Ask(lease.item, name, annotator, lease.lease, left, why)
            for name, (lease, left, why) in zip(names, handed.leases, strict=True)
        ]
        return Asks(asks, reason=handed.reason, open=handed.open, seconds=handed.seconds)

    def explain(self, item: int) -> Why | None:
        """Why the item was asked last; None if it never was, or the strategy does not say."""
        with self._lock:
            live = self._board.live
            if live is not None and (why := live.session.why(item)) is not None:
                return why
            number, data = self.state.rounds.questions.get(item, (0, None))
            return why_of(data, self.state.rounds.all[number - 1].data["strategy"]) if number else None

    def status(self) -> Status:
        """Where the campaign stands, in numbers."""
        with self._lock:
            return status_of(self._board)

    def close(self) -> None:
        """Stop the thread, write down what was asked, and let go of the store's desk. May be called twice."""
        self.stop()
        with self._lock:
            try:
                if not self._closed:
                    self._write([])
            finally:
                self._closed = True  # another desk may have the campaign by now
                self._owned.close()

    def _serve(self, requests: list[Request[_Wish, _Handed]]) -> None:
        """Hand out what waits to all who ask at a time, with one write; then look further for the others."""
        self.check_open()
        self._read_on()
        for name in dict.fromkeys(request.wish.annotator for request in requests):
            self._introduce(name)
        self._expire()
        if self._thread is None:
            self._catch_up()
            self._advance(demanded=False)
        promised: set[int] = set()
        news: list[New] = []
        easy: list[Request[_Wish, _Handed]] = []
        hard: list[Request[_Wish, _Handed]] = []
        asking: set[str] = set()
        for request in requests:
            person, n = request.wish.annotator, request.wish.n
            need = n - len(self.state.leases.held_by(person))
            found = self._board.pick(person, need, promised)
            if len(found) < need or person in asking:
                hard.append(request)
                continue
            asking.add(person)
            promised.update(found)
            news += [self._lease(item, person, len(news) + place) for place, item in enumerate(found)]
            easy.append(request)
        if news:
            self._write(news)
        for request in easy:
            request.finish(self._handed(request.wish))
        for request in hard:
            request.do(partial(self._look_further, request.wish))

    def _look_further(self, wish: _Wish) -> _Handed:
        """Let the session ask more, or the next round begin, for somebody whom what waits does not do for."""
        held = self.state.leases.held_by(wish.annotator)
        found = self._find(wish.annotator, wish.n - len(held), idle=not held)
        if found:
            self._write([self._lease(item, wish.annotator, place) for place, item in enumerate(found)])
        return self._handed(wish)

    def _handed(self, wish: _Wish) -> _Handed:
        """What somebody holds now, the oldest questions first, and what to say if that is less than they want."""
        held = sorted(self.state.leases.held_by(wish.annotator), key=lambda lease: self._turn(lease.item))[: wish.n]
        leases = [(lease, self._board.expiry.left(lease.lease), self.explain(lease.item)) for lease in held]
        reason, seconds = "", None
        if len(held) < wish.n:
            reason, seconds = excuse(self._board, wish.annotator, preparing=self._demanded)
        return _Handed(leases, reason, len(self.state.leases.items), seconds, self._demanded)

    def _find(self, annotator: str, n: int, *, idle: bool) -> list[int]:
        """(<= n) items for somebody; a round that has nothing for them makes way for the next if they are idle."""
        found = self._pick(annotator, n)
        if n > 0 and not found and idle and self._advance(demanded=True):
            found = self._pick(annotator, n)
        return found

    def _pick(self, annotator: str, n: int) -> list[int]:
        found = self._board.pick(annotator, n)
        if len(found) < n and self._grow(n - len(found)):
            found = self._board.pick(annotator, n)
        return found

    def _check_strategy(self) -> None:
        settings = self.state.settings
        said = "" if settings is None else lacking(settings.strategy)
        if said:
            raise UsageError(
                f"{said}; use the one that has it, or let the campaign go on by another: cutpoint strategy NAME OTHER."
            )

    def _resume(self, new_round: bool) -> None:
        try:
            self._board.resume()
        except CutpointError as error:
            if not new_round:
                more = f" Or {NEW_ROUND}: no label is lost by it." if isinstance(error, DataError) else ""
                raise type(error)(f"{error}{more}") from None
            last = self.state.rounds.last
            assert last is not None
            said = {"round": last.data["round"], "reason": f"it could not be made again: {error}"}
            self._write([New("round_closed", said)])

    def _turn(self, item: int) -> int:
        return self._board.waiting.turn(item)
