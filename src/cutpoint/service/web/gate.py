"""The gate in front of every route: host, origin, who it is, how often, how large; and the headers of every answer.

A plain ASGI wrapper, a few dictionary look-ups a request. What it lets through carries `state["person"]` (the session
of an annotator) and `state["admin"]` (that of an admin), each None where there is no such session.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.exceptions import HTTPException

from cutpoint.service.web.auth import Limit, Link, Person, holder, session_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 65_536  # bytes; an answer takes 200, a guideline a few thousand
LARGEST_HEAD = 32_768  # bytes of address and headers; a browser's are 1,000, and cookies of others on the same host
FOR = "x-cutpoint-for"
"""The header by which a page says whose it is, percent-encoded: the browser may have opened another's link since."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_PAGE = '<!doctype html>\n<html lang="en"><head><title>Cutpoint</title></head><body><p>{words}</p></body></html>\n'


@dataclass(frozen=True)
class House:
    """What the server was told about itself.

    hosts: the names, with their ports, under which it may be reached; anything else is a page that rebinds a name of
    its own to this address. cookie: the first part of its cookies' names, since cookies do not tell ports apart.
    secure: reached by https. requests: a person's limit; strangers: that of senders without a session.
    """

    hosts: frozenset[str]
    cookie: str = "cutpoint"
    secure: bool = False
    requests: Limit = field(default_factory=lambda: Limit(20, 120))
    strangers: Limit = field(default_factory=lambda: Limit(0.5, 30))

    def cookie_for(self, admin: bool) -> str:
        """The name of a cookie: an admin who also labels has both in one browser."""
        return f"{self.cookie}_admin" if admin else self.cookie


class Refused(HTTPException):
    """A request that goes no further: its status, what to tell, and the seconds to wait if waiting helps."""

    def __init__(self, status: int, told: str, wait: float = 0.0) -> None:
        super().__init__(status, told, {"retry-after": str(int(wait) + 1)} if wait else None)


class Gate:
    """Wraps an application; `links` gives the live links at the moment of each request."""

    def __init__(self, app: ASGIApp, house: House, links: Callable[[], Iterable[Link]]) -> None:
        self.app, self.house, self.links = app, house, links

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, then hand it on; the headers of `HEADERS` go with whatever comes back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_kept(message["headers"])]}
            await send(message)

        try:
            self._check(scope, headers)
            await self.app(scope, _Measured(receive), send_with_headers)
        except Refused as refused:
            page = "text/html" in headers.get("accept", "") and not scope["path"].startswith("/api/")
            await _tell(refused, send_with_headers, page=page)

    def _check(self, scope: Scope, headers: dict[str, str]) -> None:
        """Refuse what must not go on; note who is asking."""
        house, safe = self.house, scope["method"] in SAFE
        if headers.get("host", "").lower() not in house.hosts:
            raise Refused(421, "This server does not go by that name; use the address that `cutpoint serve` printed.")
        if len(scope["raw_path"]) + len(scope["query_string"]) + _size(scope["headers"]) > LARGEST_HEAD:
            raise Refused(431, f"The address and the headers of the request take more than {LARGEST_HEAD:,} bytes.")
        self._check_site(scope["path"], headers)
        person, admin, bearer = self._who(headers)
        scope.setdefault("state", {}).update(person=person, admin=admin)
        # What is behind the gate sees no cookies: the parsers of Python and of Starlette may take minutes over one.
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        page, here = unquote(headers.get(FOR, "")), {known.name for known in (person, admin) if known}
        if page and here and page not in here:
            raise Refused(403, "This page is another person's: this browser has opened a link of somebody else since.")
        if not safe:
            self._check_origin(headers, bearer)
            length = headers.get("content-length", "").lstrip("0")
            if len(length) > len(str(LARGEST_BODY)) or (length.isdecimal() and int(length) > LARGEST_BODY):
                raise _too_large()
        if scope["path"].startswith("/static/") or scope["path"] == "/healthz":
            return
        known = person or admin
        address = (scope.get("client") or ("unknown", 0))[0]
        wait = house.requests.wait(f"{known.admin}:{known.name}") if known else house.strangers.wait(address)
        if wait and not (known is None and self._opens(scope["path"])):
            raise Refused(429, "Too many requests; wait a moment.", wait)

    def _opens(self, path: str) -> bool:
        """Whether this is a link that is good: strangers who use up their share must not keep people out."""
        token = path.removeprefix("/a/")
        return token != path and holder(session_of(token), self.links()) is not None

    def _check_site(self, path: str, headers: dict[str, str]) -> None:
        """Pages of others may lead to a page here, and neither show nor fetch anything: also what is got may do more.

        Cookies do not tell ports apart, and so come along from another server on the same host.
        """
        if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            return
        leads = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "document") == "document"
        if path.startswith("/api/") or not leads:
            raise Refused(403, "This request does not come from the server's own pages.")

    def _check_origin(self, headers: dict[str, str], bearer: bool) -> None:
        """A browser says where a request comes from; a program that shows its token need not."""
        origin = headers.get("origin")
        scheme = "https" if self.house.secure else "http"
        if origin is None and bearer:
            return
        if origin is None or origin.lower() not in {f"{scheme}://{host}" for host in self.house.hosts}:
            raise Refused(403, "This request does not come from the server's own pages.")

    def _who(self, headers: dict[str, str]) -> tuple[Person | None, Person | None, bool]:
        """The annotator's session, the admin's, and whether a token was shown instead of a cookie."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            found = holder(session_of(token.strip()), self.links())
            sessions = [found]
        else:
            sessions = [self._cookie(headers, admin) for admin in (False, True)]
        people = {person.admin: person for person in sessions if person is not None}
        return people.get(False), people.get(True), kind.lower() == "bearer"

    def _cookie(self, headers: dict[str, str], admin: bool) -> Person | None:
        # Of one pass, and bears what others on the same host have set; a session is hexadecimal, and never quoted.
        cookies = dict(part.strip().partition("=")[::2] for part in headers.get("cookie", "").split(";"))
        session = cookies.get(self.house.cookie_for(admin))
        found = holder(session, self.links()) if session else None
        return found if found is not None and found.admin == admin else None


class _Measured:
    """Receives a body and stops at the largest that is taken, whatever its length was said to be."""

    def __init__(self, receive: Receive) -> None:
        self.receive, self.taken = receive, 0

    async def __call__(self) -> Message:
        message = await self.receive()
        self.taken += len(message.get("body", b""))
        if self.taken > LARGEST_BODY:
            raise _too_large()
        return message


def _too_large() -> Refused:
    return Refused(413, f"The request is larger than {LARGEST_BODY:,} bytes.")


def _size(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)


def _kept(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers to add: all of `HEADERS`, and no-store where a route says nothing of its own."""
    names = {name.lower() for name, _ in given}
    store = [] if b"cache-control" in names else [(b"cache-control", b"no-store")]
    return [*HEADERS, *store]


async def _tell(refused: Refused, send: Send, *, page: bool) -> None:
    """Say why a request goes no further: to a browser that goes somewhere by a page, to all others by JSON."""
    kind, text = "application/json", json.dumps({"error": refused.detail})
    if page:
        kind, text = "text/html; charset=utf-8", _PAGE.format(words=escape(refused.detail))
    body = text.encode()
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in (refused.headers or {}).items()]
    await send({"type": "http.response.start", "status": refused.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
