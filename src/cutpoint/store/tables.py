"""The tables of a campaign's database, as they are now; `migrations/` says how they came to be, and a test compares.

Keys and ids are bytes (UTF-8), because PostgreSQL's text cannot hold NUL, nor a database's collation tell all names
apart. Data and contents are JSON in ASCII, which a person can read in any database's own shell.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Integer, LargeBinary, MetaData, Table, Text

SCHEMA = "0001"
"""The newest migration: the revision of a database that has the tables below."""

METADATA = MetaData()
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite's row number, and so the order on the disk

EVENTS = Table(
    "events",
    METADATA,
    Column("number", _NUMBER, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("key", LargeBinary, unique=True),
)
ITEMS = Table(
    "items",
    METADATA,
    Column("position", _NUMBER, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("content", Text, nullable=False),
)
ABOUT = Table(
    "about",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What is no event: where the files are, and who has a role on PostgreSQL. It may be overwritten."""
