"""The campaigns of a figure: their options, toy ones instead, what data they lack, and the results that are there."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cutpoint.data import DataOptions
from cutpoint.data.obtain import here, how_to_get
from cutpoint.data.table_1 import TABLE_1
from cutpoint.errors import DataError
from cutpoint.experiment.config import BenchConfig, make_config
from cutpoint.experiment.results import read_results, stored_options
from cutpoint.experiment.statistics import Arm, Runs, gather
from cutpoint.learners.registry import with_options
from cutpoint.paper.figure import Campaign, Figure

TOY_LEARNER = "logistic:C=0.1"
TOY_IMBALANCE = 0.1


def options_of(campaign: Campaign, *, seeds: int | None = None, toy: bool = False) -> dict[str, Any]:
    """The campaign's options, one's own to change; `seeds` other than the paper's, if given.

    toy: a small drawn pool with as many classes, a logistic regression, two seeds and three short rounds; strategies,
    `parallel` and noise stay.
    """
    options = copy.deepcopy(dict(campaign.options))
    if toy:
        k, seed = TABLE_1[campaign.dataset].classes, list(TABLE_1).index(campaign.dataset)
        size = max(20, 2 * k)
        pool = f"drawn-{k}:n={max(240, 6 * size)}:test={max(120, 4 * size)}:d=4:imbalance={TOY_IMBALANCE:g}:seed={seed}"
        options["suites"] = [{"datasets": [pool], "noise": [campaign.noise]}]
        options |= {"learner": TOY_LEARNER, "seeds": 2, "first": size, "budget": size, "rounds": 3}
    return options if seeds is None else options | {"seeds": seeds}


def config_of(
    campaign: Campaign, *, seeds: int | None = None, toy: bool = False, learner_options: Sequence[str] = ()
) -> BenchConfig:
    """The checked options; UsageError if one of them cannot be meant, or its learner is not to be had.

    learner_options: KEY=VALUE each, in place of those that the learner has here.
    """
    options = options_of(campaign, seeds=seeds, toy=toy)
    return make_config(options | {"learner": with_options(options["learner"], learner_options)})


def other_options(campaign: Campaign, learner: str) -> tuple[str, ...]:
    """Of the options of a learner that ran, those that are not the campaign's; where it ran is none of its results."""
    papers = str(campaign.options["learner"]).split(":")
    return tuple(part for part in learner.split(":") if part not in papers and not part.startswith("device="))


def data_here(campaigns: Iterable[Campaign], root: Path | None) -> dict[str, bool]:
    """Whether the data root has it: of each data set of these campaigns, in their order."""
    folder = DataOptions(root=root).data_root
    return {campaign.dataset: here(campaign.dataset, folder) for campaign in campaigns}


def check_data(name: str, figure: Figure, root: Path | None) -> None:
    """DataError, naming all of them, if the data root lacks data sets of the figure: before anything is run."""
    missing = [dataset for dataset, found in data_here(figure.campaigns, root).items() if not found]
    if not missing:
        return
    folder = DataOptions(root=root).data_root
    where = f"{folder} does not hold {'them' if missing[1:] else 'it'}" if folder else "no data root is set"
    raise DataError(
        f"{name} needs {', '.join(missing)}, and {where}; {how_to_get(missing, folder)}, or see what will come with "
        f"`cutpoint paper run {name} --toy`."
    )


class Results(NamedTuple):
    """What a campaign's folder holds: metric -> arm -> curves; runs done and in all, seeds; whether it is the toy.

    options: of the learner, those that are not the campaign's own.
    """

    curves: dict[str, dict[Arm, Runs]]
    done: int
    total: int
    seeds: int
    toy: bool
    options: tuple[str, ...]


def read_campaigns(name: str, figure: Figure, folder: Path, *, toy: bool = False) -> dict[Campaign, Results]:
    """The results of all campaigns of a figure, from the folder of `paper run`; DataError if one has none.

    toy: it is the toy that such an error says how to run.
    """
    missing = [c.name for c in figure.campaigns if not (folder / c.name / "config.json").is_file()]
    if missing:
        option = " --toy" if toy else " --schedule short" if figure.short else ""
        raise DataError(
            f"{name} needs the runs of {', '.join(missing)} and {folder} does not hold them; make them with `cutpoint "
            f"paper run {name}{option} -o {folder}`."
        )
    return {campaign: _read(campaign, folder / campaign.name) for campaign in figure.campaigns}


def _read(campaign: Campaign, folder: Path) -> Results:
    stored, rows = read_results(folder)
    config = stored_options(folder, stored)
    setting = [(suite.datasets, suite.noise) for suite in config.suites]
    kinds = {toy: options_of(campaign, toy=toy)["suites"] for toy in (False, True)}
    meant = [toy for toy, s in kinds.items() if setting == [(tuple(s[0]["datasets"]), tuple(s[0]["noise"]))]]
    if not meant:
        raise DataError(
            f"{folder} holds runs on {', '.join(config.datasets)} and not those of {campaign.name}, on "
            f"{campaign.dataset}; give the folder of `cutpoint paper run`."
        )
    curves = {metric: next(iter(settings.values())) for metric, settings in gather(rows).items()}
    done = len({(row.strategy, row.parallel, row.seed) for row in rows})
    options = () if meant[0] else other_options(campaign, config.learner)
    return Results(curves, done, len(config.runs()), config.seeds, meant[0], options)
