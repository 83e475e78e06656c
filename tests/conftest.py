"""Hypothesis profiles: `fast` (the default) and `ci` (more examples); every run draws the same examples."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]  # shared machines stall now and then

settings.register_profile(
    "fast", max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=_CALM
)
settings.register_profile("ci", settings.get_profile("fast"), max_examples=200)
settings.load_profile(os.environ.get("CUTPOINT_HYPOTHESIS", "fast"))
