"""The desk: hands out questions under leases and takes answers; what it says is saved is on disk.

Every call appends to the log and then applies what was appended, under one lock; nothing is done that costs O(N). In a
server a thread (`start`) keeps time, reads what other processes append, and makes the next round beside the work; in a
script or a simulation, without it, `ask` does so itself.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack

from cutpoint.errors import CutpointError
from cutpoint.service.admin import Admin
from cutpoint.service.asks import Ask, Asks
from cutpoint.service.board import Board
from cutpoint.service.clock import Clock, SystemClock
from cutpoint.service.deeds import Deeds
from cutpoint.service.drafts import Ready, draft, nearly_spent, reason_for_next
from cutpoint.service.excuses import excuse
from cutpoint.service.leases import Lease
from cutpoint.service.live import Live, why_of
from cutpoint.service.status import Status, status_of
from cutpoint.store.base import Store
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from cutpoint.types import Why, whole_number

TICK = 0.25  # seconds between two looks of the thread at the clock and at the log
QUIET = 30.0  # seconds without a resize before fewer questions are kept in flight


class Desk(Deeds, Admin):
    """The desk of one campaign; any number of threads may call it.

    files: where scores are read; None where there can be none. new_round: where the running round cannot be made again
    as the log has it, begin another instead of a ReplayError. Raises UsageError if another desk has the store.
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
            self._resume(new_round)
        except BaseException:
            self._owned.close()
            raise
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._ready: Ready | None = None
        self._demanded = False
        self._failed_epoch = -1  # in which a round could not be made; it is not tried again before something changes
        self._resized = self._clock.monotonic()

    # --- asking ---------------------------------------------------------------------------------------

    def ask(self, annotator: str, n: int = 1) -> Asks:
        """Up to n questions for somebody, each under a lease: what they hold already, and then new ones.

        Never waits for a training or for other people; where there are fewer than n, `reason` says why.
        """
        n = whole_number(n, "n", 0)
        with self._lock:
            self._introduce(annotator)
            self._expire()
            if self._thread is None:
                self._catch_up()
                self._advance(demanded=False)
            held = sorted(self.state.leases.held_by(annotator), key=lambda lease: self._turn(lease.item))[:n]
            found = self._find(annotator, n - len(held), idle=not held)
            leases = held + self._grant(annotator, found)
            asks = [self._ask(lease) for lease in leases]
            if len(asks) == n:
                return Asks(asks, open=len(self.state.leases.live))
            reason, seconds = excuse(self._board, annotator, preparing=self._demanded)
            return Asks(asks, reason=reason, open=len(self.state.leases.live), seconds=seconds)

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

    # --- time, others, rounds -------------------------------------------------------------------------

    def start(self) -> None:
        """Keep time and prepare rounds in a daemon thread from now on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_time, name="desk", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop the thread, write down what was asked, and let go of the store's desk. May be called twice."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        try:
            with self._lock:
                self._write([])
        finally:
            self._owned.close()

    def tick(self) -> None:
        """Read what others appended, end the leases that ran out, and see to the rounds."""
        with self._lock:
            self._catch_up()
            self._expire()
            self._shrink()
        if self._thread is None:
            with self._lock:
                self._advance(demanded=False)
        else:
            self._prepare_beside()

    def _keep_time(self) -> None:
        while not self._stop.is_set():
            try:
                self.tick()
            except CutpointError as error:  # a full disk, a server gone: later, perhaps
                with self._lock:
                    self._board.trouble = str(error)
            self._wake.wait(TICK)
            self._wake.clear()

    def _expire(self) -> None:
        due = self._board.expiry.due()
        if due:
            self._write([New("lease_ended", {"lease": lease, "reason": "expired"}) for lease in due])

    def _shrink(self) -> None:
        """Keep no more in flight than is leased, once that is half of it or less and has been for a while."""
        live, leased = self._board.live, max(1, -(-len(self.state.leases.live) // self.state.made.overlap))
        quiet = self._clock.monotonic() - self._resized >= QUIET
        if live is not None and quiet and 2 * leased <= (live.session.in_flight or 1) and live.session.in_flight != 1:
            self._resize(live, leased)

    def _grow(self, missing: int) -> bool:
        """Let the session ask so many more than are open; False if it has no more to ask."""
        live = self._board.live
        if live is None or not live.session.may_ask:
            return False
        wanted = live.session.n_open + missing
        if wanted > (live.session.in_flight or 0):
            self._resize(live, wanted)
        return True

    def _resize(self, live: Live, in_flight: int) -> None:
        self._write([New("resized", {"round": live.number, "in_flight": in_flight})])
        self._resized = self._clock.monotonic()

    def _find(self, annotator: str, n: int, *, idle: bool) -> list[int]:
        """(<= n) items for somebody; a round that has nothing for them makes way for the next if they are idle."""
        found = self._pick(annotator, n)
        if n and not found and idle and self._advance(demanded=True):
            found = self._pick(annotator, n)
        return found

    def _pick(self, annotator: str, n: int) -> list[int]:
        found = self._board.pick(annotator, n)
        if len(found) < n and self._grow(n - len(found)):
            found = self._board.pick(annotator, n)
        return found

    def _advance(self, *, demanded: bool) -> bool:
        """Open the next round if it is time to; True if it is open. With a thread, only one that is ready."""
        reason = reason_for_next(self._board, demanded=demanded)
        if reason is None:
            return False
        if self._ready is None or self._ready.draft.epoch != self.state.epoch:
            self._ready = None
            if self._thread is not None:
                self._demanded = True
                self._wake.set()
                return False
            self._ready = self._made(leave_open=False)
        return self._ready is not None and self._open(self._ready, reason)

    def _made(self, *, leave_open: bool) -> Ready | None:
        """The next round's session, made here and now."""
        if self._failed_epoch == self.state.epoch:
            return None
        made = draft(self._board, leave_open=leave_open)
        if made is None:
            return None
        try:
            return Ready(made, Live(made.start, self._board.files))
        except Exception as error:  # of a strategy, whoever wrote it, or of a file
            self._not_made(made.epoch, error)
            return None

    def _not_made(self, epoch: int, error: Exception) -> None:
        self._failed_epoch = epoch
        self._board.trouble = f"the next round could not begin: {error}"

    def _prepare_beside(self) -> None:
        """Make the next round off the request path, and open it when it is due."""
        with self._lock:
            reason = reason_for_next(self._board, demanded=self._demanded)
            stale = self._ready is None or self._ready.draft.epoch != self.state.epoch
            ahead = reason is None and nearly_spent(self._board)
            if not (reason or ahead) or self._failed_epoch == self.state.epoch:
                self._demanded = False
                return
            made = draft(self._board, leave_open=reason != "new scores") if stale else None
            if stale and made is None:
                self._demanded = False
        if made is not None:
            try:
                live = Live(made.start, self._board.files)
            except Exception as error:  # as in _made
                with self._lock:
                    self._not_made(made.epoch, error)
                    self._demanded = False
                return
            with self._lock:
                self._ready = Ready(made, live)
        with self._lock:
            reason = reason_for_next(self._board, demanded=self._demanded)
            if reason and self._ready is not None and self._ready.draft.epoch == self.state.epoch:
                self._open(self._ready, reason)

    def _open(self, ready: Ready, reason: str) -> bool:
        """Close the round at hand and let the next take over."""
        last, news = self.state.rounds.last, []
        if last is not None and last.closed is None:
            news.append(New("round_closed", {"round": last.data["round"], "reason": reason}))
        self._write([*news, New("round_opened", ready.draft.data)])
        self._board.begin(ready.live)
        self._ready, self._demanded = None, False
        return True

    def _resume(self, new_round: bool) -> None:
        try:
            self._board.resume()
        except CutpointError as error:
            if not new_round:
                raise
            last = self.state.rounds.last
            assert last is not None
            said = {"round": last.data["round"], "reason": f"it could not be made again: {error}"}
            self._board.apply(self._store.append([New("round_closed", said)]))

    # --- small things ---------------------------------------------------------------------------------

    def _grant(self, annotator: str, items: Sequence[int]) -> list[Lease]:
        """Leases on these items."""
        if not items:
            return []
        news = [self._lease(item, annotator, place) for place, item in enumerate(items)]
        self._write(news)
        return [self.state.leases.live[new.data["lease"]] for new in news]

    def _ask(self, lease: Lease) -> Ask:
        left = self._board.expiry.left(lease.lease)
        name = self._store.item(lease.item).id
        return Ask(lease.item, name, lease.annotator, lease.lease, left, self.explain(lease.item))

    def _turn(self, item: int) -> int:
        return self._board.waiting.turn(item)
