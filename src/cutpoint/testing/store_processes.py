"""The laws of a store that several processes share, or one after the other."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from cutpoint.errors import UsageError
from cutpoint.store.events import New
from cutpoint.testing.killed import PRELOAD, kill_writers
from cutpoint.testing.stores import Opened, refusal

_PATIENCE = 120.0  # seconds: a machine may be slow, and stall


def processes_write_side_by_side(opened: Opened) -> None:
    """Numbers have no gaps over several processes, and every event that one was told is stored is there."""
    context = _context()
    with context.Pool(3) as pool:
        told = pool.map(partial(_write, opened), range(3))
    store = opened()
    log = {event.number: event.data["in_flight"] for event in store.events()}
    store.close()
    assert sorted(log) == list(range(1, 3 * 40 + 1)), f"three processes wrote 120 events; the log has {sorted(log)}."
    for writer, numbers in enumerate(told):
        assert [log[number] for number in numbers] == [[writer, i] for i in range(40)], (
            "events are not as they were told."
        )


def a_killed_process_has_no_role(opened: Opened) -> None:
    """A role is held against other processes, which are told by whom, and free once its holder was killed."""
    context = _context()
    ours, theirs = context.Pipe()
    process = context.Process(target=_hold, args=(opened, theirs), daemon=True)
    process.start()
    assert ours.poll(_PATIENCE), "a process could not take a role."
    ours.recv()
    store = opened()
    error = refusal(UsageError, "a role that another process has", store.own("desk").__enter__)
    assert f"process {process.pid} on " in str(error), f"it is not said that {process.pid} has the role: {error}"
    process.kill()
    process.join()
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            with store.own("desk"):
                break
        except UsageError:
            assert time.monotonic() < end, "the role of a killed process is still taken."
            time.sleep(0.02)
    store.close()


def what_was_acknowledged_survives_kill_9(opened: Opened) -> None:
    """Acknowledged events are there after every kill, none is there twice, and no batch in part."""
    killed = kill_writers(opened, kills=20)
    assert killed.acknowledged > 0, "no writer has got anything."


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def _write(opened: Opened, writer: int) -> list[int]:
    store = opened()
    numbers = [store.append([New("resized", {"round": 1, "in_flight": [writer, i]})])[0].number for i in range(40)]
    store.close()
    return numbers


def _hold(opened: Opened, pipe: Any) -> None:
    with opened().own("desk"):
        pipe.send("held")
        time.sleep(3600)


PROCESS_LAWS: tuple[Callable[[Opened], None], ...] = (
    processes_write_side_by_side,
    a_killed_process_has_no_role,
    what_was_acknowledged_survives_kill_9,
)
"""The laws of every store that processes share, each to be given an empty campaign of its own."""
