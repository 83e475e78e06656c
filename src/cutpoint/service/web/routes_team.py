"""The campaign over HTTP: dashboard, disputes, links and settings, and the drawings and pictures on the pages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from cutpoint.service.web.front import Front
from cutpoint.service.web.gate import Refused
from cutpoint.service.web.images import Full
from cutpoint.service.web.pages import Pages
from cutpoint.service.web.routes_label import Key, Name, Number
from cutpoint.service.web.visitors import Admin, Visitor


class Wish(BaseModel):
    """What an admin wants. A number is a number, a text a text, and a name that is not known a mistake."""

    model_config = ConfigDict(strict=True, extra="forbid")
    key: Key | None = None  # of a form; what an admin does is done once, however often it is sent


class Judged(Wish):
    """An admin's word on an item, instead of the decision `seen`: its number, 0 for none. Refused if another stands."""

    item: Number
    label: Number
    seen: Annotated[int, Field(ge=0, le=2**53)] = 0


class Released(Wish):
    """A skipped, unsure or broken item that may be asked again."""

    item: Number


class Named(Wish):
    """Somebody who gets a link."""

    annotator: Name
    admin: bool = False


class Revoked(Wish):
    """A link that holds no longer, by its hash."""

    hash: Annotated[str, Field(min_length=64, max_length=64)]


class Ended(Wish):
    """A lease that an admin ends."""

    lease: Name


class Settings(Wish):
    """Settings that change; what is not given, or is the same, stays. A budget of null leaves it to the campaign.

    Their limits are `service.log.settings.LIMITS`.
    """

    budget: int | None = None
    overlap: int | None = None
    lease_seconds: float | None = None
    parallel: int | None = None


class Guideline(Wish):
    """What annotators are told."""

    text: Annotated[str, Field(max_length=50_000)]


class NewClass(Wish):
    """A class that is added; it gets the next number."""

    name: Name


def routes(front: Front, pages: Pages) -> APIRouter:
    """The routes of the team, and of whoever runs the campaign."""
    router = APIRouter()
    _add_looks(router, front, pages)
    _add_rules(router, front, pages)
    return router


def _add_looks(router: APIRouter, front: Front, pages: Pages) -> None:
    @router.get("/dashboard", summary="how the campaign stands", response_class=HTMLResponse)
    def dashboard(request: Request, visitor: Visitor) -> HTMLResponse:
        return pages.show(request, "dashboard.html", **front.dashboard(visitor), **front.campaign())

    @router.get("/api/status", summary="how the campaign stands, as numbers")
    def status(visitor: Visitor) -> dict[str, Any]:
        return front.status(visitor)

    @router.get("/strips/{k}.svg", summary="a class's strip; 204 while there is none", response_class=Response)
    def strip(k: Number, visitor: Visitor, item: Annotated[int | None, Query(ge=0)] = None) -> Response:
        drawn = front.strip(visitor, k, item)
        return Response(status_code=204) if drawn is None else Response(drawn, media_type="image/svg+xml")

    @router.get("/items/{item}/picture", summary="the picture of an item", response_class=Response)
    async def picture(item: Number, _: Visitor, drawn: bool = True) -> Response:
        try:
            shown = await front.pictures.show(item)
        except Full:
            raise Refused(503, "Too many pictures are asked for at a time; ask again in a few seconds.", 4) from None
        if not (shown.whole or drawn):
            return Response(status_code=204, headers={"cache-control": "no-cache"})
        # Kept by the browser, since it is fetched before it is shown; the placeholder only until somebody mends it.
        keep = "private, max-age=3600" if shown.whole else "no-cache"
        return Response(shown.data, media_type=shown.kind, headers={"cache-control": keep})


def _add_rules(router: APIRouter, front: Front, pages: Pages) -> None:
    @router.get("/disputes", summary="items on which people disagree", response_class=HTMLResponse)
    def disputes(request: Request, _: Admin) -> HTMLResponse:
        return pages.show(request, "disputes.html", **front.disputes(), **front.campaign())

    @router.get("/admin", summary="links, leases, held items, settings", response_class=HTMLResponse)
    def admin(request: Request, _: Admin) -> HTMLResponse:
        return pages.show(request, "admin.html", **front.admin(), **front.campaign())

    @router.post("/api/adjudicate", summary="decide an item's label")
    def adjudicate(body: Judged, by: Admin) -> dict[str, Any]:
        return front.adjudicate(by, body.item, body.label, body.seen)

    @router.post("/api/release", summary="let a held item be asked again")
    def release(body: Released, by: Admin) -> dict[str, Any]:
        return front.release(by, body.item)

    @router.post("/api/release_all", summary="let all held items be asked again")
    def release_all(_: Wish, by: Admin) -> dict[str, Any]:
        return front.release_all(by)

    @router.post("/api/end_lease", summary="take an item back from whoever has it")
    def end_lease(body: Ended, _: Admin) -> dict[str, Any]:
        return front.end_lease(body.lease)

    @router.post("/api/links", summary="make a private link; it is shown in this answer and never again")
    def make_link(body: Named, _: Admin) -> dict[str, Any]:
        return front.make_link(body.annotator, body.admin)

    @router.post("/api/revoke", summary="end a link and every session it opened")
    def revoke(body: Revoked, _: Admin) -> dict[str, Any]:
        return front.revoke(body.hash)

    @router.post("/api/settings", summary="change settings")
    def settings(body: Settings, _: Admin) -> dict[str, Any]:
        return front.change(body.model_dump(exclude_unset=True, exclude={"key"}))

    @router.post("/api/guideline", summary="write the guideline anew")
    def guideline(body: Guideline, _: Admin) -> dict[str, Any]:
        return front.write_guideline(body.text)

    @router.post("/api/classes", summary="add a class")
    def add_class(body: NewClass, _: Admin) -> dict[str, Any]:
        return front.add_class(body.name)
