"""FlexMatch beside Algorithm 1 written with loops, and RandAugment beside torchvision's."""

from __future__ import annotations

import importlib
from collections import Counter
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

import naive_flexmatch as naive
from cutpoint.learners.deep.augment import operations, rand_augment
from cutpoint.learners.deep.examples import every_example
from cutpoint.learners.deep.flexmatch import CUTOFF, FlexMatch, learning_effects, now_sure, pseudo_labels, thresholds
from cutpoint.learners.deep.layers import Symmetric
from cutpoint.learners.deep.loop import Batch
from cutpoint.learners.deep.losses import cross_entropy
from cutpoint.learners.deep.vision import import_torchvision

CPU = torch.device("cpu")
K, M = 3, 20


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=30))
def test_thresholds_are_those_of_the_algorithm(sure: list[int]) -> None:
    found = thresholds(torch.tensor(sure), 4)
    assert found.tolist() == pytest.approx(naive.thresholds(sure, 4, CUTOFF), abs=1e-6)
    assert ((found >= 0) & (found <= CUTOFF)).all()


def test_the_furthest_class_has_the_whole_cutoff_once_most_pictures_are_used() -> None:
    sure = torch.tensor([0] * 6 + [1] * 3 + [-1] * 2)
    assert learning_effects(sure, 3).tolist() == [1.0, 0.5, 0.0]
    assert thresholds(sure, 3, 0.9).tolist() == pytest.approx([0.9, 0.3, 0.0])
    early = torch.tensor([0] * 2 + [-1] * 8)  # the warm-up: few are sure, so no threshold is high
    assert learning_effects(early, 3).tolist() == [0.25, 0.0, 0.0]


def test_a_pseudo_label_is_above_its_own_threshold_and_memory_above_the_cutoff() -> None:
    probs = torch.tensor([[0.5, 0.5, 0.0], [0.1, 0.9, 0.0], [0.02, 0.02, 0.96]])
    labels, taken = pseudo_labels(probs, torch.tensor([0.5, 0.6, 0.97]))
    assert labels.tolist() == [0, 1, 2]
    assert taken.tolist() == [False, True, False]  # one that is as large is not above
    sure = torch.tensor([-1, 0, 0, 1, -1])
    assert now_sure(sure, torch.tensor([0, 1, 3]), probs).tolist() == [-1, 0, 0, 2, -1]
    assert sure.tolist() == [-1, 0, 0, 1, -1]


