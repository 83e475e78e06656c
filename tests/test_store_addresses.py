"""Addresses of campaigns, and what is said where a library is missing: with and without the extras."""

from __future__ import annotations

import re

import pytest

from cutpoint.errors import UsageError
from cutpoint.service.place import title
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


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://ann:secret@host:5432/herons", "herons"),
        ("postgresql://ann@host/herons?options=-csearch_path%3Dautumn", "autumn"),
        ("postgresql://ann@host/herons?connect_timeout=3&options=-c%20search_path%3Dautumn,public", "autumn"),
        ("postgresql://ann@host/my%20herons?sslmode=require", "my herons"),
        ("postgresql://ann:secret@host", "campaign"),
        ("sqlite:///there/herons.db", "herons"),
        ("there/herons", "herons"),
    ],
)
def test_a_campaign_is_called_after_its_file_its_schema_or_its_database(url: str, name: str) -> None:
    assert title(url) == name
