"""Which of several processes side by side this one is: they share the cores, and a learner's cards.

A process is alone until it is told otherwise.
"""

from __future__ import annotations

import os
from typing import NamedTuple


class Job(NamedTuple):
    """The process `number`, from 0, of so many."""

    number: int = 0
    jobs: int = 1


_this = Job()


def become(job: Job) -> None:
    """Say which one this process is."""
    global _this
    _this = job


def this_job() -> Job:
    """Which one this process is."""
    return _this


def cores() -> int:
    """How many cores this process may use: its part of those that are there, and at least one."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, there // _this.jobs)


def card(cards: int) -> int:
    """Which of so many cards is this process's."""
    return _this.number % cards


def jobs_on_a_card(cards: int) -> int:
    """How many processes, at most, share one of so many cards."""
    return -(-_this.jobs // cards)
