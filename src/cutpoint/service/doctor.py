"""Looks a campaign over, part by part, and says what to do; changes nothing unless it is told to repair.

What it repairs is safe: it removes what killed writers of this campaign left behind, and ends leases that ran out while
no desk was there to end them; both while nobody is at work on it, and knowing the whole log. Everything else it leaves
to people, with words.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from cutpoint.errors import CutpointError, UsageError
from cutpoint.service.doctor_needs import examine_needs
from cutpoint.service.doctor_sqlite import Finding, examine_file
from cutpoint.service.log.leases import Lease
from cutpoint.service.log.rounds import Runs
from cutpoint.service.log.state import State
from cutpoint.service.overview.sentences import untrained
from cutpoint.service.place import address, check_installed, left_by_makers, serving
from cutpoint.service.web.whereabouts import absent
from cutpoint.store.base import Store
from cutpoint.store.events import KINDS, New
from cutpoint.store.files import ArrayFiles
from cutpoint.store.header import is_database
from cutpoint.store.opening import noted_files, noted_pictures, open_files, open_store
from cutpoint.words import count

ROOM = 1 << 30  # bytes that should be free; below it, somebody should look
ROLES = ("desk", "trainer")
STALE = 3600.0  # seconds after which what a writer left is nobody's any more


@dataclass
class Patient:
    """A campaign that could be opened."""

    store: Store
    files: ArrayFiles
    noted: Path | None
    """Where its arrays are, as far as it knows itself."""
    file: Path | None
    """Its own file; None of one in PostgreSQL."""
    repair: bool
    state: State
    pictures: Path | None
    """Where its pictures are looked for first, if that is noted."""

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Keep desk and trainer away; False where one is at work, or the log has grown since it was read."""
        with ExitStack() as roles:
            try:
                for role in ROLES:
                    roles.enter_context(self.store.own(role))
                alone = self.state.number == self.store.last()
            except UsageError:
                alone = False
            yield alone


def examine(name: str, files: str | Path | None = None, repair: bool = False) -> Iterator[Finding]:
    """What is so with each part of a campaign, as it is found out; UsageError if there is none."""
    check_installed()
    where = address(name)
    if isinstance(where, Path):
        found = list(examine_file(where))
        yield from found
        if any(finding.mark == "wrong" for finding in found):
            return
    store = open_store(where, create=False)
    try:
        arrays = open_files(store, files)
        state = State()
        log = _log(store, state)
        yield log
        if log.mark == "wrong":  # what it names after that cannot be told from what nobody needs
            return
        file = where.resolve() if isinstance(where, Path) else None
        noted = noted_files(store)
        if noted != arrays.folder:
            said = f"looked for in {arrays.folder}; {noted or 'no folder'} is noted"
            yield Finding("files", "note", said, "`cutpoint serve --files` notes another, if they are there")
        patient = Patient(store, arrays, noted, file, repair=repair, state=state, pictures=noted_pictures(store))
        for look in (_items, _arrays, _scores, _pictures, _roles, _leases, _training, _disk, _leftovers):
            yield from look(patient)
        yield from examine_needs(state)
    finally:
        store.close()


def _log(store: Store, state: State) -> Finding:
    """Read the whole log: every number there, every event of a kind that is known and makes sense."""
    try:
        for event in store.events():
            if event.kind not in KINDS:
                do = "use the Cutpoint that wrote it, or a newer one; nothing is known to be damaged"
                said = f"event {event.number} is of a kind that this version does not know: {event.kind!r}"
                return Finding("log", "wrong", said, do)
            state.apply(event)
        name = state.made.name
    except (CutpointError, KeyError, TypeError, ValueError, IndexError) as error:
        do = "restore a backup; `cutpoint export --history` may still read what is before it"
        return Finding("log", "wrong", f"after event {state.number}: {error}", do)
    return Finding("log", "well", f"{name}: {count(state.number, 'event')} without a gap")


def _items(patient: Patient) -> Iterator[Finding]:
    said, there = patient.state.count, patient.store.count()
    if said != there:
        yield Finding(
            "items", "wrong", f"{count(there, 'item')} in the store, and the log speaks of {said:,}", "restore a backup"
        )
    else:
        yield Finding("items", "well", count(there, "item"))


