"""What a benchmark is to do: checked options, and the runs that follow from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cutpoint.data import DataOptions, dataset_name, is_file
from cutpoint.errors import UsageError, no_such
from cutpoint.experiment.observed import canonical_noise, human_columns
from cutpoint.learners import make_learner
from cutpoint.strategies import STRATEGIES

FORMAT = "cutpoint-bench/1"
USES_PARALLEL = frozenset({"direct"})  # the others ask the same questions whatever `parallel` is: one run is enough


class Suite(BaseModel):
    """Data sets that are run under the same noises."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    datasets: tuple[str, ...] = Field(min_length=1)
    noise: tuple[str, ...] = Field(default=("0",), min_length=1)


class BenchConfig(BaseModel):
    """A whole benchmark: suites x strategies x parallel x seeds, and the schedule of each run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    suites: tuple[Suite, ...] = Field(min_length=1)
    strategies: tuple[str, ...] = Field(min_length=1)
    parallel: tuple[int, ...] = (5,)
    seeds: int = 5
    first: int = 100
    budget: int = 100
    rounds: int = 10
    learner: str = "logistic"
    features_column: str = "features"
    label_column: str = "label"
    split_column: str = "split"
    group: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _canonical(cls, given: Any) -> Any:
        """Write every noise in its one way, before anything is compared."""
        if not isinstance(given, Mapping) or not isinstance(given.get("suites"), list | tuple):
            return given
        return {**given, "suites": [_canonical_suite(suite) for suite in given["suites"]]}

    @model_validator(mode="after")
    def _meant(self) -> Self:
        """Refuse what cannot be meant, in one sentence each."""
        for strategy in self.strategies:
            if strategy not in STRATEGIES:
                raise no_such("strategy", strategy, STRATEGIES)
        for name, values, least in (
            ("seeds", (self.seeds,), 1),
            ("first", (self.first,), 1),
            ("budget", (self.budget,), 1),
            ("rounds", (self.rounds,), 0),
            ("parallel", self.parallel, 1),
        ):
            for value in values:
                if value < least:
                    raise UsageError(f"{name} is {value}; it must be at least {least}.")
        for name, items in self._lists().items():
            twice = [item for item in items if items.count(item) > 1]
            if twice:
                raise UsageError(f"{name} names '{twice[0]}' twice; name each once.")
        make_learner(self.learner, 2)
        return self

    def _lists(self) -> dict[str, list[Any]]:
        pairs = [f"{d} at noise {n}" for suite in self.suites for d in suite.datasets for n in suite.noise]
        return {"strategies": list(self.strategies), "parallel": list(self.parallel), "the data sets": pairs}

    def data_options(self, dataset: str) -> DataOptions:
        """How to read this data set, without the data root; beside files, what is no file is read as it is."""
        noises = tuple(n for suite in self.suites if dataset in suite.datasets for n in suite.noise)
        if not is_file(dataset) and any(is_file(other) for other in self.datasets):
            return DataOptions(human=human_columns(noises))
        return DataOptions(
            features=self.features_column,
            label=self.label_column,
            split=self.split_column if "split_column" in self.model_fields_set else None,
            group=self.group,
            human=human_columns(noises),
        )

    @property
    def datasets(self) -> tuple[str, ...]:
        """All data sets, each once, as they were given."""
        return tuple(dict.fromkeys(dataset for suite in self.suites for dataset in suite.datasets))

    def runs(self) -> list[RunSpec]:
        """All runs, data set by data set and in each seed by seed: what is finished early can be compared."""
        variants = [
            (strategy, parallel)
            for strategy in self.strategies
            for parallel in (self.parallel if strategy in USES_PARALLEL else (1,))
        ]
        return [
            RunSpec(dataset, strategy, seed, noise, parallel)
            for dataset in self.datasets
            for seed in range(self.seeds)
            for suite in self.suites
            if dataset in suite.datasets
            for noise in suite.noise
            for strategy, parallel in variants
        ]

    def shown_name(self, dataset: str) -> str:
        """The data set's name in the results."""
        return dataset_name(dataset, self.data_options(dataset))


def _canonical_suite(suite: Any) -> Any:
    """A copy of a suite's options whose noises are written in their one way; what cannot be one as it is."""
    if not isinstance(suite, Mapping) or not isinstance(suite.get("noise"), list | tuple):
        return suite
    return {**suite, "noise": [canonical_noise(str(noise)) for noise in suite["noise"]]}


class RunSpec(NamedTuple):
    """One run; `dataset` as it was given, which may be a path."""

    dataset: str
    strategy: str
    seed: int
    noise: str
    parallel: int


def run_id(shown: str, spec: RunSpec) -> str:
    """File name of a run, without its ending; the columns in it are what counts, the name is for people."""
    parts = (shown, f"noise-{spec.noise}", spec.strategy, f"p{spec.parallel}", f"seed{spec.seed}")
    return "__".join(re.sub(r"[^A-Za-z0-9.=_-]", "-", part) for part in parts)


def make_config(options: Mapping[str, Any]) -> BenchConfig:
    """The checked configuration; UsageError, in one sentence, for what cannot be meant."""
    try:
        config = BenchConfig.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"option {place} is {first['input']!r}: {first['msg']}; correct it.") from None
    ids = [run_id(config.shown_name(spec.dataset), spec) for spec in config.runs()]
    if len(set(ids)) < len(ids):
        raise UsageError("two of the data sets or noises would have the same name in the results; rename a file.")
    return config
