"""Downloads from a server on this machine: resumed, checked, and one sentence for all that goes wrong."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from cutpoint.data import download
from cutpoint.data.download import Progress, amount, fetch
from cutpoint.errors import CutpointError, DataError, UsageError
from file_server import Served, serving

DATA = np.random.default_rng(0).bytes(900_000)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between two connections, and no proxy in between."""
    monkeypatch.setattr(download, "WAITS", (0.0,) * 4)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def served() -> Iterator[Served]:
    """A server that gives 900 000 bytes."""
    with serving(Served(DATA)) as whole:
        yield whole


def left(folder: Path) -> dict[str, int]:
    """The files of a folder and their sizes."""
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def test_a_file_is_fetched_checked_and_named_last(served: Served, tmp_path: Path) -> None:
    seen: list[Progress] = []

    def show(now: Progress) -> None:
        assert left(tmp_path / "new" / "root") == {"file.bin.part": now.done}
        seen.append(now)

    path = fetch(served.remote(), tmp_path / "new" / "root", show=show)
    assert path.read_bytes() == DATA
    assert left(path.parent) == {"file.bin": len(DATA)}
    assert seen[-1] == Progress(len(DATA), len(DATA))
    assert [now.done for now in seen] == sorted({now.done for now in seen})
    assert fetch(served.remote(), path.parent) == path
    assert served.asked == [None]


@pytest.mark.parametrize("md5", [True, False])
@pytest.mark.parametrize("length", [True, False])
def test_a_file_is_fetched_whatever_is_said_of_it(served: Served, tmp_path: Path, md5: bool, length: bool) -> None:
    served.length = length
    assert fetch(served.remote(md5=md5), tmp_path).read_bytes() == DATA


def test_a_moved_file_is_found(served: Served, tmp_path: Path) -> None:
    served.url = served.url.replace("file", "moved")
    assert fetch(served.remote(), tmp_path).read_bytes() == DATA


def test_a_broken_connection_is_taken_up_again(served: Served, tmp_path: Path) -> None:
    served.cuts = [300_000, 1, 0, 250_000]
    assert fetch(served.remote(), tmp_path).read_bytes() == DATA
    assert served.asked == [None, *(f"bytes={n}-" for n in (300_000, 300_001, 300_001, 550_001))]


def test_what_breaks_for_good_is_kept_and_gone_on_with(served: Served, tmp_path: Path) -> None:
    served.cuts = [300_000, *[0] * 9]
    said = r"the connection to 127\.0\.0\.1 broke again and again \(it was closed\); 0\.3 MB of file\.bin are kept: the"
    with pytest.raises(DataError, match=said):
        fetch(served.remote(), tmp_path)
    assert left(tmp_path) == {"file.bin.part": 300_000}
    served.cuts = []
    served.asked.clear()
    assert fetch(served.remote(), tmp_path).read_bytes() == DATA
    assert served.asked == ["bytes=300000-"]


def test_an_interrupt_keeps_what_has_come(served: Served, tmp_path: Path) -> None:
    def interrupt(now: Progress) -> None:
        if now.done >= 400_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(served.remote(), tmp_path, show=interrupt)
    kept = left(tmp_path)["file.bin.part"]
    assert 400_000 <= kept < len(DATA)
    assert fetch(served.remote(), tmp_path).read_bytes() == DATA
    assert served.asked == [None, f"bytes={kept}-"]


def test_a_server_without_ranges_begins_anew(served: Served, tmp_path: Path) -> None:
    served.ranges = False
    (tmp_path / "file.bin.part").write_bytes(DATA[:500_000])
    assert fetch(served.remote(), tmp_path).read_bytes() == DATA
    served.cuts = [100_000] * 9
    with pytest.raises(DataError, match=r"broke again and again .* 0\.1 MB of other\.bin are kept"):
        fetch(served.remote("other.bin"), tmp_path)


@pytest.mark.parametrize("refusal", [400, 405, 501])
def test_a_server_that_refuses_ranges_is_asked_for_all(served: Served, tmp_path: Path, refusal: int) -> None:
    served.refusal = refusal
    (tmp_path / "file.bin.part").write_bytes(DATA[:500_000])
    assert fetch(served.remote(), tmp_path).read_bytes() == DATA
    assert served.asked == ["bytes=500000-", None]


