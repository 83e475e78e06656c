"""A commit whose end is not known: the desk reads what became of it, and what it called saved is stored once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.errors import CutpointError
from cutpoint.service.desk.asks import Receipt
from cutpoint.service.desk.desk import Desk
from cutpoint.store.base import MaybeStored, StoreError
from cutpoint.store.events import New
from cutpoint.store.memory import MemoryStore
from desks import events_of
from doubts import Trouble
from postgres_server import cut_in_commit


@given(seed=st.integers(0, 10**6), overlap=st.sampled_from([1, 1, 2, 3]), odds=st.sampled_from([0.1, 0.3, 0.6]))
def test_whatever_commit_fails_the_desk_and_the_log_say_the_same(seed: int, overlap: int, odds: float) -> None:
    trouble = Trouble(MemoryStore(), seed, overlap, scores=seed % 3 > 0)
    trouble.work(60, odds)
    trouble.check()


def test_a_store_on_disk_fails_no_otherwise(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    from cutpoint.store.opening import open_store

    with closing(open_store(tmp_path / "birds.db", True)) as store:
        trouble = Trouble(store, 1, 2)
        trouble.work(80, 0.3)
        assert trouble.store.doubted
        trouble.check()


@pytest.mark.parametrize("arrived", [False, True], ids=["before the commit", "after the commit"])
def test_a_connection_to_a_server_breaks_in_a_commit(postgres_url: str, arrived: bool) -> None:
    import psycopg
    from sqlalchemy import event

    from cutpoint.store.opening import open_store

    with psycopg.connect(postgres_url, autocommit=True) as beside, closing(open_store(postgres_url, True)) as store:
        trouble = Trouble(store, 0, 1)
        ask = trouble.desk.ask("ada", 1)[0]
        event.listen(store._engine, "commit", cut_in_commit(beside, arrived), once=True)
        if not arrived:
            with pytest.raises(MaybeStored):
                trouble.desk.tell(ask, 1, key="k")
        trouble.acknowledged.append(trouble.desk.tell(ask, 1, key="k"))
        assert trouble.acknowledged[0].status == "saved"
        assert len(events_of(store, "answered")) == 1
        trouble.check()


def a_desk_in_doubt(*doubts: str, blind: int = 0) -> Trouble:
    """One whose next commits end so; all is well up to now."""
    trouble = Trouble(MemoryStore(), 0, 1)
    trouble.desk.ask("ada", 2)
    trouble.store.doubts, trouble.store.blind = iter(doubts), blind
    return trouble


@pytest.mark.parametrize("doubt", ["stored", "lost"])
def test_a_round_whose_opening_is_in_doubt_is_begun_once(doubt: str) -> None:
    trouble = Trouble(MemoryStore(), 0, 1)
    trouble.store.doubts = iter(("", doubt))  # ada is introduced, the round is opened
    try:
        trouble.desk.ask("ada", 1)
    except MaybeStored:
        assert doubt == "lost"
    assert len(trouble.desk.ask("ada", 1)) == 1
    assert len(events_of(trouble.store, "round_opened")) == 1
    assert trouble.desk._board.live is not None
    trouble.check()


def test_what_is_stored_after_all_is_saved_and_nobody_hears_of_the_doubt() -> None:
    trouble = a_desk_in_doubt("stored")
    lease = trouble.desk.ask("ada", 1)[0]
    receipt = trouble.desk.tell(lease, 1)
    assert receipt.status == "saved"
    trouble.acknowledged.append(receipt)
    trouble.check()


def test_a_desk_that_cannot_read_on_writes_nothing_until_it_can() -> None:
    trouble = a_desk_in_doubt("stored", blind=2)
    desk, ask = trouble.desk, trouble.desk.ask("ada", 1)[0]
    with pytest.raises(MaybeStored):
        desk.tell(ask, 1, key="k")
    last = trouble.store.last()
    with pytest.raises(StoreError, match="the server is gone"):
        desk.ask("ben", 1)
    with pytest.raises(StoreError, match="send it again"):
        desk._write([New("guideline_set", {"text": "as thought out before the doubt"})])
    assert trouble.store.last() == last
    assert desk.tell(ask, 1, key="k").number == last
    assert len(desk.ask("ben", 1)) == 1
    trouble.check()


def test_what_is_stored_behind_events_that_cannot_be_read_is_not_called_lost() -> None:
    trouble = a_desk_in_doubt()
    desk, ask = trouble.desk, trouble.desk.ask("ada", 1)[0]
    trouble.store.append([New("guideline_set", {"text": "look twice"})])  # by another process
    trouble.store.unreadable = 1
    with pytest.raises(MaybeStored, match="it is stored"):
        desk.tell(ask, 1, key="k")
    assert desk.tell(ask, 1, key="k").status == "again"
    trouble.check()


@pytest.mark.parametrize("doubt", ["stored", "lost"])
def test_what_is_done_next_is_thought_out_with_what_became_of_it(doubt: str) -> None:
    trouble = a_desk_in_doubt(doubt, blind=1)
    desk, ask = trouble.desk, trouble.desk.ask("ada", 1)[0]
    with pytest.raises(MaybeStored):
        desk.tell(ask, 1)
    if doubt == "stored":
        assert desk.take_back(ask).status == "taken back"
    else:
        assert desk.extend(ask.lease) == 100
    trouble.check()


def together(desk: Desk, work: Sequence[Callable[[], object]]) -> list[object]:
    """What each returns or raises, all of them served in one batch."""
    results = [object()] * len(work)

    def begin(place: int) -> None:
        try:
            results[place] = work[place]()
        except CutpointError as error:
            results[place] = error

    threads = [threading.Thread(target=begin, args=(place,)) for place in range(len(work))]
    with desk.locked:
        for thread in threads:
            thread.start()
        while len(desk._telling._waiting) < len(work):
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize(("doubt", "blind"), [("stored", 0), ("stored", 1), ("lost", 0), ("lost", 1)])
def test_a_batch_in_doubt_is_not_written_again(doubt: str, blind: int) -> None:
    trouble = a_desk_in_doubt(doubt, blind=blind)
    desk, asks = trouble.desk, trouble.desk.ask("ada", 2)

    def send() -> list[object]:
        return together(desk, [lambda: desk.tell(asks[0], 1), lambda: desk.tell(asks[1], 1, key="k")])

    first = send()
    if (doubt, blind) == ("stored", 0):
        assert [r.status for r in first if isinstance(r, Receipt)] == ["saved", "saved"]
    else:
        assert [type(error) for error in first] == [MaybeStored, MaybeStored]
        desk.tick()
        assert all(isinstance(r, Receipt) for r in send())
    assert len(events_of(trouble.store, "answered")) == 2
    trouble.check()
