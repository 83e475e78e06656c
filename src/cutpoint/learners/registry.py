"""The learners of Cutpoint by name and options: `logistic`, `logistic:C=0.01`, `torch-mlp:hidden=128`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any, NamedTuple

from cutpoint.errors import UsageError, no_such
from cutpoint.learners.base import Learner
from cutpoint.learners.deep.clip import ClipLearner
from cutpoint.learners.deep.heads import HeadLearner, NetworkHeadLearner
from cutpoint.learners.deep.resnet import SCHEDULES, ResNetLearner
from cutpoint.learners.linear import LogisticLearner
from cutpoint.learners.network import NetworkLearner
from cutpoint.learners.onnx_encoder import OnnxLearner
from cutpoint.learners.proxy import HEADS


class Option(NamedTuple):
    """How the text of an option is read, a ValueError or KeyError if it cannot be; and what it must be, in words."""

    read: Callable[[str], Any]
    meant: str


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def _from_zero(text: str) -> float:
    return 0.0 if float(text) == 0 else _positive(text)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise ValueError
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _some(text: str) -> str:
    if not text:
        raise ValueError
    return text


def one_of(*words: str) -> Option:
    """One of these words."""
    return Option({word: word for word in words}.__getitem__, f"one of {', '.join(words)}")


POSITIVE = Option(_positive, "a positive number")
FROM_ZERO = Option(_from_zero, "0 or a positive number")
SHARE = Option(_share, "a number from 0 to below 1")
COUNT = Option(_count, "a whole number of at least 1")
YES_OR_NO = Option({"yes": True, "no": False}.__getitem__, "yes or no")
DEVICE = one_of("auto", "cpu", "cuda", "mps")
CACHE = Option(_some, "auto, none or the path of a folder")
WEIGHTS = Option(_some, "auto, none or the path of a file")

LEARNERS: Mapping[str, Callable[..., Learner]] = {
    "logistic": LogisticLearner,
    "mlp": NetworkLearner,
    "torch-linear": HeadLearner,
    "torch-mlp": NetworkHeadLearner,
    "resnet18": ResNetLearner,
    "clip": ClipLearner,
    "onnx": OnnxLearner,
}
_HEAD = {"epochs": COUNT, "lr": POSITIVE, "decay": FROM_ZERO, "batch": COUNT, "smoothing": SHARE, "device": DEVICE}
_OPTIONS: Mapping[str, Mapping[str, Option]] = {
    "logistic": {"C": POSITIVE, "by_column": YES_OR_NO},
    "mlp": {"hidden": Option(lambda text: (_count(text),), COUNT.meant), "alpha": POSITIVE, "epochs": COUNT},
    "torch-linear": _HEAD,
    "torch-mlp": {"hidden": COUNT, **_HEAD},
    "resnet18": {**_HEAD, "weights": WEIGHTS, "schedule": one_of(*SCHEDULES)},
    "clip": {
        **_HEAD,
        "weights": WEIGHTS,
        "tune": one_of("full", "frozen"),
        "semi": one_of("none", "flexmatch"),
        "head": one_of(*HEADS),
        "weighted": YES_OR_NO,
        "model": Option(_some, "the name of an architecture of open_clip"),
        "cache": CACHE,
    },
    "onnx": {"encoder": Option(_some, "the path of an .onnx file"), "head": one_of(*HEADS), "cache": CACHE},
}


def options_of(kind: str) -> dict[str, str]:
    """The options of a learner, and what each must be, in words."""
    return {key: option.meant for key, option in _OPTIONS[kind].items()}


NEEDS: Mapping[str, tuple[str, ...]] = {
    "torch-linear": ("torch",),
    "torch-mlp": ("torch",),
    "resnet18": ("torch", "torchvision", "timm", "safetensors"),
    "clip": ("torch", "torchvision", "open_clip_torch", "safetensors"),
    "onnx": ("onnxruntime",),
}
"""The distributions that a learner needs beyond the base; its numbers depend on their versions."""


def needs(name: str) -> tuple[str, ...]:
    """The distributions beyond the base that the learner of that name and options needs."""
    kind, *options = name.split(":")
    head = ("torch",) if any(option.startswith("head=torch-") for option in options) else ()
    return tuple(dict.fromkeys(NEEDS.get(kind, ()) + head))


def with_options(name: str, given: Sequence[str]) -> str:
    """The learner of that name with other options, each KEY=VALUE, in place of its own; UsageError for what is none."""
    wrong = [option for option in given if not option.partition("=")[1]]
    if wrong:
        raise UsageError(f"the learner's option is '{wrong[0]}'; it must be KEY=VALUE, such as batch=50.")
    keys = {option.partition("=")[0] for option in given}
    kind, *parts = name.split(":")
    return ":".join([kind, *(part for part in parts if part.partition("=")[0] not in keys), *given])


def _is_installed(distribution: str) -> bool:
    try:
        return bool(metadata.version(distribution))
    except metadata.PackageNotFoundError:
        return False


def make_learner(name: str, n_classes: int) -> Learner:
    """The learner of that name for so many classes; its options follow as `:key=value`.

    UsageError for a name or an option that there is not, and where a library that the learner needs is not installed.
    """
    kind, *parts = name.split(":")
    if kind not in LEARNERS:
        raise no_such("learner", kind, LEARNERS)
    options: dict[str, Any] = {}
    for part in parts:
        key, _, text = part.partition("=")
        if key not in _OPTIONS[kind]:
            raise UsageError(f"learner {kind} has no option '{key}'; it has {', '.join(_OPTIONS[kind])}.")
        if key in options:
            raise UsageError(f"learner {kind}: {key} is given twice; give it once.")
        read, meant = _OPTIONS[kind][key]
        try:
            options[key] = read(text)
        except (ValueError, KeyError):
            raise UsageError(f"learner {kind}: {key} is '{text}', which is not meant; give {meant}.") from None
    missing = [needed for needed in needs(name) if not _is_installed(needed)]
    if missing:
        first = "install torch first, as your device needs it, and then `pip install 'cutpoint[deep]'`"
        remedy = first if "torch" in needs(name) else "`pip install 'cutpoint[encoder]'` brings it"
        raise UsageError(f"learner {kind} needs {' and '.join(missing)}, which is not installed; {remedy}.")
    return LEARNERS[kind](n_classes, **options)
