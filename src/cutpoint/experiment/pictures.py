"""Figures as bytes: PNG and SVG files, and SVG that takes a page's own colours and fonts.

The same figure always gives the same bytes. No pyplot, so nothing global is touched. Import this module late:
matplotlib is slow to load.
"""

from __future__ import annotations

import io
import re
from html import escape
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

INK = "#1b2430"
"""Colour of text and axes; pages replace it by their own (`page_svg`)."""
FAINT = "#d9dee5"
"""Colour of grid lines; pages replace it by their own."""


def png(figure: Figure) -> bytes:
    """The figure as PNG on white, sharper where it is small."""
    return _bytes(figure, "png", 160 if figure.get_figwidth() < 12 else 110)


def svg(figure: Figure, name: str) -> str:
    """The figure as SVG on white, text kept as text; `name` keeps the ids of different figures apart."""
    return _bytes(figure, "svg", 72, name).decode()


def page_svg(figure: Figure, name: str, title: str) -> str:
    """The figure as an <svg> element for a page: transparent, in the page's own ink and fonts, any width."""
    text = _bytes(figure, "svg", 72, name, transparent=True).decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = text.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)
    text = re.sub(r"font-family: [^;\"]*(;|(?=\"))", "", text)
    text = text.replace(INK, "currentColor").replace(FAINT, "var(--line)")
    text = re.sub(r'id="(arm-[a-z0-9-]+)"', r'class="\1"', text)
    return re.sub(
        r'\bid="(?!arm-)((?:figure|axes|patch|line2d|text|matplotlib|xtick|ytick|FillBetween)[^"]*)"',
        "",
        text,
    )


def _bytes(figure: Figure, form: str, dpi: int, salt: str = "cutpoint", transparent: bool = False) -> bytes:
    out = io.BytesIO()
    settings: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": salt, "font.family": "sans-serif"}
    with rc_context(settings):
        figure.savefig(
            out,
            format=form,
            dpi=dpi,
            transparent=transparent,
            facecolor="none" if transparent else "white",
            metadata={"Date": None} if form == "svg" else {"Software": None},
        )
    return out.getvalue()


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write the figure to `folder` as NAME.png and NAME.svg."""
    (folder / f"{name}.png").write_bytes(png(figure))
    (folder / f"{name}.svg").write_text(svg(figure, name), encoding="utf-8")
