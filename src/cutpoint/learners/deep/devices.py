"""Where a network is trained, in which precision, and what is said when the memory there is too small."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from cutpoint.data.side_by_side import card, jobs_on_a_card, this_job
from cutpoint.errors import CutpointError, UsageError

_FULL = (  # what torch's other errors of a full memory say; cuBLAS and cuDNN cannot even begin there
    *("out of memory", "can't allocate memory", "alloc_cpu", "unable to find an engine"),
    *("cublas_status_alloc_failed", "cublas_status_not_initialized"),
    *("cudnn_status_alloc_failed", "cudnn_status_not_initialized"),
)


def choose_device(wanted: str = "auto") -> torch.device:
    """The device of that name ("cpu", "cuda", "cuda:1", "mps"), or, for "auto", the fastest that is there.

    Of several cards, processes side by side take one after the other, unless a number says which.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        wanted = next(name for name, found in there.items() if found)
    if wanted == "cuda" and there["cuda"] and this_job().jobs > 1:
        return torch.device("cuda", card(torch.cuda.device_count()))
    try:
        device = torch.device(wanted)
        usable = there.get(device.type, False) and (device.index or 0) < max(1, torch.cuda.device_count())
    except RuntimeError:
        usable = False
    if not usable:
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise UsageError(f"the device is '{wanted}', and torch finds {found} here; give one of these, or auto.")
    return device


def pinned(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor where that device can fetch it by itself: for CUDA in memory that stays where it is."""
    return tensor.pin_memory() if device.type == "cuda" and tensor.device.type == "cpu" else tensor


def sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor on the device; CUDA fetches it when it gets there, nobody waits, and its memory is kept so long."""
    return pinned(tensor, device).to(device, non_blocking=device.type == "cuda")


def room_on(card: torch.device) -> int:
    """How many bytes of examples may still be put on a card of CUDA: half of this process's part of it stays free.

    Its part is the card's memory over the processes that share it. What this process holds there counts, and no more
    than half of what is free is taken: others may be there that nobody told of.
    """
    free, whole = torch.cuda.mem_get_info(card)
    held = torch.cuda.memory_allocated(card)
    idle = torch.cuda.memory_reserved(card) - held  # torch has it and uses it for nothing
    return min(whole // jobs_on_a_card(torch.cuda.device_count()) // 2 - held, (free + idle) // 2)


def half_type(device: torch.device) -> torch.dtype | None:
    """The 16-bit type in which that device is clearly faster, or None: bfloat16 or float16 on CUDA, none elsewhere."""
    if device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def numbers(device: torch.device) -> str:
    """A name for how that device computes: its kind and its 16-bit type; two names, two ways of rounding."""
    return f"{device.type} {half_type(device)}"


def described(device: torch.device) -> str:
    """Its kind, and of a card its 16-bit type and its name, for people: "cuda, bfloat16, NVIDIA H100"."""
    if device.type != "cuda":
        return device.type
    return f"cuda, {str(half_type(device)).removeprefix('torch.')}, {torch.cuda.get_device_name(device)}"


def half(device: torch.device) -> AbstractContextManager[object]:
    """Mixed precision where it helps; elsewhere nothing changes."""
    kind = half_type(device)
    return nullcontext() if kind is None else torch.autocast(device.type, kind)


@contextmanager
def own_chance(device: torch.device, seed: int) -> Iterator[None]:
    """Torch's global generators begin at `seed` inside, and stand afterwards where they stood before.

    On CUDA also: convolutions by algorithms that give the same sums every time.
    """
    with ExitStack() as stack:
        others = [] if device.type == "cpu" else [device]
        stack.enter_context(torch.random.fork_rng(devices=others, device_type=device.type))
        if device.type == "cuda":
            stack.enter_context(_same_sums())
        reseed(device, seed)
        yield


@contextmanager
def _same_sums() -> Iterator[None]:
    """Convolutions by repeatable algorithms; no other switch is touched: torch may refuse to read precisions."""
    cudnn: Any = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before


def reseed(device: torch.device, seed: int) -> None:
    """Set the global generators of the CPU and of that device, and of no other."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def derived(seed: int, *purpose: int) -> int:
    """A seed of 63 bits for each (seed, purpose), for torch's generators."""
    return int(np.random.SeedSequence(seed, spawn_key=purpose).generate_state(1, np.uint64)[0] >> np.uint64(1))


def not_finite(tensors: Mapping[str, torch.Tensor]) -> str | None:
    """The name of a tensor that holds a NaN or an infinity, or None; the device is waited for once."""
    bad = {name: ~tensor.isfinite().all() for name, tensor in tensors.items() if tensor.is_floating_point()}
    if not bad or not torch.stack(list(bad.values())).any():
        return None
    return next(name for name, found in bad.items() if found)


def is_full(error: BaseException) -> bool:
    """True if the error says that a device's memory is too small."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _FULL)


@contextmanager
def memory_named(device: torch.device, batch: int) -> Iterator[None]:
    """Says in one sentence that training with batches of that size does not fit on the device, and what to try."""
    smaller = f"batch={batch // 2}"
    remedy = f"try {smaller} (paper run --learner-option {smaller})" if batch > 1 else "take a device with more"
    with memory_for(device, f"train with batches of {batch}", remedy):
        yield


@contextmanager
def memory_for(device: torch.device, work: str, remedy: str = "take a device with more") -> Iterator[None]:
    """Says in one sentence that the device's memory is too small for that work, and what to try."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_full(error):
            raise
        raise CutpointError(
            f"the memory of {device} is too small to {work}; {remedy}, or fewer --jobs on one device. What is finished "
            "is kept: the same command goes on."
        ) from None
