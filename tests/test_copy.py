"""A campaign that is copied is the same campaign elsewhere, whole or not at all, also while people answer."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cutpoint.errors import DataError, UsageError
from cutpoint.service.copying import copy
from cutpoint.service.desk.desk import Desk
from cutpoint.service.log.state import State
from cutpoint.service.overview.export import Told, write
from cutpoint.service.overview.standing import read
from cutpoint.service.place import address, opened
from cutpoint.service.replay import replay
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.opening import open_store
from histories import assert_same

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")
pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the campaign zeros: two models, and one of everything that people and admins can do."""
    from sklearn.datasets import load_digits

    from cutpoint import Campaign

    folder = tmp_path_factory.mktemp("kept")
    pictures, digits = load_digits(return_X_y=True)
    person = np.where(digits == 0, "zero", "other")
    with Campaign(
        folder / "zeros.db", classes=["other", "zero"], train="inline", first=8, budget=8, overlap=2
    ) as campaign:
        campaign.add_pool(ids=[f"digit {i}" for i in range(120)], embeddings=pictures[:120])
        for turn in range(10):
            for who in ("ann", "bob"):
                for ask in campaign.ask(2, annotator=who):
                    wrong = turn % 4 == 3 and who == "bob"
                    campaign.tell(ask, "zero" if wrong else str(person[ask.item]), key=f"{who} {turn} {ask.item}")
        assert campaign.status().model == 2
        (skipped,) = campaign.ask(annotator="ann")
        campaign.passed(skipped, "unsure", key="passed")
        (regretted,) = campaign.ask(annotator="bob")
        campaign.tell(regretted, "zero")
        campaign.take_back(regretted)
        campaign.import_labels(["digit 100", "digit 101"], ["zero", "other"], "old.csv")
        desk = campaign.desk
        desk.make_link("ann", "a hash")
        desk.set_guideline("Zeros are round.\0")
        desk.adjudicate(next(iter(desk.state.ballots.disputes)), "other", "eve")
        campaign.add_class("six")
    return folder


@pytest.fixture
def source(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A copy of that campaign's file and arrays, made while nobody has it open, in the folder one works in."""
    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return "zeros"


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest) -> str:
    """Where a copy may go."""
    return "copies/two" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def folder_for(target: str) -> str | None:
    """What --files says for a target."""
    return "arrays" if "://" in target else None


def assert_copies(one: str, other: str, tmp_path: Path) -> None:
    """Two campaigns are the same by everything that reads one."""
    exports: list[list[bytes]] = []
    with opened(one) as (store, arrays), opened(other) as (copied, into):
        assert list(copied.events()) == list(store.events())
        assert copied.items(range(copied.count())) == store.items(range(store.count()))
        assert_same(State(copied.events()), State(store.events()))
        assert read(copied)[1] == read(store)[1]
        assert replay(copied, into) == replay(store, arrays)
        for side in (store, copied):
            exports.append([])
            for form, history in (("csv", False), ("jsonl", True), ("label-studio", False)):
                place = tmp_path / f"exported {len(exports)} {form}"
                write(Told(side), place, form, history)
                exports[-1].append(place.read_bytes())
                place.unlink()
    assert exports[0] == exports[1]


def test_a_copy_is_the_same_there_and_back(source: str, target: str, tmp_path: Path) -> None:
    done = copy(source, target, files=folder_for(target))
    assert (done.campaign, done.items, done.moved, done.pictures) == ("zeros", 120, (), ())
    assert done.arrays == len(list(Path("zeros.files").glob("*.npy"))) > 2
    assert_copies(source, target, tmp_path)
    copy(target, "back")
    assert_copies(source, "back", tmp_path)


def test_answering_and_training_go_on_in_the_copy_alone(source: str, target: str) -> None:
    from cutpoint import Campaign

    copy(source, target, files=folder_for(target))
    with opened(source) as (store, _):
        last = store.last()
        (key,) = {event.key for event in store.events() if event.key == "passed"}
        item = next(event.data["item"] for event in store.events() if event.key == key)
    where = address(target)
    with Campaign(where, train="inline") as campaign:
        assert campaign.passed(item, "unsure", annotator="ann", key=key).status == "again"
        for _ in range(6):
            for who in ("ann", "bob"):
                for ask in campaign.ask(2, annotator=who):
                    campaign.tell(ask, "other")
        assert (campaign.status().model or 0) > 2
    with opened(source) as (store, _), opened(target) as (copied, into):
        assert store.last() == last < copied.last()
        assert list(copied.events())[:last] == list(store.events())
        assert replay(copied, into).same


