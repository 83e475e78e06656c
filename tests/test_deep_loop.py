"""The training loop of the torch learners: its loss by hand, its seeds, kills at every epoch, and what it refuses."""

from __future__ import annotations

import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from cutpoint.data import Pool
from cutpoint.errors import CutpointError, DataError, UsageError
from cutpoint.learners import make_learner
from cutpoint.learners.deep import checkpoint, devices, loop
from cutpoint.learners.deep.checkpoint import Checkpoint, identity
from cutpoint.learners.deep.devices import choose_device
from cutpoint.learners.deep.examples import examples
from cutpoint.learners.deep.loop import Batch, Fitted, Loss, Progress, Settings, fit
from cutpoint.learners.deep.losses import weighted_cross_entropy

CPU = torch.device("cpu")
K, N = 3, 40
RNG = np.random.default_rng(0)
TARGETS = np.where(np.arange(N) < 30, 0, np.arange(N) % K).astype(np.int64)
FEATURES = (RNG.normal(size=(N, 5)) + 2 * np.eye(K, 5)[TARGETS]).astype(np.float32)
FEATURES.flags.writeable = False
SHORT = Settings(epochs=5, batch=16, rate=1e-2, decay=1e-3, cosine=True)


class Killed(Exception):
    """Stands for a kill."""


