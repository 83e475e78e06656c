"""`cutpoint status`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cutpoint.cli_terminal import FilesOption, JsonOption, NameArgument, QuietOption

if TYPE_CHECKING:
    from cutpoint.service.overview.standing import Standing

WIDE = 6  # columns of the first table of classes: all of them are wider than 100
WITH_THEM = "With them: items that are before the person now."
ITS_TROUBLES = (
    "What is amiss there and not in the log, such as a training process that does not start, that process alone knows: "
    "a server shows it on its dashboard, and in /api/status."
)

NOBODY = (
    "Nobody is at work: no model is trained, and no training that was interrupted begins again, before it is served."
)


def status(
    name: NameArgument, *, files: FilesOption = None, as_json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """Where a campaign stands: found per class, labels, people, and what the model does. Also while it is served."""
    from cutpoint.service.overview.standing import read
    from cutpoint.service.place import opened

    with opened(name, files) as (store, _):
        _, now = read(store)
        worker = store.holder("desk")
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps(asdict(now), indent=2, ensure_ascii=False))
    elif not quiet:
        _show(now, worker)


def _show(now: Standing, worker: str | None) -> None:
    from cutpoint.cli_terminal import show, table
    from cutpoint.service.overview.found import TITLES, note_of, row_of
    from cutpoint.service.overview.sentences import CORRECTED, PEOPLE, asking, model, sentence, warnings

    said = now.status
    show(f"{said.name}: {sentence(said)}")
    rows = [[cell if isinstance(cell, str) else f"{cell:,}" for cell in row_of(rate)] for rate in now.rates]
    titles = [TITLES[0], *(f"#{title}" for title in TITLES[1:])]
    show(table(titles[:WIDE], [row[:WIDE] for row in rows]))
    if now.rates[0].asked:
        forecasts = [[row[0], *row[WIDE:]] for row in rows]
        show(table([titles[0], *titles[WIDE:]], forecasts), note_of(now.rates))
    if said.people:
        people = [
            (p.name, *(f"{n:,}" for n in (p.answers, p.corrected, p.passed, p.late, p.with_them))) for p in said.people
        ]
        columns = ["person", "#answers", "#corrected", "#passed", "#late", "#with them"]
        show(table(columns, people), f"{PEOPLE} {CORRECTED} {WITH_THEM}")
    show(f"Questions: {asking(said)}.", f"Model: {model(said)}.", *warnings(said))
    if worker is not None:
        show(f"At work: {worker}. {ITS_TROUBLES}")
    elif said.done >= said.trains_at:
        show(NOBODY)