def _arrays(patient: Patient) -> Iterator[Finding]:
    """Every array that the log names, against its checksum; of scores, those that may serve again."""
    state, served = patient.state, serving(patient.state)
    entries = [(f"features of pool {n}", pool["features"], True) for n, (_, pool) in enumerate(state.pools, 1)]
    for scores in reversed(state.runs.scores):  # those that serve come first: an array may be in several versions
        version = scores["version"]
        entries += [(f"{kind} of scores {version}", each, version in served) for kind, each in scores["files"].items()]
    looked, good = set(), 0
    for what, entry, needed in entries:
        if entry is None or entry["file"] in looked:
            continue
        looked.add(entry["file"])
        try:
            patient.files.open(entry, verify=True)
            good += 1
        except CutpointError as error:
            do = "old scores are needed by `cutpoint replay` alone"
            if needed:
                without = "or go on without it: `cutpoint serve --new-round`"
                do = "no model can be trained without it" if what.startswith("features") else without
            yield Finding("arrays", "wrong" if needed else "note", f"{what}: {error}", do)
    yield Finding("arrays", "well", f"{count(good, 'file')} with the right checksum")


def _scores(patient: Patient) -> Iterator[Finding]:
    """How much the scores take, and how much of it only a replay reads; an array of several versions counts once."""
    scores, served = patient.state.runs.scores, serving(patient.state)
    named = {entry["file"] for each in scores for entry in each["files"].values()}
    needed = {entry["file"] for each in scores if each["version"] in served for entry in each["files"].values()}
    sizes = {path.name: path.stat().st_size for path in patient.files.folder.glob("*.npy") if path.name in named}
    old = sum(size for name, size in sizes.items() if name not in needed)
    said = f"{count(len(scores), 'version')}: {_size(sum(sizes.values()))}; a replay alone reads {_size(old)} of it"
    yield Finding("scores", "well", said)


def _size(count: int) -> str:
    return f"{count / (1 << 20):,.1f} MiB"


def _pictures(patient: Patient) -> Iterator[Finding]:
    if patient.state.settings is None or patient.state.made.kind != "picture":
        return
    told = patient.pictures
    if missing := list(absent(patient.store, patient.state, told, range(patient.state.count))):
        said = f"not where they were: {count(len(missing), 'picture')}, the first {missing[0]}"
        do = "put them back, or `serve` with --images FOLDER; people see 'cannot show' meanwhile"
        yield Finding("pictures", "wrong", said, do)
    else:
        yield Finding(
            "pictures", "well", "all are where they were" if told is None else f"all are in {told}, or where they were"
        )


def _roles(patient: Patient) -> Iterator[Finding]:
    for role in ROLES:
        yield Finding(role, "well", patient.store.holder(role) or "not running")


def _leases(patient: Patient) -> Iterator[Finding]:
    live = patient.state.leases.live.values()
    late = [lease for lease in live if lease.until < time.time()]
    if not late:
        yield Finding("leases", "well", f"{count(len(patient.state.leases.items), 'item')} with people now")
    elif patient.store.holder("desk"):
        yield Finding("leases", "note", f"{len(late)} of {len(live)} ran out by this clock", "the desk ends them")
    elif patient.repair and _end(patient, late):
        yield Finding("leases", "well", f"{len(late)} that ran out were ended")
    else:
        do = "`cutpoint serve` ends them when it starts; so does --repair, when nobody is at work"
        yield Finding("leases", "note", f"{len(late)} of {len(live)} ran out while no desk was there", do)


def _end(patient: Patient, leases: list[Lease]) -> bool:
    """End leases, if nobody is at work; whether it was done."""
    with patient.alone() as alone:
        if alone:
            news = [New("lease_ended", {"lease": each.lease, "reason": "expired"}) for each in leases]
            for event in patient.store.append(news):
                patient.state.apply(event)
        return alone


