"""CLIP by open_clip: its image encoder as a body that reads pictures, its text encoder as the head to begin with."""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from cutpoint.data.captions import Captions
from cutpoint.errors import UsageError, no_such
from cutpoint.learners.deep.devices import own_chance
from cutpoint.learners.deep.vision import import_open_clip
from cutpoint.learners.deep.weights import load_weights

MEAN, SPREAD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of CLIP's own pictures
_OF_CLIP = {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu"}  # what describes an architecture of CLIP's own kind
_TEXTS = 256  # that are encoded at a time


class PictureEncoder(nn.Module):
    """From pictures (b, H, W, 3) uint8 to embeddings (b, D) of length 1, in single precision."""

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self, visual: Any) -> None:
        super().__init__()
        self.visual = visual
        side = visual.image_size
        self.side: int = side[0] if isinstance(side, tuple) else side
        self.width: int = visual.output_dim
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("spread", torch.tensor(SPREAD)[:, None, None], persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Resized (bicubic) if their size is not the encoder's, scaled as CLIP's pictures are, encoded, normalised."""
        values = pictures.permute(0, 3, 1, 2).float()
        if values.shape[2:] != (self.side, self.side):
            values = functional.interpolate(values, (self.side, self.side), mode="bicubic", antialias=True)
            values = values.clamp(0, 255)
        embedding: torch.Tensor = self.visual((values / 255 - self.mean) / self.spread)
        return functional.normalize(embedding.float(), dim=1)


@lru_cache(maxsize=1)
def read_clip(model: str, file: Path | None) -> Any:
    """As of `clip_with`, kept for the next round; nobody may change it."""
    return clip_with(model, file)


def check_architecture(model: str) -> dict[str, Any]:
    """How an architecture of that name is built; UsageError if open_clip has none, or it is not of CLIP's own kind."""
    open_clip = import_open_clip()
    if model not in open_clip.list_models():
        raise no_such("architecture", model, open_clip.list_models())
    config: dict[str, Any] = open_clip.get_model_config(model)
    if foreign := config.keys() - _OF_CLIP:
        raise UsageError(f"{model} is not as CLIP is (it has {min(foreign)}); give one of CLIP's architectures.")
    return config


def clip_with(model: str, file: Path | None) -> Any:
    """The whole network on the CPU with the weights of a file, or without one always the same ones at random.

    UsageError if there is no such architecture, DataError if the file holds the weights of another.
    """
    config = check_architecture(model)
    with own_chance(torch.device("cpu"), 0):
        network = import_open_clip().CLIP(**config)
    if file is not None:
        load_weights(network, file)
    return network.eval()


def picture_encoder(model: str, file: Path | None) -> PictureEncoder:
    """A copy of the image encoder, to be trained or used as it is."""
    return PictureEncoder(copy.deepcopy(read_clip(model, file).visual))


@lru_cache(maxsize=4)
def text_head(model: str, file: Path | None, captions: Captions, device: torch.device) -> torch.Tensor:
    """What the text encoder makes of each class (K, D), on the CPU: the rows of a zero-shot head.

    The mean over a class's captions of their embeddings, each divided by its length, itself divided by its length, and
    times the exponential of the network's logit scale.
    """
    network = copy.deepcopy(read_clip(model, file)).to(device)
    tokenize = import_open_clip().get_tokenizer(model)
    rows = []
    with torch.inference_mode():
        for of_class in captions:
            tokens = tokenize(list(of_class)).to(device)
            parts = [functional.normalize(network.encode_text(part), dim=1) for part in torch.split(tokens, _TEXTS)]
            rows.append(functional.normalize(torch.cat(parts).mean(dim=0), dim=0))
        scale: torch.Tensor = network.logit_scale.exp()
        return (torch.stack(rows) * scale).float().cpu()
