"""Which revision of the tables a database has, and how it gets to the newest.

Migrations are the numbered files of `migrations/`, run by Alembic in one transaction, under the lock of writers. They
only ever go forward: an older Cutpoint refuses a newer database.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, Text, select

from cutpoint.errors import DataError
from cutpoint.store.tables import SCHEMA

VERSION_TABLE = "cutpoint_version"
_VERSION = Table(VERSION_TABLE, MetaData(), Column("version_num", Text))  # Alembic's own; its name is ours
_ONE = threading.Lock()  # what Alembic's `op` means is global to the process
_FOLDER = Path(__file__).parent / "migrations"


def revision(connection: Connection) -> str | None:
    """The revision that a database is at; None before the first migration has ended."""
    return connection.execute(select(_VERSION.c.version_num)).scalar()


def is_older(connection: Connection, shown: str) -> bool:
    """Whether a database has to be migrated; DataError if a newer Cutpoint wrote it."""
    found = revision(connection)
    if found == SCHEMA:
        return False
    if found not in {script.revision for script in _scripts().walk_revisions()}:
        raise DataError(
            f"{shown} has tables of revision {found}, and this Cutpoint knows them up to {SCHEMA}: it was written by "
            "a newer one; upgrade Cutpoint, or restore the backup from before the migration. Nothing was changed."
        )
    return True


def migrate(connection: Connection) -> None:
    """Bring a database to the newest revision, in the transaction that `connection` is in."""
    scripts = _scripts()

    def steps(found: Any, context: Any) -> Any:
        return scripts._upgrade_revs("head", found)  # what `alembic upgrade head` does

    with _ONE, EnvironmentContext(Config(), scripts, fn=steps, destination_rev="head") as environment:
        environment.configure(connection, version_table=VERSION_TABLE, transactional_ddl=True)
        environment.run_migrations()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(_FOLDER, version_locations=[_FOLDER])
