"""Published weights: looked for where they may be, never fetched; no pickle is read.

What is looked for, and the first that is there is taken: the file given by its path; in the data root; in the caches of
torch and of the Hugging Face hub. Looking needs no torch and takes no time. Files are read in the forms in which
open_clip reads them.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cutpoint.data.options import DATA_ROOT_VARIABLE
from cutpoint.errors import DataError

if TYPE_CHECKING:
    import torch
    from torch import nn


_CHECKSUM = re.compile(r"-((?=\d*[a-f])[0-9a-f]{8})$")  # a letter at least: eight digits are a day
_PARALLEL = "module."  # what a network trained on several devices puts before each name
_BESIDES = {"input_resolution", "context_length", "vocab_size", "attn_mask"}  # in files of CLIP, and no weights
_OTHER = "it is cut off or another file: fetch it again."
_SAVED = "save its weights alone, `torch.save({}.state_dict(), OTHER)`, and give those."
_PROGRAM = f"it is a TorchScript program, which is not run: {_SAVED.format('torch.jit.load(FILE)')}"
_MORE = f"it holds other things than tensors, as a checkpoint of a training does: {_SAVED.format('network')}"


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


def check_name(path: Path) -> None:
    """DataError if the file's name ends, as PyTorch's do, with how its SHA-256 begins, and that is another."""
    named = _CHECKSUM.search(path.stem)
    if named is None:
        return
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()[: len(named[1])]
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); see to its rights.") from None
    if found != named[1]:
        raise DataError(
            f"the SHA-256 of {path} begins with {found} and not {named[1]}, which its name says; it is cut off or "
            "another file: fetch it again."
        )


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file of safetensors or of `torch.save`, by the names that its network has.

    Taken out of a checkpoint of open_clip's training, and without what such files hold besides weights. DataError, with
    what it is, if it holds no such thing.
    """
    import torch

    stored, said = _stored(path)
    if isinstance(stored, dict) and isinstance(stored.get("state_dict"), dict):
        stored = stored["state_dict"]
    if not isinstance(stored, dict) or not stored or not all(isinstance(x, torch.Tensor) for x in stored.values()):
        raise DataError(f"{path} holds no weights that can be read; {said}")
    if all(name.startswith(_PARALLEL) for name in stored):
        stored = {name.removeprefix(_PARALLEL): tensor for name, tensor in stored.items()}
    return {name: tensor for name, tensor in stored.items() if name not in _BESIDES}


def _stored(path: Path) -> tuple[Any, str]:
    """What a file holds, None if it cannot be read; and what to say of it if that is no weights."""
    import torch

    try:
        if path.suffix == ".safetensors":
            from safetensors import SafetensorError
            from safetensors.torch import load_file

            try:
                return dict(load_file(path)), _OTHER
            except SafetensorError as error:
                raise ValueError(str(error)) from None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other pickles, which are then refused
            return torch.load(path, map_location="cpu", weights_only=True), _MORE
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError):
        return None, _said_of(path)


def _said_of(path: Path) -> str:
    """What a file is that torch does not read as tensors; one that is cut off has lost the end that makes it a zip."""
    if not zipfile.is_zipfile(path):
        return _OTHER
    with zipfile.ZipFile(path) as archive:
        is_program = any(name.endswith("/constants.pkl") for name in archive.namelist())
    return _PROGRAM if is_program else _MORE


def load_weights(network: nn.Module, path: Path, ignore: tuple[str, ...] = ()) -> None:
    """Put the weights of a file into a network; DataError if they are another architecture's.

    ignore: beginnings of names in the file that the network does not have, such as those of its old head.
    """
    from cutpoint.learners.deep.devices import not_finite

    found = {name: tensor for name, tensor in read_weights(path).items() if not name.startswith(ignore)}
    wanted = {name: tensor.shape for name, tensor in network.state_dict().items()}
    for name in found.keys() & wanted.keys():
        if found[name].numel() == wanted[name].numel() == 1:
            found[name] = found[name].reshape(wanted[name])  # a number, however it was kept
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
    if bad := not_finite(found):
        raise DataError(f"{path} holds a value in {bad} that is no finite number; fetch it again.")
    network.load_state_dict(found, strict=False)
