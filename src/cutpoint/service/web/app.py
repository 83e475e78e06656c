"""The HTTP application: routes, errors as people and programs can read them, and the gate around all of it.

Nothing here, nor in what it imports, loads torch or scikit-learn: models are trained by a process of their own.
"""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from cutpoint.errors import CutpointError, UsageError
from cutpoint.service.web import routes_label, routes_team
from cutpoint.service.web.front import Front
from cutpoint.service.web.gate import Gate, House
from cutpoint.service.web.pages import STATIC, Pages
from cutpoint.service.web.visitors import Stranger

ABOUT = """Every request needs the session of a private link: its cookie, or the header `Authorization: Bearer TOKEN`
with the token at the end of the link. Requests that change something are JSON. Those of annotators with a `key` are
taken once, however often they are sent; those of admins are done each time."""


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
    )
    pages = Pages(house)

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
    _add_errors(app, pages)
    return app


def _add_errors(app: FastAPI, pages: Pages) -> None:
    """What goes wrong: a page for people, JSON for programs, never a trace of the inside."""

    def told(request: Request, status: int, title: str, words: str) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": words}, status)
        return pages.tell(title, words, status)

    @app.exception_handler(Stranger)
    async def stranger(request: Request, error: Stranger) -> Response:
        return told(request, 401, "This needs your private link", str(error))

    @app.exception_handler(UsageError)
    async def usage(request: Request, error: UsageError) -> Response:
        return told(request, 400, "That cannot be", str(error))

    @app.exception_handler(CutpointError)
    async def failed(request: Request, error: CutpointError) -> Response:
        return told(request, 503, "Not at the moment", str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return told(request, 422, "That cannot be", f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        return told(request, error.status_code, "Not here", str(error.detail))

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return told(request, 500, "Something broke", "The server failed at this; its log says more. Nothing was saved.")
