"""Connections that say nothing, half of something, or too many at a time; and the people's, which go on."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

import uvicorn

from cutpoint.service.web import wire
from cutpoint.service.web.auth import Person
from cutpoint.service.web.server import Where, _config, _Server, listening
from served import Served, key, serve_in_memory, token

SOON = 0.3  # seconds, for what is to end
PATIENCE = 120.0  # for what is to come


@dataclass
class Running:
    """A campaign that is served on a port of its own."""

    served: Served
    server: uvicorn.Server
    port: int

    def open(self, said: bytes = b"") -> socket.socket:
        """A connection over which something was said."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        made.sendall(said)
        return made


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(wire, "WHOLE", PATIENCE)  # no request of a slow machine is cut off
    served = serve_in_memory()
    with listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        server = _Server(_config(served.front, Where(), port), lambda: None, served.front.close)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield Running(served, server, port)
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


def ended(connection: socket.socket) -> bool:
    """Whether the server ends the connection, after a refusal perhaps; TimeoutError where it does not."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionError:
        pass
    return True


HEAD = "POST /api/answer HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nContent-Length: 60\r\n"


@pytest.mark.parametrize("said", ["", "GET / HT", HEAD, HEAD + "\r\n", HEAD + "\r\n{{", "GET / HTTP/1.1\r\n\r\nG"])
def test_a_request_that_is_not_whole_in_time_ends_its_connection(
    running: Running, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "WHOLE", SOON)
    with running.open(said.format(port=running.port, token=token("ada")).encode()) as silent:
        assert ended(silent)
    assert "answered" not in {event.kind for event in running.served.store.events()}


def test_a_byte_now_and_then_keeps_no_connection_open(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "WHOLE", SOON)
    end = time.monotonic() + PATIENCE
    with running.open(b"GET / HTTP/1.1\r\nx: ") as slow, suppress(ConnectionError):
        while time.monotonic() < end:
            slow.sendall(b"x")
            time.sleep(SOON / 10)
    assert time.monotonic() < end


def test_the_peoples_connections_stay(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {token('ada')}", "Content-Type": "application/json"}
    following = running.served.front.next
    limits: list[object] = []

    def note_limit() -> None:
        (connection,) = running.server.server_state.connections
        assert isinstance(connection, wire.Connection)
        limits.append(connection._deadline)

    def answer(person: Person, n: int) -> dict[str, Any]:
        note_limit()
        return following(person, n)

    monkeypatch.setattr(running.served.front, "next", answer)
    ada.connect()
    connection = ada.sock
    for _ in range(2):  # an answer that takes its time, and a while of looking at it
        ada.request("GET", "/api/next", headers=headers)
        (item, *_) = json.loads(ada.getresponse().read())["items"]
        note_limit()
    assert limits == [None] * 4, "neither may end the connection"
    body = json.dumps({"item": item["item"], "label": 1, "key": key()}).encode()
    ada.request("POST", "/api/answer", body[:9], headers | {"Content-Length": str(len(body))})
    ada.send(body[9:])
    assert json.loads(ada.getresponse().read())["status"] == "saved"
    assert ada.sock is connection
    ada.close()


def test_too_many_connections_leave_those_alone_that_are_there(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "most_connections", lambda: 5)
    first = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)
    first.connect()
    with ExitStack() as stack:
        silent = [stack.enter_context(running.open()) for _ in range(10)]
        assert all(ended(one) for one in silent[4:])
        first.request("GET", "/healthz")
        assert first.getresponse().read() == b"ok"
    first.close()


def test_the_rest_of_an_answer_that_nobody_reads_is_given_up(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "STUCK", SOON)
    monkeypatch.setattr(running.served.front, "status", lambda _: {"long": "x" * 20_000_000})
    running.server.config.timeout_keep_alive = 1
    head = f"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nAuthorization: Bearer {token('ada')}"
    with running.open(f"{head}\r\n\r\n".encode()) as deaf:
        assert deaf.recv(1)
        end = time.monotonic() + PATIENCE
        while running.server.server_state.connections:
            assert time.monotonic() < end
            time.sleep(SOON / 10)


def test_the_end_waits_for_no_picture(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def never(_: int) -> tuple[None, str]:
        begun.set()
        assert go_on.wait(PATIENCE)
        return None, ""

    monkeypatch.setattr(running.served.front.pictures, "_place", never)
    running.server.config.timeout_graceful_shutdown = int(PATIENCE)
    ada = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)
    ada.request("GET", "/items/0/picture", headers={"Authorization": f"Bearer {token('ada')}"})
    assert begun.wait(PATIENCE)
    running.server.should_exit = True
    assert ada.getresponse().status == 503
    assert not go_on.is_set()
    go_on.set()
    ada.close()


def test_room_is_left_for_files(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for soft, most in ((256, 128), (1024, 768), (65_536, wire.MOST), (resource.RLIM_INFINITY, wire.MOST)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        assert wire.most_connections() == most
        assert most + wire.BACKLOG < soft or soft < 0


def test_handles_are_taken_as_far_as_the_system_lets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    taken: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: taken.append(limits))
    without = resource.RLIM_INFINITY
    for limits in ((1024, 4096), (1024, 1 << 20), (256, without), (1 << 20, 1 << 20), (without, without)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limits=limits: limits)
        wire.take_handles()
    assert taken == [(4096, 4096), (wire.HANDLES, 1 << 20), (wire.HANDLES, without)]
