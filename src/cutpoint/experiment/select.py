"""One round for people with a model of their own: scores and labels in, a sheet of questions out.

Two ways. *In one batch* (no `parallel`): all questions at once, and no answer is waited for. The plan is driven with
every question closed unanswered, so DIRECT does not narrow: it spends phase 1 spread over the version space that the
labels leave, and phase 2 at the threshold that they suggest. *In steps* (`parallel` n): the sheet holds the questions
that are open now; people fill its label column, the same command adds the next ones, until the budget is spent. A step
has n questions at most, and fewer where a class's share of the budget ends. Strategies that do not learn within a
round, such as margin, open all at once either way.

The sheet is the whole state. A round is a function of scores, labels, strategy, budget, parallel and seed;
the answers in the sheet, by its column `order`, are the log. A sheet that does not fit is refused and left as it is,
whether anything in it is answered or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cutpoint.data.sheets import ARRAYS, SKIP, Scored, read_labels, read_scores, read_sheet, sheet_text
from cutpoint.data.whole import check_place
from cutpoint.errors import UsageError, no_such
from cutpoint.experiment.heard import heard
from cutpoint.session import Session
from cutpoint.strategies import STRATEGIES
from cutpoint.types import UNKNOWN, Round, whole_number
from cutpoint.words import count

COLUMNS = ("order", "index", "label")


@dataclass(frozen=True)
class Asked:
    """How a round stands: questions in the sheet, how many are answered or skipped, and whether all is asked.

    notes: sentences on what the caller may not have meant.
    """

    questions: int
    closed: int
    complete: bool
    notes: tuple[str, ...] = ()

    @property
    def open(self) -> int:
        """Questions that wait for an answer."""
        return self.questions - self.closed


def select(
    scores: Path,
    labels: Sequence[Path],
    output: Path,
    *,
    strategy: str = "direct",
    budget: int = 100,
    parallel: int | None = None,
    seed: int = 0,
) -> Asked:
    """Write the questions of a round to `output`, keeping the answers that are already there."""
    if strategy not in STRATEGIES:
        raise no_such("strategy", strategy, STRATEGIES)
    scored = read_scores(scores)
    _check_needs(strategy, scores, scored)
    header, rows = _sheet(output, labels)
    budget = whole_number(budget, "budget", 1)
    now = Round(scored.scores, read_labels(labels, scored), budget, budget if parallel is None else parallel, seed)
    answers = [_answer(scored, row, f"{output}, question {number}") for number, row in enumerate(rows, 1)]
    unfilled = [*_unfilled(labels, scored), *_unanswered(output, answers)]
    with heard() as said:
        session = Session(STRATEGIES[strategy].strategy, now)
        notes = _notes(scores, scored.unread, strategy, session, parallel)
        if parallel is None:
            _close_all(session)
        else:
            _replay(session, answers)
    asked = session.asked.tolist()
    closed = sum(label is not None for _, label in answers)
    _check_fit(output, [i for i, _ in answers], asked, closed, session.ask(1).tolist())
    rows += [_question(scored, place, i) for place, i in enumerate(asked[len(rows) :], len(rows) + 1)]
    names = ["order", "index", *(["id"] if scored.ids else []), "label"]
    names += [name for name in header if name not in names]
    _write(output, sheet_text(names, rows))
    return Asked(len(asked), closed, len(asked) == min(budget, len(now.unlabelled())), (*unfilled, *notes, *said))


def _check_needs(strategy: str, path: Path, scored: Scored) -> None:
    """UsageError if the strategy reads arrays that the scores file does not hold."""
    missing = [
        name for name in ARRAYS if name in STRATEGIES[strategy].needs and getattr(scored.scores, name, None) is None
    ]
    if missing:
        arrays = ", ".join(f"{name}={name}" for name in ARRAYS if name in {*STRATEGIES[strategy].needs, "probs"})
        others = f" (it holds {', '.join(scored.unread)}, which nothing reads)" if scored.unread else ""
        raise UsageError(
            f"{strategy} reads {' and '.join(missing)}, and {path} has no {' and no '.join(missing)}{others}; save it"
            f" with np.savez(path, {arrays}), or choose another strategy."
        )


def _write(output: Path, text: str) -> None:
    from cutpoint.data.whole import write_atomically

    try:
        write_atomically(output, lambda file: file.write(text.encode()))
    except OSError as error:
        raise UsageError(f"{output} cannot be written ({error.strerror}); give another with -o.") from None


def _notes(
    scores: Path, unread: Sequence[str], strategy: str, session: Session, parallel: int | None
) -> tuple[str, ...]:
    notes = []
    if unread:
        notes.append(
            f"{scores}: {', '.join(unread)} {'is' if len(unread) == 1 else 'are'} not read; known are"
            f" {', '.join(ARRAYS)}."
        )
    left, budget = len(session.round.unlabelled()), session.round.budget
    if 0 < left < budget:
        notes.append(
            f"budget is {budget}, and {count(left, 'example')} without a label {'is' if left == 1 else 'are'}"
            " left: all are asked."
        )
    if parallel is not None and len(session.wanted) > parallel:
        notes.append(f"{strategy} does not learn within a round: it asks all at once, whatever --parallel is.")
    return tuple(notes)


def _unfilled(labels: Sequence[Path], scored: Scored) -> Iterator[str]:
    """What to say of files of labels in which nobody has written one, and of sheets that are filled in part."""
    for path in labels:
        header, rows = read_sheet(path)
        texts = [row["label"].strip() for row in rows]
        blank = sum(text.lower() != SKIP and scored.label(text, f"{path}") == UNKNOWN for text in texts)
        if blank and blank == len(rows):
            yield (
                f"none of the {count(blank, 'row')} of {path} has a label; what it asks may be asked again: fill its"
                " column label, save it as CSV and run the command again."
            )
        elif blank and set(COLUMNS) <= set(header):
            asked, have = count(len(rows), "question"), "has" if blank == 1 else "have"
            yield f"{blank:,} of the {asked} of {path} {have} no answer yet, and may be asked again."


def _unanswered(output: Path, answers: Sequence[tuple[int, int | str | None]]) -> Iterator[str]:
    """What to say of a sheet that is handed in as it was handed out."""
    if answers and all(label is None for _, label in answers):
        questions = count(len(answers), "question")
        yield f"{output} was there, and none of its {questions} has an answer: fill its column label and save it first."


def _sheet(output: Path, labels: Sequence[Path]) -> tuple[list[str], list[dict[str, str]]]:
    """What is in the output already, by `order`: nothing, or a sheet of ours, never another file of the user's."""
    if output.is_dir():
        raise UsageError(f"{output} is a folder; give a file for the questions with -o.")
    if not output.exists():
        check_place(output)
        return [], []
    header, rows = read_sheet(output)
    if not set(COLUMNS) <= set(header) or output.resolve() in [p.resolve() for p in labels]:
        raise UsageError(f"{output} exists and is no sheet of questions of this round; give another file with -o.")
    return header, _in_order(output, rows)


