"""`serve`: the desk with its clock, the training beside it and the HTTP server, until Ctrl-C.

Loopback unless told otherwise. This process imports neither torch nor scikit-learn: models are trained by a process of
its own, which may die at any moment.
"""

from __future__ import annotations

import errno
import logging
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from cutpoint.errors import CutpointError, UsageError
from cutpoint.service.desk.desk import Desk
from cutpoint.service.log.names import check_new_name
from cutpoint.service.place import open_to_work
from cutpoint.service.training.supervisor import LIMIT, TrainerProcess, trainer_command
from cutpoint.service.web.app import create_app
from cutpoint.service.web.auth import Person
from cutpoint.service.web.front import Front
from cutpoint.service.web.gate import House
from cutpoint.service.web.wire import BACKLOG, Connection, take_handles
from cutpoint.store.base import StoreError
from cutpoint.store.opening import note_pictures, noted_pictures
from cutpoint.types import seconds_above_zero

ANYWHERE = ("0.0.0.0", "::", "")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?", re.ASCII)
LOOK = 1.0  # seconds between two looks for new scores and events
SWITCH = 0.0005  # seconds after which a thread that computes lets a request go on; Python's 5 ms add up on its way
_log = logging.getLogger("cutpoint")


@dataclass(frozen=True)
class Where:
    """Where the server is reached. names: other names for it, with a port where a proxy has another one.

    https: a proxy in front of it speaks https, so that cookies are sent over nothing else.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    names: Sequence[str] = ()
    https: bool = False

    def hosts(self, port: int) -> list[str]:
        """Every host with its port under which requests are taken, the one for links first."""
        for name in self.names:
            if not _HOST.fullmatch(name):
                raise UsageError(f"{name!r} is no name of a host; it must be as in label.example.org or name:8443.")
        own = [*LOOPBACK] if self.host in LOOPBACK else [] if self.host in ANYWHERE else [_bracketed(self.host)]
        if not own and not self.names:
            raise UsageError(
                f"the host {self.host or '(empty)'} means every address of this machine; say under which names people"
                " reach it with --names, since requests for other names are refused."
            )
        default = 443 if self.https else 80
        with_port = [name if _has_port(name) else f"{name}:{port}" for name in (*self.names, *own)]
        plain = [name.rpartition(":")[0] for name in with_port if name.endswith(f":{default}")]
        behind = [name for name in self.names if not _has_port(name)] if self.https else []
        return [name.lower() for name in (*behind, *with_port, *plain)]

    def address(self, port: int) -> str:
        """What links begin with."""
        return f"{'https' if self.https else 'http'}://{self.hosts(port)[0]}"

    def said(self, port: int) -> str:
        """The same for whoever starts the server: where a proxy leads to it, also what is behind that."""
        behind = f"{_bracketed('127.0.0.1' if self.host in ANYWHERE else self.host)}:{port}"
        return f"{self.address(port)}{f' (a proxy must pass it on to http://{behind})' if self.https else ''}"


def serve(
    name: str | Path,
    annotators: Sequence[str] = (),
    *,
    where: Where | None = None,
    admins: Sequence[str] = ("admin",),
    new_links: bool = False,
    files: str | Path | None = None,
    pictures: Path | None = None,
    train: bool = True,
    training_limit: float = LIMIT,
    new_round: bool = False,
    say: Callable[[str], None] = print,
    started: Callable[[uvicorn.Server], None] | None = None,
) -> None:
    """Serve a campaign until it is interrupted; says each new private link once, through `say`.

    name: as all commands take it, or an address. new_links: revoke the links of these people and make others.
    pictures: their folder, if it is no longer where the pool was read from; it is noted for the next time.
    training_limit: seconds after which a training is taken for hung. new_round: where the running round cannot be made
    again, end it and begin another. started: told of the server, by which whoever does not run in the main thread can
    stop it. UsageError where the campaign is not there, is served already, or the port is taken.
    """
    where = where or Where()
    _check_names(annotators, admins)
    if pictures is not None and not pictures.is_dir():
        raise UsageError(f"there is no folder {pictures}; give the one in which the pictures are.")
    limit = seconds_above_zero(training_limit, "the limit of a training") if train else None
    sys.setswitchinterval(SWITCH)
    take_handles()
    with ExitStack() as stack:
        where.hosts(where.port)
        listener = stack.enter_context(listening(where.host, where.port))  # first: a port that is taken costs nothing
        port = listener.getsockname()[1]
        front = stack.enter_context(_at_work(name, files, pictures, limit, new_round=new_round))
        server = _Server(_config(front, where, port), lambda: say(_ready(front, where.said(port))), front.close)
        if started is not None:
            started(server)
        with suppress(KeyboardInterrupt):
            people = [*(Person(name, False) for name in annotators), *(Person(name, True) for name in admins)]
            for line in _greetings(front, people, where.address(port), new_links):
                say(line)
            server.run(sockets=[listener])
        say("stopped; everything that was said to be saved is kept")


@contextmanager
def _at_work(
    name: str | Path, files: str | Path | None, pictures: Path | None, limit: float | None, *, new_round: bool
) -> Iterator[Front]:
    """The campaign with its desk, what the pages look at, and the training process, all at work.

    limit: seconds of a training; None for no training process.
    """
    with ExitStack() as stack:
        store, arrays = open_to_work(name, files)
        stack.callback(store.close)
        desk = Desk(store, arrays, new_round=new_round)
        stack.callback(desk.close)
        desk.start()
        if pictures is not None:
            note_pictures(store, pictures.absolute())
        front = Front(desk, store, arrays, folder=noted_pictures(store))
        stack.callback(front.close)
        stack.enter_context(_looking(front))
        if limit is not None:
            command = trainer_command(None if files is None else str(arrays.folder))
            trainer = TrainerProcess(command, desk, url=store.address, limit=limit)
            stack.callback(trainer.stop)
            trainer.start()
        yield front


def _greetings(front: Front, people: Sequence[Person], address: str, new_links: bool) -> Iterator[str]:
    """What is said before the first request; a link is made when its line is."""
    for person in people:
        yield _invitation(front, person, address, new_links)
    if all(link.person.admin for link in front.links()):
        yield "nobody is invited to label yet: --annotators one,two makes a private link for each"
    if address.startswith("http://") and urlsplit(address).hostname not in ("127.0.0.1", "localhost", "::1"):
        yield "links and sessions travel in the clear: only on a network that you trust, or behind a proxy (--https)"
    if lost := front.look_for_pictures():
        yield lost


def _ready(front: Front, address: str) -> str:
    return f"serving {front.campaign()['campaign']} at {address}; Ctrl-C ends it, and nothing is lost"


class _Server(uvicorn.Server):
    """A server that tells when it answers, from when on it hears Ctrl-C itself, and when it is about to end."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready, self._ending = ready, ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is asked already, without pictures that are not there yet, and no more."""
        self._ending()
        await super().shutdown(sockets)


