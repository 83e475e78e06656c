"""The next round is drafted without anybody waiting: nothing that costs O(N) is done under the desk's lock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint.service.desk.desk import Desk
from cutpoint.service.replay import replay
from cutpoint.store.files import ArrayFiles
from cutpoint.types import UNKNOWN
from desks import FakeClock, a_store, publish, some_probs, until

N = 60


class Watched(np.ndarray[Any, Any]):
    """Labels, half of which are copied before something else is done, and half after it."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def copy(self, order: Any = "C") -> Any:
        half, whole = len(self) // 2, np.full(len(self), UNKNOWN, self.dtype)
        whole[half:] = self[half:]
        self.meanwhile()
        whole[:half] = self[:half]
        return whole


def test_people_answer_while_the_labels_are_copied_and_the_round_begins_as_the_log_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, told = a_store(N, budget=5), list[int]()
    publish(store, tmp_path, some_probs(N))
    desk = Desk(store, ArrayFiles(tmp_path), clock=FakeClock())

    def answer() -> None:
        """One item that is to be copied yet, and one that is copied already."""
        for item in (len(told), N - 1 - len(told)):
            thread = threading.Thread(target=desk.tell, args=(item, item % 2), kwargs={"annotator": "two"}, daemon=True)
            thread.start()
            thread.join(120)
            assert not thread.is_alive(), "the labels are copied under the lock"
            told.append(item)

    monkeypatch.setattr(Watched, "meanwhile", staticmethod(answer))
    desk.state.ballots.labels = desk.state.ballots.labels.view(Watched)
    desk.start()
    for _ in range(12):
        (ask,) = until(lambda: desk.ask("one", 1))
        desk.tell(ask, ask.item % 2)
    desk.close()
    assert desk.status().trouble == ""
    assert len(told) >= 4
    done = replay(store, ArrayFiles(tmp_path))
    assert done.same
    assert done.rounds >= 2
