"""Pages from templates. Everything is escaped unless a function of ours drew it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from cutpoint.service.web.gate import House
from cutpoint.words import count

HERE = Path(__file__).parent
STATIC = HERE / "static"
FOR_ANNOTATORS = (("/label", "Label"), ("/mine", "My answers"), ("/dashboard", "Dashboard"))
FOR_ADMINS = (("/dashboard", "Dashboard"), ("/disputes", "Disputes"), ("/admin", "Admin"))
ONLY_ADMINS = frozenset({"/disputes", "/admin"})


class Pages:
    """The templates, and what every page is told: who is there and where they may go."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            auto_reload=False,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["grouped"] = lambda number: f"{number:,}"
        self._templates.filters["many"] = count
        self._templates.filters |= {"rarest": _rarest, "parts": _parts}
        # Read now: a version that is installed while this one serves has other templates.
        self._read = {name: self._templates.get_template(name) for name in self._templates.list_templates()}

    def show(self, request: Request, template: str, **values: Any) -> HTMLResponse:
        """A page for whoever the gate let in."""
        person, admin, here = request.state.person, request.state.admin, request.url.path
        allowed = dict((*(FOR_ANNOTATORS if person else ()), *(FOR_ADMINS if admin else ())))
        whose = admin if here in ONLY_ADMINS else person or admin
        text = self._read[template].render(
            person=person, admin=admin, whose=whose, pages=list(allowed.items()), here=here, **values
        )
        return HTMLResponse(text)

    def tell(self, request: Request, title: str, words: str, status: int) -> HTMLResponse:
        """A page with one sentence, for somebody who cannot go on; with a way back for those who have one."""
        known = request.state.person or request.state.admin
        text = self._read["told.html"].render(title=title, words=words, known=known)
        return HTMLResponse(text, status)

    def open_up(self, address: str) -> HTMLResponse:
        """A page that goes on to another at once, leaving neither its own address nor the token in it behind."""
        return HTMLResponse(self._read["open.html"].render(address=address))


def _rarest(found: Sequence[int]) -> list[int]:
    """The classes by how many were found of each, the fewest first."""
    return sorted(range(len(found)), key=found.__getitem__)


def _parts(name: str) -> list[str]:
    """A name in parts, after each of which a line may end."""
    return re.split(r"(?<=[_/.-])(?=[^_/.-])", name)