def doubled(features: torch.Tensor) -> torch.Tensor:
    """Stands for a strong change; deterministic."""
    return features * 0.5 + 1


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_loss_is_that_of_the_algorithm_step_by_step(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(M + 10, 4)).astype(np.float32)
    unlabelled = np.sort(rng.permutation(M + 10)[:M])
    network = nn.Linear(4, K)
    with torch.no_grad():
        network.weight.copy_(torch.from_numpy(rng.normal(scale=3, size=(K, 4))))
    loss = loss_of(features, unlabelled, 8)
    seen: list[torch.Tensor] = []
    network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    sure = [-1] * M
    for step in range(6):
        seen.clear()
        inputs, targets = torch.from_numpy(features[:5]), torch.arange(5) % K
        found = loss(network, Batch(inputs, targets, torch.arange(5), step // 3, step))
        weak = seen[1]
        rows = [int(np.flatnonzero((features[unlabelled] == one.numpy()).all(axis=1))[0]) for one in weak]
        assert len(set(rows)) == len(rows)
        expected = functional.cross_entropy(network(inputs), targets).item()
        expected += naive.unlabelled_loss(sure, rows, network(weak).tolist(), network(doubled(weak)).tolist(), CUTOFF)
        assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)
        assert loss.sure.tolist() == sure
    assert any(label >= 0 for label in sure)


class Asked(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the operations for which a device has to say how large their result is, or what it holds."""

    WAITS = "_local_scalar_dense", "nonzero", "bincount", "masked_select", "unique", "equal", "_unique2"

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.name().removeprefix("aten::").partition(".")[0]
        by_mask = name == "index" and any(each is not None and each.dtype == torch.bool for each in args[1])
        if name in self.WAITS or by_mask:
            self.found.append(name)
        return func(*args, **(kwargs or {}))


def test_nothing_in_a_step_waits_for_the_device() -> None:
    """A GPU that is asked for a number has to end all it was told before; RandAugment's numbers never were there."""
    pixels = torch.stack([picture(seed) for seed in range(M)]).numpy()
    network = nn.Sequential(Symmetric(), nn.Flatten(), nn.Linear(3 * SIZE[0] * SIZE[1], K))
    loss = FlexMatch(cross_entropy(0.0), every_example(pixels, CPU), np.arange(5, M), K, size=8, augment=doubled)
    loss(network, Batch(torch.from_numpy(pixels[:5]), torch.arange(5) % K, torch.arange(5), 0, 0))  # an epoch's order
    for step in (1, 2):
        with Asked() as asked:
            batch = Batch(torch.from_numpy(pixels[:5]), torch.arange(5) % K, torch.arange(5), 0, step)
            torch.autograd.backward(loss(network, batch))
        assert asked.found == []
    with Asked() as asked:
        torch.nonzero(torch.ones(3)), torch.ones(3)[torch.ones(3) > 0], float(torch.ones(()))
    assert set(asked.found) == {"nonzero", "index", "_local_scalar_dense"}


def loss_of(features: NDArray[np.float32], rows: NDArray[np.intp], size: int) -> FlexMatch:
    return FlexMatch(cross_entropy(0.0), every_example(features, CPU), rows, K, size=size, augment=doubled)


def test_mixed_precision_gives_about_the_same_gradient() -> None:
    """Some versions of torch keep the half that autocast made of a weight, and one made without gradient has none."""
    rng = np.random.default_rng(0)
    features = (8 * rng.normal(size=(M, 4))).astype(np.float32)
    gradients = []
    for enabled in (False, True):
        torch.manual_seed(0)
        network = nn.Linear(4, K)
        loss = loss_of(features, np.arange(5, M), 8)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            batch = Batch(torch.from_numpy(features[:5]), torch.arange(5) % K, torch.arange(5), 0, 0)
            total = loss(network, batch) - cross_entropy(0.0)(network, batch)  # what is left is the unlabelled part
        torch.autograd.backward(total)
        assert network.weight.grad is not None
        gradients.append(network.weight.grad)
    assert gradients[0].abs().max() > 0.1
    assert torch.allclose(gradients[0], gradients[1], rtol=0.1, atol=0.05)


def test_an_epoch_goes_through_all_unlabelled_pictures_before_any_comes_again() -> None:
    features = np.arange(M, dtype=np.float32)[:, None]
    rows = np.arange(3, M)

    class Network(nn.Module):
        """Says nothing, and remembers what it was shown."""

        seen: ClassVar[list[list[float]]] = []

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            self.seen.append(inputs[:, 0].tolist())
            return torch.zeros(len(inputs), K)

    loss, network = loss_of(features, rows, 6), Network()
    orders = []
    for epoch in range(2):
        torch.manual_seed(epoch)
        shown: list[float] = []
        for step in range(4):
            network.seen.clear()
            loss(network, Batch(torch.zeros(1, 1), torch.zeros(1, dtype=torch.int64), torch.zeros(1), epoch, step))
            shown += network.seen[1]
        assert sorted(shown[: len(rows)]) == rows.tolist()
        assert len(shown) == 6 + 6 + 5 + 6
        orders.append(shown)
    assert orders[0] != orders[1]


def test_without_an_unlabelled_picture_the_loss_is_the_supervised_one() -> None:
    features = np.eye(4, dtype=np.float32)
    network, batch = nn.Linear(4, K), Batch(torch.eye(4), torch.arange(4) % K, torch.arange(4), 0, 0)
    expected = functional.cross_entropy(network(torch.eye(4)), batch.targets)
    assert torch.equal(loss_of(features, np.arange(0), 8)(network, batch), expected)


SIZE = 24, 20


def picture(seed: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 255, SIZE[0] * SIZE[1] * 3).reshape(*SIZE, 3)
    return torch.from_numpy(((ramp + rng.integers(0, 60, ramp.shape)) % 256).astype(np.uint8))


@pytest.mark.parametrize("level", [0, 5, 9, 30])
def test_the_operations_are_torchvisions(level: int) -> None:
    import_torchvision()
    theirs = importlib.import_module("torchvision.transforms.autoaugment")
    nearest = theirs.InterpolationMode.NEAREST
    space = theirs.RandAugment()._augmentation_space(31, SIZE)
    ours = operations(*SIZE, level)
    assert list(ours) == list(space)
    pictures = torch.stack([picture(seed).permute(2, 0, 1) for seed in range(3)])
    for name, (strengths, signed) in space.items():
        assert ours[name].signed == signed, name
        strength = float(strengths[level]) if strengths.ndim else 0.0
        assert ours[name].strength == pytest.approx(strength, abs=1e-4), name
        for sign in (1, -1) if signed else (1,):
            together = ours[name].apply(pictures, sign * strength)
            for one, changed in zip(pictures, together, strict=True):
                expected = theirs._apply_op(one, name, sign * strength, nearest, None)
                assert torch.equal(changed, expected), (name, sign)


def test_each_picture_gets_operations_of_its_own_as_often_as_any() -> None:
    one = picture(0).permute(2, 0, 1)[None]
    outcomes = {}
    for name, operation in operations(*SIZE, 5).items():
        for sign in (1, -1) if operation.signed else (1,):
            outcomes[operation.apply(one, sign * operation.strength).numpy().tobytes()] = name
    torch.manual_seed(0)
    many = rand_augment(picture(0).expand(2800, *SIZE, 3), count=1)
    counts = Counter(outcomes[each.permute(2, 0, 1).numpy().tobytes()] for each in many)
    assert len(counts) == 14
    assert all(140 < count < 260 for count in counts.values())  # 200 are expected, give or take 14


@pytest.mark.parametrize("kind", ["noise", "flat", "dark", "two values", "one pixel"])
def test_pictures_are_equalised_together_as_torchvision_does_it_one_by_one(kind: str) -> None:
    import_torchvision()
    theirs = importlib.import_module("torchvision.transforms.functional")
    rng = np.random.default_rng(0)
    values = {
        "noise": rng.integers(0, 256, (5, 3, 24, 20)),
        "flat": np.arange(15).reshape(5, 3, 1, 1) * np.ones((24, 20)),
        "dark": rng.poisson(2, (5, 3, 24, 20)),
        "two values": rng.choice([0, 255], (5, 3, 24, 20), p=[0.3, 0.7]),
        "one pixel": rng.integers(0, 256, (5, 3, 1, 1)),
    }[kind]
    pictures = torch.from_numpy(values.astype(np.uint8))
    assert torch.equal(operations(24, 20, 5)["Equalize"].apply(pictures, 0.0), theirs.equalize(pictures))


def test_equalising_asks_for_as_few_operations_for_many_pictures_as_for_one() -> None:
    """Many small ones would be what keeps a GPU waiting."""
    counts = []
    for n in (1, 40):
        pictures = torch.stack([picture(seed).permute(2, 0, 1) for seed in range(n)])
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            operations(*SIZE, 5)["Equalize"].apply(pictures, 0.0)
        counts.append(sum(event.count for event in profile.key_averages()))
    assert counts[0] == counts[1]


def test_mixed_precision_changes_no_picture() -> None:
    """What says where a pixel comes from has more than 8 bits, and so has what it is blended with."""
    pictures, found = torch.stack([picture(seed) for seed in range(64)]), []
    for enabled in (False, True):
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            found.append(rand_augment(pictures))
    assert torch.equal(*found)


def test_the_generator_decides_and_what_is_handed_in_stays() -> None:
    pictures = torch.stack([picture(seed) for seed in range(8)])
    before, found = pictures.clone(), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(rand_augment(pictures))
    assert torch.equal(pictures, before)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert found[0].shape == pictures.shape
    assert found[0].dtype == torch.uint8