def test_what_has_come_is_kept_where_the_server_refuses_everything(served: Served, tmp_path: Path) -> None:
    served.status = 400
    (tmp_path / "file.bin.part").write_bytes(DATA[:500_000])
    with pytest.raises(DataError, match=r"answers 400 \(.+\); try again later"):
        fetch(served.remote(), tmp_path)
    assert left(tmp_path) == {"file.bin.part": 500_000}


def test_a_file_that_cannot_be_gone_on_with_is_fetched_from_its_start(tmp_path: Path) -> None:
    """As CodaLab gives folders: packed while they are sent, so that nobody knows the size before, and in one piece."""
    seen: list[Progress] = []
    (tmp_path / "file.bin.part").write_bytes(b"of an earlier time")
    with serving(Served(DATA, refusal=400, chunked=True, cuts=[300_000, 100_000])) as served:
        remote = replace(served.remote(md5=False), size=800_000, ranges=False)
        assert fetch(remote, tmp_path, show=seen.append).read_bytes() == DATA
    assert served.asked == [None] * 3
    assert seen[0].total == 800_000  # about: what is known of it
    assert seen[-1] == Progress(len(DATA), len(DATA))


@pytest.mark.parametrize("chunked", [True, False])
def test_nothing_is_kept_or_promised_of_a_file_that_cannot_be_gone_on_with(tmp_path: Path, chunked: bool) -> None:
    cuts = [100_000 * k for k in (1, 2, 3, 4, 5)]  # further each time, and still not for ever
    with serving(Served(DATA, chunked=chunked, cuts=[*cuts])) as served:
        refuses_to_go_on(served, tmp_path)
    assert served.asked == [None] * (len(cuts) + 1)


