"""`cutpoint select`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cutpoint.cli_terminal import say


def select(
    *,
    scores: Annotated[
        Path,
        typer.Argument(
            help=".npz: probs (N, K); embedding (N, D) and head (K, D + 1), its bias last, for strategies that read"
            " them; if you like, ids and classes."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Sheet of questions to write, a CSV.")],
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            "--labels",
            "-l",
            help="Labels so far: CSV with index (or id) and label; empty or -1: none. May be repeated.",
        ),
    ] = None,
    budget: Annotated[int, typer.Option(help="How many questions this round has.")] = 100,
    strategy: Annotated[str, typer.Option(help="Which strategy chooses.")] = "direct",
    parallel: Annotated[
        int | None,
        typer.Option(
            help="Ask in steps of at most this many, each after the answers before (direct and galaxy; the others"
            " always ask all at once); not given: all at once."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed asks the same questions.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print how the round stands as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> None:
    """Choose what to label next, for a model of your own: one round, no campaign.

    Fill the label column of the sheet, or write skip; once filled, it is a labels file of the next round.

    With --parallel, run the same command again for the next questions: the answers steer what is asked.
    """
    from cutpoint.experiment.select import select as choose
    from cutpoint.words import count

    asked = choose(scores, labels or [], output, strategy=strategy, budget=budget, parallel=parallel, seed=seed)
    if not quiet:
        for note in asked.notes:
            say(f"note: {note}", err=True)
    if as_json:
        import json

        typer.echo(json.dumps({"questions": asked.questions, "open": asked.open, "complete": asked.complete}))
    elif not quiet:
        say(f"{output}: {count(asked.questions, 'question')}, {asked.closed} closed, {asked.open} to answer")
        say(_what_now(asked.questions, asked.open, asked.complete, output))


def _what_now(questions: int, still_open: int, complete: bool, output: Path) -> str:
    if not questions:
        return "Nothing is left to ask: every example has a label."
    if still_open:
        again = "" if complete else ", then run the same command for the next ones"
        return f"Fill the label column{again}."
    return f"The round is complete. Train, score the pool anew, and add --labels {output} to the next round's command."
