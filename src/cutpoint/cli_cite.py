"""`cutpoint cite`: what to cite for a strategy, as BibTeX; thin, and everything heavy is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer


def cite(
    strategies: Annotated[
        list[str] | None, typer.Argument(metavar="STRATEGY", help="Strategies, by name; not given: all.")
    ] = None,
) -> None:
    """Print what to cite for a strategy, as BibTeX.

    Without a name all are printed: `cutpoint cite > strategies.bib`. An entry that several share stands there once.
    """
    from cutpoint.strategies import STRATEGIES, entry_of

    names = list(dict.fromkeys(strategies or STRATEGIES))
    shared: dict[str, list[str]] = {}
    for name in names:
        shared.setdefault(entry_of(name).cite, []).append(name)
    # BibTeX reads nothing between entries, so the names may stand there.
    blocks = [f"% {', '.join(who)}\n{entry}" if len(names) > 1 else entry for entry, who in shared.items()]
    typer.echo("\n\n".join(blocks))