def network() -> nn.Module:
    """A small one, always the same, with chance of its own while it is trained."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, K))


def trained(
    seed: int = 0,
    settings: Settings = SHORT,
    checkpoint: Checkpoint | None = None,
    *,
    kill: int | None = None,
    loss: Loss | None = None,
) -> tuple[nn.Module, Fitted]:
    def progress(now: Progress) -> None:
        if now.done == kill:
            raise Killed

    model = network()
    loss = loss or weighted_cross_entropy(TARGETS, K, 0.1, CPU)
    given = examples(FEATURES, np.arange(N), CPU)
    return model, fit(model, given, TARGETS, loss, settings, seed=seed, checkpoint=checkpoint, progress=progress)


def never(model: nn.Module, batch: Batch) -> torch.Tensor:
    """The loss of a fit that is over."""
    raise AssertionError("there was nothing left to train")


def same(one: nn.Module, two: nn.Module) -> bool:
    """True if all weights and buffers are equal, bit by bit."""
    pairs = zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_the_formula_computed_by_hand(smoothing: float) -> None:
    rows = np.array([0, 3, 31, 32, 34, 39])
    model = network().eval()
    logits = model(torch.from_numpy(FEATURES[rows]))
    batch = Batch(torch.from_numpy(FEATURES[rows]), torch.from_numpy(TARGETS[rows]), torch.from_numpy(rows), 0, 0)
    found = weighted_cross_entropy(TARGETS, K, smoothing, CPU)(model, batch).item()
    counts = [TARGETS.tolist().count(k) for k in range(K)]
    above = below = 0.0
    for z, y in zip(logits.tolist(), TARGETS[rows].tolist(), strict=True):
        log_p = [value - math.log(sum(map(math.exp, z))) for value in z]
        weights = [1 / count for count in counts]
        target = [(1 - smoothing) * (k == y) + smoothing / K for k in range(K)]
        above += sum(-weights[k] * target[k] * log_p[k] for k in range(K))
        below += weights[y]
    assert found == pytest.approx(above / below, rel=1e-5)


def test_the_same_seed_gives_the_same_network_and_no_global_state_moves() -> None:
    before = torch.get_rng_state()
    (one, first), (two, second), (other, _) = trained(3), trained(3), trained(4)
    assert torch.equal(before, torch.get_rng_state())
    assert same(one, two)
    assert first == second
    assert not same(one, other)
    assert not one.training
    assert first.losses[-1] < first.losses[0]


@pytest.mark.parametrize("kill", range(1, SHORT.epochs + 1))
def test_a_fit_that_was_killed_goes_on_to_the_identical_network(kill: int, tmp_path: Path) -> None:
    straight, story = trained()
    checkpoint = Checkpoint(tmp_path / "fit.pt", "this fit", seconds=0)
    with pytest.raises(Killed):
        trained(checkpoint=checkpoint, kill=kill)
    assert checkpoint.path.exists() == (kill > 1)  # the epoch at whose end it was killed is lost
    resumed, told = trained(checkpoint=checkpoint)
    assert same(straight, resumed)
    assert told == story
    done = trained(checkpoint=checkpoint, loss=never)  # the last state is there still: nothing is trained
    assert same(straight, done[0])
    assert done[1] == story


def test_a_loss_with_a_memory_is_resumed_with_it(tmp_path: Path) -> None:
    class Remembers(nn.Module):
        """A cross entropy scaled by how many batches it has seen, with noise of its own."""

        seen: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, model: nn.Module, batch: Batch) -> torch.Tensor:
            self.seen += 1
            noise = torch.randn(batch.inputs.shape)
            return nn.functional.cross_entropy(model(batch.inputs + noise), batch.targets) / self.seen

    straight, _ = trained(loss=Remembers())
    checkpoint = Checkpoint(tmp_path / "fit.pt", "this fit", seconds=0)
    with pytest.raises(Killed):
        trained(checkpoint=checkpoint, kill=3, loss=Remembers())
    assert same(straight, trained(checkpoint=checkpoint, loss=Remembers())[0])


def test_the_checkpoint_of_another_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fit.pt"
    with pytest.raises(Killed):
        trained(checkpoint=Checkpoint(path, "one", seconds=0), kill=2)
    kept = path.read_bytes()
    with pytest.raises(UsageError, match="belongs to a fit with other labels"):
        trained(checkpoint=Checkpoint(path, "two", seconds=0))
    assert path.read_bytes() == kept


def test_a_quick_fit_leaves_no_state(tmp_path: Path) -> None:
    trained(checkpoint=Checkpoint(tmp_path / "fit.pt", "one"))
    assert list(tmp_path.iterdir()) == []


def test_the_pause_between_two_writes_is_fifty_times_what_a_write_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, takes = 0.0, 2.0

    def write(self: Checkpoint, state: Any) -> None:
        nonlocal now
        now += takes
        written.append(now)

    def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
        nonlocal now
        now += 1  # one batch an epoch
        return torch.mean(model(batch.inputs) ** 2)

    monkeypatch.setattr(checkpoint, "monotonic", lambda: now)
    monkeypatch.setattr(Checkpoint, "write", write)
    settings = Settings(epochs=250, batch=N, rate=1e-3)
    written: list[float] = []
    trained(settings=settings, loss=loss, checkpoint=Checkpoint(tmp_path / "fit.pt", "one"))
    assert written == [30 + 2, 132 + 2, 234 + 2, 256 + 2]  # the last one at the end
    now, takes, written = 0.0, 0.5, []
    trained(settings=settings, loss=loss, checkpoint=Checkpoint(tmp_path / "fit.pt", "one"))
    assert written[:3] == [30.5, 61.0, 91.5]


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not whole", b"cos\nsystem\n(S'true'\ntR."])
def test_a_damaged_checkpoint_is_one_sentence(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "fit.pt"
    path.write_bytes(damage)
    with pytest.raises(DataError, match="is no whole checkpoint; delete it"):
        trained(checkpoint=Checkpoint(path, "one"))


def test_a_checkpoint_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot be written \(.*\); make room"):
        trained(checkpoint=Checkpoint(tmp_path / "file" / "fit.pt", "one", seconds=0))


def test_the_identity_of_a_fit_names_all_that_it_depends_on() -> None:
    parts = [identity("a", 1, None, TARGETS, network()), identity("a", 2, None, TARGETS, network())]
    parts += [identity("a", 1, None, TARGETS + 1, network()), identity("b", 1, None, TARGETS, network())]
    parts += [identity("a", 1, None, TARGETS.astype(np.int32), network())]
    changed = network()
    next(changed.parameters()).data[0, 0] += 1e-3
    parts += [identity("a", 1, None, TARGETS, changed), identity("a", "1", None, TARGETS, network())]
    assert len(set(parts)) == len(parts)
    assert parts[0] == identity("a", 1, None, TARGETS, network())


def test_on_cuda_convolutions_repeat_themselves_whatever_the_caller_says_of_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a card: its generators are left out."""
    cudnn: Any = torch.backends.cudnn
    if not hasattr(cudnn, "conv"):
        pytest.skip("this torch has no switches of precision for each kind of layer")
    monkeypatch.setattr(torch.random, "fork_rng", lambda **_: nullcontext())
    monkeypatch.setattr(devices, "reseed", lambda *_: None)
    monkeypatch.setattr(cudnn, "deterministic", False)
    monkeypatch.setattr(cudnn, "benchmark", True)
    before, cudnn.conv.fp32_precision = cudnn.conv.fp32_precision, "ieee"
    try:
        with devices.own_chance(torch.device("cuda"), 0):
            assert (cudnn.deterministic, cudnn.benchmark) == (True, False)
        assert (cudnn.deterministic, cudnn.benchmark, cudnn.conv.fp32_precision) == (False, True, "ieee")
    finally:
        cudnn.conv.fp32_precision = before


