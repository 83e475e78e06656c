"""`cutpoint init`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutpoint.cli_terminal import FilesOption, JsonOption, QuietOption

if TYPE_CHECKING:
    from cutpoint.data.pools.bring import Wish
    from cutpoint.service.gather import Summary


def init(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The new campaign: NAME.db is made, or a postgresql:// address used.")
    ],
    *,
    classes: Annotated[str, typer.Option(help="Their names, with commas between; more can be added later.")],
    images: Annotated[Path | None, typer.Option(help="Folder of pictures, with all below it.")] = None,
    csv: Annotated[Path | None, typer.Option(help="CSV of texts, of table rows, or of paths below --images.")] = None,
    jsonl: Annotated[Path | None, typer.Option(help="JSONL of texts.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Parquet; a column of lists is taken as features.")] = None,
    npy: Annotated[Path | None, typer.Option(help="Features (N, d) alone.")] = None,
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="Show this column, as texts.")] = None,
    picture: Annotated[str | None, typer.Option(metavar="COLUMN", help="Show the pictures at these paths.")] = None,
    id_column: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="Names of the items; not given: id, or 1, 2, ...")
    ] = None,
    embeddings: Annotated[
        Path | None, typer.Option(help="Features of one's own: .npy in order, or .parquet with the ids.")
    ] = None,
    encoder: Annotated[Path | None, typer.Option(help="Make features with an encoder: an ONNX file.")] = None,
    imports: Annotated[
        list[Path] | None,
        typer.Option("--import", help="Labels that exist: id, label and perhaps annotator. May be repeated."),
    ] = None,
    examples: Annotated[
        Path | None, typer.Option("--seed-examples", help="Rare items known beforehand: id and label.")
    ] = None,
    guideline: Annotated[Path | None, typer.Option(help="Text file that people can open while they label.")] = None,
    strategy: Annotated[str, typer.Option(help="Which strategy chooses.")] = "direct",
    learner: Annotated[str, typer.Option(help="Which model learns.")] = "logistic",
    first: Annotated[int, typer.Option(help="Questions asked at random before the first model.")] = 20,
    budget: Annotated[
        int | None, typer.Option(help="New answers between trainings; not given: 5 % of the labels, at least 20.")
    ] = None,
    parallel: Annotated[int, typer.Option(help="Questions that the strategy plans at one time.")] = 1,
    overlap: Annotated[int, typer.Option(help="People who are to answer each item.")] = 1,
    lease_minutes: Annotated[float, typer.Option(help="How long a question is kept for somebody.")] = 15.0,
    seed: Annotated[int, typer.Option(help="The same seed asks the same questions.")] = 0,
    files: FilesOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Start a campaign: read the pool, make features for the first model, and take in labels that exist.

    All is checked before anything is written; what cannot be meant is refused whole.

    Without --embeddings or --encoder: texts by TF-IDF, tables by their columns, pictures by shapes and colours.
    """
    from contextlib import nullcontext
    from dataclasses import asdict

    from cutpoint.cli_stopping import leaving, terminable
    from cutpoint.cli_terminal import progress
    from cutpoint.data.pools.bring import class_names
    from cutpoint.service.begin import begin
    from cutpoint.service.gather import SEED_EXAMPLES, gather, read_text, summary
    from cutpoint.service.log.settings import Settings
    from cutpoint.service.place import begun, check_free, title

    check_free(name)
    wish = _wish([csv, jsonl, parquet, npy], images, (text, picture, id_column), embeddings, encoder)
    settings = Settings(
        *(title(name), tuple(class_names(classes)), strategy, seed, parallel, first, budget, overlap),
        lease_seconds=60 * lease_minutes,
        learner=learner,
        guideline="" if guideline is None else read_text(guideline),
    )
    with terminable(), progress(quiet) as tell:
        labels = [(path.name, path) for path in imports or []] + ([(SEED_EXAMPLES, examples)] if examples else [])
        beginning = gather(settings, wish, labels, tell)
    unfinished = leaving("what is written is kept; the same command goes on") if "://" in name else nullcontext()
    with terminable(), unfinished, begun(name, files) as (store, arrays):
        begin(store, arrays, beginning)
    with leaving("the campaign is made"):
        if as_json:
            import json

            typer.echo(json.dumps(asdict(summary(beginning)), ensure_ascii=False))
        elif not quiet:
            _say(summary(beginning), name)


def _wish(
    given: list[Path | None],
    images: Path | None,
    columns: tuple[str | None, str | None, str | None],
    embeddings: Path | None,
    encoder: Path | None,
) -> Wish:
    from cutpoint.data.pools.bring import Wish
    from cutpoint.errors import UsageError

    files = [path for path in given if path is not None]
    if len(files) > 1:
        raise UsageError(f"{len(files)} files are given ({', '.join(map(str, files))}); a campaign begins with one.")
    return Wish(images, files[0] if files else None, *columns, embeddings, encoder)


def _say(about: Summary, name: str) -> None:
    from cutpoint.cli_terminal import show
    from cutpoint.words import count

    show(
        f"{about.campaign}: {count(about.items, about.kind)} to label as {', '.join(about.classes)}; {about.source}",
        f"features for the first model: {about.features}",
    )
    if about.unreadable:
        show(f"{count(len(about.unreadable), 'picture')} cannot be read, and can be passed: {about.unreadable[0]}, ...")
    if about.labels:
        show(f"{count(about.labels, 'label')} taken in")
    show(*(f"note: {note}" for note in about.notes))
    where = "with the same address" if "://" in name else shlex.quote(name)  # an address may hold a password
    show(f"Now: cutpoint serve {where} --annotators one,two")
