"""A PostgreSQL for the tests: the one of CUTPOINT_TEST_POSTGRES, or one started on loopback in a temporary folder.

It is started by the first test that needs it, in whichever process that is, and stopped when the run ends. It flushes
to the disk as a real one does (fsync on). As a program, with `start FOLDER` it starts one there and prints its address,
with `stop FOLDER` it stops it.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

ADDRESS = "CUTPOINT_TEST_POSTGRES"
FOLDER = "CUTPOINT_TEST_POSTGRES_FOLDER"  # set for the run, so that its processes share one server
LEFT_OUT = (
    f"no PostgreSQL: set {ADDRESS}=postgresql://user:password@host/database, or install PostgreSQL's server "
    "(Debian: apt-get install postgresql)"
)


@cache
def address() -> str | None:
    """The address of a server's database in which the tests may make schemas; None if there is no server."""
    given = os.environ.get(ADDRESS)
    if given or binaries() is None:
        return given
    folder = Path(os.environ[FOLDER])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        place = folder / "address"
        if not place.exists():
            place.write_text(start(folder))
        return place.read_text()


@contextmanager
def schema(address: str) -> Iterator[str]:
    """The address of an empty schema in a database, which is removed at the end."""
    import psycopg

    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    try:
        yield f"{address}{'&' if '?' in address else '?'}options=-csearch_path%3D{name}"
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA {name} CASCADE")


@contextmanager
def asked(url: str) -> Iterator[Any]:
    """A connection beside a store's own."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def cut_in_commit(beside: Any, arrived: bool) -> Callable[[Any], None]:
    """For SQLAlchemy's event "commit": let the server end that connection, before the commit reaches it or after.

    beside: another connection, which asks the server to.
    """

    def cut(connection: Any) -> None:
        driver = connection.connection.driver_connection
        pid = driver.info.backend_pid
        if arrived:
            driver.execute("COMMIT")
            driver.execute("SELECT 1")  # begins another, so that the driver has something to commit
        beside.execute("SELECT pg_terminate_backend(%s, 120000)", [pid])

    return cut


def binaries() -> Path | None:
    """The folder with initdb and postgres: on the PATH, or else the newest of Debian's."""
    found = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    paths = [path.parent for path in (*debian, *([Path(found)] if found else []))]
    return next((path for path in reversed(paths) if (path / "initdb").exists()), None)


def begin() -> None:
    """Make the folder of this run."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="cutpoint-postgres-")


def end() -> None:
    """Stop the server, if one was started, and remove the folder."""
    folder = Path(os.environ.pop(FOLDER))
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def stop(folder: Path) -> None:
    """Stop the server that was started in a folder, if there is one; nothing of it is kept."""
    data, bin_ = folder / "data", binaries()
    if (data / "postmaster.pid").exists() and bin_ is not None:
        call: list[str | Path] = [bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop"]
        subprocess.run(call, check=True, **_quiet(folder))


def start(folder: Path) -> str:
    """Start a server in an empty folder and wait until it answers; its address."""
    bin_ = binaries()
    assert bin_ is not None
    password, data = secrets.token_hex(8), folder / "data"
    (folder / "password").write_text(password)
    os.chmod(folder / "password", 0o644)  # in a folder that nobody else may enter
    quiet = _quiet(folder)
    options = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}"]
    subprocess.run([bin_ / "initdb", "-D", data, "-U", "cutpoint", "--no-sync", *options], check=True, **quiet)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ["fsync=on", "listen_addresses=127.0.0.1", "unix_socket_directories=''", "max_connections=500"]
    flags = " ".join([f"-p {port}", *(f"-c {setting}" for setting in settings)])
    subprocess.run([bin_ / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", flags, "start"], check=True, **quiet)
    return f"postgresql://cutpoint:{password}@127.0.0.1:{port}/postgres"


def _quiet(folder: Path) -> dict[str, Any]:
    """How its programs are run: in silence and, as they refuse to run as root, as somebody else who owns the folder."""
    how: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    if os.geteuid() != 0:
        return how
    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    somebody = users.get("postgres", users["nobody"])
    os.chown(folder, somebody.pw_uid, somebody.pw_gid)
    return how | {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}


if __name__ == "__main__":
    what, where = sys.argv[1:]
    if what == "start":
        print(start(Path(where)))
    else:
        stop(Path(where))