def test_a_loss_that_is_not_a_number_names_its_epoch() -> None:
    def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
        return torch.mean(model(batch.inputs)) * (math.nan if batch.epoch == 2 else 1.0)

    with pytest.raises(CutpointError, match=r"is nan in epoch 3 of 5; lower the learning rate \(lr=0.01\)"):
        trained(loss=loss)


@pytest.mark.parametrize(("rate", "lost"), [(1e9, True), (1e-2, False)])
def test_a_loss_far_above_its_beginning_is_said(rate: float, lost: bool, caplog: pytest.LogCaptureFixture) -> None:
    learner = make_learner(f"torch-linear:lr={rate:g}:epochs=20", 2)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 60)
    pool = Pool((rng.normal(size=(60, 4)) + 2 * truth[:, None]).astype(np.float32))
    model = learner.fit(pool, np.where(np.arange(60) < 30, truth, -1), seed=0)
    assert (model.notes["training_loss"] > 2 * np.log(2)) == lost
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    expected = "the training loss of a network ended far above that of its beginning, so it has learnt nothing; lower "
    assert said == ([f"{expected}the learning rate (lr=1e+09)."] if lost else [])


def test_weights_that_are_no_numbers_after_the_last_step_name_the_rate() -> None:
    """The loss of a step is that before it, so that the last step is in no loss."""

    def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
        return torch.sqrt(0 * model(batch.inputs).sum())  # 0, and its gradient is none

    with pytest.raises(CutpointError, match=r"weights are not finite after epoch 1 of 1; lower the .*\(lr=0.01\)"):
        trained(settings=Settings(epochs=1, batch=N, rate=1e-2), loss=loss)


