"""`cutpoint status`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cutpoint.cli_terminal import FilesOption, JsonOption, NameArgument

if TYPE_CHECKING:
    from cutpoint.service.overview.found import Rate
    from cutpoint.service.overview.standing import Standing

PEOPLE = (
    "Passed: could not say what it is. Late: answered after the time for which a question is kept for somebody; it "
    "counts all the same. Now open: questions in front of this person."
)


def status(name: NameArgument, *, files: FilesOption = None, as_json: JsonOption = False) -> None:
    """Where a campaign stands: found per class, labels, people, and what the model does. Also while it is served."""
    from cutpoint.service.overview.standing import read
    from cutpoint.service.place import opened

    with opened(name, files) as (store, _):
        _, now = read(store)
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps(asdict(now), indent=2, ensure_ascii=False))
    else:
        _show(now)


def _show(now: Standing) -> None:
    from cutpoint.cli_terminal import show, table
    from cutpoint.service.overview.found import NOTE

    said = now.status
    show(
        f"{said.name}: {now.sentence}",
        table(
            ["class", "#found", "#at random", "#chosen", "#in the pool", "#random needs"],
            [_cells(rate) for rate in now.rates],
        ),
    )
    if now.rates[0].asked:
        show(NOTE.format(asked=now.rates[0].asked))
    if said.people:
        rows = [
            (p.annotator, *(f"{n:,}" for n in (p.answers, p.corrections, p.passes, p.late, p.leases)))
            for p in said.people
        ]
        show(table(["person", "#answers", "#corrected", "#passed", "#late", "#now open"], rows), PEOPLE)
    show(f"Questions: {now.asking}.", f"Model: {now.model}.")


def _cells(rate: Rate) -> tuple[str, ...]:
    from cutpoint.service.overview.found import between

    shares = _share(rate.at_random), _share(rate.chosen)
    return rate.name, f"{rate.found:,}", *shares, between(rate.in_pool), between(rate.random_needs)


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
