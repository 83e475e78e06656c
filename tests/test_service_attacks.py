"""What strangers, other pages and annotators have tried against a served campaign, each in a quick form."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from cutpoint.service.web.gate import LARGEST_HEAD, House
from served import Served, serve_in_memory, token


@pytest.fixture
def served() -> Served:
    return serve_in_memory()


@pytest.mark.parametrize("path", ["/healthz", "/label", "/api/next", "/nothing"])
def test_no_cookie_takes_long(served: Served, path: str) -> None:
    cookie = 'x="' + "\\" * (LARGEST_HEAD - 2_000) + '"'  # a minute to Python's parser, which is quadratic
    began = time.process_time()
    answer = served.client().get(path, headers={"cookie": cookie})
    assert answer.status_code != 431
    assert time.process_time() - began < 2


def test_sessions_are_read_beside_any_cookie(served: Served) -> None:
    ada = served.client("ada")
    (own,) = (f"{name}={value}" for name, value in ada.cookies.items())
    ada.cookies.clear()
    for cookie in (f'x="\\\\";{own}', f"{own};x", f" ;; = ;{own}"):
        assert ada.get("/api/next", headers={"cookie": cookie}).status_code == 200


def test_a_head_that_is_too_large_is_refused(served: Served) -> None:
    ada = served.client("ada")
    for refused in (
        ada.get("/healthz", headers={"x-long": "x" * LARGEST_HEAD}),
        ada.get("/api/next?" + "n=1&" * (LARGEST_HEAD // 4)),
    ):
        assert refused.status_code == 431
        assert f"more than {LARGEST_HEAD:,} bytes" in refused.json()["error"]


@pytest.mark.parametrize("path", [f"/a/{token('ada')}/", "/label/", "/api/next/", "/static"])
def test_no_address_with_a_slash_too_many_leads_to_http(path: str) -> None:
    served = serve_in_memory(house=House(frozenset({"127.0.0.1:8000"}), secure=True))
    answer = served.client().get(path, follow_redirects=False)
    assert answer.status_code in (401, 404)
    assert "location" not in answer.headers
