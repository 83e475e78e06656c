"""Law 3: a session is a function of strategy, round and log."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.errors import ReplayError
from cutpoint.plans import one_shot
from cutpoint.session import Session
from cutpoint.types import UNKNOWN, Plan, Round
from toys import N, a_round, batches, climber

# --- laws over drawn histories --------------------------------------------------------------------------


def play(session: Session, random: Any, events: int) -> None:
    """A drawn history: answers asked and unasked, repeated, corrected, taken back; skips and resizes."""
    for _ in range(events):
        wanted = session.wanted.tolist()
        choice = random.randrange(10)
        if choice < 5 and wanted:
            session.tell(random.choice(wanted), random.randrange(3))
        elif choice == 5 and wanted:
            session.skip(random.choice(wanted))
        elif choice == 6:
            session.tell(random.randrange(N), random.randrange(3))
        elif choice == 7:
            session.tell(random.randrange(N), UNKNOWN)
        elif choice == 8 and session.log:
            event = random.choice(session.log)
            if event[0] == "tell" and session.labels[event[1]] == event[2]:
                session.tell(event[1], event[2])
        elif choice == 9:
            session.resize(random.choice([None, 1, 2, 5]))


STRATEGIES_HERE = {
    "climber": climber,
    "batches": batches([4, 1], [7, 3, 2], [0], [11, 9]),
    "one shot": one_shot(lambda round: round.unlabelled()[: round.budget]),
}


@pytest.mark.parametrize("name", STRATEGIES_HERE)
@given(
    random=st.randoms(use_true_random=False),
    events=st.integers(0, 40),
    in_flight=st.sampled_from([None, 1, 2, 5]),
    held=st.sets(st.sampled_from([5, 6, 8, 10])),
)
def test_a_session_rebuilt_from_its_log_is_the_same(
    name: str, random: Any, events: int, in_flight: int | None, held: set[int]
) -> None:
    """Law 3: same open questions, labels, log, and the same future."""
    strategy, round = STRATEGIES_HERE[name], a_round(held=held)
    session = Session(strategy, round, in_flight=in_flight)
    play(session, random, events)
    log = json.loads(json.dumps(session.log))  # as a store would bring it back
    again = Session(strategy, a_round(held=held), log, in_flight=in_flight)
    for _ in range(3 * N):
        assert again.wanted.tolist() == session.wanted.tolist()
        assert again.labels.tolist() == session.labels.tolist()
        assert again.log == session.log
        assert again.asked.tolist() == session.asked.tolist()
        assert again.done == session.done
        if session.done:
            break
        i, label = int(random.choice(session.wanted.tolist())), random.randrange(3)
        for one in (session, again):
            one.tell(i, label)
    assert session.done


@given(st.permutations([4, 1, 7, 3]), st.lists(st.sampled_from([None, 0, 1, 2]), min_size=4, max_size=4))
def test_the_order_within_a_batch_does_not_matter(order: list[int], answers: list[int | None]) -> None:
    """Law 3, blocking."""

    def second_batch(arrival: list[int]) -> tuple[list[int], list[int]]:
        def strategy(round: Round) -> Plan:
            known = yield np.array([4, 1, 7, 3], np.intp)
            zeros = np.flatnonzero(known.labels == 0)
            yield np.array([8 + len(zeros) % 3], np.intp)

        session = Session(strategy, a_round())
        for i in arrival:
            label = dict(zip([4, 1, 7, 3], answers, strict=True))[i]
            if label is None:
                session.skip(i)
            else:
                session.tell(i, label)
        return session.wanted.tolist(), session.labels.tolist()

    assert second_batch(order) == second_batch([4, 1, 7, 3])


# --- logs that do not fit -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "log",
    [
        [("skip", 0)],  # not asked
        [("tell", 5, 1), ("skip", 5)],  # closed already
        [("tell", N, 0)],
        [("tell", 5, 3)],
        [("resize", 0)],
        [("shout", 5)],
        [("tell", 5)],
        [()],
        ["tell"],
        [5],
    ],
)
def test_a_log_that_does_not_fit_is_a_replay_error(log: list[Any]) -> None:
    with pytest.raises(ReplayError, match="event"):
        Session(batches([5, 2], [7]), a_round(), log)


def test_the_replay_error_names_the_event() -> None:
    with pytest.raises(ReplayError, match=r"event 2 of the log, \('skip', 7\)"):
        Session(batches([5, 2], [7]), a_round(), [("tell", 5, 1), ("skip", 7)])


def test_the_replay_error_counts_events_that_changed_nothing() -> None:
    with pytest.raises(ReplayError, match="event 3 of the log"):
        Session(batches([5, 2], [7]), a_round(), [("tell", 5, 1), ("tell", 5, 1), ("skip", 7)])
