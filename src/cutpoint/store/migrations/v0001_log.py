"""The log, the items and what is no event."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Integer, LargeBinary, Text

revision = "0001"
down_revision = None

_NUMBER = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "events",
        Column("number", _NUMBER, primary_key=True, autoincrement=False),
        Column("at", Double, nullable=False),
        Column("kind", Text, nullable=False),
        Column("data", Text, nullable=False),
        Column("key", LargeBinary, unique=True),
    )
    op.create_table(
        "items",
        Column("position", _NUMBER, primary_key=True, autoincrement=False),
        Column("id", LargeBinary, nullable=False, unique=True),
        Column("content", Text, nullable=False),
    )
    op.create_table("about", Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
