"""Examples on a device: put there once, let go with their source, never copied without need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from cutpoint.learners.deep import examples
from cutpoint.learners.deep.examples import every_example

CPU = torch.device("cpu")
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


def test_an_array_is_not_copied_for_the_processor() -> None:
    kept = len(examples._KEPT)
    whole = every_example(FEATURES, CPU).whole
    assert whole is not None
    assert whole.data_ptr() == FEATURES.ctypes.data
    assert len(examples._KEPT) == kept


def test_batches_that_are_read_ahead_are_those_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = torch.split(torch.randperm(7, generator=torch.Generator().manual_seed(0)), [3, 1, 3])
    rows = np.arange(0, 14, 2)
    whole = examples.examples(FEATURES, rows, CPU)
    monkeypatch.setattr(examples, "RESIDENT_BYTES", 0)
    ahead = examples.examples(FEATURES, rows, CPU)
    assert (whole.whole is None, ahead.whole is None) == (False, True)
    expected = [FEATURES[rows[part.numpy()]] for part in parts]
    for given in (whole, ahead):
        assert all(np.array_equal(a, b.numpy()) for a, b in zip(expected, given.batches(parts), strict=True))
        assert np.array_equal(torch.cat(list(given.in_order(3))).numpy(), FEATURES[rows])
