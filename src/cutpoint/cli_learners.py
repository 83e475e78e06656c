"""`cutpoint bench learners`: all learners with their options; everything heavy is imported when it runs."""

from __future__ import annotations

import typer


def bench_learners() -> None:
    """The learners of --learner: what each reads and needs, and its options, as in clip:tune=frozen:cache=none."""
    from cutpoint.learners.base import reads
    from cutpoint.learners.registry import LEARNERS, NEEDS, options_of

    for kind, learner in LEARNERS.items():
        needed = ", ".join(NEEDS.get(kind, ()))
        typer.echo(f"{kind}: reads {reads(learner)}" + (f"; needs {needed}" if needed else ""))
        for key, meant in options_of(kind).items():
            typer.echo(f"  {key:<10} {meant}")
