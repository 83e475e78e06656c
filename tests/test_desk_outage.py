"""A store that does not answer for a while: one line when that begins, one when it is over, and nothing is lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from cutpoint.service.desk import pace
from cutpoint.service.desk.desk import Desk
from cutpoint.service.log.settings import Settings
from cutpoint.service.training import trainer as training
from cutpoint.service.training.trainer import Trainer, _train_on
from cutpoint.store.base import StoreError, Unreachable
from cutpoint.store.events import Event
from cutpoint.store.files import ArrayFiles
from cutpoint.store.memory import MemoryStore
from desks import until

LOGGER = "cutpoint"


class Away(MemoryStore):
    """A store that may be gone; each time it is asked then, it says so in other words."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: type[Exception] | None = None
        self.asked = 0

    def events(self, after: int = 0) -> Iterator[Event]:
        """The events, unless it is gone."""
        self.asked += 1
        if self.gone is not None:
            raise self.gone(f"no. {self.asked}")
        return super().events(after)


@pytest.fixture
def store() -> Away:
    """One with a campaign in it."""
    store = Away()
    store.append([Settings("test", ("other", "heron")).created()])
    return store


@pytest.fixture
def desk(store: Away, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk whose thread looks often."""
    monkeypatch.setattr(pace, "TICK", 0.001)
    desk = Desk(store)
    desk.start()
    yield desk
    desk.close()


def away(store: Away, gone: type[Exception]) -> None:
    """Let the store be gone for some looks, and come back."""
    store.gone, before = gone, store.asked
    until(lambda: store.asked > before + 5)
    store.gone, before = None, store.asked
    until(lambda: store.asked > before + 2)


def test_an_outage_is_one_line_at_its_beginning_and_one_at_its_end(
    store: Away, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, LOGGER):
        away(store, Unreachable)
        away(store, StoreError)
    first, second, third, fourth = [record.getMessage() for record in caplog.records]
    assert first.startswith("the store does not answer (no. ")
    assert first.endswith("); trying again")
    assert third.startswith("the store refuses (no. ")
    assert second == fourth == "the store answers again"
    assert all(record.exc_info is None for record in caplog.records)
    until(lambda: not desk.status().trouble)


def test_what_nobody_foresaw_is_told_once_with_all_that_is_known(
    store: Away, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, LOGGER):
        away(store, ZeroDivisionError)
    assert [(record.getMessage(), bool(record.exc_info)) for record in caplog.records] == [
        ("the desk's thread failed, and tries again", True),
        ("the desk's thread works again", False),
    ]


@pytest.mark.parametrize(
    ("gone", "started", "said"), [(Unreachable, True, 0), (Unreachable, False, 3), (StoreError, True, 3)]
)
def test_a_trainer_that_a_server_started_leaves_it_to_that_to_say_so(
    store: Away, tmp_path: Path, capsys: pytest.CaptureFixture[str], gone: type[Exception], started: bool, said: int
) -> None:
    trainer, waits = Trainer(store, ArrayFiles(tmp_path)), 0
    store.gone = gone

    def wait(_seconds: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _train_on(trainer, 0.5, wait, started=started)
    assert capsys.readouterr().err.count("trainer: no. ") == said


def test_a_trainer_that_cannot_begin_leaves_it_to_the_server_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise Unreachable("no answer")

    monkeypatch.setattr("cutpoint.store.opening.open_store", gone)
    monkeypatch.setattr("os.nice", lambda _: 0)
    monkeypatch.setattr(training, "_end_with", lambda _: None)
    for arguments, said in ((["birds.db"], "trainer: no answer"), (["birds.db", "--parent", "1"], 1)):
        with pytest.raises(SystemExit) as caught:
            training.main(arguments)
        assert caught.value.code == said
