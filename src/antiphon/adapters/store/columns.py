"""What the tables are made of: the columns' types, and indexes over a part of the rows."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, MetaData, Text, text

# Ids and keys are compared byte by byte everywhere, so that order, cursors and prefixes mean the same in Python, SQLite
# and PostgreSQL, whatever the locale of the server.
Id = Text().with_variant(Text(collation="C"), "postgresql")
Sequence = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()


def partial_index(name: str, *columns: object, where: str, unique: bool = False) -> Index:
    """An index over the rows that `where` holds for."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))  # type: ignore[arg-type]
