"""CLIP's image encoder as it is, for selection by proxy."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from cutpoint.learners.deep.checkpoint import identity
from cutpoint.learners.deep.clip_network import picture_encoder
from cutpoint.learners.deep.devices import memory_for, numbers
from cutpoint.learners.deep.model import DeepModel, head_of_one
from cutpoint.learners.proxy import Encoder


def frozen_encoder(model: str, file: Path | None, device: torch.device, folder: Path | None) -> Encoder:
    """CLIP's image encoder with the weights of that file, on the device."""
    key, network = _on_device(model, file, device)
    return Encoder(key, network.embed, folder)


@lru_cache(maxsize=1)
def _on_device(model: str, file: Path | None, device: torch.device) -> tuple[str, DeepModel]:
    """The key and the network; the device's numbers are in the key, since they are in the embedding."""
    body = picture_encoder(model, file)
    key = identity(model, numbers(device), body)
    with memory_for(device, "hold the encoder"):
        body.to(device)
    return key, DeepModel(body.eval(), head_of_one(0, 1, body.width), device)
