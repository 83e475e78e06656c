"""Waiting for one's turn to write on PostgreSQL: nobody is kept for ever, and whoever waited sees what was written."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from cutpoint.store.base import StoreError, Unreachable
from cutpoint.store.events import Event, New, encode
from cutpoint.store.opening import open_store
from postgres_server import asked

EVENT = New("resized", {"round": 1, "in_flight": 2})


def test_who_stands_still_in_a_transaction_is_cut_off_and_the_others_go_on(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_store(postgres_url, True)) as other:
        monkeypatch.setattr("cutpoint.store.postgres.PATIENCE", 1.0)
        with closing(open_store(postgres_url, False)) as still:
            with pytest.raises(StoreError), still._writing():
                assert other.append([EVENT])[0].number == 1  # once the server has ended that transaction
            monkeypatch.undo()  # its next connection may stand still for as long as usual
            assert still.append([EVENT])[0].number == 2


def test_a_log_that_somebody_keeps_is_a_store_that_does_not_answer(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asked(postgres_url) as keeper, closing(open_store(postgres_url, True)):
        from cutpoint.store.postgres import _LOCKS, _number

        monkeypatch.setattr("cutpoint.store.postgres.PATIENCE", 1.0)
        with closing(open_store(postgres_url, False)) as store:
            keeper.execute(f"SELECT pg_advisory_lock({_LOCKS}, {_number(store._namespace, 'the log')})")  # type: ignore[attr-defined]
            with pytest.raises(Unreachable, match=r"nothing was stored: another process keeps it; wait for it or stop"):
                store.append([EVENT])
            keeper.execute("SELECT pg_advisory_unlock_all()")
            assert store.append([EVENT])[0].number == 1


def test_every_connection_notices_within_minutes_that_the_other_side_is_gone(postgres_url: str) -> None:
    names = ("lock_timeout", "idle_in_transaction_session_timeout", "tcp_keepalives_idle", "tcp_keepalives_count")
    with closing(open_store(postgres_url, True)) as store, store._writing() as one, store._reading() as other:
        for connection in (one, other):
            shown = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]
            assert shown == ["1min", "1min", "30", "3"]
            assert connection.connection.driver_connection.info.get_parameters()["keepalives_idle"] == "30"  # type: ignore[union-attr]


def test_whoever_waited_sees_what_was_written_meanwhile(postgres_url: str) -> None:
    """Whatever isolation the user's transactions have by default: a snapshot from before the wait would be too old."""
    url = f"{postgres_url}%20-cdefault_transaction_isolation%3Drepeatable%5C%20read"
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = %s"
    with (
        asked(postgres_url) as beside,
        closing(open_store(url, True)) as one,
        closing(open_store(url, False)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        from sqlalchemy import insert

        from cutpoint.store.postgres import _LOCKS
        from cutpoint.store.rows import row_of
        from cutpoint.store.tables import EVENTS

        with one._writing() as connection:
            second = pool.submit(other.append, [EVENT])
            while not second.done() and not beside.execute(waiting, [_LOCKS]).fetchone()[0]:
                time.sleep(0.01)
            connection.execute(insert(EVENTS), [row_of(Event(1, 0.0, EVENT.kind, EVENT.data), encode(EVENT.data, ""))])
        assert second.result()[0].number == 2
