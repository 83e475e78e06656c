"""How a campaign in a script is opened and closed: who trains it, for how long, and that nothing is left open."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint import Campaign
from cutpoint.errors import CutpointError, UsageError
from cutpoint.service import campaign as module
from cutpoint.service.desk import pace
from cutpoint.service.desk.desk import Desk
from cutpoint.service.desk.live import Live
from cutpoint.service.replay import replay
from cutpoint.service.training.trainer import Trainer
from cutpoint.store.base import StoreError
from cutpoint.store.files import ArrayFiles
from cutpoint.store.opening import open_store
from desks import a_store, events_of, until
from trained import a_store_with_features

CLASSES = ["other", "heron"]


def on_disk(path: Path, **options: Any) -> Campaign:
    """A campaign in a file whose items have features, trained within `ask`."""
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("alembic")
    campaign = Campaign(path, CLASSES, train="inline", first=12, budget=8, **options)
    if not campaign.status().items:
        campaign.add_pool(embeddings=np.linspace(-1, 1, 60, dtype=np.float32)[:, None])
    return campaign


def label(campaign: Campaign, n: int) -> None:
    """Ask and answer n times."""
    for _ in range(n):
        ask = campaign.ask(1)[0]
        campaign.tell(ask, int(ask.item < 30))


def test_nobody_trains_inline_beside_another_trainer(tmp_path: Path) -> None:
    files = ArrayFiles(tmp_path)
    store = a_store_with_features(files, first=12)
    with store.own("trainer"):
        with pytest.raises(UsageError, match="trainer"):
            Campaign(store, CLASSES, train="inline", files=tmp_path)
        Campaign(store, CLASSES, train="off", files=tmp_path).close()  # nothing was left taken
    with Campaign(store, CLASSES, train="inline", files=tmp_path), pytest.raises(UsageError, match="trainer"):
        store.own("trainer").__enter__()
    with store.own("trainer"):
        Trainer(store, files)


def test_a_desk_that_cannot_be_closed_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sqlalchemy")
    from cutpoint.store.sql import SqlStore

    closed = []
    close = SqlStore.close

    def noted(store: SqlStore) -> None:
        closed.append("store")
        close(store)

    monkeypatch.setattr(SqlStore, "close", noted)
    campaign = on_disk(tmp_path / "birds.db")
    with monkeypatch.context() as patched:
        patched.setattr(Desk, "_write", full)
        with pytest.raises(StoreError, match="full"):
            campaign.close()
    assert closed == ["store"]
    campaign.close()
    on_disk(tmp_path / "birds.db").close()  # neither the desk nor the training is taken


def full(*_: Any) -> None:
    raise StoreError("the disk is full")


def test_a_campaign_whose_newest_scores_are_gone_goes_on_with_a_new_round(tmp_path: Path) -> None:
    with on_disk(tmp_path / "birds.db") as campaign:
        label(campaign, 21)
        newest = events_of(campaign._store, "scores_published")[-1].data
        assert newest["version"] == 2
    (tmp_path / "birds.files" / newest["files"]["probs"]["file"]).unlink()
    for _ in range(2):
        with pytest.raises(CutpointError, match=r"or let a new round begin \(new_round=True|Or let a new round"):
            on_disk(tmp_path / "birds.db")
    with on_disk(tmp_path / "birds.db", new_round=True) as campaign:
        label(campaign, 3)
        assert (campaign.status().labelled, campaign.status().model) == (24, 3)
        assert campaign.status().trouble == ""
    on_disk(tmp_path / "birds.db").close()


def test_how_long_a_training_may_take_reaches_whoever_watches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sqlalchemy")
    limits: list[float] = []

    class Watcher:
        def __init__(self, *_: Any, limit: float, **__: Any) -> None:
            limits.append(limit)

        def start(self) -> None:
            """Watch nothing."""

        stop = start

    monkeypatch.setattr(module, "TrainerProcess", Watcher)
    with Campaign(tmp_path / "one.db", CLASSES) as campaign:
        campaign.add_pool(embeddings=np.eye(3))
    Campaign(tmp_path / "one.db", training_limit=20_000).close()
    assert limits == [3600, 20_000]


def test_beside_a_training_process_rounds_are_made_by_a_thread_and_a_script_never_goes_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("alembic")
    made: list[str] = []

    class Slow(Live):
        def __init__(self, *arguments: Any) -> None:
            made.append(threading.current_thread().name)
            time.sleep(0.1)
            super().__init__(*arguments)

    monkeypatch.setattr(pace, "Live", Slow)
    with Campaign(tmp_path / "a.db", ["a", "b"], budget=3, first=3) as campaign:
        campaign.add_pool(ids=[str(i) for i in range(12)])
        for place in range(12):
            (ask,) = campaign.ask()
            campaign.tell(ask, "a")
            if place == 1:  # one of three is left, and there is time to think
                until(lambda: "desk" in made)
        assert campaign.ask().reason.startswith("Everything is labelled")
        assert campaign.status().round is not None
    assert len(made) >= 4, "rounds of three questions"
    store = open_store(str(tmp_path / "a.db"), create=False)
    assert replay(store, None).same
    store.close()


def test_somebody_impatient_is_told_that_questions_are_being_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Waiting(Live):
        def __init__(self, *arguments: Any) -> None:
            begun.set()
            assert go_on.wait(120)
            super().__init__(*arguments)

    monkeypatch.setattr(pace, "Live", Waiting)
    desk = Desk(a_store(6))
    desk.start()
    assert begun.wait(120)
    asks = desk.ask("me")
    assert (list(asks), asks.reason) == ([], "The next questions are being prepared.")
    asking = ThreadPoolExecutor(1)
    patient = asking.submit(desk.ask, "me", patient=True)
    go_on.set()
    assert len(patient.result(120)) == 1
    asking.shutdown()
    desk.close()
