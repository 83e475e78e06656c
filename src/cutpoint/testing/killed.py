"""Writers that are killed at random moments, and what the log must be afterwards, to the last event.

Every writer appends batches that follow from its name and their number alone, and says on a pipe when it tries one
and when it has got it. Born again, it first sends again what it has not got, as a browser does after a lost connection.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from cutpoint.errors import UsageError
from cutpoint.store.base import Repeated, Store
from cutpoint.store.events import Event, New

_PATIENCE = 120.0  # seconds until a killed process's role must be free, and a writer must have begun
PRELOAD = ["cutpoint.testing.killed", "cutpoint.store.sqlite", "cutpoint.store.postgres"]


@dataclass(frozen=True)
class Killed:
    """What happened: processes killed, events acknowledged, events in the log, batches sent again after a kill."""

    kills: int
    acknowledged: int
    stored: int
    sent_again: int


@dataclass
class _Writer:
    """One writer through all its lives: batches tried, and the first event's number of those got and those stored."""

    name: str
    tried: int = -1
    got: dict[int, int] = field(default_factory=dict)
    stored: dict[int, int] = field(default_factory=dict)
    process: Any = None
    pipe: Connection | None = None

    def hear(self) -> None:
        """Take note of what it says."""
        try:
            while self.pipe is not None and self.pipe.poll():
                what, batch, number = self.pipe.recv()
                if what == "tries":
                    self.tried = batch
                else:
                    self.got[batch] = number
        except EOFError:
            self.pipe = None


def kill_writers(opened: Callable[[], Store], *, kills: int, writers: int = 3, seed: int = 0) -> Killed:
    """Kill -9 writers at random moments, `kills` times; AssertionError if the log is not exactly what it must be.

    `opened` opens the campaign, which must have an empty log, in any process (it is pickled). After every kill the log
    is opened anew and what is new in it is read, in the end all of it.
    """
    rng = random.Random(seed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    everyone = [_Writer(chr(ord("a") + place)) for place in range(writers)]
    again = last = 0
    with ExitStack() as stack:
        for writer in everyone:
            stack.callback(_end, writer)
            _start(context, opened, writer)
        for _ in range(kills):
            _listen(everyone, rng.uniform(0.0, 0.2))
            for victim in rng.sample(everyone, rng.randint(1, writers)):
                _end(victim)
                again += victim.tried not in victim.got and victim.tried >= 0
                _start(context, opened, victim)
            last = _check(opened, everyone, last)
        _listen(everyone, 0.2)
    stored = _check(opened, everyone)
    acknowledged = sum(len(batch_of(writer.name, batch)) for writer in everyone for batch in writer.got)
    return Killed(kills, acknowledged, stored, again)


def batch_of(writer: str, batch: int) -> list[New]:
    """The events of a writer's batch: one to four, each with a key."""
    size = 1 + (batch * 7 + ord(writer)) % 4
    return [
        New(
            "answered",
            {"item": batch, "annotator": writer, "label": place, "lease": None, "late": False},
            key=f"{writer}/{batch}/{place}",
        )
        for place in range(size)
    ]


def _start(context: Any, opened: Callable[[], Store], writer: _Writer) -> None:
    """A new life, which goes on with the first batch that it has not got; wait until it has begun."""
    ours, theirs = context.Pipe(duplex=False)
    writer.pipe = ours
    following = len(writer.got)
    writer.process = context.Process(target=_write_on, args=(opened, theirs, writer.name, following), daemon=True)
    writer.process.start()
    theirs.close()
    assert ours.poll(_PATIENCE), f"writer {writer.name} has not begun {_PATIENCE:.0f} s after its last life was killed."


def _end(writer: _Writer) -> None:
    """Kill it, and hear what it said before."""
    if writer.process is not None:
        writer.process.kill()
        writer.process.join()
        writer.hear()


def _listen(everyone: list[_Writer], seconds: float) -> None:
    """Hear all writers for so long, so that none waits for its pipe."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        wait([writer.pipe for writer in everyone if writer.pipe is not None], left)
        for writer in everyone:
            writer.hear()


def _write_on(opened: Callable[[], Store], pipe: Connection, name: str, batch: int) -> None:
    """What a writer does until it is killed."""
    store = opened()
    with _owned(store, f"writer{name}"):
        while True:
            news = batch_of(name, batch)
            pipe.send(("tries", batch, 0))
            try:
                first = store.append(news)[0]
            except Repeated as repeated:
                first = repeated.event
            pipe.send(("got", batch, first.number))
            batch += 1


def _owned(store: Store, role: str) -> ExitStack:
    """The role, as soon as the kernel or the server has freed it of a killed process."""
    end = time.monotonic() + _PATIENCE / 2
    while True:
        with ExitStack() as stack:
            try:
                stack.enter_context(store.own(role))
                return stack.pop_all()
            except UsageError:
                assert time.monotonic() < end, f"the role {role} of a killed process is still taken."
        time.sleep(0.01)


def _check(opened: Callable[[], Store], everyone: list[_Writer], after: int = 0) -> int:
    """What is in the log after an event is what was tried, whole, once and in order, and all that was got is there.

    The number of the last event. With `after` 0 the whole log is read, and what was found before is forgotten.
    """
    for writer in everyone:
        writer.hear()
        writer.stored = writer.stored if after else {}
    got = {writer.name: dict(writer.got) for writer in everyone}
    store = opened()
    log = list(store.events(after))
    store.close()
    numbers = [event.number for event in log]
    assert numbers == list(range(after + 1, after + 1 + len(log))), "the numbers of the log have gaps."
    for writer in everyone:
        writer.hear()  # what it tried before the log was read
        _check_writer(writer, [event for event in log if event.data["annotator"] == writer.name])
        lost = {batch: first for batch, first in got[writer.name].items() if writer.stored.get(batch) != first}
        assert not lost, f"batches that writer {writer.name} got, with their first events, are not in the log: {lost}."
    return after + len(log)


def _check_writer(writer: _Writer, events: list[Event]) -> None:
    """These events are the writer's next batches, each of them whole; note where they are."""
    at = 0
    while at < len(events):
        due = batch_of(writer.name, len(writer.stored))
        here, first = events[at : at + len(due)], events[at].number
        assert [(e.kind, dict(e.data), e.key) for e in here] == [(n.kind, dict(n.data), n.key) for n in due], (
            f"batch {len(writer.stored)} of writer {writer.name} is not in the log as it was written, whole and once."
        )
        assert [e.number for e in here] == list(range(first, first + len(due))), "a batch was torn apart."
        writer.stored[len(writer.stored)] = first
        at += len(due)
    tried = writer.tried + 1
    assert len(writer.stored) <= tried, f"writer {writer.name} tried {tried} batches; {len(writer.stored)} are there."
