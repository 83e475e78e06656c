"""Ctrl-C and SIGTERM: heard from the first import on, and answered by what they leave behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def hear_all() -> None:
    """Hear an interrupt also where Python would print it and go on, as in the locks of its imports: a moment later."""

    def hear(lost: sys.UnraisableHookArgs) -> None:
        if isinstance(lost.exc_value, KeyboardInterrupt):
            threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            sys.__unraisablehook__(lost)

    sys.unraisablehook = hear


@contextmanager
def leaving(words: str) -> Iterator[None]:
    """Within it, an interrupt leaves something behind: what the last line says, after "stopped; "."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise type(stop)(words) from None


class Terminated(KeyboardInterrupt):
    """SIGTERM, as a scheduler sends it when the time is up: all ends as with Ctrl-C."""


@contextmanager
def terminable() -> Iterator[None]:
    """Within it, SIGTERM is an interrupt; a second one is not waited for. Signals reach the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, before)
        raise Terminated

    before = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
