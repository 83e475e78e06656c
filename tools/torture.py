"""Kills server and trainer with SIGKILL at random moments, while people answer, and counts what was lost or doubled.

    python tools/torture.py --kills 500                    both stores, half of the kills each
    python tools/torture.py --kills 20 --store sqlite

After each start of the server, and at the end, the log must hold every answer that the server called saved, once, under
its key and with its number; beyond these only answers that were on their way. At the end nothing is on its way: the
log and what was called saved are the same. No item is ever leased to more people than are wanted; scores and rounds are
numbered one by one, and the files of scores are whole. Most lives last for a moment. Every fifth goes on until a model
is published, so that kills fall into what follows a training, too. Then a disk is filled, and turned read-only
(`torture_disks.py`). Needs the extra `serve`, for PostgreSQL `postgres` and its server (tests/postgres_server.py).
Linux only: it looks into /proc.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from torture_disks import disks
from torture_people import Annotator, Told
from torture_server import PEOPLE, STARTS, Server, check, check_models, kinds, make_campaign

LONGEST_LIFE = 1.5  # seconds of a server before it is killed
LONG_EVERY = 5  # of so many lives one goes on until a model is published
LONGEST_TRAINING = 300.0  # seconds that are waited for one: trainings that were killed are tried again after a pause
JUST_PUBLISHED = 0.5  # seconds after it in which the kill comes: the next round begins then
LOOK = 0.05
TRAINER_SHARE = 0.35  # of the kills that hit the trainer, if there is one at that moment


@dataclass
class Toll:
    """What happened to one campaign: kills, answers, and what was found wrong (nothing, one hopes)."""

    store: str
    servers: int = 0
    trainers: int = 0
    answers: int = 0
    models: int = 0
    rounds: int = 0
    published: int = 0  # kills that came just after a model
    started: list[float] = field(default_factory=list)  # seconds until a killed server answered again
    wrong: list[str] = field(default_factory=list)


def torture(name: str, store: str, kills: int, seed: int, long_every: int = LONG_EVERY) -> Toll:
    """Kill, look, and go on; the last life is a long one in any case."""
    toll, told, stop, rng = Toll(store), Told(), threading.Event(), random.Random(seed)
    server = Server(name)
    server.start()
    people = [Annotator(server.links[who], who, told, stop, seed + place) for place, who in enumerate(PEOPLE)]
    for person in people:
        person.start()
    while (done := toll.servers + toll.trainers) < kills:
        _live(name, toll, rng, long=(done + 1) % long_every == 0 or done + 1 == kills)
        trainer = server.trainer() if rng.random() < TRAINER_SHARE else None
        if trainer is not None:
            with suppress(ProcessLookupError):
                os.kill(trainer, signal.SIGKILL)
                toll.trainers += 1
            continue
        saved = dict(told.saved)  # at least these are on disk
        server.kill()
        toll.servers += 1
        toll.wrong += check(name, saved, told)
        toll.started.append(server.start())
        _tell(toll, kills)
    stop.set()
    for person in people:
        person.join(timeout=STARTS)
        if person.is_alive():
            toll.wrong.append(f"{person.name} still waits for an answer to be taken")
    if server.stop() not in (0, 130):
        toll.wrong.append("Ctrl-C did not end the server well")
    toll.wrong += check(name, told.saved, told, whole=True)
    there = kinds(name)
    toll.answers, toll.models, toll.rounds = len(told.saved), there["scores_published"], there["round_opened"]
    toll.wrong += check_models(name)
    toll.wrong += [f"refused: {words}" for words in told.refused]
    return toll


def _live(name: str, toll: Toll, rng: random.Random, *, long: bool) -> None:
    """Let everybody work for a random while, or until just after a model was published."""
    if not long:
        time.sleep(rng.uniform(0, LONGEST_LIFE))
        return
    known, end = kinds(name).total(), time.monotonic() + LONGEST_TRAINING
    while time.monotonic() < end:
        new = kinds(name, known)
        if new["scores_published"]:
            toll.published += 1
            break
        known += new.total()
        time.sleep(LOOK)
    time.sleep(rng.uniform(0, JUST_PUBLISHED))


def _tell(toll: Toll, kills: int) -> None:
    done = toll.servers + toll.trainers
    if done % 25 == 0 or sys.stderr.isatty():
        print(f"{toll.store}: {done} of {kills} kills, {len(toll.wrong)} wrong", file=sys.stderr, flush=True)


@contextmanager
def stores(wanted: str) -> Iterator[dict[str, tuple[str, Path, Path | None]]]:
    """Store -> (name of the campaign, a folder, the folder of its arrays where that must be said)."""
    with tempfile.TemporaryDirectory(prefix="cutpoint-torture-") as top:
        places: dict[str, tuple[str, Path, Path | None]] = {}
        if wanted in ("both", "sqlite"):
            (Path(top) / "sqlite").mkdir()
            places["sqlite"] = (str(Path(top) / "sqlite" / "torture.db"), Path(top) / "sqlite", None)
        if wanted == "sqlite":
            yield places
            return
        sys.path.append(str(Path(__file__).parent.parent / "tests"))
        import postgres_server

        postgres_server.begin()
        try:
            address = postgres_server.address()
            if address is None:
                raise SystemExit(f"torture.py: {postgres_server.LEFT_OUT}; or give --store sqlite")
            (Path(top) / "postgres").mkdir()
            with postgres_server.schema(address) as url:
                places["postgres"] = (url, Path(top) / "postgres", Path(top) / "postgres" / "files")
                yield places
        finally:
            postgres_server.end()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if anything was lost, doubled or refused."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=500, help="of all processes, over all stores")
    parser.add_argument("--store", choices=("both", "sqlite", "postgres"), default="both")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    tolls = []
    with stores(given.store) as places:
        for place, (store, (name, folder, files)) in enumerate(places.items()):
            make_campaign(name, folder, files)
            share = given.kills // len(places) + (place < given.kills % len(places))
            tolls.append(torture(name, store, share, given.seed))
    steps = disks() if given.store != "postgres" else []
    heads = "servers killed  trainers killed  just after a model  answers saved  models  rounds"
    print(f"{'store':9s} {heads}  {'back after, s (median, worst)':>29s}   wrong")
    for toll in tolls:
        back = f"{np.median(toll.started):.1f}, {max(toll.started):.1f}" if toll.started else "-"
        numbers = f"{toll.servers:14d} {toll.trainers:16d} {toll.published:19d} {toll.answers:14d}"
        print(f"{toll.store:9s} {numbers} {toll.models:7d} {toll.rounds:7d}  {back:>29s} {len(toll.wrong):6d}")
        for words in toll.wrong[:20]:
            print(f"  {words}")
    for done, said, right in steps:
        print(f"{'ok   ' if right else 'WRONG'} {done}: {said}")
    if not steps:
        print("left out: a full and a read-only disk (SQLite on Linux, as root, alone)")
    return int(any(toll.wrong for toll in tolls) or not all(right for *_, right in steps))


if __name__ == "__main__":
    sys.exit(main())
