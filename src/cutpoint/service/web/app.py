"""The HTTP application: routes, errors as people and programs can read them, and the gate around all of it.

Nothing here, nor in what it imports, loads torch or scikit-learn: models are trained by a process of their own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from cutpoint.errors import CutpointError, UsageError
from cutpoint.service.web import routes_label, routes_team
from cutpoint.service.web.front import Front
from cutpoint.service.web.gate import Gate, House
from cutpoint.service.web.pages import STATIC, Pages
from cutpoint.service.web.visitors import Elsewhere, Stranger
from cutpoint.store.base import Unreachable

ABOUT = """Every request needs the session of a private link: its cookie, or the header `Authorization: Bearer TOKEN`
with the token at the end of the link. Requests that change something are JSON. Those of annotators with a `key` are
taken once, however often they are sent; what an admin asks for twice is as if it was asked for once, but that every
`/api/links` makes a link. An answer, pass or undo is on the server's disk if and only if its answer is a `Saved`: 200,
with the `item` of the request, a `status` and a `number`. Whatever is refused has a sentence in `error`."""
AMISS = (
    "The server cannot read or store anything at this moment. There is nothing to do: what was said is sent again by"
    " itself. If this goes on, tell whoever runs the campaign, who can see why."
)
"""What annotators are told of a failure of the store: where it lies is for admins, and for the log."""
TRY_AGAIN = 5  # seconds after which a request that could not be stored may be sent again
_log = logging.getLogger("cutpoint")


class Told(BaseModel):
    """Why a request was refused."""

    error: str


def create_app(front: Front, house: House) -> Gate:
    """The application over a campaign, behind its gate; see `serve` for all that runs beside it."""
    return Gate(create_routes(front, house), house, front.links)


def create_routes(front: Front, house: House) -> FastAPI:
    """The routes alone. The gate stands around them, and not among them, so that what breaks goes through it, too."""
    app = FastAPI(
        title="Cutpoint",
        version=version("cutpoint"),
        description=ABOUT,
        docs_url=None,  # its page fetches scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,  # it would send a private link to http, where a proxy speaks https
        responses={"4XX": {"model": Told}, "5XX": {"model": Told}},
    )
    pages = Pages(house)

    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz", summary="whether the server is there", response_class=PlainTextResponse)
    async def healthz() -> str:
        return "ok"

    @app.get("/", include_in_schema=False)
    async def home(request: Request) -> Response:
        place = "/label" if request.state.person else "/dashboard"
        return Response(status_code=303, headers={"location": place})

    app.include_router(routes_label.routes(front, pages))
    app.include_router(routes_team.routes(front, pages))
    app.mount("/static", StaticFiles(directory=STATIC))
    _add_errors(app, _teller(pages))
    return app


def _teller(pages: Pages) -> Callable[..., Response]:
    """How an error is told: by a page to browsers that go somewhere, by JSON to all others."""

    def told(
        request: Request, status: int, title: str, words: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
        answer = pages.tell(request, title, words, status) if page else JSONResponse({"error": words}, status)
        answer.headers.update(headers or {})
        return answer

    return told


def _add_errors(app: FastAPI, told: Callable[..., Response]) -> None:
    """What goes wrong, in words, and never a trace of the inside."""

    @app.exception_handler(Stranger)
    async def stranger(request: Request, error: Stranger) -> Response:
        return told(request, 401, "This needs your private link", str(error))

    @app.exception_handler(Elsewhere)
    async def elsewhere(request: Request, error: Elsewhere) -> Response:
        return told(request, 403, "Not for this link", str(error))

    @app.exception_handler(UsageError)
    async def usage(request: Request, error: UsageError) -> Response:
        return told(request, 400, "That cannot be", str(error))

    @app.exception_handler(CutpointError)
    async def failed(request: Request, error: CutpointError) -> Response:
        if not isinstance(error, Unreachable):  # the desk says so, once
            _log.error("a request failed: %s", error)  # not which one: its address may be a private link
        words = str(error) if request.state.admin else AMISS
        return told(request, 503, "Not at the moment", words, {"retry-after": str(TRY_AGAIN)})

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return told(request, 422, "That cannot be", f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        words = f"There is no page {request.url.path}." if error.status_code == 404 else str(error.detail)
        return told(request, error.status_code, "Not here", words, error.headers)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return told(request, 500, "Something broke", "The server failed at this; its log says more. Nothing was saved.")