@pytest.mark.parametrize(("epochs", "found"), [(6, 5), (5, 5), (4, 4), (1, 1)])
def test_in_float16_gradients_that_are_never_numbers_name_their_epoch(
    epochs: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is then left out, so that loss and weights stay numbers, and nothing is learnt."""

    def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
        weight = next(model.parameters())
        return nn.functional.cross_entropy(model(batch.inputs).float(), batch.targets) + torch.sqrt(0 * weight.sum())

    monkeypatch.setattr(devices, "half_type", lambda _: torch.float16)
    monkeypatch.setattr(loop, "half_type", lambda _: torch.float16)
    settings = Settings(epochs=epochs, batch=10, rate=1e-2)
    assert len(trained(settings=settings)[1].losses) == epochs
    where = "in" if found > 4 else "in any step up to"
    said = rf"the gradients are not finite {where} epoch {found} of {epochs}; lower the .*\(lr=0.01\)"
    with pytest.raises(CutpointError, match=said):
        trained(settings=settings, loss=loss)


def test_in_float16_a_long_fit_is_over_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "half_type", lambda _: torch.float16)
    monkeypatch.setattr(loop, "half_type", lambda _: torch.float16)
    assert len(trained(settings=Settings(epochs=30, batch=1, rate=1e-2), loss=squares)[1].losses) == 30  # 1200 steps


def squares(model: nn.Module, batch: Batch) -> torch.Tensor:
    """A loss that a batch of one has, too."""
    return torch.mean(next(model.parameters()).float() ** 2)


def test_in_float16_a_fit_may_leave_out_all_steps_but_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The first steps of any fit may be left out, until its scale is right."""
    usual = weighted_cross_entropy(TARGETS, K, 0.1, CPU)

    def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
        lost = torch.sqrt(0 * next(model.parameters()).sum()) if batch.step < 7 else 0
        return usual(model, batch) + lost

    monkeypatch.setattr(devices, "half_type", lambda _: torch.float16)
    monkeypatch.setattr(loop, "half_type", lambda _: torch.float16)
    settings = Settings(epochs=2, batch=10, rate=1e-2)
    checkpoint = Checkpoint(tmp_path / "fit.pt", "this fit", seconds=0)
    straight, told = trained(settings=settings, loss=loss, checkpoint=checkpoint)
    assert len(told.losses) == 2
    assert not same(straight, network())
    assert same(straight, trained(settings=settings, loss=never, checkpoint=checkpoint)[0])


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
        RuntimeError("GET was unable to find an engine to execute this computation"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("MPS backend out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_a_full_memory_names_a_batch_size_and_the_fit_goes_on_from_its_checkpoint(
    error: Exception, tmp_path: Path
) -> None:
    checkpoint = Checkpoint(tmp_path / "fit.pt", "one", seconds=0)
    usual = weighted_cross_entropy(TARGETS, K, 0.1, CPU)

    def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
        if batch.epoch == 3:
            raise error
        return usual(model, batch)

    with pytest.raises(CutpointError, match=r"memory of cpu is too small .* batches of 16; try batch=8") as caught:
        trained(checkpoint=checkpoint, loss=loss)
    assert "\n" not in str(caught.value)
    assert same(trained()[0], trained(checkpoint=checkpoint)[0])


def test_other_errors_pass_through() -> None:
    def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        trained(loss=loss)


def test_early_stopping_ends_when_the_loss_falls_no_more() -> None:
    values = [5.0, 4.0, 4.0, 3.9995, 4.1, 1.0]
    settings = Settings(epochs=10, batch=16, rate=1e-2, patience=3)
    assert [Fitted(values[:n], values[:n]).is_over(settings) for n in range(1, 7)] == [False] * 4 + [True, False]
    still = Settings(epochs=50, batch=16, rate=1e-9, patience=4, least=10.0)
    assert len(trained(settings=still)[1].losses) == 5
    assert len(trained(settings=Settings(epochs=7, batch=16, rate=1e-9))[1].losses) == 7


@pytest.mark.parametrize("kill", [None, 3, 5])
def test_the_network_is_left_as_it_was_when_best(kill: int | None, tmp_path: Path) -> None:
    """What is watched is lowest after the third epoch, twice; the first of equals is kept, also over a kill."""
    values = [5.0, 4.0, 2.0, 3.0, 2.0, 6.0]

    def run(epochs: int, best: bool, checkpoint: Checkpoint | None = None, kill: int | None = None) -> nn.Module:
        done = 0

        def watch(_: nn.Module) -> float:
            return values[done - 1]

        def progress(now: Progress) -> None:
            if now.done == kill:
                raise Killed

        def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
            nonlocal done
            done = batch.epoch + 1
            return weighted_cross_entropy(TARGETS, K, 0.1, CPU)(model, batch)

        model = network()
        given = examples(FEATURES, np.arange(N), CPU)
        settings = Settings(epochs=epochs, batch=16, rate=1e-2, best=best)
        fit(model, given, TARGETS, loss, settings, seed=0, checkpoint=checkpoint, watch=watch, progress=progress)
        return model

    checkpoint = Checkpoint(tmp_path / "fit.pt", "this fit", seconds=0) if kill else None
    if kill:
        with pytest.raises(Killed):
            run(6, True, checkpoint, kill)
    found = run(6, True, checkpoint)
    assert same(found, run(3, False))
    assert same(found, run(6, True, checkpoint))  # also from the state of its end
    assert not same(found, run(6, False))
    assert not found.training


def test_the_rate_falls_along_half_a_cosine() -> None:
    settings = Settings(epochs=1, batch=1, rate=0.2, cosine=True)
    assert [settings.rate_at(part) for part in (0.0, 0.5, 1.0)] == pytest.approx([0.2, 0.1, 0.0])
    assert Settings(epochs=1, batch=1, rate=0.2).rate_at(0.7) == 0.2


def test_batches_are_as_even_as_can_be_and_hold_every_example_once() -> None:
    seen: list[list[int]] = [[] for _ in range(2)]
    sizes: list[int] = []

    def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
        assert np.array_equal(batch.targets.numpy(), TARGETS[batch.rows.numpy()])
        assert np.array_equal(batch.inputs.numpy(), FEATURES[batch.rows.numpy()])
        seen[batch.epoch] += batch.rows.tolist()
        sizes.append(len(batch.rows))
        return nn.functional.cross_entropy(model(batch.inputs), batch.targets)

    trained(settings=Settings(epochs=2, batch=13, rate=1e-3), loss=loss)
    assert sizes == [10] * 8
    assert all(sorted(rows) == list(range(N)) for rows in seen)
    assert seen[0] != seen[1]


def test_devices_by_name() -> None:
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    for wanted in ("gpu", "cuda:99", "xpu", ""):
        with pytest.raises(UsageError, match=f"the device is '{wanted}', and torch finds .*cpu here"):
            choose_device(wanted)
