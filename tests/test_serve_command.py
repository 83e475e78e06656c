"""`cutpoint serve` as people start it: links, answers over HTTP, a model trained beside it, and a quiet end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from campaign_command import command, fill, printed, truth
from desks import until

for needed in ("sqlalchemy", "alembic", "fastapi", "uvicorn", "jinja2"):
    pytest.importorskip(needed)

PATIENCE = 300.0  # seconds for what takes three on an idle machine
CALL = "import sys; from cutpoint.cli import main; sys.argv[0] = 'cutpoint'; main()"


class Server:
    """The command in a process of its own, and requests to it."""

    def __init__(self, *arguments: str) -> None:
        """Start it, and read its links."""
        line = [sys.executable, "-c", CALL, "serve", *arguments, "--port", "0"]
        self.process = subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
        )
        assert self.process.stdout is not None
        self.said: list[str] = []
        for said in self.process.stdout:
            self.said.append(said)
            if said.startswith("serving "):
                break
        else:
            raise AssertionError(self.end(signal.SIGKILL))
        found = (re.fullmatch(r"(.+?)(?: \(admin\))?: (http://[^/]+)/a/(\S+)\n", said) for said in self.said)
        self.tokens = {match[1]: match[3] for match in found if match}
        self.address = self.said[-1].split(" at ")[1].split(";")[0]

    def request(self, who: str, path: str, data: dict[str, Any] | None = None) -> Any:
        """The JSON of an answer to somebody's request."""
        headers = {"authorization": f"Bearer {self.tokens[who]}", "content-type": "application/json"}
        body = None if data is None else json.dumps(data).encode()
        with urllib.request.urlopen(
            urllib.request.Request(self.address + path, body, headers), timeout=PATIENCE
        ) as answer:
            return json.load(answer)

    def question(self, who: str) -> dict[str, Any]:
        """The next item for somebody; a round that is being prepared is there in a moment."""
        items: list[dict[str, Any]] = until(lambda: self.request(who, "/api/next?n=1")["items"], PATIENCE, 0.1)
        return items[0]

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """Its exit code and what it complained of."""
        self.process.send_signal(how)
        _, complained = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, complained


@pytest.fixture
def name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """A campaign over 60 pictures of digits."""
    where = str(tmp_path / "the herons")
    options = ["--images", str(fill(tmp_path / "photos", 60)), "--classes", "other,zero", "--first", "10"]
    command(capsys, "init", where, *options, "--quiet")
    return where


def test_people_label_a_model_learns_and_it_ends_quietly(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(name, "--annotators", "ann,bob")
    try:
        assert set(server.tokens) == {"ann", "bob", "admin"}
        for turn in range(12):
            who = ("ann", "bob")[turn % 2]
            item = server.question(who)
            label = int(truth(item["id"]) == "zero")
            said = server.request(who, "/api/answer", {"item": item["item"], "label": label, "key": f"answer-{turn}"})
            assert said["status"] == "saved"
        until(lambda: server.request("admin", "/api/status")["model"], PATIENCE, 0.2)
        assert printed(capsys, "status", name)["status"]["labelled"] == 12  # another process may look meanwhile
    finally:
        code, complained = server.end(signal.SIGTERM)
    assert (code, complained) == (0, "")
    assert printed(capsys, "replay", name)["same"]
    assert {finding["mark"] for finding in printed(capsys, "doctor", name)} <= {"well", "note"}


def test_one_server_at_a_time_and_links_are_said_once(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    first = Server(name, "--annotators", "ann")
    try:
        said = command(capsys, "serve", name, "--port", "0", code=2)
        assert "this campaign has a desk already" in said
    finally:
        ended = first.end(signal.SIGINT)
    assert ended == (0, "")
    again = Server(name, "--annotators", "ann")
    try:
        assert again.tokens == {}
        again.tokens = first.tokens
        assert again.question("ann")
    finally:
        again.end(signal.SIGINT)


def test_ctrl_c_in_a_terminal_reaches_all_of_its_processes_and_one_line_says_that_it_stopped(name: str) -> None:
    server = Server(name, "--annotators", "ann")
    tasks = Path(f"/proc/{server.process.pid}/task")
    if not tasks.exists():
        pytest.skip("this system does not tell of processes")
    until(lambda: "".join(path.read_text() for path in tasks.glob("*/children")))  # the training process is there
    os.killpg(server.process.pid, signal.SIGINT)
    said, complained = server.process.communicate(timeout=PATIENCE)
    assert (server.process.returncode, complained) == (0, "")
    assert said == "stopped; everything that was said to be saved is kept\n"


def test_a_port_and_a_folder_that_cannot_be_are_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "the port is 99999; it must be" in command(capsys, "serve", name, "--port", "99999", code=2)
    assert "there is no folder" in command(capsys, "serve", name, "--images", str(tmp_path / "none"), code=2)
    (tmp_path / "photos").rename(tmp_path / "moved")
    server = Server(name)
    try:
        assert any("--images FOLDER says where they are" in line for line in server.said)
    finally:
        server.end(signal.SIGINT)


@pytest.mark.parametrize("names", ["", "ann,,bob", " "])
def test_an_empty_name_is_refused_in_one_sentence(name: str, names: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = command(capsys, "serve", name, "--annotators", names, "--port", "0", code=2)
    assert "one of the annotators has an empty name" in said


def test_who_invites_nobody_is_told_how(name: str) -> None:
    hint = "nobody is invited to label yet: --annotators one,two makes a private link for each\n"
    for options, told in (([], True), (["--annotators", "ann"], False), ([], False)):
        server = Server(name, *options)
        assert server.end(signal.SIGINT) == (0, "")
        assert (hint in server.said) is told, server.said
