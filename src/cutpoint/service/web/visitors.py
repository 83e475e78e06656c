"""Who a route is for: an annotator, an admin, or either. What the gate found out, asked for by type."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from cutpoint.service.web.auth import Person


class Stranger(Exception):
    """Nobody with a session that this route is for; what to tell them."""


async def _annotator(request: Request) -> Person:
    person: Person | None = request.state.person
    if person is None:
        raise Stranger("Open your private link again; this page is for annotators.")
    return person


async def _admin(request: Request) -> Person:
    admin: Person | None = request.state.admin
    if admin is None:
        raise Stranger("Open an admin's private link; this page is for admins.")
    return admin


async def _visitor(request: Request) -> Person:
    found: Person | None = request.state.admin or request.state.person
    if found is None:
        raise Stranger("Open your private link again; this page is for the people of this campaign.")
    return found


Annotator = Annotated[Person, Depends(_annotator)]
Admin = Annotated[Person, Depends(_admin)]
Visitor = Annotated[Person, Depends(_visitor)]