def refuses_to_go_on(served: Served, tmp_path: Path) -> None:
    remote = replace(served.remote(md5=False), ranges=False)
    said = (
        r"again and again \(it was closed\); its server gives file\.bin in one piece only: the same command begins anew"
    )
    with pytest.raises(DataError, match=said):
        fetch(remote, tmp_path)
    assert left(tmp_path) == {}

    def interrupt(_now: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(remote, tmp_path, show=interrupt)
    assert left(tmp_path) == {}


@pytest.mark.parametrize(
    ("begun", "md5"),
    [(DATA + b"more", True), (DATA + b"more", False), (b"other" * 1000, True), (b"x" * len(DATA), True)],
    ids=["too much", "too much, no checksum", "another beginning", "all of another"],
)
def test_a_strange_beginning_does_no_harm(served: Served, tmp_path: Path, begun: bytes, md5: bool) -> None:
    (tmp_path / "file.bin.part").write_bytes(begun)
    assert fetch(served.remote(md5=md5), tmp_path).read_bytes() == DATA
    assert left(tmp_path) == {"file.bin": len(DATA)}


def test_a_part_that_is_whole_is_not_fetched_again(served: Served, tmp_path: Path) -> None:
    for md5 in (True, False):
        (tmp_path / f"{md5}.part").write_bytes(DATA)
        assert fetch(served.remote(str(md5), md5=md5), tmp_path).read_bytes() == DATA
    assert served.asked == [f"bytes={len(DATA)}-"]  # where no checksum says that it is whole, the server does


def test_a_wrong_checksum_is_said_and_the_file_put_aside(served: Served, tmp_path: Path) -> None:
    wrong = replace(served.remote(), md5="0" * 32)
    found = hashlib.md5(DATA).hexdigest()
    said = rf"the checksum \(md5\) of .* is {found} and must be 0{{32}}; what http.* gave is kept as file\.bin\.damaged"
    with pytest.raises(DataError, match=said):
        fetch(wrong, tmp_path)
    assert left(tmp_path) == {"file.bin.damaged": len(DATA)}
    (tmp_path / "file.bin").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"file\.bin has 4 bytes and must have 900000; it was left as it is: move it"):
        fetch(served.remote(), tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == b"mine"


@pytest.mark.parametrize("length", [True, False])
def test_another_file_than_the_published_one_is_refused(served: Served, tmp_path: Path, length: bool) -> None:
    remote = served.remote()
    served.length = length
    served.data = DATA + b"more"
    said = r"offers 900004 bytes, and file\.bin has 900000: it is another" if length else "has 9.* must have 900000"
    with pytest.raises(DataError, match=said):
        fetch(remote, tmp_path)
    assert "file.bin" not in left(tmp_path)


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_an_answer_that_is_an_error_is_said(served: Served, tmp_path: Path, status: int) -> None:
    served.status = status
    with pytest.raises(DataError, match=rf"answers {status} \(.+\); try again later, or look for a new address"):
        fetch(served.remote(), tmp_path)
    assert left(tmp_path) == {}
    assert len(served.asked) == 1


@pytest.fixture
def port_of_nobody() -> Iterator[int]:
    """A port at which nobody listens, and that nobody else is given meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_no_network_is_one_sentence_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port_of_nobody: int
) -> None:
    remote = replace(Served(DATA, url=f"http://127.0.0.1:{port_of_nobody}/file").remote())
    monkeypatch.setattr(download, "WAITS", (100.0,))
    with pytest.raises(
        DataError, match=r"127\.0\.0\.1 cannot be reached \(Connection refused\); see to the network, or"
    ):
        fetch(remote, tmp_path)
    (tmp_path / "file.bin.part").write_bytes(b"some")
    with pytest.raises(DataError, match=r"cannot be reached \(.*\); 4 bytes of file\.bin are kept: the same command"):
        fetch(remote, tmp_path)

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DataError, match=r"cannot be reached \(Name or service not known\)"):
        fetch(replace(remote, name="other.bin"), tmp_path)


def test_a_server_that_is_silent_is_asked_again(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.5)
    served.silent = 1
    assert fetch(served.remote(), tmp_path).read_bytes() == DATA
    assert len(served.asked) > 1


def test_a_server_that_stays_silent_is_told_apart_from_one_that_is_not_there(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.05)
    served.silent = 99
    with pytest.raises(DataError, match=r"127\.0\.0\.1 is there and sends nothing \(timed out\); try again later, or"):
        fetch(served.remote(), tmp_path)
    assert left(tmp_path) == {}


def test_a_server_that_packs_what_it_sends_has_longer_to_begin(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.05)
    served.delay = 0.5
    assert fetch(replace(served.remote(md5=False), ranges=False), tmp_path).read_bytes() == DATA
    assert served.asked == [None]


class Usage(NamedTuple):
    """What shutil.disk_usage gives."""

    total: int
    used: int
    free: int


def test_a_disk_without_room_is_seen_before(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 100 * 2**20 + len(DATA)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(0, 0, free))
    with pytest.raises(DataError, match=r"has 105\.8 MB free, and file\.bin needs 2\.1 GB more; make room"):
        fetch(served.remote(), tmp_path, spare=2 * 10**9)
    assert fetch(served.remote(), tmp_path).read_bytes() == DATA
    free -= 1
    said = r"make room, or give another folder with --data-root; what has come is kept: the same command goes on from"
    with pytest.raises(DataError, match=said):
        fetch(served.remote("other.bin"), tmp_path)


def test_a_disk_that_gets_full_keeps_what_has_come(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """A file that takes 500 000 bytes."""

        def __init__(self, file: Any) -> None:
            self.file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def write(self, data: memoryview) -> int:
            room = 500_000 - self.file.tell()
            if room <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return int(self.file.write(data[:room]))

    fill = download._fill
    monkeypatch.setattr(download, "_fill", lambda file, *rest: fill(Full(file), *rest))  # type: ignore[arg-type]  # it acts as one
    with pytest.raises(
        DataError, match=r"cannot be written on \(No space left on device\); make room, or give another"
    ):
        fetch(served.remote(), tmp_path)
    assert left(tmp_path) == {"file.bin.part": 500_000}
    monkeypatch.setattr(download, "_fill", fill)
    assert fetch(served.remote(), tmp_path).read_bytes() == DATA


def test_two_fetches_of_one_file_do_not_mix(served: Served, tmp_path: Path) -> None:
    def second(_now: Progress) -> None:
        with pytest.raises(UsageError, match=r"another process is fetching .*file\.bin\.part; wait for it, or stop it"):
            fetch(served.remote(), tmp_path)

    assert fetch(served.remote(), tmp_path, show=second).read_bytes() == DATA


def test_a_folder_that_cannot_be_written_is_said(served: Served, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CutpointError, match=r"cannot be written \(.+\); give another folder with --data-root"):
        fetch(served.remote(), tmp_path / "file" / "root")


def test_bytes_are_written_for_people() -> None:
    assert [amount(n) for n in (61, 170_498_071, 53_893_324_800)] == ["61 bytes", "170.5 MB", "53.9 GB"]
