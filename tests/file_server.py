"""A server on this machine that gives one file, well or badly: for the tests of downloads."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cutpoint.data.sources import Remote


@dataclass
class Served:
    """What is given and how.

    `cuts`: after how many bytes each connection breaks, in order, None where it does not; `ranges`: whether bytes from
    the middle on are given; `refusal`: an error to answer with where they are asked for; `length`: whether the size is
    said; `chunked`: it is not, but where the data ends is; `status`: an error to answer with always; `wait`: seconds
    between two pieces of 64 KiB; `silent`: how many requests are taken and never answered; `delay`: seconds before an
    answer.
    """

    data: bytes
    cuts: list[int | None] = field(default_factory=list)
    ranges: bool = True
    refusal: int = 0
    length: bool = True
    chunked: bool = False
    status: int = 200
    wait: float = 0.0
    silent: int = 0
    delay: float = 0.0
    url: str = ""
    asked: list[str | None] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def remote(self, name: str = "file.bin", *, md5: bool = True) -> Remote:
        """Its entry in a table of sources."""
        return Remote(name, self.url, len(self.data), hashlib.md5(self.data).hexdigest() if md5 else None)


@contextmanager
def serving(served: Served) -> Iterator[Served]:
    """Serve it on a free port of this machine, its address filled in."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if served.chunked else "HTTP/1.0"

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            served.asked.append(wanted)
            if len(served.asked) <= served.silent:
                served.stopped.wait()
            served.stopped.wait(served.delay)
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", served.url.replace("moved", "file"))
                self.end_headers()
                return
            if wanted and served.refusal:
                self.send_error(served.refusal, "Range not supported")
                return
            begin = int(re.fullmatch(r"bytes=(\d+)-", wanted or "bytes=0-")[1]) if served.ranges else 0  # type: ignore[index]  # it matches, or the test fails
            if served.status != 200:
                self.send_error(served.status)
                return
            if begin >= len(served.data) > 0:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(served.data)}")
                self.end_headers()
                return
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(served.data) - 1}/{len(served.data)}")
            if served.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            elif served.length:
                self.send_header("Content-Length", str(len(served.data) - begin))
            self.end_headers()
            self.give(served.data[begin:])

        def give(self, data: bytes) -> None:
            """Write the body until it is over, or the connection is to break."""
            cut = served.cuts.pop(0) if served.cuts else None
            data = data if cut is None else data[:cut]
            for place in range(0, len(data), 1 << 16):
                piece = data[place : place + (1 << 16)]
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if served.chunked else piece)
                if served.wait and served.stopped.wait(served.wait):
                    break
            if served.chunked and cut is None:
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away is what some tests are about."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}/file"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield served
        finally:
            served.stopped.set()
            server.shutdown()
            thread.join()
