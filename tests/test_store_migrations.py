"""Migrations: they make the tables that the code has, they run when a campaign is opened, and they never go back."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cutpoint.errors import DataError
from cutpoint.store.base import StoreError
from cutpoint.store.events import New
from cutpoint.store.opening import open_store

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

from cutpoint.store import schema, tables

EVENT = New("resized", {"round": 1, "in_flight": 2})

NEXT = """
from alembic import op
from sqlalchemy import Column, Text

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("about", Column("colour", Text))
    {more}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new campaign."""
    if request.param == "sqlite":
        return str(tmp_path / "birds.db")
    address: str = request.getfixturevalue("postgres_url")
    return address


@contextmanager
def newer(tmp_path: Path, more: str = "") -> Iterator[None]:
    """Meanwhile this Cutpoint is one that has a second migration."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema._FOLDER, folder, dirs_exist_ok=True)
    (folder / "v0002_colour.py").write_text(NEXT.format(more=more))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "_FOLDER", folder)
        patch.setattr(schema, "SCHEMA", "0002")
        yield


def columns(store: Any) -> set[str]:
    from sqlalchemy import inspect

    return {column["name"] for column in inspect(store._engine).get_columns("about")}


def tables_of(store: Any) -> set[str]:
    from sqlalchemy import inspect

    return set(inspect(store._engine).get_table_names())


def test_the_migrations_make_the_tables_of_the_code(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with closing(open_store(url, True)) as store, store._engine.connect() as connection:
        options = {"version_table": schema.VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.METADATA) == []
        assert schema.revision(connection) == tables.SCHEMA == schema._scripts().get_current_head()


def test_migrations_are_numbered_one_by_one() -> None:
    scripts = sorted(schema._scripts().walk_revisions(), key=lambda script: script.revision)
    numbers = [f"{place:04}" for place in range(1, len(scripts) + 1)]
    assert [script.revision for script in scripts] == numbers
    assert [script.down_revision for script in scripts] == [None, *numbers[:-1]]
    for script in scripts:
        assert re.fullmatch(rf"v{script.revision}_\w+\.py", Path(script.path).name)


def test_an_older_campaign_is_migrated_when_it_is_opened(url: str, tmp_path: Path) -> None:
    with closing(open_store(url, True)) as store:
        stored = store.append([EVENT] * 3)
        assert "colour" not in columns(store)
    with newer(tmp_path):
        for _ in range(2):  # the second time there is nothing left to do
            with closing(open_store(url, False)) as store:
                assert list(store.events()) == stored
                assert "colour" in columns(store)
        with closing(open_store(url, False)) as store:
            assert store.append([EVENT])[0].number == 4
    backups = list(tmp_path.glob("birds.db.0001-*.backup"))
    assert len(backups) == (not url.startswith("postgresql"))
    for backup in backups:  # it opens in the older version, as the migrated one does not
        shutil.copy(backup, tmp_path / "restored.db")
        with closing(open_store(tmp_path / "restored.db", False)) as store:
            assert list(store.events()) == stored
        with pytest.raises(DataError, match="revision 0002"):
            open_store(url, False)


def test_a_migration_that_fails_leaves_all_as_it_was(url: str, tmp_path: Path) -> None:
    with closing(open_store(url, True)) as store:
        stored = store.append([EVENT])
        store.note("files", "somewhere")
    more = [
        """op.execute("UPDATE events SET kind = 'another'")""",
        'op.execute("DELETE FROM about")',
        'op.drop_column("events", "key")' if url.startswith("postgresql") else 'op.drop_table("items")',
        'op.create_table("more", Column("name", Text))',
        'op.execute("INSERT INTO nowhere VALUES (1)")',
    ]
    with newer(tmp_path, "\n    ".join(more)), pytest.raises((StoreError, DataError), match="nowhere"):
        open_store(url, False)
    with closing(open_store(url, False)) as store:
        assert list(store.events()) == stored
        assert store.about("files") == "somewhere"
        assert store.count() == 0
        assert tables_of(store) == {*tables.METADATA.tables, schema.VERSION_TABLE}
        assert "colour" not in columns(store)
        with store._engine.connect() as connection:
            assert schema.revision(connection) == tables.SCHEMA


def test_a_newer_campaign_is_refused_and_stays_as_it_was(url: str, tmp_path: Path) -> None:
    from sqlalchemy import text

    with closing(open_store(url, True)) as store, store._writing() as connection:
        connection.execute(text("UPDATE cutpoint_version SET version_num = '0007'"))
    bytes_of = partial(Path.read_bytes, tmp_path / "birds.db") if not url.startswith("postgresql") else bytes
    before = bytes_of()
    for create in (True, False):
        with pytest.raises(DataError, match=r"revision 0007, and this Cutpoint knows .* 0001: .* upgrade Cutpoint"):
            open_store(url, create)
    assert bytes_of() == before
