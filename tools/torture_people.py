"""Annotators over HTTP who never give up: what was not acknowledged is sent again under its key, as the page does."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 30.0  # seconds for one request; the server may be dead in the middle of it
AGAIN = 0.02  # seconds before a request is sent again
THINK = 0.1  # seconds for an item; a person may send 20 requests a second


@dataclass(frozen=True)
class Answer:
    """What somebody said of an item: the class, under the key of the request."""

    item: int
    label: int
    person: str
    key: str


@dataclass
class Told:
    """What clients sent and what the server said is saved, by key; shared by all of them."""

    sent: dict[str, Answer] = field(default_factory=dict)
    saved: dict[str, Answer] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)  # of the event that holds the answer, as the server said
    refused: list[str] = field(default_factory=list)  # distinct reasons
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, answer: Answer) -> None:
        """Note an answer before it leaves."""
        with self.lock:
            self.sent[answer.key] = answer

    def save(self, answer: Answer, number: int) -> None:
        """Note that the server said it is on disk."""
        with self.lock:
            self.saved[answer.key] = answer
            self.numbers[answer.key] = number

    def refuse(self, words: str) -> None:
        """Note why an answer was refused."""
        with self.lock:
            if words not in self.refused:
                self.refused.append(words)


class Annotator(threading.Thread):
    """One person who answers as fast as the server takes it, until `stop` is set and the last answer is saved."""

    def __init__(self, link: str, person: str, told: Told, stop: threading.Event, seed: int) -> None:
        """`link`: the private link as `serve` prints it."""
        super().__init__(name=person, daemon=True)
        parts = urlsplit(link)
        self._host, self._token = parts.netloc, parts.path.rpartition("/")[2]
        self._person, self._told, self._stop_asking, self._random = person, told, stop, random.Random(seed)
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        """Ask and answer."""
        while not self._stop_asking.is_set():
            got = self._until_answered("GET", "/api/next?n=2", None)
            for item in got.get("items", []):
                time.sleep(THINK)
                self._answer(int(item["item"]))
            if not got.get("items"):
                time.sleep(THINK)
        self._hang_up()

    def _answer(self, item: int) -> None:
        """Say one thing about an item until the server has said that it is saved."""
        key = f"{self._person}-{item}-{self._random.getrandbits(64):016x}"
        answer = Answer(item, self._random.randrange(2), self._person, key)
        self._told.send(answer)
        got = self._until_answered("POST", "/api/answer", {"item": item, "label": answer.label, "key": key})
        self._told.save(answer, int(got["number"]))

    def _until_answered(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """The JSON of a request that was taken, however often it has to be sent."""
        while True:
            try:
                status, found = self._once(method, path, body)
            except (OSError, http.client.HTTPException, ValueError):  # killed before, during or after it
                self._hang_up()
                status, found = 0, {}
            if status == 200:
                return found
            if status:
                self._told.refuse(f"{status}: {found.get('error', '')}")
            if method == "GET" and self._stop_asking.is_set():
                return {}
            time.sleep(AGAIN)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _once(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read() or b"{}")
