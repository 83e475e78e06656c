"""Labelling over HTTP: links that open a session, what is next, answers; and the two pages of an annotator.

Answers, passes and undos carry a key of their own, and the same key is taken once, however often it comes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from cutpoint.service.overview.strip_svg import AXIS
from cutpoint.service.web.auth import holder, session_of
from cutpoint.service.web.front import LARGEST_ASK, Front
from cutpoint.service.web.pages import Pages
from cutpoint.service.web.visitors import Annotator, Stranger, Visitor

A_YEAR = 365 * 86400  # seconds that a browser keeps a session; revoking the link ends it at once

Key = Annotated[str, Field(min_length=8, max_length=100, description="unique to this request")]
Number = Annotated[int, Field(ge=0, le=2**31)]  # of an item or a class
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Keyed(BaseModel):
    """What a request carries that is to be told from others like it. A number is a number: true is not item 1."""

    model_config = ConfigDict(strict=True)
    key: Key


class Answered(Keyed):
    """One answer: the class of an item, by its number."""

    item: Number
    label: Number
    lease: Name | None = None


class Passed(Keyed):
    """An item without an answer: skipped, looked at and unsure, or impossible to see."""

    item: Number
    why: Literal["skip", "unsure", "broken"]
    lease: Name | None = None


class Undone(Keyed):
    """An answer or a pass to be taken back."""

    item: Number


class Lease(BaseModel, strict=True):
    """A lease that should last longer."""

    lease: Name


class Leases(BaseModel, strict=True):
    """Leases given back."""

    leases: Annotated[list[Name], Field(max_length=100)]


class Next(BaseModel):
    """What a person is asked now."""

    items: Annotated[list[dict[str, Any]], Field(description="each with its lease, and why, in words and numbers")]
    classes: Annotated[
        list[str],
        Field(description="their names, by number, as they are now: one that is added is the last, none goes away"),
    ]
    reason: Annotated[str, Field(description="why there are fewer than `n`; else empty")]
    open: Annotated[int, Field(description="how many items are with people now")]
    seconds: Annotated[float, Field(description="after which to ask again where there are fewer")]
    progress: dict[str, Any]


class Saved(BaseModel):
    """What became of an answer, a pass or an undo that is on the server's disk."""

    item: Annotated[int, Field(description="the item of the request")]
    status: Annotated[
        Literal["saved", "again", "corrected", "taken back"],
        Field(description="with `item`, proves that it is on the server's disk; nothing else does"),
    ]
    label: Annotated[
        int | None,
        Field(description="the item's label by now, of all that was said of it; null where several answer each item"),
    ]
    late: bool
    disputed: Annotated[
        bool | None, Field(description="whether people differ on it; null where several answer each item")
    ]
    number: Annotated[int, Field(description="of the event in the campaign's log that says so")]
    note: Annotated[str | None, Field(description="a sentence for the person, where there is something to say")]
    lease: Annotated[str | None, Field(description="under which you have the item that you took back")] = None
    seconds: Annotated[float | None, Field(description="for which that lease holds")] = None
    progress: dict[str, Any]


def routes(front: Front, pages: Pages) -> APIRouter:
    """The routes of an annotator."""
    router = APIRouter()
    _add_pages(router, front, pages)
    _add_interface(router, front)
    return router


def _add_pages(router: APIRouter, front: Front, pages: Pages) -> None:
    @router.get("/a/{token}", summary="open a session by a private link", response_class=HTMLResponse)
    def enter(token: str) -> Response:
        person = holder(session_of(token), front.links())
        if person is None:
            raise Stranger("This link does not hold: it was revoked, or not copied whole. Ask for a new one.")
        # The page goes on by itself, and not by a redirect: a browser that came from a message in another site
        # would not send a strict cookie along one.
        answer = pages.open_up("/admin" if person.admin else "/label")
        answer.set_cookie(
            pages.house.cookie_for(person.admin),
            session_of(token),
            max_age=A_YEAR,
            secure=pages.house.secure,
            httponly=True,
            samesite="strict",
        )
        return answer

    @router.get("/label", summary="the labelling page", response_class=HTMLResponse)
    def label(request: Request, person: Annotator) -> HTMLResponse:
        shown = {"progress": front.progress(person), "own": front.views.blind(person), "axis": AXIS}
        return pages.show(request, "label.html", **shown, **front.campaign())

    @router.get("/mine", summary="my answers, to correct or take back", response_class=HTMLResponse)
    def mine(request: Request, person: Annotator, before: Annotated[int | None, Query(ge=0)] = None) -> HTMLResponse:
        return pages.show(request, "mine.html", **front.mine(person, before), **front.campaign())

    @router.get("/guide", summary="the guideline, the classes and the keys", response_class=HTMLResponse)
    def guide(request: Request, _: Visitor) -> HTMLResponse:
        return pages.show(request, "guide.html", **front.campaign())


def _add_interface(router: APIRouter, front: Front) -> None:
    @router.get("/api/next", response_model=Next, summary="the items you hold, and more up to n; never waits")
    def following(person: Annotator, n: Annotated[int, Query(ge=1, le=LARGEST_ASK)] = 2) -> dict[str, Any]:
        return front.next(person, n)

    @router.post("/api/answer", response_model=Saved, summary="answer an item; a second answer corrects the first")
    def answer(body: Answered, person: Annotator) -> dict[str, Any]:
        return front.answer(person, body.item, body.label, body.key)

    @router.post("/api/pass", response_model=Saved, summary="skip an item; say that it is unclear, or broken")
    def passed(body: Passed, person: Annotator) -> dict[str, Any]:
        return front.passed(person, body.item, body.why, body.key)

    @router.post("/api/undo", response_model=Saved, summary="take your answer or pass back")
    def undo(body: Undone, person: Annotator) -> dict[str, Any]:
        return front.take_back(person, body.item, body.key)

    @router.post("/api/extend", summary="keep a lease for longer")
    def extend(body: Lease, person: Annotator) -> dict[str, Any]:
        return front.extend(person, body.lease)

    @router.post("/api/give_back", summary="give leases back to the others")
    def give_back(body: Leases, person: Annotator) -> dict[str, Any]:
        return front.give_back(person, body.leases)
