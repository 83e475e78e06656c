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
    from cutpoint.service.replay import check_replay
    from cutpoint.service.replay import replay as again
    from cutpoint.words import count

    with opened(name, files) as (store, arrays):
        done = again(store, arrays)
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps(asdict(done) | {"same": done.same}))
    check_replay(done)
    if not (quiet or as_json):
        for number, error in done.failed:
            say(f"round {number} failed then as it does now ({error}); up to there it is the same")
        say(
            f"{count(done.events, 'event')}, {count(done.rounds, 'round')}, {count(done.labels, 'item')} labelled: all "
            f"{count(done.questions, 'question')} are the same again"
        )
