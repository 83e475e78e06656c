"""`cutpoint init`: thin; everything heavy is imported when it runs."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutpoint.cli_terminal import FilesOption, JsonOption, QuietOption, say_done

if TYPE_CHECKING:
    from cutpoint.data.pools.bring import Wish
    from cutpoint.service.gather import Summary
    from cutpoint.service.log.settings import Settings

_NAMED = 3  # unreadable pictures

Given = Path | None
Column = str | None

NewNameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The new campaign: NAME.db is made, or a postgresql:// address used.")
]
ClassesOption = Annotated[str, typer.Option(help="Their names, with commas between; more can be added later.")]
ImagesOption = Annotated[Given, typer.Option(help="Folder of pictures, with all below it.")]
CsvOption = Annotated[Given, typer.Option(help="CSV of texts, of table rows, or of paths below --images.")]
JsonlOption = Annotated[Given, typer.Option(help="JSONL of texts.")]
ParquetOption = Annotated[Given, typer.Option(help="Parquet; a column of lists is taken as features.")]
TasksOption = Annotated[Given, typer.Option(help="Label Studio's tasks, exported as JSON: texts.")]
NpyOption = Annotated[Given, typer.Option(help="Features (N, d) alone.")]
TextOption = Annotated[Column, typer.Option(metavar="COLUMN", help="Show this column, as texts.")]
PictureOption = Annotated[Column, typer.Option(metavar="COLUMN", help="Show the pictures at these paths.")]
IdOption = Annotated[
    Column, typer.Option("--id", metavar="COLUMN", help="Names of the items; not given: id, or 1, 2, ...")
]
EmbeddingsOption = Annotated[
    Given, typer.Option(help="Features of one's own: .npy in order, or .parquet with the ids.")
]
EncoderOption = Annotated[Given, typer.Option(help="Make features with an encoder: an ONNX file.")]
ImportsOption = Annotated[
    list[Path] | None,
    typer.Option("--import", help="Labels that exist: id, label and perhaps annotator. May be repeated."),
]
ExamplesOption = Annotated[Given, typer.Option("--seed-examples", help="Rare items known beforehand: id and label.")]
GuidelineOption = Annotated[Given, typer.Option(help="Text file that people can open while they label.")]
StrategyOption = Annotated[
    str, typer.Option(help="Which strategy chooses. Galaxy asks one question at a time, for one person.")
]
LearnerOption = Annotated[str, typer.Option(help="Which model learns.")]
FirstOption = Annotated[
    int, typer.Option(help="Items done before the first model: drawn at random, or with labels that exist.")
]
BudgetOption = Annotated[
    int | None, typer.Option(help="Items between trainings; not given: 5 % of the labels, at least 20.")
]
ParallelOption = Annotated[int, typer.Option(help="Questions that the strategy plans at one time.")]
OverlapOption = Annotated[int, typer.Option(help="People who are to answer each item.")]
LeaseOption = Annotated[float, typer.Option(help="How long a question is kept for somebody.")]
SeedOption = Annotated[int, typer.Option(help="The same seed asks the same questions.")]


def init(
    name: NewNameArgument,
    *,
    classes: ClassesOption,
    images: ImagesOption = None,
    csv: CsvOption = None,
    jsonl: JsonlOption = None,
    parquet: ParquetOption = None,
    tasks: TasksOption = None,
    npy: NpyOption = None,
    text: TextOption = None,
    picture: PictureOption = None,
    id_column: IdOption = None,
    embeddings: EmbeddingsOption = None,
    encoder: EncoderOption = None,
    imports: ImportsOption = None,
    examples: ExamplesOption = None,
    guideline: GuidelineOption = None,
    strategy: StrategyOption = "direct",
    learner: LearnerOption = "logistic",
    first: FirstOption = 20,
    budget: BudgetOption = None,
    parallel: ParallelOption = 1,
    overlap: OverlapOption = 1,
    lease_minutes: LeaseOption = 15.0,
    seed: SeedOption = 0,
    files: FilesOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Start a campaign: read the pool, make features for the first model, and take in labels that exist.

    All is checked before anything is written; what cannot be meant is refused whole.
    Without --embeddings or --encoder: texts by TF-IDF, tables by their columns, pictures by shapes and colours.
    """
    named = {"strategy": strategy, "learner": learner, "seed": seed, "lease_seconds": _seconds(lease_minutes)}
    sizes = {"first": first, "budget": budget, "parallel": parallel, "overlap": overlap}
    settings = _settings(name, classes, guideline, named | sizes)
    file = _one_of({"--csv": csv, "--jsonl": jsonl, "--parquet": parquet, "--tasks": tasks, "--npy": npy})
    wish = _wish(images, file, (text, picture, id_column), (embeddings, encoder))
    _begin(name, settings, wish, _labels(imports or [], examples), files=files, as_json=as_json, quiet=quiet)


