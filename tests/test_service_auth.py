"""Links, sessions and limits: unguessable, kept as hashes alone, compared in constant time, ended by revoking."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi")

from cutpoint.service.web import auth
from cutpoint.service.web.auth import Limit, Link, Person, hash_of, holder, new_token, session_of

ADA, BO = Person("ada", False), Person("bo", False)


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert min(map(len, tokens)) >= 43  # 256 bits in base 64


def test_neither_the_log_nor_the_cookie_gives_the_token_away() -> None:
    token = new_token()
    assert len({token, session_of(token), hash_of(token)}) == 3
    links = [Link(hash_of(token), ADA)]
    assert holder(session_of(token), links) == ADA
    assert holder(hash_of(token), links) is None, "what the log holds lets nobody in"
    assert holder(token, links) is None, "the token itself is no session"


def test_a_session_ends_with_its_link() -> None:
    token, other = new_token(), new_token()
    links = [Link(hash_of(token), ADA), Link(hash_of(other), BO)]
    assert holder(session_of(other), links) == BO
    assert holder(session_of(token), links[1:]) is None
    assert holder("", links) is None


def test_every_link_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def compare(a: str, b: str) -> bool:
        compared.append(b)
        return a == b

    monkeypatch.setattr("cutpoint.service.web.auth.hmac.compare_digest", compare)
    tokens = [new_token() for _ in range(5)]
    links = [Link(hash_of(token), ADA) for token in tokens]
    assert holder(session_of(tokens[0]), links) == ADA
    assert compared == [link.hash for link in links], "the loop must not stop at the one that fits"


def test_a_limit_lets_a_burst_through_and_then_so_many_a_second() -> None:
    now = [100.0]
    limit = Limit(per_second=2, burst=3, clock=lambda: now[0])
    assert [limit.wait("ada") for _ in range(3)] == [0, 0, 0]
    assert limit.wait("ada") == pytest.approx(0.5)
    assert limit.wait("bo") == 0, "one person's haste is not another's"
    now[0] += 0.5
    assert limit.wait("ada") == 0
    assert limit.wait("ada") > 0
    now[0] += 1000
    assert [limit.wait("ada") == 0 for _ in range(4)] == [True, True, True, False]


def test_strangers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "MOST_SENDERS", 10)
    limit = Limit(1, 1)
    for i in range(100):
        limit.wait(f"10.0.0.{i}")
    assert len(limit._buckets) == 10
