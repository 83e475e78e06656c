"""Examples on a device: put there once, let go with their source, never copied without need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from cutpoint.data import side_by_side
from cutpoint.data.side_by_side import Job, become, cores
from cutpoint.learners.deep import examples
from cutpoint.learners.deep.devices import choose_device, room_on
from cutpoint.learners.deep.examples import every_example

CPU = torch.device("cpu")
GIB = 1 << 30
N = 40
FEATURES = np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)
FEATURES.flags.writeable = False


class Drawer:
    """Rows of features that are no array, as pictures are that are still to be decoded."""

    shape, dtype = FEATURES.shape, FEATURES.dtype

    def __len__(self) -> int:
        return N

    def __getitem__(self, rows: Any) -> Any:
        return FEATURES[rows]


def test_all_examples_are_put_on_the_device_once_and_let_go_with_their_source() -> None:
    features = Drawer()
    one, two = every_example(features, CPU), every_example(features, CPU)
    assert one.whole is not None
    assert one.whole is two.whole
    assert np.array_equal(one.whole.numpy(), FEATURES)
    kept = len(examples._KEPT)
    del features, one, two
    assert len(examples._KEPT) == kept - 1


class Counter(Drawer):
    """The same, and how many rows were read."""

    def __init__(self) -> None:
        self.read = 0

    def __getitem__(self, rows: Any) -> Any:
        self.read += len(rows)
        return super().__getitem__(rows)


def test_rows_of_what_lies_on_the_device_are_neither_read_again_nor_copied() -> None:
    features, rows = Counter(), np.array([3, 1, 30])
    parts = [torch.tensor([2, 0]), torch.tensor([1])]
    for _ in range(3):
        given = examples.examples(features, rows, CPU)
        assert len(given) == 3
        found = list(given.batches(parts))
        assert np.array_equal(torch.cat(found).numpy(), FEATURES[[30, 3, 1]])
        assert np.array_equal(torch.cat(list(given.in_order(2))).numpy(), FEATURES[rows])
        assert given.whole is every_example(features, CPU).whole
    assert features.read == N


def test_where_the_pool_does_not_fit_the_rows_alone_are_put_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "RESIDENT_BYTES", FEATURES[:3].nbytes)
    features, rows = Counter(), np.array([3, 1, 30])
    given = examples.examples(features, rows, CPU)
    for _ in range(2):
        assert np.array_equal(torch.cat(list(given.batches([torch.tensor([2, 0, 1])]))).numpy(), FEATURES[[30, 3, 1]])
        assert np.array_equal(torch.cat(list(given.in_order(2))).numpy(), FEATURES[rows])
    assert features.read == 3
    assert every_example(features, CPU).whole is None


def test_an_array_is_not_copied_for_the_processor() -> None:
    kept = len(examples._KEPT)
    whole = every_example(FEATURES, CPU).whole
    assert whole is not None
    assert whole.data_ptr() == FEATURES.ctypes.data
    assert len(examples._KEPT) == kept


def test_batches_that_are_read_ahead_are_those_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = torch.split(torch.randperm(7, generator=torch.Generator().manual_seed(0)), [3, 1, 3])
    rows, drawers = np.arange(0, 14, 2), [Drawer(), Drawer()]
    whole = examples.examples(drawers[0], rows, CPU)
    monkeypatch.setattr(examples, "RESIDENT_BYTES", 0)
    ahead = examples.examples(drawers[1], rows, CPU)
    assert (whole.whole is None, ahead.whole is None) == (False, True)
    expected = [FEATURES[rows[part.numpy()]] for part in parts]
    for given in (whole, ahead):
        assert all(np.array_equal(a, b.numpy()) for a, b in zip(expected, given.batches(parts), strict=True))
        assert np.array_equal(torch.cat(list(given.in_order(3))).numpy(), FEATURES[rows])


@pytest.mark.parametrize("kind", ["cuda", "mps", "cpu"])
def test_only_cuda_fetches_batches_by_itself_and_out_of_memory_that_stays(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a card: what torch is asked for is noted, and done on the processor."""
    pinned: set[int] = set()
    sent: list[tuple[str, bool, bool]] = []

    def pin(self: torch.Tensor) -> torch.Tensor:
        pinned.add(self.data_ptr())
        return self

    def to(self: torch.Tensor, device: torch.device, non_blocking: bool = False) -> torch.Tensor:
        sent.append((device.type, non_blocking, self.data_ptr() in pinned))
        return self

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    monkeypatch.setattr(torch.Tensor, "to", to)
    parts = torch.split(torch.arange(N), 10)
    given = examples.Examples(FEATURES, np.arange(N), torch.device(kind), None)
    found = list(given.batches(parts))  # all are alive: no two at one address
    assert np.array_equal(torch.cat(found).numpy(), FEATURES)
    assert sent == [(kind, kind == "cuda", kind == "cuda")] * 4


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Two cards of 80 GiB; what is free on one, and what this process holds there and has besides, may be changed."""
    has = {"free": 80 * GIB, "held": 0, "idle": 0}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (has["free"], 80 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: has["held"])
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: has["held"] + has["idle"])
    monkeypatch.setattr(side_by_side, "_this", Job())
    return has


def test_examples_take_half_of_a_processs_part_of_a_card(cards: dict[str, int]) -> None:
    card = torch.device("cuda", 0)
    assert room_on(card) == 40 * GIB
    cards |= {"held": 12 * GIB, "free": 66 * GIB, "idle": 2 * GIB}
    assert room_on(card) == 28 * GIB
    cards["free"] = 8 * GIB  # somebody else is there
    assert room_on(card) == 5 * GIB
    cards |= {"held": 0, "free": 80 * GIB, "idle": 0}
    for jobs, room in ((2, 40), (3, 20), (4, 20), (8, 10)):
        become(Job(0, jobs))
        assert room_on(card) == room * GIB
        assert examples._fits(room * GIB, card)
        assert not examples._fits(room * GIB + 1, card)


def test_processes_side_by_side_take_one_card_after_the_other(cards: dict[str, int]) -> None:
    assert choose_device("auto") == torch.device("cuda")
    for number in range(4):
        become(Job(number, 4))
        assert choose_device("auto") == choose_device("cuda") == torch.device("cuda", number % 2)
        assert choose_device("cuda:1") == torch.device("cuda", 1)
        assert choose_device("cpu") == CPU


def test_processes_side_by_side_divide_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "_this", Job())
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)), raising=False)
    found = []
    for jobs in (1, 3, 4, 16, 40):
        become(Job(0, jobs))
        found.append(cores())
    assert found == [16, 5, 4, 1, 1]
