"""Time, other processes and rounds: what goes on at a desk whether or not anybody asks.

How many questions are in flight follows the leases: as many as are open and are missing when somebody would get
nothing, and no more than are leased once that has been half of it or less for a while.
"""

from __future__ import annotations

import logging
import threading

from cutpoint.errors import DataError
from cutpoint.service.desk.admin import Admin
from cutpoint.service.desk.board import Board
from cutpoint.service.desk.clock import Clock
from cutpoint.service.desk.deeds import Deeds
from cutpoint.service.desk.drafts import Ready, draft, makeshift, nearly_spent, reason_for_next
from cutpoint.service.desk.live import Live, start_of
from cutpoint.service.desk.setback import Setback
from cutpoint.store.base import Store, StoreError, Unreachable
from cutpoint.store.events import New

TICK = 0.25  # seconds between two looks of the thread at the clock and at the log
QUIET = 30.0  # seconds without a resize before fewer questions are kept in flight

_log = logging.getLogger("cutpoint")


class Pace(Deeds, Admin):
    """With a thread (`start`), rounds are prepared beside the work; without, whenever somebody asks."""

    def __init__(self, store: Store, board: Board, clock: Clock) -> None:
        """Of a board that knows all that the store holds."""
        super().__init__(store, board, clock)
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._making = threading.Lock()  # of the next round, which takes its time; taken before the desk's lock
        self._ready: Ready | None = None
        self._demanded = False  # somebody got nothing, and the next round was not ready
        self._setback = Setback(clock)
        self._resized = clock.monotonic()
        self._ailing: Exception | None = None  # why the last look of the thread failed

    def start(self) -> None:
        """Keep time and prepare rounds in a daemon thread from now on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_time, name="desk", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread. May be called twice."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def look(self) -> None:
        """Read what others appended, and end the leases that ran out."""
        with self._lock:
            self._catch_up()
            self._expire()
            self._shrink()

    def tick(self) -> None:
        """Look, and see to the rounds."""
        self.look()
        if self._thread is None:
            with self._lock:
                self._advance(demanded=False)
        else:
            with self._making:
                self._prepare()

    def _keep_time(self) -> None:
        while not self._stop.is_set():
            try:
                self.tick()
            except Exception as error:  # a full disk, a server gone: later, perhaps
                self._note(error)
            else:
                self._note(None)
            self._wake.wait(TICK)
            self._wake.clear()

    def _note(self, error: Exception | None) -> None:
        """Show why the last look failed, if it did; say so when that begins, and when it is over."""
        if error is not None or self._ailing is not None:
            with self._lock:
                self._board.ailing = f"the campaign cannot be kept up to date: {error}" if error else ""
        before, self._ailing = self._ailing, error
        if isinstance(error, StoreError):
            if not isinstance(before, StoreError):
                what = "does not answer" if isinstance(error, Unreachable) else "refuses"
                _log.warning("the store %s (%s); trying again", what, error)
        elif error is not None:
            if type(error) is not type(before):
                _log.error("the desk's thread failed, and tries again", exc_info=error)
        elif before is not None:
            what = "the store answers" if isinstance(before, StoreError) else "the desk's thread works"
            _log.warning("%s again", what)

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
            if not self._setback.waits(self.state.epoch):
                self._ready = self._made(leave_open=False)
        return self._ready is not None and self._open(self._ready, reason)

    def _made(self, *, leave_open: bool) -> Ready | None:
        """The next round's session, on older scores or none where the newest cannot be read; None if it cannot be made.

        It takes its time, and takes the lock for moments alone.
        """
        unread: dict[int, Exception] = {}
        while True:
            with self._lock:
                made = draft(self._board, leave_open=leave_open, unread=unread)
            if made is None:
                return None
            try:
                live = Live(start_of(self.state, made.data, self._lock), self._board.files)
            except Exception as error:  # of a strategy, whoever wrote it, or of a file
                version = made.data["scores"]
                if isinstance(error, DataError) and version is not None:
                    unread[version] = error
                    continue
                with self._lock:
                    self._not_made(made.epoch, error)
                return None
            return Ready(made, live, makeshift(self.state, made.data, unread))

    def _not_made(self, epoch: int, error: Exception) -> None:
        self._setback.note(epoch)
        self._board.hindered = f"the next round could not begin: {error}"

    def _hurry(self) -> None:
        """Make the round that somebody waits for, or wait until the thread has; once more if it began wrongly."""
        epoch = -1
        while self._demanded and epoch != self.state.epoch:
            epoch = self.state.epoch
            with self._making:
                self._prepare()

    def _prepare(self) -> None:
        """Make the next round off the request path, and open it when it is due."""
        with self._lock:
            reason = reason_for_next(self._board, demanded=self._demanded)
            stale = self._ready is None or self._ready.draft.epoch != self.state.epoch
            ahead = reason is None and nearly_spent(self._board)
            if not (reason or ahead) or self._setback.waits(self.state.epoch):
                self._demanded = False
                return
        made = self._made(leave_open=reason != "new scores") if stale else None
        with self._lock:
            if stale:
                self._ready = made
                self._demanded = self._demanded and made is not None
            reason = reason_for_next(self._board, demanded=self._demanded)
            if reason and self._ready is not None and self._ready.draft.epoch == self.state.epoch:
                self._open(self._ready, reason)

    def _open(self, ready: Ready, reason: str) -> bool:
        """Close the round at hand and let the next take over."""
        last, news = self.state.rounds.last, []
        if last is not None and last.closed is None:
            news.append(New("round_closed", {"round": last.data["round"], "reason": reason}))
        self._demanded, self._board.prepared = False, ready.live
        self._write([*news, New("round_opened", ready.draft.data)])
        self._ready = None
        self._board.makeshift = ready.makeshift
        return True
