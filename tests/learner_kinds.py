"""The learners by what they need and read, for tests that run over all of them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from cutpoint.learners import LEARNERS
from cutpoint.learners.registry import needs

OF_PICTURES = ("resnet18", "clip", "onnx")
OF_FEATURES = [name for name in LEARNERS if name not in OF_PICTURES]
IS_DEEP_HERE = find_spec("torch") is not None
HERE = [name for name in OF_FEATURES if IS_DEEP_HERE or not needs(name)]


def marked(names: list[str]) -> list[Any]:
    """Parameters of a test: those whose extra is not installed are skipped."""
    skip = pytest.mark.skipif(not IS_DEEP_HERE, reason="needs the extra deep")
    return [pytest.param(name, marks=[skip] if needs(name) else []) for name in names]
