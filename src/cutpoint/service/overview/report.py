"""A campaign as one HTML page: nothing is fetched, no script runs, and everything that people wrote is escaped.

The strips, the curve and the sheet are those of the server's own pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files as resources
from pathlib import Path

from cutpoint.errors import DataError
from cutpoint.service.log.state import State
from cutpoint.service.overview.agreement import AGREEMENT, Agreement, agreement
from cutpoint.service.overview.curve_svg import curve_svg
from cutpoint.service.overview.diary import EACH, KNOWN, MEASURES, SECONDS_EACH, Diary, curve, table_of, title_of
from cutpoint.service.overview.found import TITLES, note_of, per_cent, row_of
from cutpoint.service.overview.sentences import CORRECTED, PEOPLE, asking, model, sentence, warnings
from cutpoint.service.overview.standing import Standing, read
from cutpoint.service.overview.strip_svg import LEGEND, ends_of
from cutpoint.service.overview.strips import Strips
from cutpoint.store.base import Store
from cutpoint.store.files import ArrayFiles

MOST = 50  # disputed items on the page
MOST_PEOPLE, MOST_CLASSES = 12, 12  # of tables of what people take for what
HEAD = '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="Cutpoint">'
"""What every report begins with, and nothing else does."""
NUMBER = ' class="n"'

Cell = str | int


def page(store: Store, files: ArrayFiles) -> str:
    """The whole page as text; O(events), and a sort of the pool for each class."""
    board, now = read(store)
    state, diary, strips = board.state, Diary(), Strips(files)
    diary.follow(store)
    made, agreed = state.made, agreement(state)
    parts = [
        _top(now),
        _section("found", "Found", _found(now)),
        _section("strips", "Where each class ends", _strips(strips, state)),
        _section("curve", "What the model has learned", _curve(diary, now)),
        _section("people", "People", _people(now, diary, agreed)),
        _section("confusion", "Who takes what for what", _confusion(state, agreed)),
        _section("disputed", "Disputed", _disputed(store, state, agreed)),
        _section("settings", "Settings", _settings(state)),
    ]
    css = resources("cutpoint.service.web").joinpath("static/style.css").read_text(encoding="utf-8")
    return (
        f'{HEAD}<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Campaign: {escape(made.name)}</title><style>{css}</style></head>"
        f'<body><main class="page">{"".join(parts)}</main></body></html>\n'
    )


def is_report(path: Path) -> bool:
    """Whether a file is a report of a campaign."""
    with path.open("rb") as file:
        return file.read(len(HEAD)) == HEAD.encode()


def _top(now: Standing) -> str:
    said = now.status
    cards = [(rate.found, rate.name) for rate in now.rates]
    shown = "".join(f'<div class="card"><b>{n:,}</b><span><bdi>{escape(text)}</bdi></span></div>' for n, text in cards)
    amiss = "".join(f'<p class="warn">{escape(words)}</p>' for words in warnings(said))
    words = f'<h1>{escape(said.name)}</h1><p class="soft">{escape(sentence(said))}</p>'
    return f'{words}{amiss}<div class="cards">{shown}</div>'


def _section(name: str, title: str, body: str) -> str:
    return f'<section id="{name}"><h2>{title}</h2>{body}</section>'


def _found(now: Standing) -> str:
    titles = [TITLES[0], *(f"#{title}" for title in TITLES[1:])]
    return _table(titles, [row_of(rate) for rate in now.rates], note_of(now.rates))


def _strips(strips: Strips, state: State) -> str:
    try:
        strips.refresh(state)
    except DataError as error:
        lost = f"No strips: the scores of model {state.runs.scores[-1]['version']} cannot be read: {error}"
        return f'<p class="warn">{escape(lost)}</p>'
    names = state.made.classes
    answers = strips.answers(strips.news(state))
    drawn = [strips.draw(k, names, answers) for k in range(min(len(strips), len(names)))]
    if not drawn:
        return '<p class="soft">The strips appear with the first trained model.</p>'
    cards = "".join(
        f'<section class="card"><header><h3><span class="dot c{strip.k % 10}"></span><bdi>{escape(strip.name)}</bdi>'
        f'</h3><span class="small">{escape(strip.words)}</span></header>{strip.svg}{ends_of(strip.name)}</section>'
        for strip in drawn
    )
    legend = "".join(f"<span>{words}</span>" for words in LEGEND)
    return f'<div class="strips">{cards}</div><p class="legend">{legend}</p>'


def _curve(diary: Diary, now: Standing) -> str:
    """The curve of each measure that is known to be a share, and a table of all models, the newest first."""
    drawn = ""
    for name, words in MEASURES.items():
        points = curve(diary.points, name)
        if len(points) > 1:
            title = title_of(name)
            inner = f"<h3>{title.capitalize()}</h3>{curve_svg(points, title)}"
            drawn += f'<div class="card">{inner}<p class="small soft">{words}</p></div>'
    titles, rows = table_of(diary.points[::-1], now.status.classes)
    columns = [title if title == EACH else f"#{title}" for title in titles]
    said = f"Questions: {asking(now.status)}.", f"Model: {model(now.status)}."
    words = "".join(f"<p>{escape(line)}</p>" for line in said)
    return f"{words}{drawn}{_table(columns, rows, KNOWN) if rows else ''}"


def _people(now: Standing, diary: Diary, agreed: Agreement) -> str:
    rows: list[Sequence[Cell]] = []
    for person in now.status.people:
        seconds = diary.pace(person.name).seconds()
        same, others = agreed.agreed.get(person.name, (0, 0))
        share = f"{100 * same / others:.0f} % of {others:,}" if others else "–"
        rows.append(
            (
                *(person.name, person.answers, person.corrected, person.passed, person.late, share),
                "–" if seconds is None else f"{seconds:.1f}",
            )
        )
    if not rows:
        return '<p class="soft">Nobody has answered yet.</p>'
    columns = ["name", "#answers", "#corrected", "#passed", "#late", "#agreement", "#seconds each"]
    return _table(columns, rows, f"{PEOPLE} {CORRECTED} {AGREEMENT} {SECONDS_EACH}")


def _confusion(state: State, agreed: Agreement) -> str:
    """A table for each of the people who shared most: rows the class that was there, columns what they said."""
    most = sorted(range(len(agreed.people)), key=lambda a: -agreed.agreed[agreed.people[a]][1])[:MOST_PEOPLE]
    if not most or len(state.made.classes) > MOST_CLASSES:
        said = f"More than {MOST_CLASSES} classes do not fit here" if most else "No item has answers of several people"
        return f'<p class="soft">{said}.</p>'
    tables = ""
    for a in most:
        rows = [
            (name, *(per_cent(share if agreed.seen[a, k] else None) for share in agreed.confusion[a, k]))
            for k, name in enumerate(state.made.classes)
        ]
        columns = ["there is", *(f"#says {name}" for name in state.made.classes)]
        tables += f"<h3><bdi>{escape(agreed.people[a])}</bdi></h3>{_table(columns, rows)}"
    note = (
        "Estimated from the items that several people answered (Dawid and Skene, 1979): nobody knows what was there, "
        "but who is how often of another opinion than those who are mostly right says much. With few shared items it "
        "says little."
    )
    return f'{tables}<p class="small soft">{note}</p>'


def _disputed(store: Store, state: State, agreed: Agreement) -> str:
    ballots, names = state.ballots, state.made.classes
    picked = list(ballots.disputes)[:MOST]
    if not picked:
        return '<p class="soft">People differ on no item that is not decided.</p>'
    rows = []
    for item in store.items(picked):
        said = (f"{names[label]} ({who or 'imported'})" for who, label in ballots.votes[item.index].items())
        other = agreed.weighed.get(item.index)
        weighed = "" if other is None else names[other]
        rows.append((item.id, ", ".join(said), names[ballots.label(item.index)], weighed))
    more = len(ballots.disputes) - len(picked)
    note = (
        "Weighed: what the answers clearly say if each person's count by how reliable they are, where that is not the "
        f"label; the model learns {'this instead' if state.made.overlap > 1 else 'the label all the same'}."
    )
    return _table(["item", "said", "label", "weighed"], rows, f"{note} And {more:,} more." if more else note)


def _settings(state: State) -> str:
    made = state.made
    rows: list[Sequence[Cell]] = [
        ("strategy", made.strategy),
        ("model", made.learner),
        ("seed", made.seed),
        ("questions at random first", made.first),
        ("items between trainings", made.budget or f"{made.interval(state.ballots.n_settled)} now"),
        ("people an item", made.overlap),
        ("minutes a question is kept", f"{made.lease_seconds / 60:g}"),
        *(("pool", f"{pool['count']:,}{_from(pool['source'])}") for _, pool in state.pools),
        ("events", f"{state.number:,}"),
    ]
    guideline = f'<h3>Guideline</h3><p class="guide">{escape(made.guideline)}</p>' if made.guideline else ""
    return _table(["setting", "value"], rows) + guideline


def _from(source: str) -> str:
    """Where a pool is from, without the folders above, which are its owner's alone."""
    return f" from {Path(source).name}" if source else ""


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]], note: str = "") -> str:
    """A table; columns that begin with # hold numbers."""
    numbers = [NUMBER if name.startswith("#") else ' class="wide"' for name in columns]
    head = "".join(f"<th{n}>{escape(name.lstrip('#'))}</th>" for name, n in zip(columns, numbers, strict=True))
    body = "".join(f"<tr>{''.join(_cells(row, numbers))}</tr>" for row in rows)
    said = f'<p class="small soft">{escape(note)}</p>' if note else ""
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{said}'


def _cells(row: Sequence[Cell], numbers: Sequence[str]) -> Iterator[str]:
    for cell, n in zip(row, numbers, strict=True):
        text = f"{cell:,}" if isinstance(cell, int) else escape(cell)
        yield f"<td{n}>{text}</td>" if n == NUMBER else f"<td{n}><bdi>{text}</bdi></td>"
