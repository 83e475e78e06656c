"""Published weights: looked for where they may be, never fetched; no pickle is read.

What is looked for, and the first that is there is taken: the file given by its path; in the data root; in the caches of
torch and of the Hugging Face hub. Looking needs no torch and takes no time.
"""

from __future__ import annotations

import os
import pickle
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cutpoint.data.options import DATA_ROOT_VARIABLE
from cutpoint.errors import DataError

if TYPE_CHECKING:
    import torch
    from torch import nn


class Published(NamedTuple):
    """Weights that somebody published: `file` at `url`, or `hub_file` in a repository of the Hugging Face hub."""

    what: str
    file: str
    url: str
    hub: str
    hub_file: str


def find_weights(published: Published, wanted: str, root: Path | None) -> Path:
    """The file that "auto" means, or the path that is given; DataError, with what to put where, if it is not there."""
    if wanted != "auto":
        path = Path(wanted)
        if not path.is_file():
            raise DataError(f"the weights {path} are not there; give the path of a file, weights=auto or weights=none.")
        return path
    given = root or os.environ.get(DATA_ROOT_VARIABLE)
    places = [] if not given else [Path(given) / published.file]
    places.append(_torch_cache() / published.file)
    snapshots = _hub_cache() / f"models--{published.hub.replace('/', '--')}" / "snapshots"
    places += sorted(snapshots.glob(f"*/{published.hub_file}"))
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise DataError(
            f"the {published.what} are not here; put {published.url} into {places[0].parent}, or give its path with "
            "weights=PATH; weights=none begins without them, which is another experiment."
        )
    return found


def _torch_cache() -> Path:
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "torch"
    return Path(home) / "hub" / "checkpoints"


def _hub_cache() -> Path:
    cache = os.environ.get("HF_HUB_CACHE")
    home = os.environ.get("HF_HOME")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(cache) if cache else (Path(home) if home else base / "huggingface") / "hub"


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file of safetensors or of `torch.save`, by name; DataError if it holds no such thing."""
    import torch

    try:
        if path.suffix == ".safetensors":
            from safetensors import SafetensorError
            from safetensors.torch import load_file

            try:
                return dict(load_file(path))
            except SafetensorError as error:
                raise ValueError(str(error)) from None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other pickles, which are then refused
            tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError):
        tensors = None
    if not isinstance(tensors, dict) or not all(isinstance(each, torch.Tensor) for each in tensors.values()):
        raise DataError(f"{path} holds no weights that can be read; it is cut off or another file: fetch it again.")
    return tensors


def load_weights(network: nn.Module, path: Path, ignore: tuple[str, ...] = ()) -> None:
    """Put the weights of a file into a network; DataError if they are another architecture's.

    ignore: beginnings of names in the file that the network does not have, such as those of its old head.
    """
    found = {name: tensor for name, tensor in read_weights(path).items() if not name.startswith(ignore)}
    wanted = {name: tensor.shape for name, tensor in network.state_dict().items()}
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}  # older files have none
    missing = sorted(wanted.keys() - counters - found.keys())
    foreign = sorted(found.keys() - wanted.keys())
    other = sorted(name for name in found.keys() & wanted.keys() if found[name].shape != wanted[name])
    if missing or foreign or other:
        said = (
            f"{other[0]} is {tuple(found[other[0]].shape)} and not {tuple(wanted[other[0]])}"
            if other
            else f"it lacks {missing[0]}"
            if missing
            else f"it has {foreign[0]}"
        )
        raise DataError(f"{path} holds the weights of another architecture ({said}); give those of this network.")
    network.load_state_dict(found, strict=False)
