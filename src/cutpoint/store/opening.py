"""Open a campaign's store, wherever it is kept. The libraries are imported here, and their absence is one sentence."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cutpoint.errors import UsageError
from cutpoint.store.files import ArrayFiles

if TYPE_CHECKING:
    from cutpoint.store.sql import SqlStore

_FILES = "files"  # the note that says where the files of a campaign on PostgreSQL are
_PICTURES = "pictures"  # the one that says where its pictures are, if they are no longer where they were read


def open_store(url: str | Path, create: bool) -> SqlStore:
    """The store of a campaign: a path or `sqlite:///path` for one file, or `postgresql://user@host/database`.

    With `create` it is made where nothing is yet, and opened where a campaign is. Tables that an older version made
    are migrated (a copy of the file is kept). Raises UsageError where there is none or an extra is missing, and
    DataError for what is no campaign or was written by a newer version; nothing is changed then.
    """
    scheme, found, rest = str(url).partition("://")
    if isinstance(url, Path) or not found:
        return _sqlite(Path(url), create)
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return _sqlite(Path(rest[1:]), create)
    from_address = _on_server(url)
    from cutpoint.store.postgres import open_postgres

    return open_postgres(from_address, create)


def check_answers(url: str, folder: str | Path | None = None) -> None:
    """StoreError if the database does not answer, UsageError if it needs a folder for its files; changes nothing."""
    address = _on_server(url)
    from cutpoint.store.postgres import has_tables

    if not has_tables(address) and folder is None:
        raise UsageError(
            "the database has no folder for the campaign's files yet; give one that all processes can use: --files "
            "FOLDER."
        )


def _on_server(url: str | Path) -> str:
    """The address of a database, as SQLAlchemy has it; UsageError for another kind, or where a library is missing."""
    scheme, _, rest = str(url).partition("://")
    if re.fullmatch(r"postgres(ql)?(\+psycopg)?", scheme):
        _need_databases()
        _need("psycopg", "PostgreSQL", "postgres")
        return f"postgresql+psycopg://{rest}"
    raise UsageError(
        f"a campaign cannot be kept in {scheme}://...; give the path of a file (birds.db, sqlite:///birds.db), or "
        "postgresql://user@host/database."
    )


def open_files(store: SqlStore, folder: str | Path | None = None) -> ArrayFiles:
    """The arrays of a campaign: beside birds.db in birds.files, of one on PostgreSQL in the folder given once.

    Without a folder, that is the one which `note_files` has noted.
    """
    from cutpoint.store.sqlite import SqliteStore

    if isinstance(store, SqliteStore):
        beside = store.path.with_suffix(".files")
        if folder is not None and Path(folder).resolve() != beside.resolve():
            raise UsageError(f"the files of {store.path} are in {beside}; leave the folder out.")
        return ArrayFiles(beside)
    noted = store.about(_FILES)
    if folder is None:
        if noted is None:
            raise UsageError(
                f"{store.shown} has no folder for its files yet; give one that all processes can use: --files FOLDER."
            )
        return ArrayFiles(noted)
    return ArrayFiles(Path(folder).resolve())


def noted_files(store: SqlStore) -> Path | None:
    """Where those look for a campaign's arrays who name no folder; None where nothing is noted yet."""
    from cutpoint.store.sqlite import SqliteStore

    if isinstance(store, SqliteStore):
        return open_files(store).folder
    noted = store.about(_FILES)
    return None if noted is None else Path(noted)


def note_files(store: SqlStore, folder: Path) -> None:
    """Note where the arrays of a campaign on PostgreSQL are, over what was noted before."""
    store.note(_FILES, str(folder))


def noted_pictures(store: SqlStore) -> Path | None:
    """Where a campaign's pictures are looked for first; None where nothing is noted."""
    noted = store.about(_PICTURES)
    return None if noted is None else Path(noted)


def note_pictures(store: SqlStore, folder: Path) -> None:
    """Note where a campaign's pictures are, over what was noted before."""
    store.note(_PICTURES, str(folder))


def _sqlite(path: Path, create: bool) -> SqlStore:
    _need_databases()
    from cutpoint.store.sqlite import open_sqlite

    return open_sqlite(path, create)


def _need_databases() -> None:
    for module in ("sqlalchemy", "alembic"):
        _need(module, "a campaign on disk", "serve")


def _need(module: str, what: str, extra: str) -> None:
    """UsageError that names the extra, if a library is missing."""
    if find_spec(module) is None:
        raise UsageError(f"{what} needs {module}; install it with: pip install 'cutpoint[{extra}]'.")