def _training(patient: Patient) -> Iterator[Finding]:
    runs = patient.state.runs
    if runs.failures:
        last = runs.failures[-1]
        said = f"{count(len(runs.failures), 'failure')} in a row, the last: {last['error']}"
        yield Finding("training", "note", said, f"{_meanwhile(runs)}; mend what the message says")
    elif runs.running is not None and patient.store.holder("trainer") is None:
        said = f"run {runs.running['run']} was begun and not ended, and no trainer runs"
        yield Finding("training", "note", said, "`cutpoint serve` trains again")
    elif patient.state.without_features:
        do = f"{_meanwhile(runs)}; a campaign with the embeddings of all its items gets models"
        yield Finding("training", "note", untrained(patient.state.without_features), do)
    elif runs.scores:
        yield Finding("training", "well", f"model {runs.scores[-1]['version']} is the newest")
    else:
        yield Finding("training", "well", "no model yet: questions are drawn at random")


def _meanwhile(runs: Runs) -> str:
    return f"model {runs.scores[-1]['version']} serves on" if runs.scores else "questions are drawn at random"


def _disk(patient: Patient) -> Iterator[Finding]:
    folder = patient.files.folder if patient.file is None else patient.file.parent
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    said = f"{free / (1 << 30):.1f} GiB free"
    if free < ROOM:
        yield Finding("disk", "note", said, "make room: answers are refused when it is full")
    else:
        yield Finding("disk", "well", said)


def _leftovers(patient: Patient) -> Iterator[Finding]:
    """What writers that were killed have left: files that never were whole, and arrays that no event names."""
    killed = [] if patient.file is None else left_by_makers(patient.file)
    there = _looked_at([*killed, *_unnamed(patient)])
    old = {path: seen for path, seen in there.items() if path in killed or time.time() - seen.st_mtime > STALE}
    young = {path: seen for path, seen in there.items() if path not in old}
    said = _files(old)
    if old and patient.repair and _remove(patient, [*old]):
        yield Finding("leftovers", "well", f"{said} removed")
    elif old:
        do = "--repair removes them, when nobody is at work"
        yield Finding("leftovers", "note", f"{said}, the first {next(iter(old))}", do)
    elif young:
        said = f"none for certain; {_files(young)}, too young to tell from a writer's at work: look again in an hour"
        yield Finding("leftovers", "well", said)
    else:
        yield Finding("leftovers", "well", "none")


def _looked_at(paths: list[Path]) -> dict[Path, os.stat_result]:
    """The files that are still there: a writer at work renames or removes its own."""
    found = {}
    for path in paths:
        with suppress(FileNotFoundError):
            found[path] = path.stat()
    return found


def _files(found: dict[Path, os.stat_result]) -> str:
    return f"{count(len(found), 'file')} of {_size(sum(seen.st_size for seen in found.values()))}"


def _remove(patient: Patient, files: list[Path]) -> bool:
    """Remove files, if nobody is at work; whether it was done."""
    with patient.alone() as alone:
        if alone:
            for path in files:
                path.unlink(missing_ok=True)
        return alone


def _shared(patient: Patient) -> bool:
    """Whether another campaign may keep its arrays there: birds.sqlite beside birds.db, or on PostgreSQL."""
    if patient.file is None:
        return True
    beside = patient.file.parent.glob(f"{escape(patient.file.stem)}.*")
    return any(path != patient.file and path.is_file() and is_database(path) for path in beside)


def _unnamed(patient: Patient) -> list[Path]:
    """Files of this campaign, and of no other, that nothing needs."""
    state, folder = patient.state, patient.files.folder
    entries = [pool["features"] for _, pool in state.pools]
    entries += [entry for scores in state.runs.scores for entry in scores["files"].values()]
    named = {entry["file"] for entry in entries if entry is not None}
    arrays = [path for path in folder.glob("*.npy") if path.name not in named and not _shared(patient)]
    partial = [*folder.glob(".*.partial")] if folder == patient.noted else []
    if patient.file is not None:
        partial += patient.file.parent.glob(f".{escape(patient.file.name)}-*.partial*")
    return sorted(path for path in (*arrays, *partial) if path.is_file())
