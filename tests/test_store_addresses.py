"""Addresses of campaigns, and what is said where a library is missing: with and without the extras."""

from __future__ import annotations

import re

import pytest

from cutpoint.errors import UsageError
from cutpoint.store import opening
from cutpoint.store.opening import open_store


@pytest.mark.parametrize("url", ["mysql://root:secret@host/birds", "sqlite://", "sqlite:///", "sqlite://host/birds.db"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"a campaign cannot be kept in .*give the path of a file") as caught:
        open_store(url, True)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "missing", "extra"),
    [
        ("birds.db", "sqlalchemy", "serve"),
        ("birds.db", "alembic", "serve"),
        ("postgresql://host/birds", "psycopg", "postgres"),
        ("postgresql://host/birds", "alembic", "serve"),
    ],
)
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, url: str, missing: str, extra: str) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(
        UsageError, match=re.escape(f"needs {missing}; install it with: pip install 'cutpoint[{extra}]'")
    ):
        open_store(url, True)
