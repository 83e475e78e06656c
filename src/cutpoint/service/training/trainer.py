"""The training process: `python -m cutpoint.service.training.trainer URL`. It meets the server in the store alone.

It reads the log, trains when it is time to, and appends what became of it: a failure harms nothing, for the last good
scores go on serving, and the next attempt waits (`patience.py`). It is polite: low priority, and one thread (set by
whoever starts it). An address with a password is better handed over in CUTPOINT_CAMPAIGN than on the command line,
which every user of a machine can read.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from cutpoint.errors import CutpointError, DataError
from cutpoint.service.desk.clock import Clock, SystemClock, pause_after
from cutpoint.service.log.state import State
from cutpoint.service.training.patience import Patience
from cutpoint.service.training.supervisor import CAMPAIGN, sign
from cutpoint.service.training.training import due, pool_of, train
from cutpoint.store.base import Store, Unreachable
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles

if TYPE_CHECKING:
    from cutpoint.data.pool import Pool

LONGEST_REFUSAL = 60.0  # seconds between two attempts to write to a store that refuses
NICE = 10
MOST_SAID = 300  # characters of an error that are logged
DIED = "the training process ended before it did"


class Trainer:
    """Follows a store and trains when it is time to; `step` does at most one training."""

    def __init__(self, store: Store, files: ArrayFiles, clock: Clock | None = None) -> None:
        """Nobody else trains for this store."""
        self._store, self._files = store, files
        self._patience = Patience(clock or SystemClock())
        self._kept: Pool | None = None
        self._said = DIED  # of a training whose end is not in the log
        self._verified = 0  # the version of scores that have been compared with their checksums
        self.state = State()
        self._catch_up()

    def step(self) -> bool:
        """Train if it is time to; True if there was a training, however it ended.

        StoreError if it cannot be told; then nothing is trained before it can.
        """
        self._catch_up()
        self._end_last()
        if self._patience.waits(self.state.ballots.n_settled) or not due(self.state, lost=self._lost()):
            return False
        run, upto = f"run-{self.state.number + 1}", self.state.number
        self._said = DIED
        self._append([New("training_started", {"run": run, "upto": upto, "learner": self.state.made.learner})])
        try:
            self._append(train(self.state, self._files, run, self._pool()))
        except Exception as error:  # a learner's, whoever wrote it, or the store's: the campaign goes on
            self._said = f"{type(error).__name__}: {error}"
            self._catch_up()  # it may have been stored after all
            self._end_last()
        return True

    def _lost(self) -> bool:
        """Whether the newest scores cannot be read, or were other bytes than were stored when first looked at."""
        for scores in self.state.runs.scores[-1:]:
            try:
                for entry in scores["files"].values():
                    self._files.open(entry, verify=scores["version"] != self._verified)
            except DataError:
                return True
            self._verified = scores["version"]
        return False

    def _pool(self) -> Pool:
        """The features of all items, which are scaled once and then kept, as long as no pool is added."""
        if self._kept is None or self._kept.n_examples != self.state.count:
            self._kept = pool_of(self.state, self._files)
        return self._kept

    def _end_last(self) -> None:
        """Log the failure of a training that has no end: it failed just now, or before that could be logged."""
        running = self.state.runs.running
        if running is not None:
            said = {"upto": running["upto"], "error": textwrap.shorten(self._said, MOST_SAID)}
            self._append([New("training_failed", {"run": running["run"], **said})])

    def _append(self, news: Sequence[New]) -> None:
        self._store.append(news)
        self._catch_up()

    def _catch_up(self) -> None:
        for event in self._store.events(self.state.number):
            self.state.apply(event)
            self._patience.heed(event, self.state.ballots.n_settled)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train for one campaign until the parent process is gone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", default=os.environ.get(CAMPAIGN), help="birds.db, or postgresql://...")
    parser.add_argument("--files", help="where its arrays are, if not beside it")
    parser.add_argument("--parent", type=int, help="end when the parent is no longer this process")
    parser.add_argument("--poll", type=float, default=0.5, help="seconds between two looks at the log")
    chosen = parser.parse_args(arguments)
    if not chosen.url:
        parser.error(f"give the campaign, or its address in {CAMPAIGN}, where no other user can read it")
    if chosen.parent is not None:
        threading.Thread(target=_end_with, args=(chosen.parent,), daemon=True).start()
    os.nice(NICE)
    from cutpoint.store.opening import open_files, open_store

    try:
        store = open_store(chosen.url, create=False)
        with store.own("trainer"):
            _train_on(Trainer(store, open_files(store, chosen.files)), chosen.poll, started=chosen.parent is not None)
    except Unreachable as error:
        sys.exit(f"trainer: {error}" if chosen.parent is None else 1)
    except CutpointError as error:  # no campaign there, or another trainer at it
        sys.exit(f"trainer: {error}")


def _train_on(
    trainer: Trainer, poll: float, wait: Callable[[float], None] = time.sleep, *, started: bool = False
) -> NoReturn:
    """Train whenever it is time to; look less and less often at a store that refuses.

    started: by a server, which says itself that the store does not answer.
    """
    refused = 0
    while True:
        try:
            worked, refused = trainer.step(), 0
        except CutpointError as error:  # the store's: a full disk, a server gone; the log may tell it later
            if not (started and isinstance(error, Unreachable)):
                print(f"trainer: {error}", file=sys.stderr, flush=True)
            worked, refused = False, refused + 1
        sign()  # not before: whoever dies at every look does not work
        if not worked:
            wait(pause_after(refused, poll, LONGEST_REFUSAL))


def _end_with(parent: int) -> None:
    """End this process, whatever it does and with all that it started, once its parent is gone."""
    while os.getppid() == parent:
        time.sleep(1.0)
    if os.getpgrp() == os.getpid():  # as whoever starts it beside a campaign sees to
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()