def _settings(name: str, classes: str, guideline: Path | None, others: dict[str, Any]) -> Settings:
    from cutpoint.data.pools.bring import class_names
    from cutpoint.service.gather import read_text
    from cutpoint.service.log.settings import Settings
    from cutpoint.service.place import title

    text = "" if guideline is None else read_text(guideline)
    return Settings(title(name), tuple(class_names(classes)), guideline=text, **others)


def _seconds(minutes: float) -> float:
    from cutpoint.errors import UsageError
    from cutpoint.service.log.settings import DAY, LIMITS

    least, most = LIMITS["lease_seconds"]
    if not least <= 60 * minutes <= most:
        raise UsageError(
            f"--lease-minutes is {minutes:g}; it must be above 0 and at most {most / 60:,.0f} ({most / DAY:g} days), "
            "such as 15."
        )
    return 60 * minutes


def _one_of(given: dict[str, Path | None]) -> Path | None:
    """The file of the pool, if one is given; UsageError for several, and for one that another option reads."""
    from cutpoint.data.pools.bring import ENDINGS
    from cutpoint.errors import UsageError

    files = {option: path for option, path in given.items() if path is not None}
    if len(files) > 1:
        paths = ", ".join(map(str, files.values()))
        raise UsageError(f"{len(files)} files are given ({paths}); a campaign begins with one.")
    for option, path in files.items():
        suffix = path.suffix.lower()
        if suffix not in ENDINGS[option] and not path.is_dir():
            other = next((other for other, ends in ENDINGS.items() if suffix in ends), None)
            remedy = f"say {other} {shlex.quote(str(path))}" if other else "convert or rename it"
            raise UsageError(f"{option} reads {' and '.join(ENDINGS[option])}, and {path} is not named so; {remedy}.")
        return path
    return None


def _wish(
    images: Path | None,
    file: Path | None,
    columns: tuple[str | None, str | None, str | None],
    features: tuple[Path | None, Path | None],
) -> Wish:
    from cutpoint.data.pools.bring import Wish

    return Wish(images, file, *columns, *features)


def _labels(imports: list[Path], examples: Path | None) -> list[tuple[str, Path]]:
    """Where each lot of labels is from, and its file."""
    from cutpoint.service.gather import SEED_EXAMPLES

    return [(path.name, path) for path in imports] + ([(SEED_EXAMPLES, examples)] if examples else [])


def _begin(
    name: str,
    settings: Settings,
    wish: Wish,
    labels: list[tuple[str, Path]],
    *,
    files: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Read and check everything, what was typed wrong first; write it, and say what it is."""
    from cutpoint.cli_stopping import leaving, terminable
    from cutpoint.cli_terminal import progress
    from cutpoint.service.begin import begin
    from cutpoint.service.gather import check_beginning, gather, summary
    from cutpoint.service.place import begun, check_free

    check_beginning(settings, wish, labels)
    check_free(name, files)
    with terminable(), progress(quiet) as tell:
        beginning = gather(settings, wish, labels, tell)
        unfinished = leaving("what is written is kept; the same command goes on") if "://" in name else nullcontext()
        with unfinished, begun(name, files) as (store, arrays):
            begin(store, arrays, beginning, tell)
    _say(summary(beginning), name, as_json=as_json, quiet=quiet)


def _say(about: Summary, name: str, *, as_json: bool, quiet: bool) -> None:
    from cutpoint.cli_stopping import leaving

    with leaving("the campaign is made"):
        say_done(about, lambda: _show(about, name), as_json=as_json, quiet=quiet)


def _show(about: Summary, name: str) -> None:
    from cutpoint.cli_terminal import show
    from cutpoint.words import count

    show(
        f"{about.campaign}: {count(about.items, about.kind)} to label as {', '.join(about.classes)}; {about.source}",
        f"features for the first model: {about.features}",
    )
    if about.unreadable:
        first, more = about.unreadable[:_NAMED], len(about.unreadable) - _NAMED
        named = ", ".join([*first, *([f"and {more:,} more"] if more > 0 else [])])
        show(f"{count(len(about.unreadable), 'picture')} cannot be read, and can be passed: {named}")
    if about.labels:
        show(f"{count(about.labels, 'label')} taken in")
    show(*(f"note: {note}" for note in about.notes))
    where = "ADDRESS" if "://" in name else shlex.quote(name)  # an address may hold a password
    show(f"Now: cutpoint serve {where} --annotators one,two")
