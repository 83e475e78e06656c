"""The training process: `python -m cutpoint.service.training.trainer URL`. It meets the server in the store alone.

It reads the log, trains when it is time to, and appends what became of it: a failure harms nothing, for the last good
scores go on serving. It is polite: low priority, and one thread (set by whoever starts it). An address with a password
is better handed over in CUTPOINT_CAMPAIGN than on the command line, which every user of a machine can read.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from cutpoint.errors import CutpointError
from cutpoint.service.desk.clock import Clock, SystemClock
from cutpoint.service.log.state import State
from cutpoint.service.training.supervisor import CAMPAIGN
from cutpoint.service.training.training import due, pool_of, train
from cutpoint.store.base import Store
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles

if TYPE_CHECKING:
    from cutpoint.data.pool import Pool

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0  # seconds after one failure, and after many in a row: doubled each time
NICE = 10
MOST_SAID = 300  # characters of an error that are logged


class Trainer:
    """Follows a store and trains when it is time to; `step` does at most one training."""

    def __init__(self, store: Store, files: ArrayFiles, clock: Clock | None = None) -> None:
        """What an earlier trainer left running has died with it, and is logged as failed."""
        self._store, self._files = store, files
        self._clock = clock or SystemClock()
        self._not_before = -float("inf")
        self._kept: Pool | None = None
        self.state = State(store.events())
        running = self.state.runs.running
        if running is not None:
            self._fail(running["run"], running["upto"], "the training process ended before it did")
            self._not_before = -float("inf")

    def step(self) -> bool:
        """Train if it is time to; True if there was a training, however it ended. StoreError if it cannot be told."""
        self._catch_up()
        if self._clock.monotonic() < self._not_before or not due(self.state):
            return False
        run, upto = f"run-{self.state.number + 1}", self.state.number
        self._append([New("training_started", {"run": run, "upto": upto, "learner": self.state.made.learner})])
        try:
            news = train(self.state, self._files, run, self._pool())
        except Exception as error:  # a learner's, whoever wrote it: the campaign goes on
            self._fail(run, upto, f"{type(error).__name__}: {error}")
        else:
            self._append(news)
        return True

    def _pool(self) -> Pool:
        """The features of all items, which are scaled once and then kept, as long as no pool is added."""
        if self._kept is None or self._kept.n_examples != self.state.count:
            self._kept = pool_of(self.state, self._files)
        return self._kept

    def _fail(self, run: str, upto: int, error: str) -> None:
        said = textwrap.shorten(error, MOST_SAID)
        self._append([New("training_failed", {"run": run, "upto": upto, "error": said})])
        pause = FIRST_PAUSE * 2 ** min(len(self.state.runs.failures) - 1, 20)
        self._not_before = self._clock.monotonic() + min(pause, LONGEST_PAUSE)

    def _append(self, news: Sequence[New]) -> None:
        self._store.append(news)
        self._catch_up()

    def _catch_up(self) -> None:
        for event in self._store.events(self.state.number):
            self.state.apply(event)


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
            _train_on(Trainer(store, open_files(store, chosen.files)), chosen.poll)
    except CutpointError as error:  # no campaign there, or another trainer at it
        sys.exit(f"trainer: {error}")


def _train_on(trainer: Trainer, poll: float) -> NoReturn:
    """Train whenever it is time to."""
    while True:
        try:
            worked = trainer.step()
        except CutpointError as error:  # the store's: a full disk, a server gone; the log may tell it later
            print(f"trainer: {error}", file=sys.stderr, flush=True)
            worked = False
        if not worked:
            time.sleep(poll)


def _end_with(parent: int) -> None:
    """End this process, whatever it does, once its parent is gone."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(0)


if __name__ == "__main__":
    main()
