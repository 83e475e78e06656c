"""Who a route is for: an annotator, an admin, or either. What the gate found out, asked for by type."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from cutpoint.service.web.auth import Person

NO_LINK = (
    "Your private link no longer holds, or was not opened in this browser: open it, or ask whoever runs this campaign"
    " for a new one."
)


class Stranger(Exception):
    """Nobody with a session; what to tell them."""


class Elsewhere(Exception):
    """Somebody with a session, and not one that this route is for; what to tell them."""


async def _annotator(request: Request) -> Person:
    person: Person | None = request.state.person
    if person is None and request.state.admin:
        raise Elsewhere("This is for annotators, and your link is an admin's; open an annotator's link to label.")
    if person is None:
        raise Stranger(NO_LINK)
    return person


async def _admin(request: Request) -> Person:
    admin: Person | None = request.state.admin
    if admin is None and request.state.person:
        raise Elsewhere("This is for those who run the campaign, and your link is an annotator's.")
    if admin is None:
        raise Stranger(NO_LINK)
    return admin


async def _visitor(request: Request) -> Person:
    found: Person | None = request.state.admin or request.state.person
    if found is None:
        raise Stranger(NO_LINK)
    return found


Annotator = Annotated[Person, Depends(_annotator)]
Admin = Annotated[Person, Depends(_admin)]
Visitor = Annotated[Person, Depends(_visitor)]
