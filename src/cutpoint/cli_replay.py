"""`cutpoint replay`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

import typer

from cutpoint.cli_terminal import FilesOption, JsonOption, NameArgument, QuietOption, say


def replay(
    name: NameArgument, *, files: FilesOption = None, as_json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """Make a campaign again from its log, and compare every question with the one in the log. Changes nothing.

    Exit code 1 if a question differs, or a round cannot be made again.
    """
    from cutpoint.service.place import opened
    from cutpoint.service.replay import replay as again
    from cutpoint.service.replay import verdicts
    from cutpoint.words import count

    with opened(name, files) as (store, arrays):
        done = again(store, arrays)
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps(asdict(done) | {"same": done.same}))
    elif not quiet:
        what = f"{count(done.events, 'event')}, {count(done.rounds, 'round')}, {count(done.labels, 'item')} labelled"
        others = count(done.rounds - len(done.broken) - len(done.differences), "other round")
        same = f"all {count(done.questions, 'question')} are the same again"
        end = same if done.same else f"the questions of {others} are the same again, and no label is touched by this"
        say("\n".join([*verdicts(done), f"{what}: {end}"]))
    if not done.same:
        raise typer.Exit(1)
