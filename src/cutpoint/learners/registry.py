"""The learners of Cutpoint by name and options: `logistic`, `logistic:C=0.01`, `mlp:hidden=128`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cutpoint.errors import UsageError, no_such
from cutpoint.learners.base import Learner
from cutpoint.learners.linear import LogisticLearner
from cutpoint.learners.network import NetworkLearner

_SWITCH = {"yes": True, "no": False}


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


LEARNERS: Mapping[str, Callable[..., Learner]] = {"logistic": LogisticLearner, "mlp": NetworkLearner}
_OPTIONS: Mapping[str, Mapping[str, Callable[[str], Any]]] = {
    "logistic": {"C": _positive, "by_column": lambda text: _SWITCH[text]},
    "mlp": {"hidden": lambda text: (_count(text),), "alpha": _positive, "epochs": _count},
}


def make_learner(name: str, n_classes: int) -> Learner:
    """The learner of that name for so many classes; its options follow as `:key=value`."""
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
        try:
            options[key] = _OPTIONS[kind][key](text)
        except (ValueError, KeyError):
            raise UsageError(
                f"learner {kind}: {key} is '{text}', which is not meant; give a positive number, or yes or no."
            ) from None
    return LEARNERS[kind](n_classes, **options)
