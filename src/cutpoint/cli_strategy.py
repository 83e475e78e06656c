"""`cutpoint strategy`: by what a campaign's questions are chosen, looked at or changed; thin."""

from __future__ import annotations

from typing import Annotated

import typer

from cutpoint.cli_terminal import NameArgument, QuietOption, say


def strategy(
    name: NameArgument,
    other: Annotated[
        str | None, typer.Argument(metavar="STRATEGY", help="Choose questions by this one from now on.")
    ] = None,
    *,
    quiet: QuietOption = False,
) -> None:
    """By which strategy a campaign's questions are chosen; or choose them by another, also while it is served.

    The round at hand ends, and no answer is lost. This is how a campaign goes on whose strategy is not in this
    Cutpoint, such as one that somebody wrote for themselves.
    """
    from cutpoint.cli_stopping import leaving
    from cutpoint.service.begin import change_strategy
    from cutpoint.service.desk.live import lacking
    from cutpoint.service.log.state import State
    from cutpoint.service.place import opened

    with leaving("`cutpoint strategy` says whether it was changed"), opened(name) as (store, _):
        before = State(store.events()).made.strategy if other is None else change_strategy(store, other)
    if other is None:
        say(f"{before}, which this Cutpoint lacks" if lacking(before) else before)
    elif not quiet:
        changed = f"questions are chosen by {other} from now on; before by {before}"
        say(changed if other != before else f"{other}: nothing to change")
