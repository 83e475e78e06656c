"""`serve` as people run it: a process of its own, with a trainer beside it, ended by Ctrl-C and started again."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")
pytest.importorskip("httpx2")

import httpx2
from PIL import Image

from campaign_command import command
from cutpoint.data.pools.bring import Wish
from cutpoint.errors import DataError, UsageError
from cutpoint.service.begin import begin
from cutpoint.service.desk.desk import Desk
from cutpoint.service.gather import gather
from cutpoint.service.log.settings import Settings
from cutpoint.service.training.supervisor import LIMIT
from cutpoint.service.web.auth import Person
from cutpoint.service.web.front import Front
from cutpoint.service.web.images import CANNOT
from cutpoint.service.web.server import Where, _at_work, _invitation, listening, serve
from cutpoint.store.base import Item
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from cutpoint.store.memory import MemoryStore
from cutpoint.store.opening import open_files, open_store
from desks import until
from served import serve_in_memory

N = 120
PATIENCE = 300.0  # seconds for what takes three on an idle machine


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    """A campaign on disk: rows of two numbers in two classes, with features, 8 answers between trainings."""
    path = tmp_path / "dots.db"
    store = open_store(path, create=True)
    files = open_files(store)
    x = np.random.default_rng(0).normal(size=(N, 2)).astype(np.float32)
    store.append([Settings("dots", ("left", "right"), first=8, budget=8).created()])
    items = [Item(i, f"dot-{i}", {"row": {"x": float(a), "y": float(b)}}) for i, (a, b) in enumerate(x)]
    pool = {"first": 0, "count": N, "source": "drawn", "features": files.put("features", x)}
    store.add_items(items, New("pool_added", pool))
    store.close()
    return path


@contextmanager
def served(path: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A process that serves, and what it said until it was ready; ended by Ctrl-C."""
    code = (
        "import sys; from pathlib import Path; from cutpoint.service.web.server import Where, serve;"
        "serve(Path(sys.argv[1]), ['ada'], where=Where(port=0), say=lambda line: print(line, flush=True),"
        f"{','.join(options)})"
    )
    command = [sys.executable, "-c", code, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("serving"):
                break
        assert lines, process.stderr.read()
        yield process, lines
    finally:
        process.send_signal(signal.SIGINT)
        try:
            code_ = process.wait(PATIENCE)
        finally:
            process.kill()
            errors = process.stderr.read()
            process.stdout.close()
            process.stderr.close()
    assert code_ == 0, errors
    assert "Traceback" not in errors, errors


def links(lines: list[str]) -> dict[str, str]:
    """Each person's link among what was said."""
    return dict(re.findall(r"^(\w+).*: (http\S+)$", "\n".join(lines), re.MULTILINE))


def client(link: str) -> httpx2.Client:
    """A browser that has opened a link."""
    address, _, token = link.partition("/a/")
    opened = httpx2.Client(base_url=address, headers={"origin": address}, timeout=PATIENCE)
    opened.headers["authorization"] = f"Bearer {token}"
    return opened


def wait_for(told: httpx2.Client, key: str, value: object) -> None:
    """Wait until the campaign's status has a value."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        status = told.get("/api/status").json()
        if status[key] == value:
            return
        time.sleep(0.1)
    pytest.fail(f"{key} is not {value} after {PATIENCE} s: {status}")


def answer(ada: httpx2.Client, n: int, prefix: str) -> None:
    """Give n answers, each to what is asked then."""
    for turn in range(n):
        (item, *_) = until(lambda: ada.get("/api/next").json()["items"], PATIENCE, 0.1)  # a round may be in the making
        label = int(float(dict(item["row"])["x"]) > 0)
        body = {"item": item["item"], "label": label, "key": f"{prefix}-{turn:04d}"}
        assert ada.post("/api/answer", json=body).json()["status"] == "saved"


@pytest.mark.slow
def test_people_label_a_model_learns_and_a_restart_goes_on(campaign: Path) -> None:
    with served(campaign) as (_, lines):
        assert set(links(lines)) == {"ada", "admin"}
        ada, chief = (client(links(lines)[name]) for name in ("ada", "admin"))
        with ada, chief:
            answer(ada, 8, "first-part")
            wait_for(chief, "model", 1)
            answer(ada, 3, "next-part")
            wait_for_strip(ada)
            assert chief.get("/dashboard").text.count('class="strip c') == 2
            held = ada.get("/api/next?n=2").json()["items"]
    token = links(lines)["ada"].rpartition("/")[2]
    with served(campaign, "train=False") as (_, lines):
        assert not links(lines), "links are said once"
        assert sum("has a link already" in line for line in lines) == 2
        address = lines[-1].split(" at ")[1].split(";")[0]
        with client(f"{address}/a/{token}") as ada:
            again = ada.get("/api/next?n=2").json()["items"]
            assert [one["lease"] for one in again] == [one["lease"] for one in held]
            assert ada.get("/api/status").json()["labelled"] == 11


def wait_for_strip(ada: httpx2.Client) -> None:
    """Wait until the pages have sorted the new scores."""
    until(lambda: ada.get("/strips/0.svg").status_code == 200, PATIENCE, 0.1)


def test_a_second_server_is_refused_and_new_links_end_the_old(campaign: Path) -> None:
    with served(campaign, "train=False") as (_, lines):
        with pytest.raises(UsageError, match="desk"):
            serve(campaign, where=Where(port=0), train=False)
        old = links(lines)["ada"]
    with served(campaign, "train=False", "new_links=True") as (_, lines):
        new = links(lines)["ada"]
        assert new.rpartition("/")[2] != old.rpartition("/")[2]
        address = new.partition("/a/")[0]
        with client(new) as ada, client(f"{address}/a/{old.rpartition('/')[2]}") as stranger:
            assert ada.get("/api/next").status_code == 200
            assert stranger.get("/api/next").status_code == 401


@pytest.mark.parametrize(
    ("annotators", "admins", "words"),
    [
        ([""], ["chief"], "annotators has an empty name"),
        (["ada"], [" "], "admins has"),
        (["one"], ["one"], "both|one of"),
    ],
)
def test_names_that_cannot_be_are_refused(tmp_path: Path, annotators: list[str], admins: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        serve(tmp_path / "none.db", annotators, admins=admins, where=Where(port=0))


def test_an_annotator_who_is_to_be_an_admin_is_told_how() -> None:
    front = serve_in_memory().front
    told = _invitation(front, Person("ada", True), "http://here", False)
    assert "no admin" in told
    assert "--new-links" in told
    assert "--new-links" in _invitation(front, Person("bo", False), "http://here", False)
    assert _invitation(front, Person("ada", True), "http://here", True).startswith("ada (admin): http://here/a/")
    assert {link.person.admin for link in front.links() if link.person.name == "ada"} == {True}


def test_a_port_that_is_taken_is_said_before_anything_is_opened(tmp_path: Path) -> None:
    with listening("127.0.0.1", 0) as taken, pytest.raises(UsageError, match="choose another port"):
        serve(tmp_path / "none.db", where=Where(port=taken.getsockname()[1]))
    with pytest.raises(UsageError):
        serve(tmp_path / "none.db", where=Where(port=0))
    assert list(tmp_path.iterdir()) == []


def test_the_server_answers_to_the_names_it_was_told() -> None:
    assert Where().hosts(8000) == ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"]
    assert Where().address(8000) == "http://127.0.0.1:8000"
    assert Where("192.168.1.5").hosts(9000) == ["192.168.1.5:9000"]
    assert Where("::1").address(80) == "http://[::1]:80"
    behind = Where("127.0.0.1", names=["label.example.org"], https=True)
    assert behind.address(8000) == "https://label.example.org"
    assert "127.0.0.1:8000" in behind.hosts(8000)
    assert Where("0.0.0.0", names=["lab-pc"]).address(8000) == "http://lab-pc:8000"
    with pytest.raises(UsageError, match="say under which names people reach it with --names, since"):
        Where("0.0.0.0").hosts(8000)


def test_whoever_sets_up_a_proxy_is_told_what_is_behind_it() -> None:
    assert Where().said(8000) == "http://127.0.0.1:8000"
    for host, behind in (("127.0.0.1", "127.0.0.1:8001"), ("0.0.0.0", "127.0.0.1:8001"), ("::1", "[::1]:8001")):
        where = Where(host, names=["label.example.org"], https=True)
        assert where.said(8001) == f"https://label.example.org (a proxy must pass it on to http://{behind})"


def test_pictures_that_a_file_lists_are_served_from_their_folder(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(6):
        Image.new("RGB", (30, 30), (40 * i, 90, 90)).save(photos / f"{i}.png")
    (tmp_path / "list.csv").write_text("id,path\n" + "".join(f"photo {i},{i}.png\n" for i in range(6)))
    store, files = MemoryStore(), ArrayFiles(tmp_path / "files")
    wish = Wish(images=photos, file=tmp_path / "list.csv", picture="path")
    begin(store, files, gather(Settings("photos", ("left", "right")), wish))
    desk = Desk(store, files)
    fronts = Front(desk, store, files), Front(desk, store, files, folder=tmp_path)
    for front in fronts:  # where they are not in the folder that is given, they may be where they were
        assert asyncio.run(front.pictures.show(2)).data == (photos / "2.png").read_bytes()
    (photos / "2.png").unlink()
    assert asyncio.run(Front(desk, store, files).pictures.show(2)) is CANNOT
    for front in fronts:
        front.close()
    desk.close()


def test_a_campaign_whose_scores_are_lost_is_served_with_a_new_round(campaign: Path) -> None:
    store = open_store(campaign, create=False)
    files = open_files(store)
    entry = files.put("probs", np.random.default_rng(1).dirichlet((1, 1), N).astype(np.float32))
    said = {"version": 1, "classes": 2, "rows": N, "upto": store.last(), "run": "r1", "measures": {}}
    store.append([New("scores_published", said | {"files": {"probs": entry}})])
    desk = Desk(store, files)
    asked = desk.ask("ada", 1)[0]
    desk.tell(asked, 1)
    desk.close()
    store.close()
    (files.folder / entry["file"]).unlink()
    with (
        pytest.raises(DataError, match="serve --new-round"),
        _at_work(campaign, None, None, None, new_round=False),
    ):
        pass
    with _at_work(campaign, None, None, None, new_round=True) as front:
        ada = Person("ada", False)
        until(lambda: front.next(ada, 1)["items"], PATIENCE)
        assert front.status(Person("admin", True))["labelled"] == 1
        assert "the scores of model 1 cannot be read" in front.status(Person("admin", True))["trouble"]
        assert str(files.folder) not in str(front.status(ada))


def test_what_is_said_on_the_command_line_reaches_the_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr("cutpoint.service.web.server.serve", lambda *_, **options: told.update(options))
    command(capsys, "serve", "birds", "--new-round", "--training-limit", "60")
    assert (told["new_round"], told["training_limit"]) == (True, 60.0)
    command(capsys, "serve", "birds")
    assert (told["new_round"], told["training_limit"]) == (False, LIMIT)
