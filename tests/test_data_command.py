"""`cutpoint data list`, `fetch` and `check`, against a server on this machine; and what is unpacked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint import cli_data
from cutpoint.cli import run_cli
from cutpoint.data import DataOptions, download, load_benchmark
from cutpoint.data.obtain import holdings, obtain
from cutpoint.data.sources import SOURCES
from cutpoint.data.table_1 import TABLE_1, Row
from cutpoint.errors import DataError
from file_server import Served, serving
from toy_sets import cifar10_archive, cifar10_parts, fmow_files, iwildcam_files, put, shrink, svhn_files, tar_gz

Serve = Callable[..., list[Served]]
TESTS = Path(__file__).parent


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Table 1 for small sets, no waiting, no proxy, no data root but the one that is given."""
    monkeypatch.setattr(download, "WAITS", (0.0,) * 4)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("CUTPOINT_DATA", raising=False)
    shrink(
        monkeypatch,
        imb_cifar10_2=Row(40, 2, ".1111", (4, 36), 20),
        imb_cifar10_3=Row(40, 3, ".1250", (4, 4, 32), 20),
        imb_svhn_2=Row(30, 2, ".1111", (3, 27), 20),
        fmow=Row(62, 62, "1.00"),
        iwildcam=Row(32, 14, ".3333"),
    )


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serve files as those of a source, which is then fetched from this machine."""
    with ExitStack() as stack:

        def serve_files(key: str, *files: bytes, md5: bool = True) -> list[Served]:
            served = [stack.enter_context(serving(Served(data))) for data in files]
            remotes = tuple(
                replace(one.remote(old.name, md5=md5), ranges=old.ranges)
                for one, old in zip(served, SOURCES[key].files, strict=True)
            )
            unpacked = 1000 if SOURCES[key].unpacked else 0
            monkeypatch.setitem(SOURCES, key, replace(SOURCES[key], files=remotes, unpacked=unpacked))
            return served

        yield serve_files


def archived(tmp_path: Path, files: dict[str, bytes]) -> bytes:
    """The bytes of a .tar.gz."""
    return tar_gz(tmp_path / "archive.tar.gz", files).read_bytes()


def test_cifar_is_fetched_checked_and_loaded(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (served,) = serve("imb-cifar10", cifar10_archive(tmp_path).read_bytes())
    served.cuts = [50_000]
    root = tmp_path / "root"
    assert run_cli(["data", "fetch", "imb-cifar10-3", "--data-root", str(root)]) == 0
    said = "40 examples, 3 classes (4/4/32), gamma 0.125, 20 test examples; checksums as published\n"
    assert capsys.readouterr().out == f"fetched: imb-cifar10-3: {said}"
    assert [path.name for path in root.iterdir()] == ["cifar-10-python.tar.gz"]
    assert served.asked == [None, "bytes=50000-"]
    monkeypatch.setenv("CUTPOINT_DATA", str(root))
    assert run_cli(["data", "fetch", "imb-cifar10"]) == 0
    assert capsys.readouterr().out.startswith("already there: imb-cifar10: 40 examples, 2 classes (4/36)")
    assert run_cli(["data", "check", "-q"]) == 0
    assert run_cli(["data", "check"]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["imb-cifar10-2", "imb-cifar10-3"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Path.unlink, r"batches-py has no data_batch_3; it is incomplete"),
        (lambda path: path.write_bytes(b""), r"data_batch_3 cannot be read \(.*\); it is damaged"),
    ],
    ids=["missing", "empty"],
)
def test_an_incomplete_folder_of_cifar_gives_way_to_the_archive(
    serve: Serve, tmp_path: Path, damage: Callable[[Path], object], said: str
) -> None:
    archive = cifar10_archive(tmp_path).read_bytes()
    root = tmp_path / "root"
    folder = put(root / "cifar-10-batches-py", cifar10_parts())
    damage(folder / "data_batch_3")
    with pytest.raises(DataError, match=rf"{said}.*: move it away, and fetch it again"):
        load_benchmark("imb-cifar10-2", DataOptions(root=root))
    (served,) = serve("imb-cifar10", archive)
    for asked in (1, 1):  # fetched, and then there
        assert run_cli(["data", "fetch", "imb-cifar10-2", "-q", "--data-root", str(root)]) == 0
        assert len(served.asked) == asked
        assert load_benchmark("imb-cifar10-2", DataOptions(root=root)).pool.n_examples == 40


def test_a_folder_that_is_in_the_way_is_said_before_anything_is_fetched(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = put(tmp_path / "fmow_v1.1", fmow_files() | {"rgb_metadata.csv": b""})
    (served,) = serve("fmow", b"an archive", md5=False)
    fetch = ["data", "fetch", "fmow", "--data-root", str(tmp_path)]
    assert run_cli(fetch) == 2
    said = f"{folder} is there and its rgb_metadata.csv is missing or empty, so it is not whole; move it away, and run"
    assert said in capsys.readouterr().err
    put(folder, {"rgb_metadata.csv": b"split,category"})
    assert run_cli(fetch) == 2  # what is damaged otherwise, the loader says
    assert "has no column timestamp; it is not WILDS' table: move the folder away, and" in capsys.readouterr().err
    assert served.asked == []


def test_what_comes_in_one_piece_is_said_before(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = archived(tmp_path, fmow_files())
    (served,) = serve("fmow", data, md5=False)
    fetch = ["data", "fetch", "fmow", "--data-root", str(tmp_path / "root")]
    said = f"fmow_v1.1.tar.gz (about {download.amount(len(data))}): its server gives it in one piece only, so"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(download, "_write", interrupt)
        assert run_cli(fetch) == 130
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith(said)
    assert last == "interrupted: files that had come whole are kept, and the same command goes on from there."
    assert run_cli(fetch) == 0
    assert capsys.readouterr().err.splitlines() == [first]
    assert run_cli(fetch) == 0
    assert capsys.readouterr().err == ""
    assert served.asked == [None, None]


def test_both_files_of_svhn_are_fetched_and_the_one_that_is_there_is_left(serve: Serve, tmp_path: Path) -> None:
    svhn_files(tmp_path)
    train, test = ((tmp_path / f"{part}_32x32.mat").read_bytes() for part in ("train", "test"))
    served = serve("imb-svhn", train, test)
    (tmp_path / "test_32x32.mat").unlink()
    assert run_cli(["data", "fetch", "imb-svhn-2", "-q", "--data-root", str(tmp_path)]) == 0
    assert [len(one.asked) for one in served] == [0, 1]
    assert (tmp_path / "test_32x32.mat").read_bytes() == test


@pytest.mark.parametrize("top", ["", "./", "fmow_v1.1/"])
def test_fmow_is_unpacked_and_its_archive_deleted(serve: Serve, tmp_path: Path, top: str) -> None:
    files = {f"{top}{name}": data for name, data in fmow_files().items()}
    serve("fmow", archived(tmp_path, files), md5=False)
    root = tmp_path / "root"
    seen: list[str] = []
    assert obtain("fmow", root, lambda what, now: seen.append(f"{what} {now.done <= now.total}"))
    assert {path.name for path in root.iterdir()} == {"fmow_v1.1"}
    assert set(seen) == {"fetching fmow_v1.1.tar.gz True", "unpacking fmow_v1.1.tar.gz True"}
    assert run_cli(["data", "check", "fmow", "--data-root", str(root)]) == 0
    assert not obtain("fmow", root)


def test_a_missing_or_empty_picture_is_found_by_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = put(tmp_path / "iwildcam_v2.0", iwildcam_files())
    assert run_cli(["data", "check", "iwildcam", "--data-root", str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("16 test examples; all pictures are there\n")
    (folder / "train" / "train-3.jpg").unlink()
    (folder / "train" / "train-5.jpg").write_bytes(b"")
    assert run_cli(["data", "check", "iwildcam", "--data-root", str(tmp_path)]) == 2
    assert "train-3.jpg is missing or empty, and so are 1 more of 32 pictures; move" in capsys.readouterr().err


def test_check_names_all_that_are_wrong(serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serve("imb-cifar10", cifar10_archive(tmp_path).read_bytes())
    put(tmp_path / "iwildcam_v2.0", iwildcam_files(pool=33))
    svhn_files(tmp_path)
    assert run_cli(["data", "check", "--data-root", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert err.startswith(
        f"error: 3 of 5 data sets in {tmp_path} are not what they must be (imb-svhn-2, imb-svhn-3, iw"
    )
    assert "imb-svhn-2: WRONG: " in out
    assert "has 40 bytes and must have" not in out
    assert "iwildcam: WRONG: " in out
    assert "33 examples in the pool; Table 1 of the paper has 32" in out
    assert out.count("checksums as published") == 2
    assert run_cli(["data", "check", "imb-svhn-3", "--data-root", str(tmp_path)]) == 2
    said = f"train_32x32.mat away, and fetch it again: `cutpoint data fetch imb-svhn-3 --data-root {tmp_path}`."
    assert said in capsys.readouterr().err


def test_the_unpacked_folder_of_cifar_is_compared_file_by_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = cifar10_parts()
    put(tmp_path / "cifar-10-batches-py", parts)
    whole = replace(SOURCES["imb-cifar10"], members={name: md5(data) for name, data in parts.items()})
    monkeypatch.setitem(SOURCES, "imb-cifar10", whole)
    assert run_cli(["data", "check", "imb-cifar10-2", "--data-root", str(tmp_path)]) == 0
    (tmp_path / "cifar-10-batches-py" / "data_batch_4").write_bytes(parts["data_batch_5"])
    assert run_cli(["data", "check", "imb-cifar10-2", "--data-root", str(tmp_path)]) == 2
    assert "the checksum (md5) of " in capsys.readouterr().err


def md5(data: bytes) -> str:
    import hashlib

    return hashlib.md5(data).hexdigest()


def test_the_list_has_every_set_of_table_1_and_fits_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cifar10_archive(tmp_path)
    (tmp_path / "ham10000_64.npz").touch()
    assert run_cli(["data", "list", "--json", "--data-root", str(tmp_path)]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(TABLE_1) < set(rows)
    here = {name for name, row in rows.items() if row["here"]}
    assert here == {"imb-cifar10-2", "imb-cifar10-3", "ham10000-pictures"}
    assert rows["fmow"]["files"] == ["fmow_v1.1"]
    assert rows["imb-cifar10-2"]["urls"] == ["https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"]
    assert run_cli(["data", "list", "--data-root", str(tmp_path)]) == 0
    said = f"the files are there, and were not checked: cutpoint data check --data-root {tmp_path}"
    assert said in capsys.readouterr().out
    assert run_cli(["data", "list", "--data-root", "nope"]) == 0
    assert "Data root: nope (no such folder)" in capsys.readouterr().out
    assert run_cli(["data", "list"]) == 0
    out = capsys.readouterr().out
    assert "were not checked" not in out
    assert "digits-2" in out
    assert all(name in out for name in TABLE_1)
    assert max(map(len, out.splitlines())) <= 100
    assert not any(row.here for row in holdings(None))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fetch", "imb-cifar10-2"], "no data root is given; name a folder with --data-root or CUTPOINT_DATA"),
        (["check"], "no data root is given"),
        (["fetch", "mnist", "--data-root", "x"], "no address is known of a data set 'mnist'; choose one of"),
        (["fetch", "digits-2", "--data-root", "x"], "digits-2 needs no fetch: it is made where it is used"),
        (["fetch", "fmow", "drawn-3", "--data-root", "x"], "drawn-3 needs no fetch"),  # before anything is fetched
        (["fetch", "ham10000", "--data-root", "x"], "ham10000 has no address; whoever has its file ham10000_features"),
        (["check", "--data-root", "x"], "the data root x is no folder; give the one that holds the data sets"),
        (["check", "imb-svhn-2", "--data-root", "."], "fetch it with `cutpoint data fetch imb-svhn-2 --data-root .`"),
        (["check", "nothing", "--data-root", "."], "there is no data set 'nothing'"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["data", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


def test_several_are_fetched_in_one_go(serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (served,) = serve("imb-cifar10", cifar10_archive(tmp_path).read_bytes())
    root = tmp_path / "root"
    assert run_cli(["data", "fetch", "imb-cifar10-2", "imb-cifar10-3", "--data-root", str(root)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert (first.split(": ")[:2], second.split(": ")[:2]) == (
        ["fetched", "imb-cifar10-2"],
        ["already there", "imb-cifar10-3"],
    )
    assert served.asked == [None]


def test_an_empty_root_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["data", "check", "--data-root", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("none of the data sets is in")


def test_the_time_left_is_said_now_and_then(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (served,) = serve("imb-cifar10", cifar10_archive(tmp_path).read_bytes())
    served.wait = 0.01
    monkeypatch.setattr(cli_data, "EVERY", 0.0)
    assert run_cli(["data", "fetch", "imb-cifar10-2", "--data-root", str(tmp_path / "root")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("fetching cifar-10-python.tar.gz: ") for line in lines)
    assert lines[-1].endswith(" of 0.2 MB, 0:00 left")


FETCH = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from dataclasses import replace
from cutpoint.cli import main
from cutpoint.data.sources import SOURCES, Remote
url, size, md5 = sys.argv.pop(1), int(sys.argv.pop(1)), sys.argv.pop(1)
SOURCES["imb-cifar10"] = replace(
    SOURCES["imb-cifar10"], files=(Remote("cifar-10-python.tar.gz", url, size, md5),)
)
sys.argv[0] = "cutpoint"
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_a_stopped_fetch_goes_on_where_it_was(tmp_path: Path, number: signal.Signals) -> None:
    data = cifar10_archive(tmp_path, n_train=1000).read_bytes()
    root = tmp_path / "root"
    with serving(Served(data, wait=0.05)) as served:
        remote = served.remote()
        call = [sys.executable, "-c", FETCH, str(TESTS), served.url, str(remote.size), str(remote.md5)]
        process = subprocess.Popen(
            [*call, "data", "fetch", "imb-cifar10-2", "--data-root", str(root)],
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background may ignore it
        )
        part = root / "cifar-10-python.tar.gz.part"
        deadline = time.monotonic() + 300
        while not (part.exists() and part.stat().st_size > 200_000):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        _, said = process.communicate(timeout=300)
        if number == signal.SIGINT:
            assert process.returncode == 130
            assert said == "interrupted: what has come is kept; the same command goes on from there.\n"
        kept = part.stat().st_size
        assert 200_000 < kept < len(data)
        served.wait = 0
        path = download.fetch(replace(remote, name="cifar-10-python.tar.gz"), root)
        assert path.read_bytes() == data
        assert served.asked[-1] == f"bytes={kept}-"


@pytest.mark.parametrize("place", [0.0, 0.3, 0.95, -5])
def test_a_truncated_archive_is_kept_and_its_folder_not_made(serve: Serve, tmp_path: Path, place: float) -> None:
    noise = {f"images/{i}.png": np.random.default_rng(i).bytes(3000) for i in range(20)}
    data = archived(tmp_path, fmow_files(n_classes=3) | noise)
    cut = data[: int(place * len(data))] if place >= 0 else data[: int(place)]
    serve("fmow", cut or b"x", md5=False)
    root = tmp_path / "root"
    for _ in range(2):
        with pytest.raises(
            DataError, match=r"fmow_v1\.1\.tar\.gz cannot be unpacked \(.+\); it is truncated or damaged"
        ):
            obtain("fmow", root)
    assert not (root / "fmow_v1.1").exists()
    (root / "fmow_v1.1.tar.gz").unlink()
    serve("fmow", data, md5=False)
    assert obtain("fmow", root)
    assert {path.name for path in root.iterdir()} == {"fmow_v1.1"}


def test_the_table_of_sources_is_well_formed() -> None:
    names = [remote.name for source in SOURCES.values() for remote in source.files]
    assert len(names) == len(set(names))
    for source in SOURCES.values():
        assert all(remote.url.startswith(("https://", "http://ufldl.stanford.edu/")) for remote in source.files)
        sums: list[Any] = [remote.md5 for remote in source.files if remote.md5] + list(source.members.values())
        assert all(len(each) == 32 and int(each, 16) for each in sums)
        assert bool(sums) != bool(source.unpacked)  # WILDS publishes no checksum
