"""Tables as values: the same numbers in the terminal, as Markdown, as CSV and as HTML.

CSV holds raw numbers at full precision, empty where there is none; the others say "not reached" or a dash.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table as RichTable

Value = str | float | int | None

FORMATS: Mapping[str, Callable[[float], str]] = {
    "accuracy": lambda v: f"{v:.3f}",
    "error": lambda v: f"± {v:.3f}",
    "difference": lambda v: f"{v:+.3f}".replace("-", "−"),
    "labels": lambda v: f"{v:,.0f}",
    "share": lambda v: f"{100 * v:.0f} %".replace("-", "−"),
    "rate": lambda v: f"{100 * v:.1f} %",
    "p": lambda v: f"{v:.3f}" if v >= 0.0005 else "< .0005",
    "count": lambda v: f"{v:g}",
    "seconds": lambda v: f"{v:.3g}",
    "number": lambda v: f"{v:.3g}",
}
WIDTH = 100
"""Columns of the terminal that tables must fit."""
MISSING = {"labels": "not reached"}


@dataclass(frozen=True)
class Column:
    """A column's title and how its numbers are written: a key of `FORMATS`, or "text"."""

    title: str
    form: str = "text"

    def show(self, value: Value) -> str:
        """The value as people read it."""
        if isinstance(value, str):
            return value
        if value is None or math.isnan(value):
            return MISSING.get(self.form, "–")
        return FORMATS[self.form](value) if self.form in FORMATS else str(value)


@dataclass(frozen=True)
class Table:
    """A table: file name, title, columns, rows of raw values, a note on how to read it.

    strong: the first cell of a row to stress.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""
    strong: str = ""

    def shown(self) -> list[list[str]]:
        """All cells as people read them."""
        return [[column.show(v) for column, v in zip(self.columns, row, strict=True)] for row in self.rows]

    def csv(self) -> str:
        """Raw numbers, comma separated, with a header."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([column.title for column in self.columns])
        for row in self.rows:
            writer.writerow(["" if v is None or (isinstance(v, float) and math.isnan(v)) else v for v in row])
        return out.getvalue()

    def markdown(self) -> str:
        """A Markdown table with its title and note."""
        lines = [f"### {self.title}", ""]
        lines.append(_markdown_row([column.title for column in self.columns]))
        lines.append(_markdown_row(["---" if column.form == "text" else "---:" for column in self.columns]))
        lines += [_markdown_row([f"**{c}**" if row[0] == self.strong else c for c in row]) for row in self.shown()]
        return "\n".join([*lines, "", *([self.note, ""] if self.note else [])])

    def html(self) -> str:
        """A <figure> with the table; wide ones scroll inside it."""
        numeric = ["" if column.form == "text" else ' class="n"' for column in self.columns]
        head = "".join(f"<th{n}>{escape(c.title)}</th>" for c, n in zip(self.columns, numeric, strict=True))
        body = "".join(_html_row(row, numeric, row[0] == self.strong) for row in self.shown())
        note = f"<p class=note>{escape(self.note)}</p>" if self.note else ""
        return (
            f"<figure class=table><figcaption>{escape(self.title)}</figcaption><div class=scroll tabindex=0>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}</figure>"
        )

    def rich(self) -> RichTable:
        """The table for a terminal."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(
            title=Text(self.title, style="bold"),
            caption=Text(self.note, style="dim") if self.note else None,
            box=SIMPLE_HEAD,
            title_justify="left",
            caption_justify="left",
            pad_edge=False,
            padding=(0, 1),
        )
        shown = self.shown()
        columns = list(zip(*([column.title for column in self.columns], *shown), strict=True))
        wide = sum(max(map(len, cells)) + 2 for cells in columns) > WIDTH
        for place, column in enumerate(self.columns):
            words = max(len(word) for cell in columns[place] for word in cell.split(" "))
            least = words if wide and place else None  # titles are wrapped before the first column is
            table.add_column(column.title, justify="left" if column.form == "text" else "right", width=least)
        for row in shown:
            style = "bold" if row[0] == self.strong else ""
            table.add_row(*(Text(cell, style=style) for cell in row))
        return table


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _html_row(row: Sequence[str], numeric: Sequence[str], strong: bool) -> str:
    cells = [f"<th scope=row>{escape(row[0])}</th>"]
    cells += [f"<td{n}>{escape(c)}</td>" for c, n in zip(row[1:], numeric[1:], strict=True)]
    return f"<tr{' class=strong' if strong else ''}>{''.join(cells)}</tr>"