def _in_order(output: Path, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows as they were asked, however a spreadsheet has sorted them."""
    by_order = {row["order"].strip().removesuffix(".0"): row for row in rows}
    places = [str(place) for place in range(1, len(rows) + 1)]
    missing = next((place for place in places if place not in by_order), None)
    if missing is not None:
        raise UsageError(
            f"{output} has {count(len(rows), 'question')} and none whose order is {missing}; order must be"
            f" 1..{len(rows)}, each once: put the rows and their order back as they were."
        )
    return [by_order[place] | {"order": place} for place in places]


def _answer(scored: Scored, row: dict[str, str], place: str) -> tuple[int, int | str | None]:
    """(index, label) of a sheet's row: None where it is not answered, "skip" where it is closed without a label."""
    text = row["label"].strip()
    i = scored.example(row, place)
    label: int | str = SKIP if text.lower() == SKIP else scored.label(text, place)
    return i, None if label == UNKNOWN else label


def _close_all(session: Session) -> None:
    while not session.done:
        for i in session.wanted.tolist():
            session.skip(i)


def _replay(session: Session, answers: Sequence[tuple[int, int | str | None]]) -> None:
    still: set[int] = set()
    for i, label in answers:
        if i not in still:
            still = set(session.wanted.tolist())
        if i not in still:  # not of this round: `_check_fit` will say so
            return
        if label == SKIP:
            session.skip(i)
        elif isinstance(label, int):
            session.tell(i, label)


def _check_fit(
    output: Path, written: Sequence[int], asked: Sequence[int], closed: int, first_open: Sequence[int]
) -> None:
    """UsageError if the sheet holds other questions than this round's."""
    if list(written) == list(asked[: len(written)]):
        return
    if not closed:
        raise UsageError(
            f"{output} holds {count(len(written), 'unanswered question')} of another round; give another file with -o,"
            " or delete it."
        )
    if first_open and list(asked) == list(written[: len(asked)]):
        place = asked.index(first_open[0])
        raise UsageError(
            f"{output}: question {place + 1} (example {first_open[0]}) has no answer, and question {len(asked) + 1} can"
            " only follow when all before it are answered; fill it in again as it was (or skip), or, if the sheet"
            " was begun with other options, use those."
        )
    place = next((p for p, (w, a) in enumerate(zip(written, asked, strict=False)) if w != a), len(asked))
    here = f"asks {asked[place]} there" if place < len(asked) else "has no such question"
    raise UsageError(
        f"{output} holds {count(closed, 'answer')} and belongs to another round, or an earlier answer was changed:"
        f" its question {place + 1} is example {written[place]}, and this command {here}; use the scores, labels,"
        " strategy, budget, parallel, seed and answers that it was begun with, or give another file with -o."
    )


def _question(scored: Scored, order: int, i: int) -> dict[str, str]:
    return {"order": str(order), "index": str(i), "id": scored.shown_id(i), "label": ""}