def test_what_is_written_meanwhile_is_not_half_copied(source: str, target: str) -> None:
    """The campaign grows at every step of the copy, by answers and by items: the copy is a prefix of its log."""
    store = open_store(address(source), create=False)
    before, desk = list(store.events()), Desk(store)

    def meanwhile(what: str, done: int, _total: int) -> None:
        desk.import_labels([110], [done % 2], what)
        first, count = store.count(), 1
        more = New("pool_added", {"first": first, "count": count, "source": "late", "features": None})
        store.add_items([Item(first, f"late {first}", {"text": "x"})], more)

    try:
        done = copy(source, target, files=folder_for(target), progress=meanwhile)
        assert store.last() > done.events >= len(before)
        with opened(target) as (copied, _):
            assert list(copied.events()) == list(store.events())[: done.events]
            assert copied.count() == State(copied.events()).count == 120
    finally:
        desk.close()
        store.close()


@pytest.mark.parametrize("step", ["copying arrays", "copying events", "copying items"])
def test_an_interrupted_copy_leaves_no_campaign_and_the_next_one_is_whole(
    source: str, target: str, step: str, tmp_path: Path
) -> None:
    def stop(what: str, _done: int, _total: int) -> None:
        if what == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(source, target, files=folder_for(target), progress=stop)
    assert_nothing(target)
    if "://" not in target:
        assert list(Path("copies").iterdir()) == []
    copy(source, target, files=folder_for(target))
    assert_copies(source, target, tmp_path)


KILLED = """
import os, signal, sys
from cutpoint.service.copying import copy

def stop(what, done, total):
    if what == "copying items" and done == total:
        os.kill(os.getpid(), signal.SIGKILL)

copy("zeros", sys.argv[1], files=sys.argv[2] or None, progress=stop)
"""


def test_a_copy_that_is_killed_leaves_no_campaign_and_the_next_one_is_whole(
    source: str, target: str, tmp_path: Path
) -> None:
    line = [sys.executable, "-c", KILLED, target, folder_for(target) or ""]
    assert subprocess.run(line, check=False, env=os.environ).returncode == -signal.SIGKILL
    assert_nothing(target)
    copy(source, target, files=folder_for(target))
    assert_copies(source, target, tmp_path)


def assert_nothing(target: str) -> None:
    """Nothing at a place looks like a campaign."""
    if "://" not in target:
        assert not os.path.lexists(address(target))
        return
    store = open_store(target, create=False)
    assert (store.last(), store.count()) == (0, 0)
    store.close()


def test_a_place_that_holds_a_campaign_is_refused_and_left_alone(source: str, target: str, tmp_path: Path) -> None:
    copy(source, target, files=folder_for(target))
    with pytest.raises(UsageError, match="already"):
        copy(source, target, files="others" if folder_for(target) else None)
    assert not Path("others").exists()
    assert_copies(source, target, tmp_path)


def spoil(path: Path) -> None:
    """Change one byte."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [spoil, Path.unlink])
def test_an_array_that_is_not_what_was_stored_is_refused(
    source: str, target: str, harm: Callable[[Path], None]
) -> None:
    (features,) = Path("zeros.files").glob("features-*.npy")
    harm(features)
    words = "gone; restore it" if harm is Path.unlink else "not the array that was stored"
    with pytest.raises(DataError, match=re.escape(f"{features} is {words}")):
        copy(source, target, files=folder_for(target))
    assert_nothing(target)
    assert not list(Path("copies").glob("two*"))


def test_arrays_that_only_a_replay_reads_may_have_been_moved_away(source: str, target: str) -> None:
    with opened(source) as (store, _):
        scores = State(store.events()).runs.scores
        old, new = ({entry["file"] for entry in each["files"].values()} for each in scores)
    for file in (away := sorted(old - new)):
        (Path("zeros.files") / file).unlink()
    done = copy(source, target, files=folder_for(target))
    assert sorted(done.moved) == away != []