def _config(front: Front, where: Where, port: int) -> uvicorn.Config:
    house = House(frozenset(where.hosts(port)), cookie=f"cutpoint-{port}", secure=where.https)
    return uvicorn.Config(
        create_app(front, house),
        http=Connection,
        ws="none",
        backlog=BACKLOG,
        log_level="error",  # what strangers send is warned of, and would scroll the links away
        access_log=False,  # it would hold every private link that is opened
        server_header=False,
        proxy_headers=False,  # anybody could claim another address
        timeout_keep_alive=65,  # people look at an item for longer than the five seconds of the default
        timeout_graceful_shutdown=5,
        lifespan="off",
    )


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens at a port, 0 for a free one; UsageError if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio send small packets at once; without, each answer waits 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), port))
            listener.listen(socket.SOMAXCONN)  # whoever comes before the application is ready waits
        except OverflowError:
            raise UsageError(f"the port is {port}; it must be 1 to 65535, or 0 for a free one.") from None
        except OSError as error:
            port_s = error.errno in (errno.EADDRINUSE, errno.EACCES)
            remedy = "choose another port, or 0 for a free one" if port_s else "give an address of this machine as host"
            raise UsageError(f"{host}:{port} cannot be listened at ({error.strerror}); {remedy}.") from None
        yield listener


@contextmanager
def _looking(front: Front) -> Iterator[None]:
    """A thread that reads on and sorts new scores, beside the requests; no page waits for it, not even the first."""
    stop = threading.Event()

    def look() -> None:
        behind = ""
        while not stop.is_set():
            try:
                front.refresh()
                behind = ""
            except StoreError:  # a server gone: the desk says so
                pass
            except CutpointError as error:  # a file that is damaged: the pages go on without it
                if str(error) != behind:
                    _log.warning("the strips on the pages are drawn again with the next model, for %s", error)
                behind = str(error)
            stop.wait(LOOK)

    thread = threading.Thread(target=look, name="pages", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _check_names(annotators: Sequence[str], admins: Sequence[str]) -> None:
    """UsageError for what cannot be a name, and for somebody who would be both."""
    for what, names in (("annotators", annotators), ("admins", admins)):
        if not all(name.strip() for name in names):
            raise UsageError(f"one of the {what} has an empty name; give each a name, with commas between, or none.")
        for name in names:
            check_new_name(name, f"one of the {what}")
            if names.count(name) > 1:
                raise UsageError(f"{name!r} is among the {what} twice; give each person a name of their own.")
    for name in annotators:
        if name in admins:
            raise UsageError(
                f"{name!r} is to be an annotator and an admin; a link is for one of them: give the admin another name."
            )


def _invitation(front: Front, person: Person, address: str, new: bool) -> str:
    """What to say of somebody's link, which is made if there is none, or if a new one is wanted."""
    old = [link.hash for link in front.links() if link.person.name == person.name]
    if old and not new:
        if person.admin and not any(link.person.admin for link in front.links() if link.person.name == person.name):
            return (
                f"{person.name}: has an annotator's link already and is no admin; give the admin another name, or add "
                "--new-links, which ends that link and makes one of an admin"
            )
        return f"{person.name}: has a link already, which is kept as a hash alone; --new-links makes another instead"
    if not person.admin and any(link.person.admin for link in front.links() if link.person.name == person.name):
        return f"{person.name}: is an admin, whose links are an admin's; give the annotator another name"
    link = front.make_link(person.name, person.admin, promote=True)["link"]
    for hash in old:  # the new link is there: what they hold stays theirs
        front.revoke(hash)
    return f"{person.name}{' (admin)' if person.admin else ''}: {address}{link}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _has_port(name: str) -> bool:
    return name.rpartition(":")[2].isdigit() and not name.endswith("]")
